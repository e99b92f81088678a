//! Credits: a balance and its ledger (S2, contract §4).

pub mod get_credits;
pub mod grant_credits;
pub mod list_credit_transactions;

mod examples;

use shared::lambda::Function;

/// Every function of this domain.
pub fn functions() -> Vec<Function> {
    vec![
        get_credits::function(),
        grant_credits::function(),
        list_credit_transactions::function(),
    ]
}
