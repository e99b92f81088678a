//! Lambda entry point of [`realtime::show_typing`].

fn main() -> std::process::ExitCode {
    shared::lambda::serve(&realtime::SHOW_TYPING)
}
