//! Authentication of connections: tickets, and the authorizer that decides who may connect.

pub mod authorize_connection;
pub mod create_ws_ticket;

use shared::lambda::Function;

/// Every function of this domain.
pub fn functions() -> Vec<Function> {
    vec![authorize_connection::function(), create_ws_ticket::function()]
}
