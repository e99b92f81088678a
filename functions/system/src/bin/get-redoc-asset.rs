//! Lambda entry point of [`system::get_redoc_asset`].

fn main() -> std::process::ExitCode {
    shared::lambda::serve(&system::GET_REDOC_ASSET)
}
