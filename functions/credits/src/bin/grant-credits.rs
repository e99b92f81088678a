//! Lambda entry point of [`credits::grant_credits`].

fn main() -> std::process::ExitCode {
    shared::lambda::serve(&credits::GRANT_CREDITS)
}
