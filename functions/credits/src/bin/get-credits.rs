//! Lambda entry point of [`credits::get_credits`].

fn main() -> std::process::ExitCode {
    shared::lambda::serve(&credits::GET_CREDITS)
}
