//! `GET /redoc/{asset}`: a file of Redoc.

use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::json;
use shared::http::input::Nothing;
use shared::http::{Anyone, Call, Endpoint, Example, Reply, Route, Tag, Throttle};
use shared::{App, Error, Result};

use crate::assets;

/// `GET /redoc/{asset}`
pub struct GetRedocAsset;

/// The parameters of the path.
#[derive(Deserialize, JsonSchema)]
pub struct Path {
    /// The file name.
    pub asset: String,
}

impl Endpoint for GetRedocAsset {
    const ROUTE: Route = Route::get(
        Tag::System,
        "get_redoc_asset",
        "/redoc/{asset}",
        "Get a file of Redoc",
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
            parameters: json!({ "asset": "init.js" }),
            answer: json!("…"),
            ..Example::default()
        }
    }

    async fn handle(_: &App, call: Call<'_, Self>) -> Result<Reply<String>> {
        let asset = assets::redoc_asset(&call.path.asset).ok_or(Error::NotFound("file"))?;
        asset.answer(&call)
    }
}
