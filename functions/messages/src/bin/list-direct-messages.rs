//! Lambda entry point of [`messages::list_direct_messages`].

fn main() -> std::process::ExitCode {
    shared::lambda::serve(&messages::LIST_DIRECT_MESSAGES)
}
