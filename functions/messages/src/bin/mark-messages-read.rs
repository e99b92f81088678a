//! Lambda entry point of [`messages::mark_messages_read`].

fn main() -> std::process::ExitCode {
    shared::lambda::serve(messages::mark_messages_read::function())
}
