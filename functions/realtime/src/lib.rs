//! The WebSocket: connections that begin and end, and the frames that clients send (S1-W, contract §3).

pub mod close_connection;
pub mod get_ws_health;
pub mod mark_read;
pub mod open_connection;
pub mod reject_frame;
pub mod resume;
pub mod show_typing;

use shared::lambda::Function;

/// Every function of this domain.
pub fn functions() -> Vec<Function> {
    vec![
        close_connection::function(),
        get_ws_health::function(),
        mark_read::function(),
        open_connection::function(),
        reject_frame::function(),
        resume::function(),
        show_typing::function(),
    ]
}
