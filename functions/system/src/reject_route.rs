//! `$default`: what no route matches is 404, or 405 with `Allow` if the path answers another method.

use shared::http::endpoint::BoxFuture;
use shared::http::reply::Response;
use shared::http::route::Route;
use shared::http::{Entry, Example, Request, Tag};
use shared::{App, Error};

/// Every route, as `METHOD /path/{parameter}` lines; a test keeps it equal to the declarations.
const ROUTES: &str = include_str!("routes.txt");

/// The entry: an endpoint would look at parameters and body first.
pub const ENTRY: Entry = Entry {
    route: Route::get(Tag::System, "reject_route", "$default", "Everything else"),
    is_public: true,
    example: Example::default,
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
        let methods = methods(&request.path);
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

/// The methods that a path answers.
fn methods(path: &str) -> Vec<&'static str> {
    let path = if path.len() > 1 {
        path.trim_end_matches('/')
    } else {
        path
    };
    let matching = ROUTES
        .lines()
        .filter_map(|line| line.split_once(' '))
        .filter(|(_, route)| matches(route, path));
    let mut methods: Vec<&str> = Vec::new();
    // Static segments win over parameters, so what a more specific route answers is all that the path answers.
    let mut fewest_parameters = usize::MAX;
    for (method, route) in matching {
        let parameters = route.matches('{').count();
        if parameters < fewest_parameters {
            fewest_parameters = parameters;
            methods.clear();
        }
        if parameters == fewest_parameters && !methods.contains(&method) {
            methods.push(method);
        }
    }
    methods
}

fn matches(route: &str, path: &str) -> bool {
    let (mut route, mut path) = (route.split('/'), path.split('/'));
    loop {
        match (route.next(), path.next()) {
            (None, None) => return true,
            (Some(pattern), Some(segment)) if pattern == segment => {}
            (Some(pattern), Some(segment)) if pattern.starts_with('{') && !segment.is_empty() => {}
            _ => return false,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_path_answers_the_methods_of_its_routes() {
        let id = "11111111-1111-4111-8111-111111111111";
        assert_eq!(
            methods(&format!("/api/conversations/{id}/messages")),
            ["GET", "POST"]
        );
        assert_eq!(
            methods(&format!("/api/v1/conversations/{id}/messages/")),
            ["GET", "POST"]
        );
        assert_eq!(methods(&format!("/api/conversations/{id}/read")), ["PATCH"]);
        assert_eq!(methods("/api/conversations/health"), ["GET"]);
        // Two routes fit, and both answer POST.
        assert_eq!(methods("/api/conversations/dm/messages"), ["GET", "POST"]);
        assert!(methods("/api/nothing").is_empty());
        assert!(methods("/").is_empty());
    }
}
