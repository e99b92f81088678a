//! Lambda entry point of [`system::get_docs`].

fn main() -> std::process::ExitCode {
    shared::lambda::serve(system::get_docs::function())
}
