//! Lambda entry point of [`realtime::close_connection`].

fn main() -> std::process::ExitCode {
    shared::lambda::serve(&realtime::CLOSE_CONNECTION)
}
