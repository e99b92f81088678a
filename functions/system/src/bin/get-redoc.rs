//! Lambda entry point of [`system::get_redoc`].

fn main() -> std::process::ExitCode {
    shared::lambda::serve(&system::GET_REDOC)
}
