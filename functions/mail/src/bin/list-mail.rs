//! Lambda entry point of [`mail::list_mail`].

fn main() -> std::process::ExitCode {
    shared::lambda::serve(&mail::LIST_MAIL)
}
