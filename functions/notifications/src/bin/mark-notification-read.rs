//! Lambda entry point of [`notifications::mark_notification_read`].

fn main() -> std::process::ExitCode {
    shared::lambda::serve(&notifications::MARK_NOTIFICATION_READ)
}
