//! What is written from the list of functions: the documents of the two APIs, [`openapi`] for HTTP and [`asyncapi`] for
//! the WebSocket, and the [`policies`] of the functions' roles. `UPDATE=1 cargo t in_sync` writes the documents to
//! `openapi.json` and `asyncapi.json`.

pub mod asyncapi;
pub mod openapi;
pub mod policies;
