//! Lambda entry point of [`system::get_health`].

fn main() -> std::process::ExitCode {
    shared::lambda::serve(system::get_health::function())
}
