//! Lambda entry point of [`realtime::close_connection`].

fn main() -> std::process::ExitCode {
    shared::lambda::serve(realtime::close_connection::function())
}
