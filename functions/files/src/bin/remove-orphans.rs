//! Lambda entry point of [`files::remove_orphans`].

fn main() -> std::process::ExitCode {
    shared::lambda::serve(&files::REMOVE_ORPHANS)
}
