//! Lambda entry point of [`workers::notify`].

fn main() -> std::process::ExitCode {
    shared::lambda::serve(&workers::NOTIFY)
}
