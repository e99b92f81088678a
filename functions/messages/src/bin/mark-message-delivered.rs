//! Lambda entry point of [`messages::mark_message_delivered`].

fn main() -> std::process::ExitCode {
    shared::lambda::serve(messages::mark_message_delivered::function())
}
