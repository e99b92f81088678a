//! Lambda entry point of [`messages::mark_message_delivered`].

fn main() -> std::process::ExitCode {
    shared::lambda::serve(&messages::MARK_MESSAGE_DELIVERED)
}
