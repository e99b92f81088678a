//! Lambda entry point of [`conversations::list_messages`].

#[tokio::main(flavor = "current_thread")]
async fn main() -> std::process::ExitCode {
    shared::lambda::serve(conversations::list_messages::function()).await
}
