//! The events of `events/` that API Gateway sends for routes: each is the route's example as a request.
//! Source: AWS, *Use AWS Lambda integrations for HTTP APIs*, payload format version 2.0.

use form_urlencoded::Serializer;
use serde_json::{Map, Value, json};
use shared::http::AnyEndpoint;

use crate::openapi::is_documented;

/// The host of the API in the events.
const HOST: &str = "a1b2c3d4e5.execute-api.eu-central-1.amazonaws.com";
/// The path of the event for the route that answers what no other does.
const NO_SUCH_PATH: &str = "/api/no-such-thing";

/// The event of a route's example. `token` is the caller's; a public route needs none.
pub fn of_route(entry: &AnyEndpoint, token: Option<&str>) -> Value {
    let route = &entry.route;
    let method = route.method.as_str();
    let example = (entry.example)();
    let (mut path, mut in_path, mut in_query) = (route.path.to_owned(), Map::new(), Map::new());
    for (name, value) in example.parameters.as_object().into_iter().flatten() {
        let text = value.as_str().map_or_else(|| value.to_string(), str::to_owned);
        let slot = format!("{{{name}}}");
        if path.contains(&slot) {
            path = path.replace(&slot, &text);
            in_path.insert(name.clone(), text.into());
        } else {
            in_query.insert(name.clone(), text.into());
        }
    }
    let route_key = if is_documented(entry) {
        format!("{method} {}", route.path)
    } else {
        NO_SUCH_PATH.clone_into(&mut path);
        route.path.to_owned()
    };
    let body = Some(example.body)
        .filter(|body| !body.is_null())
        .map(|body| body.to_string());

    let mut headers = Map::new();
    let mut header = |name: &str, value: String| headers.insert(name.to_owned(), value.into());
    header("accept", "*/*".to_owned());
    if let Some(token) = token {
        header("authorization", format!("Bearer {token}"));
    }
    if let Some(body) = &body {
        header("content-length", body.len().to_string());
        header("content-type", "application/json".to_owned());
    }
    for (name, value) in [
        ("host", HOST),
        ("user-agent", "tidings-web/1.0"),
        ("x-amzn-trace-id", "Root=1-6918a2f0-1b2c3d4e5f60718293a4b5c6"),
        ("x-forwarded-for", "203.0.113.7"),
        ("x-forwarded-port", "443"),
        ("x-forwarded-proto", "https"),
    ] {
        header(name, value.to_owned());
    }
    let mut event = json!({
        "version": "2.0",
        "routeKey": route_key,
        "rawPath": path,
        "rawQueryString": query(&in_query),
        "headers": headers
    });
    let rest = [
        (
            "queryStringParameters",
            Some(in_query)
                .filter(|fields| !fields.is_empty())
                .map(Value::from),
        ),
        (
            "requestContext",
            Some(json!({
                "accountId": "123456789012",
                "apiId": "a1b2c3d4e5",
                "domainName": HOST,
                "domainPrefix": "a1b2c3d4e5",
                "http": {
                    "method": method,
                    "path": path,
                    "protocol": "HTTP/1.1",
                    "sourceIp": "203.0.113.7",
                    "userAgent": "tidings-web/1.0"
                },
                "requestId": "JKJaXmPLvHcESHA=",
                "routeKey": route_key,
                "stage": "$default",
                "time": "15/Jan/2026:10:30:00 +0000",
                "timeEpoch": 1_768_473_000_000_i64
            })),
        ),
        (
            "pathParameters",
            Some(in_path).filter(|fields| !fields.is_empty()).map(Value::from),
        ),
        ("body", body.map(Value::from)),
        ("isBase64Encoded", Some(false.into())),
    ];
    if let Some(event) = event.as_object_mut() {
        let given = rest
            .into_iter()
            .filter_map(|(name, value)| Some((name.to_owned(), value?)));
        event.extend(given);
    }
    event
}

/// Parameters as a client writes them in a URL.
fn query(parameters: &Map<String, Value>) -> String {
    let pairs = parameters
        .iter()
        .filter_map(|(name, value)| Some((name, value.as_str()?)));
    Serializer::new(String::new()).extend_pairs(pairs).finish()
}
