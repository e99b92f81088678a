//! Lambda entry point of [`realtime::end_expired_connections`].

fn main() -> std::process::ExitCode {
    shared::lambda::serve(&realtime::END_EXPIRED_CONNECTIONS)
}
