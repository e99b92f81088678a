//! `$default`: a request that matches no route is 404, or 405 with `Allow` if the path supports other methods.

use shared::http::endpoint::BoxFuture;
use shared::http::reply::Response;
use shared::http::route::Route;
use shared::http::{AnyEndpoint, Example, Request, Tag, Throttle, routes};
use shared::{App, Error};

/// Declared directly: an `Endpoint` would validate parameters and body first.
pub const ENDPOINT: AnyEndpoint = AnyEndpoint {
    route: Route::get(Tag::System, "reject_route", "$default", "Everything else")
        .throttled(Throttle::UNKNOWN),
    is_public: true,
    example: Example::default,
    example_caller: "",
    path: nothing,
    query: nothing,
    body: nothing,
    output: nothing,
    answer,
};

fn nothing(_: &mut schemars::SchemaGenerator) -> schemars::Schema {
    schemars::Schema::default()
}

fn answer<'a>(app: &'a App, request: &'a Request) -> BoxFuture<'a, (Response, Option<Error>)> {
    Box::pin(async move {
        let methods = routes::methods_of_raw(&request.path);
        let error = if methods.is_empty() || methods.contains(&request.method.as_str()) {
            Error::NotFound("resource")
        } else {
            Error::MethodNotAllowed {
                allow: methods.join(", "),
            }
        };
        (Response::of_error(app, request, &error), Some(error))
    })
}
