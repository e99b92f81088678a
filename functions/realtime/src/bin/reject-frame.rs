//! Lambda entry point of [`realtime::reject_frame`].

#[tokio::main(flavor = "current_thread")]
async fn main() -> std::process::ExitCode {
    shared::lambda::serve(realtime::reject_frame::function()).await
}
