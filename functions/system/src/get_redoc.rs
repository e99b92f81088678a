//! `GET /redoc`: the HTTP API in Redoc.

use serde_json::json;
use shared::http::input::Nothing;
use shared::http::{Anyone, Call, Endpoint, Example, Reply, Route, entry};
use shared::lambda::Function;
use shared::{App, Result};

use crate::assets;

/// `GET /redoc`
pub struct GetRedoc;

/// The function.
pub fn function() -> Function {
    Function::http(entry::<GetRedoc>())
}

impl Endpoint for GetRedoc {
    const ROUTE: Route = Route::get("get_redoc", "/redoc", "Read this API in Redoc");
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
        Ok(Reply::file(assets::REDOC))
    }
}
