//! Operations that HTTP routes, frames and jobs share.
//!
//! An operation combines parts of the [`store`](crate::store), the [`queue`](crate::queue) and the connections into one
//! thing that Tidings does, such as marking a message as read. It takes and returns types of the
//! [`domain`](crate::domain) and of the store. What concerns a single item collection belongs in the store; decoding
//! and answering requests, frames and jobs belongs in the functions.

pub mod deleting;
pub mod delivery;
pub mod missed;
pub mod notices;
pub mod readiness;
pub mod reading;
pub mod receipts;
pub mod views;
