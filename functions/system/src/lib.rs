//! The system itself: whether it answers, what it offers, and what it does not.

pub mod get_asyncapi;
pub mod get_docs;
pub mod get_docs_asset;
pub mod get_health;
pub mod get_openapi;
pub mod get_readiness;
pub mod get_redoc;
pub mod get_redoc_asset;
pub mod reject_route;

mod assets;

use shared::lambda::Function;

/// Every function of this domain.
pub fn functions() -> Vec<Function> {
    vec![
        get_asyncapi::function(),
        get_docs::function(),
        get_docs_asset::function(),
        get_health::function(),
        get_openapi::function(),
        get_readiness::function(),
        get_redoc::function(),
        get_redoc_asset::function(),
        reject_route::function(),
    ]
}
