//! Credits: a balance and its ledger (S2, contract §4).

pub mod get_credits;
pub mod grant_credits;
pub mod list_credit_transactions;

mod examples;

use shared::lambda::Function;

shared::functions! {
    in "messaging";
    GET_CREDITS = Function::http::<get_credits::GetCredits>();
    GRANT_CREDITS = Function::http::<grant_credits::GrantCredits>();
    LIST_CREDIT_TRANSACTIONS = Function::http::<list_credit_transactions::ListCreditTransactions>();
}
