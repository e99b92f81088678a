//! Lambda entry point of [`administration::get_attachment`].

fn main() -> std::process::ExitCode {
    shared::lambda::serve(&administration::GET_ATTACHMENT)
}
