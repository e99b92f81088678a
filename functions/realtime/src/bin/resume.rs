//! Lambda entry point of [`realtime::resume`].

#[tokio::main(flavor = "current_thread")]
async fn main() -> std::process::ExitCode {
    shared::lambda::serve(realtime::resume::function()).await
}
