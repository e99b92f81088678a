//! What hands out an `ETag` evaluates the preconditions of every method before it does anything (RFC 9110 §13).

use harness::Answer;
use serde_json::{Value, json};
use shared::http::{AnyEndpoint, Method};

use super::{Fixture, routes};

/// The routes of resources that have a version. Documents have too: [`crate::public`].
fn versioned() -> Vec<AnyEndpoint> {
    let of_resource = |entry: &AnyEndpoint| entry.route.is_conditional() && !entry.is_public;
    routes().into_iter().filter(of_resource).collect()
}

/// No route about a versioned resource can forget its preconditions: it is declared as versioned, and then the runner
/// insists.
#[test]
fn every_method_of_a_versioned_resource_is_versioned() {
    let versioned = versioned();
    assert!(versioned.len() >= 3, "the table is empty");
    for entry in routes().into_iter().filter(|entry| !entry.is_public) {
        let is_of_one = versioned.iter().any(|other| other.route.path == entry.route.path);
        assert_eq!(
            entry.route.is_versioned && entry.route.method != Method::Post,
            is_of_one,
            "{}",
            entry.route.name
        );
    }
}

async fn ask(fixture: &Fixture, entry: &AnyEndpoint, headers: &[(&str, &str)]) -> Answer {
    let request = fixture.request(&fixture.ada, entry, entry.route.path);
    let request = headers
        .iter()
        .fold(request, |request, (name, value)| request.header(*name, *value));
    fixture.ada.send(request).await
}

/// The mail as it is, without reading it.
async fn peek(fixture: &Fixture) -> (String, Value) {
    let path = format!(
        "/api/v2/messages/{}?peek=true",
        fixture.ids["get_mail.message_id"].as_str().unwrap()
    );
    let answer = fixture.ada.get(&path).await;
    (answer.header("etag").unwrap().to_owned(), answer.is(200))
}

#[tokio::test]
async fn a_stale_version_is_refused_before_anything_is_done() {
    let fixture = Fixture::new().await;
    let (etag, before) = peek(&fixture).await;
    assert_eq!(before["is_read"], false);
    let weak = format!("W/{etag}");
    let both = format!("\"0\", {etag}");
    for entry in versioned() {
        let name = entry.route.name;
        for stale in ["\"0\"", "\"made up\"", "", "1", weak.as_str(), "\"0\",\"9\""] {
            let answer = ask(&fixture, &entry, &[("if-match", stale)]).await;
            answer.is_error(412, "PRECONDITION_FAILED");
        }
        let refused = if entry.route.method == Method::Get {
            304
        } else {
            412
        };
        for known in ["*", etag.as_str(), weak.as_str(), both.as_str()] {
            let answer = ask(&fixture, &entry, &[("if-none-match", known)]).await;
            assert_eq!(answer.status, refused, "{name}: {known}: {}", answer.text);
            if refused == 304 {
                assert_eq!(
                    (answer.text.as_str(), answer.header("etag")),
                    ("", Some(etag.as_str())),
                    "{name}"
                );
                assert_eq!(answer.header("cache-control"), Some("private, no-cache"));
            }
        }
        let answer = ask(
            &fixture,
            &entry,
            &[("if-match", "\"0\""), ("if-none-match", etag.as_str())],
        )
        .await;
        assert_eq!(answer.status, 412, "{name}: If-Match comes first");
        assert_eq!(
            peek(&fixture).await,
            (etag.clone(), before.clone()),
            "{name} has done something"
        );
    }
    assert_eq!(fixture.ada.folder("inbox").await.len(), 2, "nothing is deleted");
}

/// What would fail anyway fails as it would (§13.2.1).
#[tokio::test]
async fn a_precondition_hides_no_other_refusal() {
    let fixture = Fixture::new().await;
    for entry in versioned() {
        let path = fixture.path_but(&entry, entry.route.path, |_| Some(super::nothing()));
        let request = fixture
            .ada
            .request(entry.route.method.as_str(), &path)
            .header("if-match", "\"0\"");
        fixture
            .ada
            .send(request.json(&fixture.body(&entry)))
            .await
            .is_error(404, "NOT_FOUND");
        let request = fixture
            .request(&fixture.eve, &entry, entry.route.path)
            .header("if-none-match", "*");
        fixture.eve.send(request).await.is_error(404, "NOT_FOUND");
    }
}

#[tokio::test]
async fn the_current_version_passes() {
    let fixture = Fixture::new().await;
    let mut entries = versioned();
    entries.sort_by_key(|entry| entry.route.method == Method::Delete);
    for entry in entries {
        let (etag, _) = peek(&fixture).await;
        let either = format!("\"0\" , {etag}");
        for headers in [
            [("if-match", "*"), ("if-none-match", "\"0\"")],
            [("if-match", either.as_str()), ("if-none-match", "W/\"0\"")],
        ] {
            if entry.route.method == Method::Delete && headers[0].1 == "*" {
                continue;
            }
            let (etag, _) = peek(&fixture).await;
            let headers =
                headers.map(|(name, value)| (name, if value == either { etag.as_str() } else { value }));
            let answer = ask(&fixture, &entry, &headers).await;
            assert_eq!(
                answer.status, entry.route.success,
                "{}: {}",
                entry.route.name, answer.text
            );
        }
    }
    assert_eq!(fixture.ada.folder("inbox").await.len(), 1);
}

/// A person-to-person message has no version: none that a client names is that of the message.
#[tokio::test]
async fn a_message_without_a_version_matches_none() {
    let fixture = Fixture::new().await;
    let received = fixture.ids["mark_message_delivered.message_id"].as_str().unwrap();
    let own = fixture.ids["message_id"].as_str().unwrap();
    let send = async |method: &str, id: &str, name: &str, value: &str| {
        let request = fixture.ada.request(method, &format!("/api/v2/messages/{id}"));
        fixture.ada.send(request.header(name, value)).await.status
    };
    assert_eq!(send("GET", received, "if-match", "\"1\"").await, 412);
    assert_eq!(
        fixture.ada.get("/api/v2/messages/unread-count").await.is(200)["unread_count"],
        1,
        "it is read"
    );
    assert_eq!(send("DELETE", own, "if-match", "\"1\"").await, 412);
    assert_eq!(send("DELETE", own, "if-none-match", "*").await, 412);
    assert_eq!(send("GET", received, "if-none-match", "\"1\"").await, 200);
    assert_eq!(send("DELETE", own, "if-match", "*").await, 204);
}

/// Of two devices that delete and star one version, one wins.
#[tokio::test]
async fn of_a_change_and_a_deletion_of_one_version_one_wins() {
    let fixture = Fixture::new().await;
    let (etag, _) = peek(&fixture).await;
    let path = format!(
        "/api/v2/messages/{}",
        fixture.ids["get_mail.message_id"].as_str().unwrap()
    );
    let change = fixture
        .ada
        .request("PUT", &path)
        .header("if-match", &etag)
        .json(&json!({ "is_starred": true }));
    let delete = fixture.ada.request("DELETE", &path).header("if-match", &etag);
    let (change, delete) = tokio::join!(fixture.ada.send(change), fixture.ada.send(delete));
    assert!(
        matches!((change.status, delete.status), (200, 412) | (412 | 404, 204)),
        "{} {}",
        change.text,
        delete.text
    );
}
