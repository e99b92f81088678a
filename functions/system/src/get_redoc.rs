//! `GET /redoc`: the HTTP API in Redoc.

use serde_json::json;
use shared::http::input::Nothing;
use shared::http::{Anyone, Call, Endpoint, Example, Reply, Route, Tag, Throttle};
use shared::{App, Result};

use crate::assets;

/// `GET /redoc`
pub struct GetRedoc;

impl Endpoint for GetRedoc {
    const ROUTE: Route = Route::get(Tag::System, "get_redoc", "/redoc", "Open Redoc")
        .described("This documentation as one page.")
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
        assets::REDOC.answer(&call)
    }
}
