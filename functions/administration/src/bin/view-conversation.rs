//! Lambda entry point of [`administration::view_conversation`].

fn main() -> std::process::ExitCode {
    shared::lambda::serve(&administration::VIEW_CONVERSATION)
}
