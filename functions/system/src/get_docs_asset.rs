//! `GET /docs/{asset}`: a file of Swagger UI.

use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::json;
use shared::http::input::Nothing;
use shared::http::{Anyone, Call, Endpoint, Example, Reply, Route, Tag, Throttle};
use shared::{App, Error, Result};

use crate::assets;

/// `GET /docs/{asset}`
pub struct GetDocsAsset;

/// The parameters of the path.
#[derive(Deserialize, JsonSchema)]
pub struct Path {
    /// The file name.
    pub asset: String,
}

impl Endpoint for GetDocsAsset {
    const ROUTE: Route = Route::get(
        Tag::System,
        "get_docs_asset",
        "/docs/{asset}",
        "Get a file of Swagger UI",
    )
    .versioned()
    .throttled(Throttle::DOCUMENT);
    type Who = Anyone;
    type Path = Path;
    type Query = Nothing;
    type Body = Nothing;
    type Output = String;

    fn example() -> Example {
        Example {
            parameters: json!({ "asset": "swagger-ui.css" }),
            answer: json!("…"),
            ..Example::default()
        }
    }

    async fn handle(_: &App, call: Call<'_, Self>) -> Result<Reply<String>> {
        let asset = assets::docs_asset(&call.path.asset).ok_or(Error::NotFound("file"))?;
        asset.answer(&call)
    }
}
