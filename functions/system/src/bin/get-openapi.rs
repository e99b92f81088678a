//! Lambda entry point of [`system::get_openapi`].

fn main() -> std::process::ExitCode {
    shared::lambda::serve(&system::GET_OPENAPI)
}
