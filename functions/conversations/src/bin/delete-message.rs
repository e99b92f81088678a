//! Lambda entry point of [`conversations::delete_message`].

fn main() -> std::process::ExitCode {
    shared::lambda::serve(&conversations::DELETE_MESSAGE)
}
