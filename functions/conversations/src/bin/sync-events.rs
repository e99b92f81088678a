//! Lambda entry point of [`conversations::sync_events`].

#[tokio::main(flavor = "current_thread")]
async fn main() -> std::process::ExitCode {
    shared::lambda::serve(conversations::sync_events::function()).await
}
