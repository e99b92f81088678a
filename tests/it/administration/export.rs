//! Exports: a real job, in parts, to files that hold every message once (S2-E14).

mod contents;

use std::collections::BTreeSet;
use std::io::Read as _;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use flate2::read::GzDecoder;
use futures::future::BoxFuture;
use harness::faults::{Dice, Fault, FaultRates, Faults, Point};
use harness::world::{EXPORT, EXPORT_DEAD};
use harness::{Person, World};
use local_services::{AwsError, Call, Delivery, Interceptor, Service, Verdict};
use serde_json::{Value, json};
use shared::domain::audit::hex;
use shared::domain::user::Claims;
use uuid::Uuid;

use super::{audit_log, hard_delete, id, is_valid, moderate};

/// Starts an export; its id.
async fn start(analyst: &Person, query: &str) -> String {
    let answer = analyst.get(&format!("/api/admin/messages/export?{query}")).await;
    answer.is(202)["export_id"].as_str().unwrap().to_owned()
}

async fn look(analyst: &Person, export: &str) -> Value {
    analyst
        .get(&format!("/api/admin/messages/export/{export}"))
        .await
        .is(200)
}

/// What a link leads to. It is signed with the rights of the function that made it.
async fn download(world: &World, url: &str) -> Vec<u8> {
    let request = http::Request::get(url).body(Bytes::new()).unwrap();
    let answer = world
        .services()
        .call("GetExport", Service::S3, request)
        .await
        .unwrap();
    let status = answer.status();
    let body = answer.into_body();
    let body = aws_smithy_types::byte_stream::ByteStream::new(body)
        .collect()
        .await
        .unwrap()
        .into_bytes();
    assert!(
        status.is_success(),
        "{status}: {}",
        String::from_utf8_lossy(&body)
    );
    body.to_vec()
}

/// The files of an export that is done, unpacked: lines of JSON, and CSV.
async fn files(world: &World, export: &Value) -> (Vec<Value>, Vec<Vec<String>>) {
    assert_eq!(
        (&export["status"], &export["progress"]),
        (&json!("completed"), &json!(1.0))
    );
    let (mut lines, mut rows) = (Vec::new(), Vec::new());
    for (index, file) in export["files"].as_array().unwrap().iter().enumerate() {
        let bytes = download(world, file["url"].as_str().unwrap()).await;
        assert_eq!(file["size_bytes"], bytes.len());
        use sha2::Digest as _;
        let hash = hex(&sha2::Sha256::digest(&bytes));
        assert_eq!(file["sha256"], hash);
        assert_eq!(file["part"], index / 2 + 1);
        let mut text = String::new();
        GzDecoder::new(&bytes[..]).read_to_string(&mut text).unwrap();
        let before = (lines.len(), rows.len());
        if file["format"] == "jsonl" {
            lines.extend(
                text.lines()
                    .map(|line| serde_json::from_str::<Value>(line).unwrap()),
            );
            assert_eq!(file["rows"], lines.len() - before.0);
        } else {
            let mut reader = csv::Reader::from_reader(text.as_bytes());
            let header: Vec<String> = reader.headers().unwrap().iter().map(str::to_owned).collect();
            assert_eq!(header.len(), 17);
            for record in reader.records() {
                rows.push(record.unwrap().iter().map(str::to_owned).collect());
            }
            assert_eq!(file["rows"], rows.len() - before.1);
        }
    }
    (lines, rows)
}

/// Two people, a third, and what they wrote.
async fn talk(world: &World) -> (Person, [Person; 3], Vec<Value>) {
    let [ada, bob, cem] = world.people(["ada", "bob", "cem"]).await;
    let admin = world.with_roles("root", &["super_admin"]).await;
    let with_bob = ada.open_direct(&bob).await;
    let group = cem.open_group("three", &[&ada, &bob]).await;
    let mut messages = Vec::new();
    for number in 0..4 {
        messages.push(
            ada.says(&with_bob, &format!("=1+{number}, \"quoted\"\nnext line"))
                .await,
        );
        messages.push(cem.says(&group, &format!("group {number}")).await);
    }
    bob.reads(&with_bob, &messages[2]).await;
    (admin, [ada, bob, cem], messages)
}

/// S2-E14: every message once, in both forms, as members see it.
#[tokio::test]
async fn an_export_holds_every_message_once_in_both_forms() {
    let world = World::start().await;
    let (admin, [ada, bob, _], messages) = talk(&world).await;
    moderate(&admin, &messages[0], "blocked").await.is(200);
    hard_delete(&admin, &messages[1]).await.is(200);
    let export = start(&admin, "").await;
    world.settled().await;
    let (lines, rows) = files(&world, &look(&admin, &export).await).await;
    let ids = |lines: &[Value]| {
        lines
            .iter()
            .map(|line| id(line).to_owned())
            .collect::<BTreeSet<_>>()
    };
    assert_eq!(lines.len(), 8);
    assert_eq!(ids(&lines), ids(&messages));
    let line = |message: &Value| lines.iter().find(|line| line["id"] == message["id"]).unwrap();
    assert_eq!(line(&messages[0])["content"], Value::Null, "blocked");
    assert_eq!(line(&messages[0])["moderation_status"], "blocked");
    assert_eq!(line(&messages[1])["content"], Value::Null, "deleted");
    let second = line(&messages[2]);
    assert_eq!(second["content"], "=1+1, \"quoted\"\nnext line");
    assert_eq!(
        (&second["status"], &second["receiver_id"]),
        (&json!("read"), &json!(bob.id))
    );
    assert_eq!(
        line(&messages[3])["receiver_id"],
        Value::Null,
        "a group has no receiver"
    );
    // The rows say what the lines say, field by field.
    for (line, row) in lines.iter().zip(&rows) {
        let text = |name: &str| match &line[name] {
            Value::Null => String::new(),
            // For a spreadsheet, which would run it.
            Value::String(text) if text.starts_with('=') => format!("'{text}"),
            Value::String(text) => text.clone(),
            other => other.to_string(),
        };
        let columns = [
            "id",
            "conversation_id",
            "seq",
            "sender_id",
            "receiver_id",
            "content",
            "message_type",
            "status",
            "moderation_status",
            "delivered_at",
            "read_at",
            "credits_cost",
            "credits_transaction_id",
            "is_deleted",
            "deleted_at",
            "created_at",
            "updated_at",
        ];
        assert_eq!(row, &columns.map(text));
    }
    for (query, expected) in [
        (format!("user_id={}", ada.id), 4),
        ("q=QUOTED".to_owned(), 3),
        ("moderation_status=blocked".to_owned(), 1),
        ("to=2020-01-02&from=2020-01-01".to_owned(), 0),
    ] {
        let export = start(&admin, &query).await;
        world.settled().await;
        let export = look(&admin, &export).await;
        assert_eq!(export["files"].as_array().unwrap().len(), 2, "{query}");
        assert_eq!(files(&world, &export).await.0.len(), expected, "{query}");
    }
    let entries = audit_log(&admin, "action=messages.export").await;
    assert_eq!(entries.len(), 5);
    assert_eq!(entries[3]["metadata"]["filters"]["user_id"], json!(ada.id));
    is_valid(&admin).await;
}

/// S2-E14: it is for whoever asked for it, for seven days, by links that end.
#[tokio::test]
async fn an_export_is_its_owners_and_ends() {
    let world = World::start().await;
    let (admin, ..) = talk(&world).await;
    let analyst = patient_analyst(&world);
    let export = start(&analyst, "").await;
    world.settled().await;
    let done = look(&analyst, &export).await;
    let expires = done["files"][0]["expires_at"].as_str().unwrap();
    let now = world
        .desk()
        .clock()
        .now()
        .plus(Duration::from_mins(5))
        .to_string();
    assert!(expires <= now.as_str());
    let path = format!("/api/admin/messages/export/{export}");
    admin.get(&path).await.is_error(404, "NOT_FOUND");
    admin
        .get(&format!("/api/admin/messages/export/{}", Uuid::new_v4()))
        .await
        .is_error(404, "NOT_FOUND");
    world.advance(Duration::from_hours(24 * 7 - 1));
    look(&analyst, &export).await;
    world.advance(Duration::from_hours(2));
    analyst.get(&path).await.is_error(404, "NOT_FOUND");
}

/// S2-E14: a worker that dies at any call of any step, or any call that fails: the export comes out the same.
#[tokio::test]
async fn an_export_in_parts_survives_everything() {
    // Each conversation of a day is a part of its own. Their ids follow from those of the people, so that each world
    // has the same ones, in the same places.
    let plan = async || {
        let world = World::with(&[("EXPORT_PART_ROWS", "1")]).await;
        let admin = world.with_roles("root", &["super_admin"]).await;
        let [ada, bob, cem] = [1, 2, 3].map(|id| world.stranger(Uuid::from_u128(id), Claims::default()));
        let mut messages = Vec::new();
        for other in [&bob, &cem] {
            other.get("/api/v1/users/me").await.is(200);
            let conversation = ada.open_direct(other).await;
            for number in 0..4 {
                messages.push(ada.says(&conversation, &format!("{number}")).await);
            }
        }
        world.settled().await;
        (world, admin, messages)
    };
    let (world, admin, _) = plan().await;
    let faults = Faults::install(world.services());
    faults.watch();
    start(&admin, &of_today(&world)).await;
    faults.settle(world.services()).await;
    let points: Vec<_> = faults.seen().into_iter().filter(Point::is_of_a_job).collect();
    assert!(points.len() >= 20, "{points:?}");
    let mut told = 0;
    for (index, point) in points.iter().enumerate() {
        for fault in Fault::at(point, index) {
            let (world, admin, messages) = plan().await;
            let faults = Faults::install(world.services());
            faults.inject(point, fault);
            let export = start(&admin, &of_today(&world)).await;
            faults.settle(world.services()).await;
            assert!(faults.clear(), "{fault:?} at {point} is never met");
            holds_all(&world, &look(&admin, &export).await, &messages).await;
            told += 1;
        }
    }
    println!("an export: {} points, {told} faults", points.len());
}

/// The days on which everything was said, also if midnight has passed meanwhile.
fn of_today(world: &World) -> String {
    let now = world
        .desk()
        .clock()
        .now()
        .minus(Duration::from_mins(10))
        .to_string();
    format!("from={}", &now[..10])
}

/// Every message is there once, in both forms.
async fn holds_all(world: &World, export: &Value, messages: &[Value]) {
    let (lines, rows) = files(world, export).await;
    assert_eq!((lines.len(), rows.len()), (messages.len(), messages.len()));
    let found: BTreeSet<&str> = lines.iter().map(id).collect();
    let expected: BTreeSet<&str> = messages.iter().map(id).collect();
    assert_eq!(found, expected);
}

/// S2-E14: queues promise neither order nor "once".
#[tokio::test]
async fn an_export_whose_jobs_come_twice_is_written_once() {
    let world = World::with(&[("EXPORT_PART_ROWS", "1")]).await;
    let (admin, _, messages) = talk(&world).await;
    world.settled().await;
    let queues = world.services().queues();
    queues.set_delivery(Delivery::DuplicatedAndShuffled);
    let exports = [start(&admin, "").await, start(&admin, "").await];
    world.settled().await;
    for export in exports {
        let export = look(&admin, &export).await;
        assert_eq!(
            export["files"].as_array().unwrap().len(),
            4,
            "a part for each conversation"
        );
        holds_all(&world, &export, &messages).await;
    }
}

/// Somebody who may export, whose token outlives the story.
fn patient_analyst(world: &World) -> Person {
    let claims = Claims {
        permissions: vec!["analytics.export".to_owned()],
        ..Claims::default()
    };
    let user = Uuid::new_v4();
    world.bearer(user, world.token(user, claims, Duration::from_hours(24 * 30)))
}

/// S2-E14: what cannot be done is said to have failed; sent back, it goes on.
#[tokio::test]
async fn an_export_of_which_nothing_is_heard_has_failed_and_goes_on_when_it_is_sent_back() {
    let mut world = World::start().await;
    world.expect_dead_letters();
    let (_, _, messages) = talk(&world).await;
    let analyst = patient_analyst(&world);
    world.settled().await;
    let faults = Faults::install(world.services());
    // The worker cannot even note that it gives up.
    faults.inject_randomly(FaultRates {
        cursed: Some("X#".to_owned()),
        ..FaultRates::none(Dice::new(0))
    });
    let export = start(&analyst, "").await;
    faults.settle(world.services()).await;
    faults.clear();
    let queues = world.services().queues();
    assert_eq!(queues.messages(EXPORT_DEAD).unwrap().len(), 1);
    assert_eq!(look(&analyst, &export).await["status"], "queued");
    world.advance(Duration::from_hours(2));
    assert_eq!(look(&analyst, &export).await["status"], "failed");
    assert_eq!(queues.redrive(EXPORT_DEAD, EXPORT).unwrap(), 1);
    faults.settle(world.services()).await;
    let done = look(&analyst, &export).await;
    assert_eq!(
        (&done["status"], &done["files"][0]["rows"]),
        (&json!("completed"), &json!(messages.len()))
    );
}

/// Stands in the way of everything that is stored in the bucket.
struct FullBucket;

impl Interceptor for FullBucket {
    fn before<'a>(&'a self, call: &'a Call) -> BoxFuture<'a, Verdict> {
        let refusal = AwsError::new(500, "InternalError", "We encountered an internal error.");
        let verdict = if call.operation == "PutObject" {
            Verdict::Answer(refusal)
        } else {
            Verdict::Proceed
        };
        Box::pin(async { verdict })
    }

    fn after<'a>(&'a self, _: &'a Call, _: u16) -> BoxFuture<'a, Verdict> {
        Box::pin(async { Verdict::Proceed })
    }
}

/// S2-E14: the worker notes its last attempt in vain at once.
#[tokio::test]
async fn an_export_that_is_given_up_says_so_at_once() {
    let mut world = World::start().await;
    world.expect_dead_letters();
    let (_, _, messages) = talk(&world).await;
    let analyst = patient_analyst(&world);
    world.services().set_interceptor(Some(Arc::new(FullBucket)));
    let export = start(&analyst, "").await;
    let queues = world.services().queues();
    for attempt in 1..=5 {
        world
            .logged(attempt, |line| line["function"] == "export_messages")
            .await;
        let status = look(&analyst, &export).await["status"].clone();
        assert_eq!(status == "failed", attempt == 5, "attempt {attempt}: {status}");
        while attempt < 5 && queues.make_visible_now(EXPORT).unwrap() == 0 {
            tokio::task::yield_now().await;
        }
    }
    let noted = world.stored(&format!("X#{export}"), "EXPORT").await.unwrap();
    assert_eq!(noted["e"]["S"], "UNAVAILABLE");
    world.services().set_interceptor(None);
    // The last attempt hides its message from SQS' own hand until its time is over, too.
    while queues.redrive(EXPORT_DEAD, EXPORT).unwrap() == 0 {
        queues.make_visible_now(EXPORT).unwrap();
        tokio::task::yield_now().await;
    }
    world.settled().await;
    holds_all(&world, &look(&analyst, &export).await, &messages).await;
}
