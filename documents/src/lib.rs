//! The documents of the two APIs, written from the list of functions: [`openapi`] for HTTP, [`asyncapi`] for the
//! WebSocket. `UPDATE=1 cargo t in_sync` writes them to `openapi.json` and `asyncapi.json`.

pub mod asyncapi;
pub mod openapi;
