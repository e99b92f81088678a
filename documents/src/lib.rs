//! What is written from the list of functions: the documents of the two APIs, [`openapi`] for HTTP and [`asyncapi`] for
//! the WebSocket, and what the templates say of each function, [`stacks`], its role's [`policies`] among it. `UPDATE=1 cargo t in_sync` writes the documents to
//! `openapi.json` and `asyncapi.json`.

pub mod asyncapi;
pub mod openapi;
pub mod policies;
pub mod stacks;
