//! Lambda entry point of [`realtime::close_connection`].

#[tokio::main(flavor = "current_thread")]
async fn main() -> std::process::ExitCode {
    shared::lambda::serve(realtime::close_connection::function()).await
}
