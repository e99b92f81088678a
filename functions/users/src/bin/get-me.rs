//! Lambda entry point of [`users::get_me`].

fn main() -> std::process::ExitCode {
    shared::lambda::serve(&users::GET_ME)
}
