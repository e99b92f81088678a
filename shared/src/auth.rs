//! Authentication: from a token to a caller.

pub mod caller;
mod claims;
pub mod cursor;
mod keys;
pub mod permit;
pub mod token;
mod verified;

pub use caller::Caller;
pub use permit::Permit;
