//! Lambda entry point of [`system::get_openapi`].

#[tokio::main(flavor = "current_thread")]
async fn main() -> std::process::ExitCode {
    shared::lambda::serve(system::get_openapi::function()).await
}
