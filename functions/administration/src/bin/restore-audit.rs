//! Lambda entry point of [`administration::restore_audit`].

fn main() -> std::process::ExitCode {
    shared::lambda::serve(&administration::RESTORE_AUDIT)
}
