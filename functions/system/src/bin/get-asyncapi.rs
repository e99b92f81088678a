//! Lambda entry point of [`system::get_asyncapi`].

fn main() -> std::process::ExitCode {
    shared::lambda::serve(&system::GET_ASYNCAPI)
}
