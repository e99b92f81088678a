//! Authentication of connections: tickets, and the authorizer that decides who may connect.

pub mod authorize_connection;
pub mod create_ws_ticket;

use shared::lambda::Function;

shared::functions! {
    in "messaging";
    AUTHORIZE_CONNECTION = authorize_connection::FUNCTION;
    CREATE_WS_TICKET = Function::http::<create_ws_ticket::CreateWsTicket>();
}
