//! What anybody may ask for costs little: documents are compressed and kept by clients, health is looked at now and then.

use std::io::Read as _;
use std::sync::Arc;
use std::time::Duration;

use flate2::read::GzDecoder;
use futures::future::BoxFuture;
use harness::World;
use local_services::{AwsError, Call, Interceptor, Verdict};
use reqwest::Response;
use reqwest::header::HeaderMap;
use shared::operations::readiness::REMEMBERED;

const SERVED: [&str; 9] = [
    "/asyncapi.json",
    "/docs",
    "/docs/init.js",
    "/docs/swagger-ui-bundle.js",
    "/docs/swagger-ui.css",
    "/openapi.json",
    "/redoc",
    "/redoc/init.js",
    "/redoc/redoc.standalone.js",
];

async fn ask(world: &World, method: &str, path: &str, headers: &[(&str, &str)]) -> Response {
    let method = reqwest::Method::from_bytes(method.as_bytes()).unwrap();
    let mut request = reqwest::Client::new().request(method, format!("{}{path}", world.desk().http_url()));
    for (name, value) in headers {
        request = request.header(*name, *value);
    }
    request.send().await.unwrap()
}

fn header<'a>(headers: &'a HeaderMap, name: &str) -> Option<&'a str> {
    headers.get(name).map(|value| value.to_str().unwrap())
}

/// Everything that an answer says of the version that it is of.
fn version(headers: &HeaderMap) -> [Option<String>; 3] {
    ["etag", "cache-control", "vary"].map(|name| header(headers, name).map(str::to_owned))
}

#[tokio::test]
async fn documents_are_compressed_for_those_who_accept_it() {
    let world = World::start().await;
    for path in SERVED {
        let plain = ask(&world, "GET", path, &[]).await;
        assert_eq!(
            (
                plain.status().as_u16(),
                header(plain.headers(), "content-encoding")
            ),
            (200, None),
            "{path}"
        );
        let [plain_tag, caching, vary] = version(plain.headers());
        assert_eq!(caching.as_deref(), Some("public, max-age=300"), "{path}");
        assert_eq!(vary.as_deref(), Some("accept-encoding"), "{path}");

        let packed = ask(&world, "GET", path, &[("accept-encoding", "br, gzip;q=0.8")]).await;
        assert_eq!(
            header(packed.headers(), "content-encoding"),
            Some("gzip"),
            "{path}"
        );
        let packed_tag = version(packed.headers())[0].clone();
        // Strong tags are of one sequence of bytes alone (RFC 9110 §8.8.1).
        let is_strong = |tag: &Option<String>| tag.as_ref().is_some_and(|tag| tag.starts_with('"'));
        assert!(
            is_strong(&plain_tag) && is_strong(&packed_tag) && plain_tag != packed_tag,
            "{path}"
        );

        let (plain, packed) = (plain.bytes().await.unwrap(), packed.bytes().await.unwrap());
        let mut unpacked = Vec::new();
        GzDecoder::new(&packed[..]).read_to_end(&mut unpacked).unwrap();
        assert_eq!(unpacked, plain, "{path}");
        assert!(
            packed.len() < plain.len(),
            "{path}: {} of {}",
            packed.len(),
            plain.len()
        );

        let refused = ask(&world, "GET", path, &[("accept-encoding", "gzip;q=0, *;q=0.5")]).await;
        assert_eq!(header(refused.headers(), "content-encoding"), None, "{path}");
        assert_eq!(version(refused.headers())[0], plain_tag, "{path}");
    }
    // What the API document was, in bytes, before it was compressed: 420,000.
    let packed = ask(&world, "GET", "/openapi.json", &[("accept-encoding", "gzip")]).await;
    let size = packed.bytes().await.unwrap().len();
    assert!(size < 60_000, "{size}");
}

#[tokio::test]
async fn a_document_that_the_client_has_is_not_sent_again() {
    let world = World::start().await;
    for path in SERVED {
        for accepted in ["gzip", "identity"] {
            let accepted = ("accept-encoding", accepted);
            let first = ask(&world, "GET", path, &[accepted]).await;
            let said = version(first.headers());
            let tag = said[0].clone().unwrap();
            for method in ["GET", "HEAD"] {
                let again = ask(&world, method, path, &[accepted, ("if-none-match", &tag)]).await;
                assert_eq!(again.status(), 304, "{method} {path}");
                assert_eq!(version(again.headers()), said, "{method} {path}");
                assert_eq!(header(again.headers(), "content-type"), None, "{method} {path}");
                assert_eq!(again.bytes().await.unwrap().len(), 0, "{method} {path}");
            }
            let weak = format!("W/{tag}, \"another\"");
            let again = ask(&world, "GET", path, &[accepted, ("if-none-match", &weak)]).await;
            assert_eq!(again.status(), 304, "{path}");
            let newer = ask(&world, "GET", path, &[accepted, ("if-none-match", "\"another\"")]).await;
            assert_eq!(newer.status(), 200, "{path}");
            let other = ask(&world, "GET", path, &[accepted, ("if-match", "\"another\"")]).await;
            assert_eq!(other.status(), 412, "{path}");
        }
    }
}

/// Far more than any bucket holds, and than its rate brings while they are sent.
const MANY: usize = 400;

#[tokio::test]
async fn a_flood_of_what_is_public_ends_at_the_gateway_and_harms_nobody_else() {
    let world = World::with_throttles().await;
    let ada = world.person("ada").await;
    let client = reqwest::Client::new();
    let url = format!("{}/health/ready", world.desk().http_url());
    let flood = (0..MANY).map(|_| client.get(&url).send());
    let answers = futures::future::join_all(flood).await;
    let count = |status: u16| {
        let answers = answers.iter().map(|answer| answer.as_ref().unwrap());
        answers.filter(|answer| answer.status() == status).count()
    };
    let (served, refused) = (count(200), count(429));
    assert_eq!(served + refused, MANY);
    assert!(served >= 20 && refused > 0, "{served} served, {refused} refused");
    ada.get("/api/v1/users/me").await.is(200);
    assert_eq!(ask(&world, "GET", "/health", &[]).await.status(), 200);
}

/// Lets no call to the bucket through.
struct NoBucket;

impl Interceptor for NoBucket {
    fn before<'a>(&'a self, call: &'a Call) -> BoxFuture<'a, Verdict> {
        let verdict = if call.operation == "HeadBucket" {
            Verdict::Answer(AwsError::new(403, "AccessDenied", "Access Denied"))
        } else {
            Verdict::Proceed
        };
        Box::pin(std::future::ready(verdict))
    }

    fn after<'a>(&'a self, _: &'a Call, _: u16) -> BoxFuture<'a, Verdict> {
        Box::pin(std::future::ready(Verdict::Proceed))
    }
}

/// The status of the readiness, and how many calls it took to find out.
async fn readiness(world: &World, asked: &mut usize) -> (u16, u64) {
    let status = ask(world, "GET", "/health/ready", &[]).await.status().as_u16();
    *asked += 1;
    let line = world
        .logged(*asked, |line| line["function"] == "get_readiness")
        .await;
    (status, line["aws_calls"].as_u64().unwrap())
}

/// It is what one process remembers.
#[tokio::test]
async fn readiness_is_looked_at_every_few_seconds_and_a_failure_every_time() {
    let world = World::in_desk(&[]).await;
    let mut asked = 0;
    assert_eq!(readiness(&world, &mut asked).await, (200, 5));
    assert_eq!(readiness(&world, &mut asked).await, (200, 0));
    world.advance(REMEMBERED - Duration::from_secs(1));
    assert_eq!(readiness(&world, &mut asked).await, (200, 0));
    world.advance(Duration::from_secs(1));
    assert_eq!(readiness(&world, &mut asked).await, (200, 5));

    world.services().set_interceptor(Some(Arc::new(NoBucket)));
    assert_eq!(
        readiness(&world, &mut asked).await.0,
        200,
        "it is known for a moment"
    );
    world.advance(REMEMBERED);
    for _ in 0..2 {
        let (status, calls) = readiness(&world, &mut asked).await;
        assert_eq!(status, 503);
        assert!(calls > 0, "a failure is not remembered");
    }
    world.services().set_interceptor(None);
    assert_eq!(readiness(&world, &mut asked).await, (200, 5));
    assert_eq!(readiness(&world, &mut asked).await, (200, 0));
}
