//! `GET /asyncapi.json`: the WebSocket API as an AsyncAPI 3.0 document.

use serde_json::{Map, Value, json};
use shared::http::input::Nothing;
use shared::http::{Anyone, Call, Endpoint, Example, Reply, Route, Tag, Throttle};
use shared::{App, Result};

use crate::assets;

/// `GET /asyncapi.json`
pub struct GetAsyncapi;

impl Endpoint for GetAsyncapi {
    const ROUTE: Route = Route::get(
        Tag::System,
        "get_asyncapi",
        "/asyncapi.json",
        "Get the AsyncAPI document",
    )
    .described("The document of the WebSocket API.")
    .versioned()
    .throttled(Throttle::DOCUMENT);
    type Who = Anyone;
    type Path = Nothing;
    type Query = Nothing;
    type Body = Nothing;
    type Output = Map<String, Value>;

    fn example() -> Example {
        Example {
            answer: json!({ "asyncapi": "3.0.0" }),
            ..Example::default()
        }
    }

    async fn handle(_: &App, call: Call<'_, Self>) -> Result<Reply<Map<String, Value>>> {
        assets::ASYNCAPI.answer(&call)
    }
}
