//! Lambda entry point of [`system::get_health`].

#[tokio::main(flavor = "current_thread")]
async fn main() -> std::process::ExitCode {
    shared::lambda::serve(system::get_health::function()).await
}
