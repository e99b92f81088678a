//! Lambda entry point of [`messages::get_unread_count`].

fn main() -> std::process::ExitCode {
    shared::lambda::serve(&messages::GET_UNREAD_COUNT)
}
