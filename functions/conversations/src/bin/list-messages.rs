//! Lambda entry point of [`conversations::list_messages`].

fn main() -> std::process::ExitCode {
    shared::lambda::serve(&conversations::LIST_MESSAGES)
}
