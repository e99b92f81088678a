//! Lambda entry point of [`system::get_redoc_asset`].

#[tokio::main(flavor = "current_thread")]
async fn main() -> std::process::ExitCode {
    shared::lambda::serve(system::get_redoc_asset::function()).await
}
