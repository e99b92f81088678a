//! Lambda entry point of [`notifications::mark_notifications_read`].

fn main() -> std::process::ExitCode {
    shared::lambda::serve(&notifications::MARK_NOTIFICATIONS_READ)
}
