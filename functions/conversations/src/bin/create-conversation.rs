//! Lambda entry point of [`conversations::create_conversation`].

fn main() -> std::process::ExitCode {
    shared::lambda::serve(&conversations::CREATE_CONVERSATION)
}
