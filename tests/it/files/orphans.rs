//! A file without messages is removed after a day; an attached file stays.

use std::time::Duration;

use harness::files::PNG;
use harness::{Person, World, events};
use serde_json::{Value, json};

use super::{brings, objects};

const HOUR: Duration = Duration::from_secs(3600);

/// A person whose token is valid for the days of the test.
async fn patient(world: &World) -> Person {
    let ada = world.person("ada").await;
    let token = world.token(ada.id, shared::domain::user::Claims::default(), 24 * 30 * HOUR);
    ada.with_token(&token)
}

/// Waits for the runs that have become due.
async fn turn(world: &World, count: usize) -> Value {
    let line = world
        .logged(count, |line| line["function"] == "remove_orphans")
        .await;
    assert_eq!(line["status"], 200, "{line}");
    line
}

async fn stored(world: &World, file: &str) -> bool {
    world.stored(&format!("F#{file}"), "FILE").await.is_some()
}

/// Invokes the chore once more.
async fn again(world: &World) {
    let functions = harness::functions();
    let chore = functions
        .iter()
        .find(|function| function.name == "remove_orphans")
        .unwrap();
    let event = &events::recorded()["remove-orphans"];
    assert_eq!(events::invoke(world, chore, event).await, json!({}));
}

#[tokio::test]
async fn a_file_without_messages_is_removed_after_a_day() {
    let world = World::start().await;
    let ada = patient(&world).await;
    let conversation = ada.open_direct(&world.person("bob").await).await;
    ada.says(&conversation, "Look!").await;
    let begun = ada.begins("a.png", "image/png", 1000).await.is(201)["file_id"]
        .as_str()
        .unwrap()
        .to_owned();
    let uploaded = ada.uploads("b.png", "image/png", PNG).await;
    let [complete, sent] = [
        ada.uploads("c.png", "image/png", PNG).await,
        ada.uploads("d.png", "image/png", PNG).await,
    ];
    for file in [&complete, &sent] {
        ada.completes(file).await.is(200);
    }
    brings(&world, &sent, &conversation, 1).await;

    world.advance(23 * HOUR);
    turn(&world, 1).await;
    for file in [&begun, &uploaded, &complete, &sent] {
        ada.file(file).await.is(200);
    }
    world.advance(3 * HOUR);
    turn(&world, 2).await;
    for file in [&begun, &uploaded, &complete] {
        ada.file(file).await.is_error(404, "NOT_FOUND");
        ada.completes(file).await.is_error(404, "NOT_FOUND");
        assert!(!stored(&world, file).await);
    }
    ada.file(&sent).await.is(200);
    assert_eq!(objects(&world), [format!("files/{sent}")]);

    // A second run finds nothing to do, and a week later the file is still there.
    again(&world).await;
    world.advance(24 * 7 * HOUR);
    turn(&world, 4).await;
    ada.file(&sent).await.is(200);
    assert_eq!(objects(&world), [format!("files/{sent}")]);
}

/// Missed runs are made up for.
#[tokio::test]
async fn two_days_without_a_run_leave_nothing_behind() {
    let world = World::start().await;
    let ada = patient(&world).await;
    let file = ada.uploads("a.png", "image/png", PNG).await;
    ada.completes(&file).await.is(200);
    world.advance(70 * HOUR);
    turn(&world, 1).await;
    assert!(!stored(&world, &file).await);
    assert_eq!(objects(&world), Vec::<String>::new());
}

/// A message with a file that is being removed is refused; a message that came first keeps the file.
#[tokio::test]
async fn a_file_marked_as_removed_is_for_nobody() {
    let world = World::start().await;
    let ada = patient(&world).await;
    let file = ada.uploads("a.png", "image/png", PNG).await;
    ada.completes(&file).await.is(200);
    let mut item = world.stored(&format!("F#{file}"), "FILE").await.unwrap();
    item["s"] = json!({ "N": "2" });
    world.store(&[item]).await;
    ada.file(&file).await.is_error(404, "NOT_FOUND");
    ada.completes(&file).await.is_error(404, "NOT_FOUND");
    world.advance(26 * HOUR);
    turn(&world, 1).await;
    assert!(!stored(&world, &file).await);
    assert_eq!(objects(&world), Vec::<String>::new());
}

/// An hour without files costs half a read unit, and a run examines 48 of them.
#[tokio::test]
async fn a_run_without_work_costs_next_to_nothing() {
    let world = World::start().await;
    world.advance(HOUR);
    let line = turn(&world, 1).await;
    assert_eq!(line["write_units"], json!(0.0), "{line}");
    assert!(line["read_units"].as_f64().unwrap() <= 48.0, "{line}");
}
