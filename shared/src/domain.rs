//! What Tidings talks about: ids, texts, conversations, messages, frames. Pure: no clock, no network.

pub mod audit;
pub mod claims;
pub mod conversation;
pub mod credits;
pub mod day;
pub mod file;
pub mod fingerprint;
pub mod folding;
pub mod frame;
pub mod ids;
pub mod json;
pub mod list;
pub mod mail;
pub mod message;
pub mod message_v2;
pub mod metadata;
pub mod moderation;
pub mod notification;
pub mod permission;
pub mod precondition;
pub mod read_alone;
pub mod read_mark;
pub mod text;
pub mod time;
pub mod unread;
pub mod user;
