//! Lambda entry point of [`system::reject_route`].

#[tokio::main(flavor = "current_thread")]
async fn main() -> std::process::ExitCode {
    shared::lambda::serve(system::reject_route::function()).await
}
