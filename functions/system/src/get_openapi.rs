//! `GET /openapi.json`: the HTTP API as an OpenAPI 3.1 document.

use serde_json::{Map, Value, json};
use shared::http::input::Nothing;
use shared::http::{Anyone, Call, Endpoint, Example, Reply, Route, Tag, Throttle};
use shared::{App, Result};

use crate::assets;

/// `GET /openapi.json`
pub struct GetOpenapi;

impl Endpoint for GetOpenapi {
    const ROUTE: Route = Route::get(
        Tag::System,
        "get_openapi",
        "/openapi.json",
        "Get the OpenAPI document",
    )
    .described("This document.")
    .versioned()
    .throttled(Throttle::DOCUMENT);
    type Who = Anyone;
    type Path = Nothing;
    type Query = Nothing;
    type Body = Nothing;
    type Output = Map<String, Value>;

    fn example() -> Example {
        Example {
            answer: json!({ "openapi": "3.1.0" }),
            ..Example::default()
        }
    }

    async fn handle(_: &App, call: Call<'_, Self>) -> Result<Reply<Map<String, Value>>> {
        assets::OPENAPI.answer(&call)
    }
}
