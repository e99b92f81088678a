//! Lambda entry point of [`conversations::delete_message`].

fn main() -> std::process::ExitCode {
    shared::lambda::serve(conversations::delete_message::function())
}
