//! Lambda entry point of [`notifications::delete_notification`].

fn main() -> std::process::ExitCode {
    shared::lambda::serve(&notifications::DELETE_NOTIFICATION)
}
