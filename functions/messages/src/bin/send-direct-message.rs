//! Lambda entry point of [`messages::send_direct_message`].

fn main() -> std::process::ExitCode {
    shared::lambda::serve(&messages::SEND_DIRECT_MESSAGE)
}
