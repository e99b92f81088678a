//! Lambda entry point of [`conversations::open_direct_conversation`].

fn main() -> std::process::ExitCode {
    shared::lambda::serve(&conversations::OPEN_DIRECT_CONVERSATION)
}
