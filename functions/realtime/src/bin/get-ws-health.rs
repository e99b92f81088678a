//! Lambda entry point of [`realtime::get_ws_health`].

#[tokio::main(flavor = "current_thread")]
async fn main() -> std::process::ExitCode {
    shared::lambda::serve(realtime::get_ws_health::function()).await
}
