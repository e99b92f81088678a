//! Lambda entry point of [`messages::mark_messages_read`].

fn main() -> std::process::ExitCode {
    shared::lambda::serve(&messages::MARK_MESSAGES_READ)
}
