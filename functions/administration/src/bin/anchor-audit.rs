//! Lambda entry point of [`administration::anchor_audit`].

fn main() -> std::process::ExitCode {
    shared::lambda::serve(&administration::ANCHOR_AUDIT)
}
