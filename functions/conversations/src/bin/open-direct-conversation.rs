//! Lambda entry point of [`conversations::open_direct_conversation`].

#[tokio::main(flavor = "current_thread")]
async fn main() -> std::process::ExitCode {
    shared::lambda::serve(conversations::open_direct_conversation::function()).await
}
