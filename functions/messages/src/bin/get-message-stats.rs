//! Lambda entry point of [`messages::get_message_stats`].

fn main() -> std::process::ExitCode {
    shared::lambda::serve(&messages::GET_MESSAGE_STATS)
}
