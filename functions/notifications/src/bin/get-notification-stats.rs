//! Lambda entry point of [`notifications::get_notification_stats`].

fn main() -> std::process::ExitCode {
    shared::lambda::serve(notifications::get_notification_stats::function())
}
