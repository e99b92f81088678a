//! `cargo run`: the whole of Tidings on one desk.

#[tokio::main]
async fn main() -> std::process::ExitCode {
    local::cli::main().await
}
