//! Lambda entry point of [`conversations::send_message`].

fn main() -> std::process::ExitCode {
    shared::lambda::serve(&conversations::SEND_MESSAGE)
}
