//! The WebSocket API: opening and closing connections, and the frames that clients send (S1-W, contract §3).

pub mod close_connection;
pub mod end_expired_connections;
pub mod get_ws_health;
pub mod mark_read;
pub mod open_connection;
pub mod reject_frame;
pub mod resume;
pub mod show_typing;

use shared::lambda::Function;

shared::functions! {
    in "messaging";
    CLOSE_CONNECTION = close_connection::FUNCTION;
    END_EXPIRED_CONNECTIONS = Function::schedule::<end_expired_connections::EndExpiredConnections>();
    GET_WS_HEALTH = Function::http::<get_ws_health::GetWsHealth>();
    MARK_READ = Function::frame::<mark_read::MarkRead>();
    OPEN_CONNECTION = open_connection::FUNCTION;
    REJECT_FRAME = Function::frame::<reject_frame::RejectFrame>();
    RESUME = Function::frame::<resume::Resume>();
    SHOW_TYPING = Function::frame::<show_typing::ShowTyping>();
}
