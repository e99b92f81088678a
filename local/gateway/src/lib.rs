//! API Gateway on the desk: the HTTP API, the WebSocket API, and the reader of `template.yaml`.
//!
//! Nothing here knows a route, a queue or a function of the product: everything comes from the template, so what
//! is missing there does not exist locally either. Reading order:
//!
//! 1. [`template`]: `template.yaml` as plain structs.
//! 2. [`invoke`]: the one thing a gateway needs from the outside, a way to call a function by its logical id.
//! 3. [`http`]: the HTTP API, payload format 2.0.
//! 4. [`websocket`]: the WebSocket API and what `@connections` does.
//!
//! Where AWS is awkward, so is this crate: limits, timeouts, status codes and bodies follow the public
//! documentation of API Gateway, and each constant says which page it comes from.

pub mod guard;
pub mod http;
pub mod invoke;
mod server;
pub mod template;
#[cfg(test)]
mod testing;
pub mod websocket;
