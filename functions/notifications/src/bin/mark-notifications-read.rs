//! Lambda entry point of [`notifications::mark_notifications_read`].

fn main() -> std::process::ExitCode {
    shared::lambda::serve(notifications::mark_notifications_read::function())
}
