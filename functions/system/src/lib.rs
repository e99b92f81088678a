//! The system: health, API documents, and unmatched requests.

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
use shared::rights::Rights;

shared::functions! {
    in "messaging";
    GET_ASYNCAPI = Function::http::<get_asyncapi::GetAsyncapi>();
    GET_DOCS = Function::http::<get_docs::GetDocs>();
    GET_DOCS_ASSET = Function::http::<get_docs_asset::GetDocsAsset>();
    GET_HEALTH = Function::http::<get_health::GetHealth>();
    GET_OPENAPI = Function::http::<get_openapi::GetOpenapi>();
    GET_READINESS = Function::http::<get_readiness::GetReadiness>();
    GET_REDOC = Function::http::<get_redoc::GetRedoc>();
    GET_REDOC_ASSET = Function::http::<get_redoc_asset::GetRedocAsset>();
    REJECT_ROUTE = Function::of_endpoint(reject_route::ENDPOINT, Rights::NONE);
}
