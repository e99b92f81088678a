//! Lambda entry point of [`notifications::get_notification_stats`].

fn main() -> std::process::ExitCode {
    shared::lambda::serve(&notifications::GET_NOTIFICATION_STATS)
}
