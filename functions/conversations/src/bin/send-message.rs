//! Lambda entry point of [`conversations::send_message`].

#[tokio::main(flavor = "current_thread")]
async fn main() -> std::process::ExitCode {
    shared::lambda::serve(conversations::send_message::function()).await
}
