//! Lambda entry point of [`system::get_docs`].

fn main() -> std::process::ExitCode {
    shared::lambda::serve(&system::GET_DOCS)
}
