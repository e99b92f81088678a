//! Lambda entry point of [`conversations::list_conversations`].

fn main() -> std::process::ExitCode {
    shared::lambda::serve(&conversations::LIST_CONVERSATIONS)
}
