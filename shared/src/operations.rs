//! Operations: what an HTTP route, a frame of a socket and a job do alike.
//!
//! What belongs here composes several parts of the [`store`](crate::store), the [`queue`](crate::queue) and the
//! connections into one thing that Tidings does, such as marking a message as read. It takes and gives types of the
//! [`domain`](crate::domain) and of the store. What concerns one item collection belongs to the store; what decodes a
//! request, a frame or a job, and answers it, belongs to whoever was called.

pub mod deleting;
pub mod delivery;
pub mod missed;
pub mod notices;
pub mod reading;
pub mod receipts;
pub mod views;
