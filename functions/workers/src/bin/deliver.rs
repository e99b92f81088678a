//! Lambda entry point of [`workers::deliver`].

fn main() -> std::process::ExitCode {
    shared::lambda::serve(&workers::DELIVER)
}
