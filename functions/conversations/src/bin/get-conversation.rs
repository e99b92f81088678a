//! Lambda entry point of [`conversations::get_conversation`].

#[tokio::main(flavor = "current_thread")]
async fn main() -> std::process::ExitCode {
    shared::lambda::serve(conversations::get_conversation::function()).await
}
