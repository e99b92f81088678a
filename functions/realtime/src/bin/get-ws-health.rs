//! Lambda entry point of [`realtime::get_ws_health`].

fn main() -> std::process::ExitCode {
    shared::lambda::serve(&realtime::GET_WS_HEALTH)
}
