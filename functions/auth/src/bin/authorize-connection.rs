//! Lambda entry point of [`auth::authorize_connection`].

fn main() -> std::process::ExitCode {
    shared::lambda::serve(&auth::AUTHORIZE_CONNECTION)
}
