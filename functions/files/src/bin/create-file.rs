//! Lambda entry point of [`files::create_file`].

fn main() -> std::process::ExitCode {
    shared::lambda::serve(&files::CREATE_FILE)
}
