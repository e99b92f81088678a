//! Lambda entry point of [`workers::notify`].

#[tokio::main(flavor = "current_thread")]
async fn main() -> std::process::ExitCode {
    shared::lambda::serve(workers::notify::function()).await
}
