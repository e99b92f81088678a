//! Lambda entry point of [`system::get_docs_asset`].

fn main() -> std::process::ExitCode {
    shared::lambda::serve(&system::GET_DOCS_ASSET)
}
