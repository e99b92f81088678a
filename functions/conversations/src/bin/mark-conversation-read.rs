//! Lambda entry point of [`conversations::mark_conversation_read`].

#[tokio::main(flavor = "current_thread")]
async fn main() -> std::process::ExitCode {
    shared::lambda::serve(conversations::mark_conversation_read::function()).await
}
