//! Lambda entry point of [`conversations::get_conversations_health`].

fn main() -> std::process::ExitCode {
    shared::lambda::serve(conversations::get_conversations_health::function())
}
