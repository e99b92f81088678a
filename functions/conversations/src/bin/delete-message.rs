//! Lambda entry point of [`conversations::delete_message`].

#[tokio::main(flavor = "current_thread")]
async fn main() -> std::process::ExitCode {
    shared::lambda::serve(conversations::delete_message::function()).await
}
