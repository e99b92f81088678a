//! Lambda entry point of [`auth::authorize_connection`].

#[tokio::main(flavor = "current_thread")]
async fn main() -> std::process::ExitCode {
    shared::lambda::serve(auth::authorize_connection::function()).await
}
