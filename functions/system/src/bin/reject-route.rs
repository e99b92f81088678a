//! Lambda entry point of [`system::reject_route`].

fn main() -> std::process::ExitCode {
    shared::lambda::serve(&system::REJECT_ROUTE)
}
