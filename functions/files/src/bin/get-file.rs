//! Lambda entry point of [`files::get_file`].

fn main() -> std::process::ExitCode {
    shared::lambda::serve(&files::GET_FILE)
}
