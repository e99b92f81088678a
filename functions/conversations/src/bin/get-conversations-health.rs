//! Lambda entry point of [`conversations::get_conversations_health`].

#[tokio::main(flavor = "current_thread")]
async fn main() -> std::process::ExitCode {
    shared::lambda::serve(conversations::get_conversations_health::function()).await
}
