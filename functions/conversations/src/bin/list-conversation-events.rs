//! Lambda entry point of [`conversations::list_conversation_events`].

fn main() -> std::process::ExitCode {
    shared::lambda::serve(&conversations::LIST_CONVERSATION_EVENTS)
}
