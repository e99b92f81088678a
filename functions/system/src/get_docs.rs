//! `GET /docs`: the HTTP API in Swagger UI.

use serde_json::json;
use shared::http::input::Nothing;
use shared::http::{Anyone, Call, Endpoint, Example, Reply, Route, entry};
use shared::lambda::Function;
use shared::{App, Result};

use crate::assets;

/// `GET /docs`
pub struct GetDocs;

/// The function.
pub fn function() -> Function {
    Function::http(entry::<GetDocs>())
}

impl Endpoint for GetDocs {
    const ROUTE: Route = Route::get("get_docs", "/docs", "Read and try this API in Swagger UI");
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

    async fn handle(_: &App, _: Call<'_, Self>) -> Result<Reply<String>> {
        Ok(Reply::file(assets::DOCS))
    }
}
