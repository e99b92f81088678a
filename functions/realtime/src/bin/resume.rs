//! Lambda entry point of [`realtime::resume`].

fn main() -> std::process::ExitCode {
    shared::lambda::serve(&realtime::RESUME)
}
