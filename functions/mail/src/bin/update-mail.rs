//! Lambda entry point of [`mail::update_mail`].

fn main() -> std::process::ExitCode {
    shared::lambda::serve(&mail::UPDATE_MAIL)
}
