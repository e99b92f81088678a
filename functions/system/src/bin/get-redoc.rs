//! Lambda entry point of [`system::get_redoc`].

fn main() -> std::process::ExitCode {
    shared::lambda::serve(system::get_redoc::function())
}
