//! Lambda entry point of [`system::get_docs_asset`].

#[tokio::main(flavor = "current_thread")]
async fn main() -> std::process::ExitCode {
    shared::lambda::serve(system::get_docs_asset::function()).await
}
