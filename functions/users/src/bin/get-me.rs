//! Lambda entry point of [`users::get_me`].

#[tokio::main(flavor = "current_thread")]
async fn main() -> std::process::ExitCode {
    shared::lambda::serve(users::get_me::function()).await
}
