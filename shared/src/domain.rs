//! What Tidings talks about: ids, texts, conversations, messages, frames. Pure: no clock, no network.

pub mod conversation;
pub mod file;
pub mod frame;
pub mod ids;
pub mod message;
pub mod text;
pub mod time;
pub mod unread;
pub mod user;
