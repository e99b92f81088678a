//! `cargo run`: all of Tidings on one desk.

// A single thread, like a function: waking another thread for each step of a message would take a quarter more CPU, and
// what the steps wait for, the table and the queues, is sequential anyway.
#[tokio::main(flavor = "current_thread")]
async fn main() -> std::process::ExitCode {
    local::cli::main().await
}
