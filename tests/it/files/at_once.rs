//! Two concurrent requests that complete one file, and uploads in between: neither mistakes the other's changes for an
//! error.

use std::sync::Arc;

use harness::faults::{Fault, Faults, Point};
use harness::files::{PNG, follow, post, sample};
use harness::{Person, World};
use serde_json::{Value, json};

use super::objects;

struct Fixture {
    world: World,
    faults: Arc<Faults>,
    ada: Person,
}

impl Fixture {
    async fn new() -> Self {
        // A new process makes calls in its init, which would be points too.
        let world = World::in_desk(&[]).await;
        let ada = world.person("ada").await;
        let file = ada.uploads("a.png", "image/png", PNG).await;
        ada.completes(&file).await.is(200);
        let faults = Faults::install(world.services());
        Self { world, faults, ada }
    }

    /// The calls of a request that completes a file of a type.
    async fn points(&self, name: &str, content_type: &str, bytes: &[u8]) -> Vec<Point> {
        let file = self.ada.uploads(name, content_type, bytes).await;
        self.faults.watch();
        self.ada.completes(&file).await.is(200);
        let mut points = self.faults.seen();
        points.retain(|point| point.function == "CompleteFile");
        points
    }

    /// The response to a request that completes a file and waits at a point until something else has been done.
    async fn waits(&self, file: &str, point: &Point, meanwhile: impl Future<Output = ()>) -> Value {
        println!("waits before {point}");
        self.faults.inject(point, Fault::WaitsBefore);
        let others = async {
            self.faults.was_injected().await;
            meanwhile.await;
            self.faults.release();
        };
        let (answer, ()) = tokio::join!(self.ada.completes(file), others);
        assert!(self.faults.clear(), "the point is never met");
        answer.is(200)
    }

    /// Checks that a file is complete, and has this content.
    async fn is_complete(&self, file: &str, bytes: &[u8]) {
        let found = self.ada.file(file).await.is(200);
        assert_eq!(
            (&found["status"], &found["size_bytes"]),
            (&json!("complete"), &json!(bytes.len()))
        );
        assert_eq!(follow(found["url"].as_str().unwrap()).await.is(200), bytes);
        assert!(!objects(&self.world).contains(&format!("uploads/{file}")));
    }
}

/// Whichever call the first request waits before, the other one completes the file: both return the complete file.
#[tokio::test]
async fn two_who_complete_a_file_at_once_both_succeed() {
    let fixture = Fixture::new().await;
    let docx = sample("letter.docx");
    let word = "application/vnd.openxmlformats-officedocument.wordprocessingml.document";
    for (name, content_type, bytes) in [("a.png", "image/png", PNG), ("a.docx", word, &docx[..])] {
        let points = fixture.points(name, content_type, bytes).await;
        assert!(points.len() >= 5, "{points:?}");
        for point in &points {
            let file = fixture.ada.uploads(name, content_type, bytes).await;
            let second = async {
                fixture.ada.completes(&file).await.is(200);
            };
            let answer = fixture.waits(&file, point, second).await;
            assert_eq!(
                (&answer["status"], &answer["filename"]),
                (&json!("complete"), &json!(name))
            );
            fixture.is_complete(&file, bytes).await;
        }
    }
}

/// An upload that was replaced in between is checked and kept in its new version.
#[tokio::test]
async fn an_upload_in_between_is_checked_anew() {
    let fixture = Fixture::new().await;
    let [one, other] = [sample("letter.docx"), sample("letter.docx")];
    // Of the same size, so that only the version distinguishes it from the first.
    let mut other = other;
    let middle = other.len() / 2;
    other[middle] ^= 1;
    let word = "application/vnd.openxmlformats-officedocument.wordprocessingml.document";
    let points = fixture.points("a.docx", word, &one).await;
    let until_kept = points
        .iter()
        .take_while(|point| !point.call.starts_with("UpdateItem"));
    let of_objects: Vec<&Point> = until_kept.filter(|point| point.call.contains("Object")).collect();
    assert_eq!(
        of_objects.len(),
        3,
        "the beginning, the end and the copy: {of_objects:?}"
    );
    for point in of_objects {
        let begun = fixture.ada.begins("a.docx", word, one.len()).await.is(201);
        let file = begun["file_id"].as_str().unwrap();
        post(&begun, &one).await.is(204);
        let again = async {
            post(&begun, &other).await.is(204);
        };
        fixture.waits(file, point, again).await;
        fixture.is_complete(file, &other).await;
    }
}

/// Using the form again after the file is complete causes no error for a concurrent request.
#[tokio::test]
async fn a_late_request_returns_the_complete_file() {
    let fixture = Fixture::new().await;
    let points = fixture.points("a.png", "image/png", PNG).await;
    let look = points.iter().find(|point| point.call == "GetObject").unwrap();
    let begun = fixture.ada.begins("a.png", "image/png", PNG.len()).await.is(201);
    let file = begun["file_id"].as_str().unwrap();
    post(&begun, PNG).await.is(204);
    let meanwhile = async {
        fixture.ada.completes(file).await.is(200);
        post(&begun, b"<script>alert(1)").await.is(204);
    };
    let answer = fixture.waits(file, look, meanwhile).await;
    assert_eq!(answer["status"], "complete");
    let found = fixture.ada.file(file).await.is(200);
    assert_eq!(follow(found["url"].as_str().unwrap()).await.is(200), PNG);
}
