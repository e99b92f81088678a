//! Lambda entry point of [`administration::start_export`].

fn main() -> std::process::ExitCode {
    shared::lambda::serve(&administration::START_EXPORT)
}
