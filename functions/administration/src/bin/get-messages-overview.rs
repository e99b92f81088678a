//! Lambda entry point of [`administration::get_messages_overview`].

fn main() -> std::process::ExitCode {
    shared::lambda::serve(&administration::GET_MESSAGES_OVERVIEW)
}
