//! Documents generated from the list of functions: those of the two APIs, [`openapi`] for HTTP and [`asyncapi`] for the
//! WebSocket, and the parts of the templates about each function, [`stacks`], including its role's [`policies`],
//! and the [`events`] of routes. `UPDATE=1 cargo t in_sync` writes them.

pub mod asyncapi;
pub mod events;
pub mod openapi;
pub mod policies;
pub mod stacks;
