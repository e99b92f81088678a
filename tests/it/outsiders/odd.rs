//! Whatever a route is sent, it gives an answer that its document lists, never a 5xx, and what is refused changes
//! nothing. Every route of the list is sent its example with something odd about it, as the dice fall.
//!
//! | Variable | What |
//! |---|---|
//! | `TIDINGS_SEED` | the seed, as a failed run has printed it |
//! | `TIDINGS_ODD` | how many requests each path gets, instead of [`REQUESTS`] |
//! | `TIDINGS_ROUTE` | the only route |

use harness::faults::Dice;
use reqwest::{Method, RequestBuilder, Url};
use schemars::generate::SchemaSettings;
use schemars::{Schema, SchemaGenerator};
use serde_json::{Value, json};
use shared::http::AnyEndpoint;
use uuid::Uuid;

use super::{Fixture, routes};

/// How many requests each path gets.
const REQUESTS: usize = 16;
/// The most things that are odd about one of them.
const MOST_ODD: usize = 3;

/// Texts that somebody may write where another was meant.
const TEXTS: [&str; 26] = [
    "",
    " ",
    "0",
    "-1",
    "1.0",
    "1e400",
    "18446744073709551616",
    "true",
    "True",
    "null",
    "[]",
    "{}",
    "a\u{0}b",
    "\u{202e}\u{feff}\u{1f600}",
    "e\u{301}İςß",
    "%00%2f%zz",
    "../../etc/passwd",
    "..",
    "a/b?c#d&e=f;g",
    "' OR 1=1 --",
    "{conversation_id}",
    "00000000-0000-0000-0000-000000000000",
    "11111111-1111-4111-8111-11111111111F",
    "9999-12-31T23:59:60.999999999+23:59",
    "2026-02-30",
    "-0001-01-01",
];

/// A request in the making.
struct Request {
    method: Method,
    segments: Vec<String>,
    query: Vec<(String, String)>,
    headers: Vec<(&'static str, String)>,
    body: Option<Vec<u8>>,
}

impl Request {
    /// The example of a route, with ids of what is there.
    fn good(fixture: &Fixture, entry: &AnyEndpoint, template: &str) -> (Self, Value) {
        let (path, query) = fixture.path(entry, template).split_once('?').map_or_else(
            || (fixture.path(entry, template), String::new()),
            |(path, query)| (path.to_owned(), query.to_owned()),
        );
        let pairs = query.split('&').filter_map(|pair| pair.split_once('='));
        let body = fixture.body(entry);
        let request = Self {
            method: Method::from_bytes(entry.route.method.as_str().as_bytes()).unwrap(),
            segments: path.split('/').skip(1).map(str::to_owned).collect(),
            query: pairs
                .map(|(name, value)| (name.to_owned(), value.to_owned()))
                .collect(),
            headers: vec![("authorization", format!("Bearer {}", fixture.ada.token))],
            body: (!body.is_null()).then(|| body.to_string().into_bytes()),
        };
        (request, body)
    }

    fn build(self, fixture: &Fixture) -> RequestBuilder {
        let mut url = Url::parse(&fixture.world.desk().http_url()).unwrap();
        url.path_segments_mut().unwrap().clear().extend(&self.segments);
        if !self.query.is_empty() {
            url.query_pairs_mut().extend_pairs(&self.query);
        }
        let is_json = self.body.is_some() && !self.headers.iter().any(|(name, _)| *name == "content-type");
        let query = url.query().map_or_else(String::new, |query| format!("?{query}"));
        let mut request = fixture
            .ada
            .anonymous(self.method.as_str(), &format!("{}{query}", url.path()));
        for (name, value) in self.headers {
            request = request.header(name, value);
        }
        if is_json {
            request = request.header("content-type", "application/json");
        }
        match self.body {
            Some(body) => request.body(body),
            None => request,
        }
    }
}

/// The names of a type's fields.
fn fields(schema: fn(&mut SchemaGenerator) -> Schema) -> Vec<String> {
    let mut generator = SchemaSettings::draft2020_12().into_generator();
    let root = schema(&mut generator).to_value();
    let name = root["$ref"]
        .as_str()
        .and_then(|reference| reference.rsplit('/').next());
    let definition = name.map_or(&root, |name| &generator.definitions()[name]);
    let properties = definition["properties"].as_object();
    properties
        .into_iter()
        .flatten()
        .map(|(name, _)| name.clone())
        .collect()
}

/// A value of any kind.
fn value(dice: &mut Dice, fixture: &Fixture) -> Value {
    let text = |dice: &mut Dice| json!(dice.one_of(&TEXTS));
    match dice.below(14) {
        0 => Value::Null,
        1 => json!(true),
        2 => json!([0, -1, 1, 101, 10_001][dice.below(5)]),
        3 => json!([u64::MAX, 1 << 53, 4_294_967_296][dice.below(3)]),
        4 => json!([1e308, 1.5, -0.0, -1e18][dice.below(4)]),
        5 => json!("x".repeat([101, 5_001, 50_001][dice.below(3)])),
        6 => json!("é\u{1f600}".repeat([30, 3_000][dice.below(2)])),
        7 => json!([]),
        8 => json!([text(dice), Value::Null]),
        9 => json!((0..1_001).map(|_| Uuid::new_v4()).collect::<Vec<_>>()),
        10 => json!({ "a": { "b": text(dice) } }),
        11 => (0..100).fold(json!({}), |inner, _| json!([inner])),
        12 => {
            let ids: Vec<&Value> = fixture.ids.values().collect();
            (*dice.one_of(&ids)).clone()
        }
        _ => text(dice),
    }
}

/// A text where a parameter is meant.
fn parameter(dice: &mut Dice, fixture: &Fixture) -> String {
    match dice.below(8) {
        0 => "x".repeat([300, 4_000][dice.below(2)]),
        1 => Uuid::new_v4().to_string(),
        2 => Uuid::new_v4().to_string().to_uppercase(),
        3 => match value(dice, fixture) {
            Value::String(text) if text.len() < 1_000 => text,
            other => other.to_string().chars().take(200).collect(),
        },
        _ => (*dice.one_of(&TEXTS)).to_owned(),
    }
}

/// A body that is hardly one.
fn bytes(dice: &mut Dice, body: &Value) -> Vec<u8> {
    let text = body.to_string();
    let mut bytes = text.clone().into_bytes();
    let at = dice.below(bytes.len());
    match dice.below(8) {
        0 => bytes.truncate(at),
        1 => bytes[at] = dice.number().to_le_bytes()[0],
        2 => bytes = [b"{\"x\":".as_slice(), &b"[".repeat(50_000)].concat(),
        3 => {
            let fields = &text[1..text.len() - 1];
            bytes = format!("{{{fields},{fields}}}").into_bytes();
        }
        4 => bytes = format!("[{text}]").into_bytes(),
        5 => bytes = format!("\u{feff}{text}").into_bytes(),
        6 => bytes = text.replace(':', ":1e400,\"x\":").into_bytes(),
        _ => bytes.clear(),
    }
    bytes
}

/// Makes one thing odd about a request.
fn oddly(
    dice: &mut Dice,
    fixture: &Fixture,
    entry: &AnyEndpoint,
    template: &str,
    request: &mut Request,
    body: &mut Value,
) {
    match dice.below(12) {
        0 => {
            let methods = [
                Method::GET,
                Method::POST,
                Method::PUT,
                Method::PATCH,
                Method::DELETE,
            ];
            request.method = dice.one_of(&methods).clone();
        }
        1 | 2 => {
            let slots: Vec<usize> = template
                .split('/')
                .skip(1)
                .enumerate()
                .filter_map(|(at, part)| part.starts_with('{').then_some(at))
                .collect();
            if !slots.is_empty() {
                request.segments[*dice.one_of(&slots)] = parameter(dice, fixture);
            }
        }
        3 | 4 => {
            let mut names = fields(entry.query);
            names.extend(["cursor", "page", "x", "limit[]", ""].map(str::to_owned));
            // That one is right, and takes its time.
            names.retain(|name| name != "wait");
            let name = dice.one_of(&names).clone();
            request.query.push((name, parameter(dice, fixture)));
        }
        5..=7 => {
            if let Value::Object(values) = body {
                let mut names = fields(entry.body);
                names.extend(values.keys().cloned().chain(["x".to_owned()]));
                let name = dice.one_of(&names).clone();
                if dice.happens(2_000) {
                    values.shift_remove(&name);
                } else {
                    values.insert(name, value(dice, fixture));
                }
                request.body = Some(body.to_string().into_bytes());
            }
        }
        8 => {
            let body = if body.is_null() { json!({}) } else { body.clone() };
            request.body = Some(bytes(dice, &body));
        }
        9 => {
            let types = [
                "text/plain",
                "application/json; charset=utf-16",
                "application/problem+json",
                "multipart/form-data",
                "x",
                "",
            ];
            request
                .headers
                .push(("content-type", (*dice.one_of(&types)).to_owned()));
        }
        10 => {
            let encodings = ["gzip", "identity", "br, x", ""];
            request
                .headers
                .push(("content-encoding", (*dice.one_of(&encodings)).to_owned()));
        }
        _ => {
            let name = dice.one_of(&[
                "idempotency-key",
                "if-match",
                "if-none-match",
                "accept",
                "accept-encoding",
                "range",
                "expect-nothing",
            ]);
            let values = [
                "",
                "*",
                "\"1\"",
                "W/\"1\", \"x\"",
                "\"",
                ",",
                "a,b",
                "é",
                "bytes=0-0",
                "gzip;q=0",
            ];
            request.headers.push((name, (*dice.one_of(&values)).to_owned()));
        }
    }
}

fn setting<T: std::str::FromStr>(name: &str) -> Option<T> {
    std::env::var(name).ok()?.parse().ok()
}

/// S1-N04, S1-N06
#[tokio::test]
async fn every_route_answers_whatever_it_is_sent_as_its_document_says() {
    let seed = setting("TIDINGS_SEED").unwrap_or_else(|| Uuid::new_v4().as_u64_pair().0);
    let only: Option<String> = setting("TIDINGS_ROUTE");
    let requests = setting("TIDINGS_ODD").unwrap_or(REQUESTS);
    println!("TIDINGS_SEED={seed}");
    let (mut refused, mut accepted) = (0, 0);
    for (number, entry) in routes().iter().enumerate() {
        if only.as_ref().is_some_and(|only| only != entry.route.name) {
            continue;
        }
        // Of its own, so that one route alone is sent the same.
        let mut dice = Dice::new(seed).part(u64::try_from(number).unwrap());
        let fixture = Fixture::new().await;
        fixture.world.bring_offline_forward().await;
        let mut stored = fixture.world.everything_stored().await;
        for template in entry.route.paths() {
            for _ in 0..requests {
                let (mut request, mut body) = Request::good(&fixture, entry, &template);
                for _ in 0..=dice.below(MOST_ODD) {
                    oddly(&mut dice, &fixture, entry, &template, &mut request, &mut body);
                }
                if request.method.as_str() != entry.route.method.as_str() {
                    // Whether an encoded slash divides segments is the gateway's choice, and with it 404 or 405.
                    for segment in &mut request.segments {
                        *segment = segment.replace('/', "_");
                    }
                }
                let sent = request.body.as_deref().map(String::from_utf8_lossy);
                let shown: String = sent.unwrap_or_default().chars().take(300).collect();
                println!(
                    "{} /{} {:?} {:?} {shown}",
                    request.method,
                    request.segments.join("/"),
                    request.query,
                    &request.headers[1..]
                );
                let answer = fixture.ada.send(request.build(&fixture)).await;
                println!("  {}", answer.status);
                assert!(answer.status < 500, "{}: {}", entry.route.name, answer.text);
                if answer.status < 400 {
                    accepted += 1;
                    fixture.world.bring_offline_forward().await;
                    stored = fixture.world.everything_stored().await;
                } else {
                    refused += 1;
                    assert_eq!(
                        fixture.world.everything_stored().await,
                        stored,
                        "{}: what is refused changes nothing",
                        entry.route.name
                    );
                }
            }
        }
    }
    println!("{accepted} accepted, {refused} refused");
}
