//! Lambda entry point of [`messages::list_direct_messages`].

fn main() -> std::process::ExitCode {
    shared::lambda::serve(messages::list_direct_messages::function())
}
