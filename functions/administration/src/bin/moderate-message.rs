//! Lambda entry point of [`administration::moderate_message`].

fn main() -> std::process::ExitCode {
    shared::lambda::serve(&administration::MODERATE_MESSAGE)
}
