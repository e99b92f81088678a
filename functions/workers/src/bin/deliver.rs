//! Lambda entry point of [`workers::deliver`].

#[tokio::main(flavor = "current_thread")]
async fn main() -> std::process::ExitCode {
    shared::lambda::serve(workers::deliver::function()).await
}
