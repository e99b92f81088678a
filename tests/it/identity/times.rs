//! Times at the limits of the representable range, in tokens, sync tokens, and queries of the administrative routes.

use std::time::Duration;

use harness::{Person, Socket, World};
use proptest::prelude::*;
use proptest::strategy::ValueTree as _;
use proptest::test_runner::TestRunner;
use serde_json::{Value, json};
use uuid::Uuid;

use super::{but, by_secret, claims};

/// A person whose token has the given times.
fn with_times(world: &World, times: &[(&str, &Value)]) -> Person {
    let user = Uuid::new_v4();
    let claims = times.iter().fold(claims(world, user), |claims, (name, time)| {
        but(&claims, name, (*time).clone())
    });
    world.bearer(user, by_secret(world, &claims))
}

/// Whether a token is accepted in a request, for a ticket, with that ticket, and in a handshake: always the same.
async fn is_taken(person: &Person) -> bool {
    let asked = person.get("/api/v1/users/me").await.status;
    let handshake = Socket::open(format!("{}/?token={}", person.ws_url(), person.token)).await;
    let handshake = handshake.map_or_else(|status| status, |_| 200);
    let ticket = person.post_nothing("/api/v1/auth/ws-ticket").await;
    let ticketed = match ticket.status {
        201 => {
            let ticket = ticket.is(201)["data"]["ticket"].as_str().unwrap().to_owned();
            let opened = Socket::open(format!("{}/?ticket={ticket}", person.ws_url())).await;
            opened.map_or_else(|status| status, |_| 200)
        }
        refused => refused,
    };
    assert!(
        asked == handshake && asked == ticketed && matches!(asked, 200 | 401),
        "{asked} {handshake} {ticketed}"
    );
    asked == 200
}

/// RFC 7519 §2: a `NumericDate` may have a fraction, and has no maximum.
#[tokio::test]
async fn the_times_of_a_token_may_have_fractions_and_lie_far_ahead() {
    let world = World::start().await;
    let now = world.desk().clock().now().seconds();
    #[expect(clippy::cast_precision_loss, reason = "2^52 seconds are far away")]
    let broken = now as f64 + 600.25;
    for exp in [
        json!(broken),
        json!(253_402_300_799_i64),
        json!(253_402_300_800_i64),
        json!((now + 600) * 1000),
        json!(i64::MAX),
        json!(u64::MAX),
        json!(1e18),
    ] {
        let person = with_times(&world, &[("exp", &exp)]);
        assert!(is_taken(&person).await, "exp {exp}");
    }
    for (name, time, expected) in [
        ("iat", json!(broken - 1200.0), true),
        ("iat", json!(now * 1000), true),
        ("iat", json!("yesterday"), true),
        ("nbf", json!(broken - 1200.0), true),
        ("nbf", json!(broken), false),
        ("nbf", json!(now * 1000), false),
        ("exp", json!(broken - 700.0), false),
        ("exp", json!(-0.5), false),
    ] {
        let person = with_times(&world, &[(name, &time)]);
        assert_eq!(is_taken(&person).await, expected, "{name} {time}");
    }
}

/// Property: any number as a time of a token is accepted everywhere or nowhere, and never causes an internal error.
#[tokio::test]
async fn any_number_as_a_time_of_a_token_is_taken_everywhere_or_nowhere() {
    let world = World::start().await;
    let number = prop_oneof![
        any::<i64>().prop_map(Value::from),
        any::<u64>().prop_map(Value::from),
        any::<f64>().prop_map(Value::from),
        (250_000_000_000_i64..260_000_000_000).prop_map(Value::from),
        (1.0e9..5.0e9).prop_map(Value::from),
    ];
    let times = (number.clone(), number.clone(), prop::option::of(number));
    let mut runner = TestRunner::default();
    for _ in 0..40 {
        let (exp, iat, nbf) = times.new_tree(&mut runner).unwrap().current();
        let nbf = nbf.unwrap_or(Value::Null);
        // null would remove the claim; it stands for a number that JSON cannot represent.
        let exp = if exp.is_null() { json!(1e300) } else { exp };
        let person = with_times(&world, &[("exp", &exp), ("iat", &iat), ("nbf", &nbf)]);
        is_taken(&person).await;
    }
}

/// The routes with times in their queries.
const TIMED: [&str; 5] = [
    "/api/admin/messages/search",
    "/api/admin/messages/stats/overview",
    "/api/admin/messages/export",
    "/api/admin/audit",
    "/api/admin/audit/verify",
];

/// Texts that are times, almost times, and extreme times.
fn time_text() -> impl Strategy<Value = String> {
    let edges = prop::sample::select(vec![
        "9999-12-31",
        "9999-12-30",
        "0001-01-01",
        "0001-01-02",
        "0000-01-01",
        "-0001-01-01",
        "10000-01-01",
        "9999-12-31T23:59:59.999999Z",
        "9999-12-31T23:59:59-12:00",
        "9999-12-31T23:59:60Z",
        "0001-01-01T00:00:00+14:00",
        "0000-12-31T23:59:59-14:00",
        "2016-12-31T23:59:60Z",
        "",
    ]);
    let date = (0_u32..=9999, 0_u32..=13, 0_u32..=32).prop_map(|(y, m, d)| format!("{y:04}-{m:02}-{d:02}"));
    let moment = (date.clone(), 0_u32..=24, 0_u32..=60, "[+-]", 0_u32..=24).prop_map(
        |(date, hour, second, sign, offset)| format!("{date}T{hour:02}:00:{second:02}{sign}{offset:02}:00"),
    );
    prop_oneof![edges.prop_map(str::to_owned), date, moment, "[0-9TZ:+.-]{0,30}"]
}

/// Property: whatever the text, the response is one of the contract.
#[tokio::test]
async fn whatever_stands_for_a_time_in_a_query_the_answer_is_one_of_the_contract() {
    let world = World::start().await;
    let admin = world.with_roles("admin", &["admin"]).await;
    let asked = (prop::option::of(time_text()), prop::option::of(time_text()));
    let mut runner = TestRunner::default();
    for path in TIMED {
        for _ in 0..40 {
            let (from, to) = asked.new_tree(&mut runner).unwrap().current();
            let query: Vec<(&str, String)> = [("from", from), ("to", to)]
                .into_iter()
                .filter_map(|(name, time)| Some((name, time?)))
                .collect();
            let answer = admin.send(admin.request("GET", path).query(&query)).await;
            assert!(
                matches!(answer.status, 200 | 202 | 422),
                "{path} {query:?}: {}",
                answer.text
            );
        }
    }
}

/// An end in the future means everything: libraries write the last day for "no end".
#[tokio::test]
async fn an_open_end_finds_what_has_just_happened() {
    let world = World::start().await;
    let [ada, bob] = world.people(["ada", "bob"]).await;
    let admin = world.with_roles("admin", &["admin"]).await;
    let conversation = ada.open_direct(&bob).await;
    ada.says(&conversation, "just now").await;
    let yesterday = world
        .desk()
        .clock()
        .now()
        .minus(Duration::from_hours(24))
        .to_string();
    for to in [
        "9999-12-31",
        "9999-12-31T23:59:59.999999Z",
        "9999-12-31T23:59:59.999-05:00",
    ] {
        for from in [None, Some(&yesterday)] {
            let mut query = vec![("to", to)];
            query.extend(from.map(|from| ("from", from.as_str())));
            let ask = async |path: &str| {
                let answer = admin.send(admin.request("GET", path).query(&query)).await;
                assert!(matches!(answer.status, 200 | 202), "{path}: {}", answer.text);
                answer.json
            };
            assert_eq!(
                ask(TIMED[0]).await["messages"][0]["content"],
                "just now",
                "{query:?}"
            );
            assert_eq!(ask(TIMED[1]).await["total"], 1, "{query:?}");
            ask(TIMED[2]).await;
            assert_ne!(ask(TIMED[3]).await["entries"], json!([]), "{query:?}");
            let verdict = ask(TIMED[4]).await;
            assert_eq!(verdict["valid"], true, "{verdict}");
            assert_ne!(verdict["checked"], 0, "{verdict}");
        }
    }
    world.settled().await;
}

/// Property: a sync token holds a time too, and none of them causes an internal error.
#[tokio::test]
async fn a_sync_token_of_any_time_is_answered() {
    const SECRET: &str = "a secret of a story, of thirty-two bytes";
    let world = World::with(&[("CURSOR_SECRET_KEY", SECRET)]).await;
    let ada = world.person("ada").await;
    let user = serde_json::from_value(json!(ada.id)).unwrap();
    let mut runner = TestRunner::default();
    let drawn = (0..20).map(|_| any::<i64>().new_tree(&mut runner).unwrap().current());
    let edges = [i64::MIN, i64::MAX, 253_402_300_800_000, -62_135_596_800_001, 0];
    for at in edges.into_iter().chain(drawn) {
        let wire = json!({ "t": at, "e": "", "r": "" });
        let token = shared::auth::cursor::seal(&SECRET.into(), user, "sync", &wire).unwrap();
        let answer = ada.get(&format!("/api/events?after={token}")).await;
        assert_eq!(answer.status, 200, "{at}: {}", answer.text);
    }
}
