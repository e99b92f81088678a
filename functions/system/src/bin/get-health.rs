//! Lambda entry point of [`system::get_health`].

fn main() -> std::process::ExitCode {
    shared::lambda::serve(&system::GET_HEALTH)
}
