//! HTTP routes: each is declared once, as an [`Endpoint`], and everything else is derived from that.

pub mod encoding;
pub mod endpoint;
pub(crate) mod event;
pub mod health;
pub mod idempotency;
pub mod input;
pub mod limit;
pub mod page;
pub mod reply;
pub mod request;
pub mod route;
pub mod routes;
pub mod span;
pub mod tag;
pub mod throttle;

pub use endpoint::{AnyEndpoint, Anyone, Call, Endpoint, Example};
pub use reply::Reply;
pub use request::Request;
pub use route::{Idempotency, Method, Route};
pub use tag::Tag;
pub use throttle::Throttle;
