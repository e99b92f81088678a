//! Lambda entry point of [`notifications::create_system_notification`].

fn main() -> std::process::ExitCode {
    shared::lambda::serve(&notifications::CREATE_SYSTEM_NOTIFICATION)
}
