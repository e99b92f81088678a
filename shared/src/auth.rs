//! From a token to a caller.

pub mod caller;
pub mod cursor;
pub mod permit;
pub mod token;
mod verified;

pub use caller::Caller;
pub use permit::Permit;
