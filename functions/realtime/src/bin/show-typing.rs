//! Lambda entry point of [`realtime::show_typing`].

#[tokio::main(flavor = "current_thread")]
async fn main() -> std::process::ExitCode {
    shared::lambda::serve(realtime::show_typing::function()).await
}
