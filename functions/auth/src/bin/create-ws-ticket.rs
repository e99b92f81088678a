//! Lambda entry point of [`auth::create_ws_ticket`].

fn main() -> std::process::ExitCode {
    shared::lambda::serve(&auth::CREATE_WS_TICKET)
}
