//! Whoever dies on the way, before or after any call, leaves nothing that the next attempt does not mend.

use std::sync::Arc;
use std::time::Duration;

use harness::faults::{Faults, Misfortune, Point};
use harness::files::{PNG, follow};
use harness::{Person, World, events};
use serde_json::json;
use uuid::Uuid;

use super::{brings, objects};

struct Stage {
    world: World,
    faults: Arc<Faults>,
    ada: Person,
}

impl Stage {
    async fn set() -> Self {
        // A process that is new makes calls of its own in its init, at which a blow would fall.
        let world = World::in_desk(&[]).await;
        let ada = world.person("ada").await;
        let token = world.token(
            ada.id,
            shared::domain::user::Claims::default(),
            Duration::from_secs(500_000),
        );
        let ada = ada.with_token(&token);
        // What a function looks up once is not among its calls.
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

    /// Has an upload completed, however often it takes.
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
async fn a_file_is_completed_whatever_befalls() {
    let stage = Stage::set().await;
    let file = stage.ada.uploads("a.png", "image/png", PNG).await;
    stage.faults.watch();
    stage.ada.completes(&file).await.is(200);
    let points = stage.points("CompleteFile");
    let mut retried = 0;
    for point in &points {
        for misfortune in [
            Misfortune::DiesBefore,
            Misfortune::DiesAfter,
            Misfortune::FailsOnce,
        ] {
            println!("{misfortune:?} at {point}");
            let file = stage.ada.uploads("a.png", "image/png", PNG).await;
            stage.faults.strike(point, misfortune);
            retried += stage.insists(&file).await - 1;
            assert!(stage.faults.calm(), "the point is never met");
            let found = stage.ada.file(&file).await.is(200);
            assert_eq!(
                (&found["status"], &found["size_bytes"]),
                (&json!("complete"), &json!(PNG.len()))
            );
            assert_eq!(follow(found["url"].as_str().unwrap()).await.is(200), PNG);
        }
    }
    assert!(retried >= points.len());
}

/// One that is begun and given up is there with its note, or not at all.
#[tokio::test]
async fn an_upload_that_is_given_up_leaves_nothing_for_ever() {
    let stage = Stage::set().await;
    stage.faults.watch();
    stage.ada.begins("a.png", "image/png", 100).await.is(201);
    for point in &stage.points("CreateFile") {
        for misfortune in [Misfortune::DiesBefore, Misfortune::DiesAfter] {
            println!("{misfortune:?} at {point}");
            stage.faults.strike(point, misfortune);
            let body = json!({ "filename": "a.png", "content_type": "image/png", "size_bytes": 100 });
            let request = stage.ada.request("POST", "/api/v2/files").json(&body);
            assert_eq!(request.send().await.unwrap().status(), 500);
            assert!(stage.faults.calm());
        }
    }
    stage.world.advance(Duration::from_secs(26 * 3600));
    assert!(stage.remove_orphans().await);
    assert_eq!(left(&stage).await, 1);
}

/// How many items of files there are, the stage's own included.
async fn left(stage: &Stage) -> u64 {
    stage.world.count("F#").await + stage.world.count("O#").await
}

#[tokio::test]
async fn orphans_go_whatever_befalls() {
    let points = {
        let stage = Stage::set().await;
        let file = stage.ada.uploads("a.png", "image/png", PNG).await;
        stage.ada.completes(&file).await.is(200);
        stage.world.desk().clock().advance(Duration::from_secs(26 * 3600));
        stage.faults.watch();
        assert!(stage.remove_orphans().await);
        let mut points = stage.points("RemoveOrphans");
        // Of the hours that are empty one is as good as another.
        points.retain(|point| !point.call.starts_with("Query"));
        points
    };
    assert!(points.len() >= 5, "{points:?}");
    for point in &points {
        for misfortune in [
            Misfortune::DiesBefore,
            Misfortune::DiesAfter,
            Misfortune::FailsOnce,
        ] {
            println!("{misfortune:?} at {point}");
            let stage = Stage::set().await;
            let conversation = stage.ada.open_direct(&stage.world.person("bob").await).await;
            stage.ada.says(&conversation, "Look!").await;
            let [orphan, sent] = [
                stage.ada.uploads("a.png", "image/png", PNG).await,
                stage.ada.uploads("b.png", "image/png", PNG).await,
            ];
            for file in [&orphan, &sent] {
                stage.ada.completes(file).await.is(200);
            }
            brings(&stage.world, &sent, &conversation, 1).await;
            stage.world.desk().clock().advance(Duration::from_secs(26 * 3600));
            stage.faults.strike(point, misfortune);
            stage.remove_orphans().await;
            assert!(stage.faults.calm(), "the point is never met");
            assert!(stage.remove_orphans().await);
            stage.ada.file(&orphan).await.is_error(404, "NOT_FOUND");
            stage.ada.file(&sent).await.is(200);
            let kept = objects(&stage.world);
            assert!(
                kept.len() == 2 && kept.contains(&format!("files/{sent}")),
                "{kept:?}"
            );
            assert_eq!(left(&stage).await, 2);
        }
    }
}
