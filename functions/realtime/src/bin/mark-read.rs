//! Lambda entry point of [`realtime::mark_read`].

#[tokio::main(flavor = "current_thread")]
async fn main() -> std::process::ExitCode {
    shared::lambda::serve(realtime::mark_read::function()).await
}
