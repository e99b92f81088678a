//! Lambda entry point of [`mail::delete_mail`].

fn main() -> std::process::ExitCode {
    shared::lambda::serve(&mail::DELETE_MAIL)
}
