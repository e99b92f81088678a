//! Lambda entry point of [`notifications::mark_notification_read`].

fn main() -> std::process::ExitCode {
    shared::lambda::serve(notifications::mark_notification_read::function())
}
