//! Throttles of routes.

use std::time::{Duration, Instant};

use super::super::throttle::Bucket;
use super::*;
use crate::template::ThrottleSpec;

const TWO_OF_THREE: ThrottleSpec = ThrottleSpec { rate: 2, burst: 3 };

#[test]
fn a_bucket_holds_its_burst_and_is_filled_at_its_rate() {
    let bucket = Bucket::new(TWO_OF_THREE);
    let start = Instant::now();
    let admitted = |after: u64| {
        let now = start + Duration::from_millis(after);
        (0..10).take_while(|_| bucket.admits(now)).count()
    };
    assert_eq!(admitted(0), 3);
    assert_eq!(admitted(499), 0);
    assert_eq!(admitted(500), 1);
    assert_eq!(admitted(1500), 2);
    assert_eq!(admitted(60_000), 3, "it holds no more than its burst");
    assert!(!Bucket::new(ThrottleSpec { rate: 0, burst: 9 }).admits(start));
}

#[tokio::test]
async fn a_route_beyond_its_throttle_is_429_and_calls_nothing() {
    let ok = json!({ "statusCode": 200 });
    let names = ["GET /pets", "GET /cats", "$default"];
    let functions = names.iter().fold(Functions::default(), |functions, name| {
        functions.answering(name, &ok)
    });
    let (functions, invoker) = shared(functions);
    let calls = || {
        names
            .map(|name| functions.events(name).len())
            .iter()
            .sum::<usize>()
    };
    let mut spec = spec(&["GET /pets", "GET /cats"]);
    let throttle = Some(ThrottleSpec { rate: 1, burst: 2 });
    spec.routes[0].throttle = throttle;
    spec.default_throttle = throttle;
    for (spec, expected) in [(spec.clone(), 429), (spec.without_throttles(), 200)] {
        let before = calls();
        let gateway = HttpGateway::new(&spec, Arc::clone(&invoker)).unwrap();
        let ask = async |path: &str| {
            let request = request("GET", path).body(Bytes::new()).unwrap();
            gateway.handle(request, PEER.parse().unwrap()).await
        };
        for path in ["/pets", "/nothing"] {
            let mut statuses = Vec::new();
            for _ in 0..3 {
                statuses.push(ask(path).await.status().as_u16());
            }
            assert_eq!(statuses, [200, 200, expected], "{path}");
        }
        assert_eq!(
            ask("/cats").await.status(),
            200,
            "another route has nothing to do with it"
        );
        assert_eq!(calls() - before, if expected == 429 { 5 } else { 7 });
        if expected == 429 {
            let refused = ask("/pets").await;
            assert_eq!(refused.body(), r#"{"message":"Too Many Requests"}"#);
            assert!(refused.headers().contains_key("apigw-requestid"));
        }
    }
}
