//! Lambda entry point of [`mail::get_mail`].

fn main() -> std::process::ExitCode {
    shared::lambda::serve(&mail::GET_MAIL)
}
