//! Lambda entry point of [`administration::list_audit_entries`].

fn main() -> std::process::ExitCode {
    shared::lambda::serve(&administration::LIST_AUDIT_ENTRIES)
}
