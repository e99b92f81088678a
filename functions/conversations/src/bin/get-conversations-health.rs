//! Lambda entry point of [`conversations::get_conversations_health`].

fn main() -> std::process::ExitCode {
    shared::lambda::serve(&conversations::GET_CONVERSATIONS_HEALTH)
}
