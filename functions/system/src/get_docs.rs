//! `GET /docs`: the HTTP API in Swagger UI.

use serde_json::json;
use shared::http::input::Nothing;
use shared::http::{Anyone, Call, Endpoint, Example, Reply, Route, Tag, Throttle};
use shared::{App, Result};

use crate::assets;

/// `GET /docs`
pub struct GetDocs;

impl Endpoint for GetDocs {
    const ROUTE: Route = Route::get(Tag::System, "get_docs", "/docs", "Open Swagger UI")
        .described("This documentation, with the option to try out requests.")
        .versioned()
        .throttled(Throttle::DOCUMENT);
    type Who = Anyone;
    type Path = Nothing;
    type Query = Nothing;
    type Body = Nothing;
    type Output = String;

    fn example() -> Example {
        Example {
            answer: json!("<!doctype html>…"),
            ..Example::default()
        }
    }

    async fn handle(_: &App, call: Call<'_, Self>) -> Result<Reply<String>> {
        assets::DOCS.answer(&call)
    }
}
