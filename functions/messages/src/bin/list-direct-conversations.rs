//! Lambda entry point of [`messages::list_direct_conversations`].

fn main() -> std::process::ExitCode {
    shared::lambda::serve(messages::list_direct_conversations::function())
}
