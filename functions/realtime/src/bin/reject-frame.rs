//! Lambda entry point of [`realtime::reject_frame`].

fn main() -> std::process::ExitCode {
    shared::lambda::serve(&realtime::REJECT_FRAME)
}
