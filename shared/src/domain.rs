//! What Tidings talks about: ids, texts, conversations, messages, frames. Pure: no clock, no network.

pub mod audit;
pub mod conversation;
pub mod day;
pub mod frame;
pub mod ids;
pub mod message;
pub mod message_v2;
pub mod moderation;
pub mod text;
pub mod time;
pub mod unread;
pub mod user;
