//! Lambda entry point of [`conversations::sync_events`].

fn main() -> std::process::ExitCode {
    shared::lambda::serve(&conversations::SYNC_EVENTS)
}
