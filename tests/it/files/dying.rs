//! A request that dies before or after any call leaves nothing that the next attempt does not repair.

use std::sync::Arc;
use std::time::Duration;

use harness::faults::{Fault, Faults, Point};
use harness::files::{PNG, follow};
use harness::{Person, World, events};
use serde_json::json;
use uuid::Uuid;

use super::{brings, objects};

struct Fixture {
    world: World,
    faults: Arc<Faults>,
    ada: Person,
}

impl Fixture {
    async fn new() -> Self {
        // A new process makes calls in its init, where a fault would occur.
        let world = World::in_desk(&[]).await;
        let ada = world.person("ada").await;
        let token = world.token(
            ada.id,
            shared::domain::user::Claims::default(),
            Duration::from_secs(500_000),
        );
        let ada = ada.with_token(&token);
        // Calls whose results a function caches are not included.
        let file = ada.uploads("a.png", "image/png", PNG).await;
        ada.completes(&file).await.is(200);
        brings(&world, &file, &Uuid::new_v4().to_string(), 1).await;
        let faults = Faults::install(world.services());
        Self { world, faults, ada }
    }

    /// The points of a function's calls.
    fn points(&self, function: &str) -> Vec<Point> {
        let mut points = self.faults.seen();
        points.retain(|point| point.function == function);
        assert!(points.len() > 1, "{function} calls next to nothing: {points:?}");
        points
    }

    /// Completes an upload, with as many attempts as necessary.
    async fn insists(&self, file: &str) -> usize {
        for attempts in 1..5 {
            let path = format!("/api/v2/files/{file}/complete");
            let status = self
                .ada
                .request("POST", &path)
                .send()
                .await
                .unwrap()
                .status()
                .as_u16();
            match status {
                200 => return attempts,
                500 | 503 => {}
                _ => panic!("{status}"),
            }
        }
        panic!("it is never completed");
    }

    async fn remove_orphans(&self) -> bool {
        let event = events::recorded()["remove-orphans"].clone();
        let invoker = self.world.desk().invoker();
        invoker.invoke("RemoveOrphans", event.into_bytes()).await.is_ok()
    }
}

#[tokio::test]
async fn a_file_is_completed_after_any_fault() {
    let fixture = Fixture::new().await;
    let file = fixture.ada.uploads("a.png", "image/png", PNG).await;
    fixture.faults.watch();
    fixture.ada.completes(&file).await.is(200);
    let points = fixture.points("CompleteFile");
    let mut retried = 0;
    for point in &points {
        for fault in [Fault::DiesBefore, Fault::DiesAfter, Fault::FailsOnce] {
            println!("{fault:?} at {point}");
            let file = fixture.ada.uploads("a.png", "image/png", PNG).await;
            fixture.faults.inject(point, fault);
            retried += fixture.insists(&file).await - 1;
            assert!(fixture.faults.clear(), "the point is never met");
            let found = fixture.ada.file(&file).await.is(200);
            assert_eq!(
                (&found["status"], &found["size_bytes"]),
                (&json!("complete"), &json!(PNG.len()))
            );
            assert_eq!(follow(found["url"].as_str().unwrap()).await.is(200), PNG);
        }
    }
    assert!(retried >= points.len());
}

/// An abandoned creation left the file with its index entry, or nothing.
#[tokio::test]
async fn an_abandoned_upload_leaves_nothing_forever() {
    let fixture = Fixture::new().await;
    fixture.faults.watch();
    fixture.ada.begins("a.png", "image/png", 100).await.is(201);
    for point in &fixture.points("CreateFile") {
        for fault in [Fault::DiesBefore, Fault::DiesAfter] {
            println!("{fault:?} at {point}");
            fixture.faults.inject(point, fault);
            let body = json!({ "filename": "a.png", "content_type": "image/png", "size_bytes": 100 });
            let request = fixture.ada.request("POST", "/api/v2/files").json(&body);
            assert_eq!(request.send().await.unwrap().status(), 500);
            assert!(fixture.faults.clear());
        }
    }
    fixture.world.advance(Duration::from_secs(26 * 3600));
    assert!(fixture.remove_orphans().await);
    assert_eq!(left(&fixture).await, 1);
}

/// The number of file items, including the fixture's own.
async fn left(fixture: &Fixture) -> u64 {
    fixture.world.count("F#").await + fixture.world.count("O#").await
}

#[tokio::test]
async fn orphans_are_removed_after_any_fault() {
    let points = {
        let fixture = Fixture::new().await;
        let file = fixture.ada.uploads("a.png", "image/png", PNG).await;
        fixture.ada.completes(&file).await.is(200);
        fixture
            .world
            .desk()
            .clock()
            .advance(Duration::from_secs(26 * 3600));
        fixture.faults.watch();
        assert!(fixture.remove_orphans().await);
        let mut points = fixture.points("RemoveOrphans");
        // Empty hours are all alike.
        points.retain(|point| !point.call.starts_with("Query"));
        points
    };
    assert!(points.len() >= 5, "{points:?}");
    for point in &points {
        for fault in [Fault::DiesBefore, Fault::DiesAfter, Fault::FailsOnce] {
            println!("{fault:?} at {point}");
            let fixture = Fixture::new().await;
            let conversation = fixture.ada.open_direct(&fixture.world.person("bob").await).await;
            fixture.ada.says(&conversation, "Look!").await;
            let [orphan, sent] = [
                fixture.ada.uploads("a.png", "image/png", PNG).await,
                fixture.ada.uploads("b.png", "image/png", PNG).await,
            ];
            for file in [&orphan, &sent] {
                fixture.ada.completes(file).await.is(200);
            }
            brings(&fixture.world, &sent, &conversation, 1).await;
            fixture
                .world
                .desk()
                .clock()
                .advance(Duration::from_secs(26 * 3600));
            fixture.faults.inject(point, fault);
            fixture.remove_orphans().await;
            assert!(fixture.faults.clear(), "the point is never met");
            assert!(fixture.remove_orphans().await);
            fixture.ada.file(&orphan).await.is_error(404, "NOT_FOUND");
            fixture.ada.file(&sent).await.is(200);
            let kept = objects(&fixture.world);
            assert!(
                kept.len() == 2 && kept.contains(&format!("files/{sent}")),
                "{kept:?}"
            );
            assert_eq!(left(&fixture).await, 2);
        }
    }
}
