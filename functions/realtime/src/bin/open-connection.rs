//! Lambda entry point of [`realtime::open_connection`].

#[tokio::main(flavor = "current_thread")]
async fn main() -> std::process::ExitCode {
    shared::lambda::serve(realtime::open_connection::function()).await
}
