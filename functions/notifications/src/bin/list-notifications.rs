//! Lambda entry point of [`notifications::list_notifications`].

fn main() -> std::process::ExitCode {
    shared::lambda::serve(&notifications::LIST_NOTIFICATIONS)
}
