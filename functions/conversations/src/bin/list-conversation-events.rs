//! Lambda entry point of [`conversations::list_conversation_events`].

#[tokio::main(flavor = "current_thread")]
async fn main() -> std::process::ExitCode {
    shared::lambda::serve(conversations::list_conversation_events::function()).await
}
