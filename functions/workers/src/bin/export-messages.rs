//! Lambda entry point of [`workers::export_messages`].

fn main() -> std::process::ExitCode {
    shared::lambda::serve(&workers::EXPORT_MESSAGES)
}
