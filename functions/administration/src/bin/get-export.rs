//! Lambda entry point of [`administration::get_export`].

fn main() -> std::process::ExitCode {
    shared::lambda::serve(&administration::GET_EXPORT)
}
