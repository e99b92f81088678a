//! Lambda entry point of [`administration::search_messages`].

fn main() -> std::process::ExitCode {
    shared::lambda::serve(&administration::SEARCH_MESSAGES)
}
