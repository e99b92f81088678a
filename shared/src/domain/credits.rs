//! Credits: the price of a person-to-person message, and the ledger.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::ids::{MessageId, TransactionId};
use super::time::Timestamp;

/// The price of a person-to-person message (S2-N01).
pub const MESSAGE_COST: u64 = 1;
/// The maximum amount of a grant: the sum of a billion grants is still far from the limit of a number.
pub const LARGEST_GRANT: u64 = 1_000_000_000;

/// The type of a transaction.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum TransactionType {
    /// Credits were granted.
    Grant,
    /// Credits were spent.
    Debit,
}

/// A credit transaction.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
#[schemars(rename = "CreditTransaction")]
pub struct CreditTransaction {
    /// The id of the transaction.
    pub id: TransactionId,
    /// The type.
    #[serde(rename = "type")]
    pub transaction_type: TransactionType,
    /// The number of credits: positive for grants, negative for debits.
    pub amount: i64,
    /// The balance after the transaction.
    pub balance_after: u64,
    /// The message that was paid for; null for grants.
    pub message_id: Option<MessageId>,
    /// The reason.
    pub reason: String,
    /// When it happened.
    pub created_at: Timestamp,
}
