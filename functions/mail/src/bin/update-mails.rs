//! Lambda entry point of [`mail::update_mails`].

fn main() -> std::process::ExitCode {
    shared::lambda::serve(&mail::UPDATE_MAILS)
}
