//! Lambda entry point of [`conversations::create_conversation`].

#[tokio::main(flavor = "current_thread")]
async fn main() -> std::process::ExitCode {
    shared::lambda::serve(conversations::create_conversation::function()).await
}
