//! Lambda entry point of [`administration::verify_audit`].

fn main() -> std::process::ExitCode {
    shared::lambda::serve(&administration::VERIFY_AUDIT)
}
