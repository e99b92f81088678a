//! Lambda entry point of [`conversations::get_conversation`].

fn main() -> std::process::ExitCode {
    shared::lambda::serve(&conversations::GET_CONVERSATION)
}
