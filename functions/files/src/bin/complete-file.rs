//! Lambda entry point of [`files::complete_file`].

fn main() -> std::process::ExitCode {
    shared::lambda::serve(&files::COMPLETE_FILE)
}
