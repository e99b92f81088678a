//! Lambda entry point of [`conversations::list_messages`].

fn main() -> std::process::ExitCode {
    shared::lambda::serve(conversations::list_messages::function())
}
