//! Lambda entry point of [`mail::get_mail_stats`].

fn main() -> std::process::ExitCode {
    shared::lambda::serve(&mail::GET_MAIL_STATS)
}
