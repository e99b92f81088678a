//! Lambda entry point of [`auth::create_ws_ticket`].

#[tokio::main(flavor = "current_thread")]
async fn main() -> std::process::ExitCode {
    shared::lambda::serve(auth::create_ws_ticket::function()).await
}
