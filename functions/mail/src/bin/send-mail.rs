//! Lambda entry point of [`mail::send_mail`].

fn main() -> std::process::ExitCode {
    shared::lambda::serve(&mail::SEND_MAIL)
}
