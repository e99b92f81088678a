//! Lambda entry point of [`realtime::mark_read`].

fn main() -> std::process::ExitCode {
    shared::lambda::serve(&realtime::MARK_READ)
}
