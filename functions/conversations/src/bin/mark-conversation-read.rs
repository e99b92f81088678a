//! Lambda entry point of [`conversations::mark_conversation_read`].

fn main() -> std::process::ExitCode {
    shared::lambda::serve(&conversations::MARK_CONVERSATION_READ)
}
