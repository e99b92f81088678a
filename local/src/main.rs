//! `cargo run`: the whole of Tidings on one desk.

// One thread, as a function has: to wake another for each of the steps of a message would take a quarter more CPU, and
// what the steps wait for, the table and the queues, does one thing at a time anyway.
#[tokio::main(flavor = "current_thread")]
async fn main() -> std::process::ExitCode {
    local::cli::main().await
}
