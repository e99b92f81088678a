//! Lambda entry point of [`conversations::open_direct_conversation`].

fn main() -> std::process::ExitCode {
    shared::lambda::serve(conversations::open_direct_conversation::function())
}
