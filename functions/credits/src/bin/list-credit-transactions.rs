//! Lambda entry point of [`credits::list_credit_transactions`].

fn main() -> std::process::ExitCode {
    shared::lambda::serve(&credits::LIST_CREDIT_TRANSACTIONS)
}
