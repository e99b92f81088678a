//! `cargo run`: the whole of Tidings on one desk.

/// A fifth of the desk's time went to the system's allocator and its copies (`docs/performance.md`, "Load").
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

#[tokio::main]
async fn main() -> std::process::ExitCode {
    local::cli::main().await
}
