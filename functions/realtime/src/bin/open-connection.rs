//! Lambda entry point of [`realtime::open_connection`].

fn main() -> std::process::ExitCode {
    shared::lambda::serve(&realtime::OPEN_CONNECTION)
}
