//! Lambda entry point of [`system::get_readiness`].

fn main() -> std::process::ExitCode {
    shared::lambda::serve(&system::GET_READINESS)
}
