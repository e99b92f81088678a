//! Sync tokens: their owner, and how far back they reach.

use std::time::Duration;

use harness::{Person, World};
use serde_json::{Value, json};
use shared::domain::user::Claims;

use super::{Follower, NONE, token};

/// A person with a current token.
fn again(world: &World, person: &Person) -> Person {
    person.with_token(&world.token(person.id, Claims::default(), Duration::from_secs(3600)))
}

/// S1-Q04
#[tokio::test]
async fn a_token_of_somebody_else_or_an_altered_one_is_refused() {
    let world = World::start().await;
    let [ada, bob] = world.people(["ada", "bob"]).await;
    let conversation = ada.open_direct(&bob).await;
    ada.says(&conversation, "hello").await;
    let good = token(&bob.get("/api/events").await.is(200));
    let page_cursor = bob.get("/api/conversations?page_size=1").await.is(200)["next_cursor"].clone();
    let mut tokens = vec![
        "x".to_owned(),
        "!".to_owned(),
        format!("{good}A"),
        good[1..].to_owned(),
    ];
    for at in (0..good.len()).step_by(7) {
        let other = if good.as_bytes()[at] == b'A' { "B" } else { "A" };
        let mut altered = good.clone();
        altered.replace_range(at..=at, other);
        tokens.push(altered);
    }
    tokens.push(token(&ada.get("/api/events").await.is(200)));
    tokens.extend(page_cursor.as_str().map(str::to_owned));
    for token in tokens {
        bob.get(&format!("/api/events?after={token}"))
            .await
            .is_error(400, "INVALID_CURSOR");
    }
    bob.get(&format!("/api/events?after={good}")).await.is(200);
    bob.get("/api/events?after=")
        .await
        .is_error(400, "INVALID_CURSOR");
}

/// S1-N04: values out of range are refused, not clamped.
#[tokio::test]
async fn parameters_out_of_range_are_refused() {
    let world = World::start().await;
    let bob = world.person("bob").await;
    for (query, field) in [
        ("limit=0", "limit"),
        ("limit=101", "limit"),
        ("limit=x", "limit"),
        ("wait=26", "wait"),
        ("wait=-1", "wait"),
    ] {
        let error = bob
            .get(&format!("/api/events?{query}"))
            .await
            .is_error(422, "VALIDATION_ERROR");
        assert_eq!(error["details"]["field"], field, "{query}: {error}");
    }
}

/// S1-E09: a token is valid for thirty days; later, the response says so.
#[tokio::test]
async fn a_token_of_more_than_thirty_days_is_not_recovered_and_begins_afresh() {
    const DAY: Duration = Duration::from_hours(24);
    let world = World::start().await;
    let [ada, bob] = world.people(["ada", "bob"]).await;
    let conversation = ada.open_direct(&bob).await;
    let old = Follower::of(&bob).await.token;
    ada.says(&conversation, "long ago").await;
    // The token's moment is a little before it was issued.
    world.advance(DAY * 30 - Duration::from_secs(60));
    let (ada, bob) = (again(&world, &ada), again(&world, &bob));
    let page = bob.get(&format!("/api/events?after={old}")).await.is(200);
    assert_eq!(
        (&page["recovered"], page["events"].as_array().unwrap().len()),
        (&json!(true), 1)
    );

    world.advance(Duration::from_secs(120));
    let page = bob.get(&format!("/api/events?after={old}")).await.is(200);
    assert_eq!(
        (&page["recovered"], &page["events"], &page["has_more"]),
        (&json!(false), &NONE, &json!(false))
    );
    assert_eq!(page["unread"]["total"], 1);
    ada.says(&conversation, "news").await;
    let page = bob
        .get(&format!("/api/events?after={}", token(&page)))
        .await
        .is(200);
    assert_eq!(page["recovered"], true);
    assert_eq!(page["events"].as_array().unwrap().len(), 1);
    assert_eq!(page["events"][0]["message"]["content"], "news");
}

/// Extends the log of a conversation with copies of its only message, written directly.
async fn grow(world: &World, conversation: &str, up_to: u64) {
    let partition = format!("L#{conversation}");
    let first = world.stored(&partition, "000000000001").await.unwrap();
    let copies: Vec<Value> = (2..=up_to)
        .map(|seq| {
            let mut item = first.clone();
            item["sk"] = json!({ "S": format!("{seq:012}") });
            item["o"] = json!({ "N": seq.to_string() });
            item
        })
        .collect();
    world.store(&copies).await;
}

/// S1-E09: ten thousand events are returned, ten thousand and one are too many.
#[tokio::test]
async fn more_than_ten_thousand_events_are_not_recovered() {
    let world = World::start().await;
    let [ada, bob] = world.people(["ada", "bob"]).await;
    let conversation = ada.open_direct(&bob).await;
    let old = Follower::of(&bob).await.token;
    ada.says(&conversation, "the first").await;
    grow(&world, &conversation, 10_000).await;

    let page = bob.get(&format!("/api/events?after={old}&limit=2")).await.is(200);
    assert_eq!(
        (&page["recovered"], &page["has_more"]),
        (&json!(true), &json!(true))
    );
    assert_eq!(
        (&page["events"][0]["seq"], &page["events"][1]["seq"]),
        (&json!(1), &json!(2))
    );
    let page = bob
        .get(&format!("/api/events?after={}&limit=2", token(&page)))
        .await
        .is(200);
    assert_eq!(page["events"][0]["seq"], 3);

    ada.says(&conversation, "one more").await;
    let page = bob.get(&format!("/api/events?after={old}&limit=2")).await.is(200);
    assert_eq!(
        (&page["recovered"], &page["events"], &page["has_more"]),
        (&json!(false), &NONE, &json!(false))
    );
    ada.says(&conversation, "news").await;
    let page = bob
        .get(&format!("/api/events?after={}", token(&page)))
        .await
        .is(200);
    assert_eq!(
        (&page["recovered"], &page["events"][0]["seq"]),
        (&json!(true), &json!(10_002))
    );
}
