//! Lambda entry point of [`system::get_asyncapi`].

#[tokio::main(flavor = "current_thread")]
async fn main() -> std::process::ExitCode {
    shared::lambda::serve(system::get_asyncapi::function()).await
}
