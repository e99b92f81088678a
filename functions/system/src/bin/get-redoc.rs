//! Lambda entry point of [`system::get_redoc`].

#[tokio::main(flavor = "current_thread")]
async fn main() -> std::process::ExitCode {
    shared::lambda::serve(system::get_redoc::function()).await
}
