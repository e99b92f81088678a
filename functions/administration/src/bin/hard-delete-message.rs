//! Lambda entry point of [`administration::hard_delete_message`].

fn main() -> std::process::ExitCode {
    shared::lambda::serve(&administration::HARD_DELETE_MESSAGE)
}
