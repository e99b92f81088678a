//! Lambda entry point of [`users::get_user`].

fn main() -> std::process::ExitCode {
    shared::lambda::serve(&users::GET_USER)
}
