//! Lambda entry point of [`notifications::get_notification`].

fn main() -> std::process::ExitCode {
    shared::lambda::serve(&notifications::GET_NOTIFICATION)
}
