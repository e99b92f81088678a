//! Repeated sends with the same id: the first message is returned, however often and however late (contract §1).

use std::time::Duration;

use harness::{Answer, Person, World};
use serde_json::{Value, json};
use shared::domain::user::Claims;
use uuid::Uuid;

use super::{message_path, messages_path};

const REPLAYED: &str = "idempotency-replayed";

async fn says_with_header(person: &Person, conversation: &str, content: &str, key: &str) -> Answer {
    let request = person
        .request("POST", &messages_path(conversation))
        .header("Idempotency-Key", key);
    person.send(request.json(&json!({ "content": content }))).await
}

/// Checks that a response is the first message again.
#[track_caller]
fn is_replay(answer: Answer, first: &Value) {
    assert_eq!(answer.header(REPLAYED), Some("true"), "{}", answer.text);
    assert_eq!(&answer.is(201), first);
}

/// S1-E04: in the body, in the header, and in both.
#[tokio::test]
async fn sending_again_gives_the_first_message_back() {
    let world = World::start().await;
    let [ada, bob] = world.people(["ada", "bob"]).await;
    let conversation = ada.open_direct(&bob).await;

    let answer = ada.says_as(&conversation, "once", "first").await;
    assert_eq!(answer.header(REPLAYED), None);
    let first = answer.is(201);
    assert_eq!(first["client_message_id"], "first");
    let id: Uuid = first["id"].as_str().unwrap().parse().unwrap();
    assert_eq!(id.get_version_num(), 5, "it is derived");
    ada.says(&conversation, "something in between").await;

    is_replay(ada.says_as(&conversation, "once", "first").await, &first);
    is_replay(
        says_with_header(&ada, &conversation, "once", "first").await,
        &first,
    );
    let both = ada
        .request("POST", &messages_path(&conversation))
        .header("idempotency-key", "first");
    let both = both.json(&json!({ "content": "once", "client_message_id": "first" }));
    is_replay(ada.send(both).await, &first);
    let alias = format!("/api/v1/conversations/{conversation}/messages");
    let answer = ada
        .post(&alias, json!({ "content": "once", "client_message_id": "first" }))
        .await;
    assert_eq!(answer.header(REPLAYED), Some("true"));
    assert_eq!(answer.is(201)["data"], first);

    let by_header = says_with_header(&ada, &conversation, "twice", "second").await;
    assert_eq!(by_header.header(REPLAYED), None);
    let second = by_header.is(201);
    assert_eq!(second["client_message_id"], "second");
    is_replay(ada.says_as(&conversation, "twice", "second").await, &second);

    assert_eq!(bob.messages(&conversation).await.len(), 3);
    assert_eq!(bob.sees(&conversation).await["last_seq"], 3);
}

/// Contract §1: different ids in header and body are 422.
#[tokio::test]
async fn two_ids_for_one_message_contradict_each_other() {
    let world = World::start().await;
    let [ada, bob] = world.people(["ada", "bob"]).await;
    let conversation = ada.open_direct(&bob).await;
    let request = ada
        .request("POST", &messages_path(&conversation))
        .header("idempotency-key", "one");
    let request = request.json(&json!({ "content": "a", "client_message_id": "other" }));
    ada.send(request).await.blames("Idempotency-Key", "contradiction");
    assert_eq!(ada.messages(&conversation).await, Vec::<Value>::new());
}

/// Contract §1: 1 to 128 visible characters, `!` to `~`.
#[tokio::test]
async fn an_id_is_1_to_128_visible_characters() {
    let world = World::start().await;
    let [ada, bob] = world.people(["ada", "bob"]).await;
    let conversation = ada.open_direct(&bob).await;
    let all: String = ('!'..='~').collect();
    for id in ["!", "~", &all, &"x".repeat(128), "C#1#M", "../..", "{\"a\":1}"] {
        assert_eq!(
            ada.says_as(&conversation, "a", id).await.is(201)["client_message_id"],
            json!(id)
        );
        // In the header a comma separates two keys, which is one too many (RFC 9110 §5.3).
        if !id.contains(',') {
            is_replay(
                says_with_header(&ada, &conversation, "a", id).await,
                &ada.says_as(&conversation, "a", id).await.is(201),
            );
        }
    }
    for (id, issue) in [
        ("", "too_short"),
        (" ", "wrong_format"),
        ("a b", "wrong_format"),
        ("a\n", "wrong_format"),
        ("é", "wrong_format"),
        ("\u{7f}", "wrong_format"),
        (&"x".repeat(129), "too_long"),
    ] {
        ada.says_as(&conversation, "a", id)
            .await
            .blames("client_message_id", issue);
    }
    for (id, issue) in [
        ("", "too_short"),
        ("a b", "wrong_format"),
        (&"x".repeat(129), "too_long"),
    ] {
        says_with_header(&ada, &conversation, "a", id)
            .await
            .blames("Idempotency-Key", issue);
    }
    let number = json!({ "content": "a", "client_message_id": 7 });
    ada.post(&messages_path(&conversation), number)
        .await
        .blames("client_message_id", "wrong_type");
}

/// Contract §1: the header is validated even if it is not ASCII.
#[tokio::test]
async fn a_key_that_is_no_text_is_refused_and_not_overlooked() {
    let world = World::start().await;
    let [ada, bob] = world.people(["ada", "bob"]).await;
    let conversation = ada.open_direct(&bob).await;
    let request = ada
        .request("POST", &messages_path(&conversation))
        .header("idempotency-key", "clé".as_bytes());
    let answer = ada.send(request.json(&json!({ "content": "a" }))).await;
    answer.blames("Idempotency-Key", "wrong_format");
}

/// Contract §1
#[tokio::test]
async fn an_id_does_not_stand_for_another_content() {
    let world = World::start().await;
    let [ada, bob] = world.people(["ada", "bob"]).await;
    let conversation = ada.open_direct(&bob).await;
    let first = ada.says_as(&conversation, "this", "id").await.is(201);

    for content in ["that", "This", "this ", "thi\u{73}\u{301}"] {
        ada.says_as(&conversation, content, "id")
            .await
            .is_error(422, "IDEMPOTENCY_KEY_REUSED");
    }
    let image = json!({ "content": "this", "content_type": "image", "client_message_id": "id" });
    ada.post(&messages_path(&conversation), image)
        .await
        .is_error(422, "IDEMPOTENCY_KEY_REUSED");
    ada.delete(&message_path(&conversation, &first)).await.is(204);
    ada.says_as(&conversation, "that", "id")
        .await
        .is_error(422, "IDEMPOTENCY_KEY_REUSED");
    assert_eq!(ada.messages(&conversation).await.len(), 1);
}

/// Contract §1: the same sender, conversation and id; changing any of them makes another message.
#[tokio::test]
async fn an_id_belongs_to_one_sender_in_one_conversation() {
    let world = World::start().await;
    let [ada, bob, chen] = world.people(["ada", "bob", "chen"]).await;
    let (with_bob, with_chen) = (ada.open_direct(&bob).await, ada.open_direct(&chen).await);
    let mut ids = Vec::new();
    for (person, conversation) in [
        (&ada, &with_bob),
        (&bob, &with_bob),
        (&ada, &with_chen),
        (&chen, &with_chen),
    ] {
        let answer = person
            .says_as(conversation, &format!("from {}", person.id), "1")
            .await;
        assert_eq!(answer.header(REPLAYED), None);
        ids.push(answer.is(201)["id"].as_str().unwrap().to_owned());
    }
    ids.sort_unstable();
    ids.dedup();
    assert_eq!(ids.len(), 4);
    ada.says_as(&with_bob, "x", "Case").await.is(201);
    assert_eq!(
        ada.says_as(&with_bob, "x", "case").await.header(REPLAYED),
        None,
        "ids are not folded"
    );
}

/// Contract §1: in its current state; a deleted message as its tombstone, with the first status.
#[tokio::test]
async fn sending_a_deleted_message_again_gives_its_tombstone() {
    let world = World::start().await;
    let [ada, bob] = world.people(["ada", "bob"]).await;
    let conversation = ada.open_direct(&bob).await;
    let first = ada.says_as(&conversation, "regretted", "id").await.is(201);
    world.advance(Duration::from_secs(1));
    ada.delete(&message_path(&conversation, &first)).await.is(204);

    let answer = ada.says_as(&conversation, "regretted", "id").await;
    assert_eq!(answer.header(REPLAYED), Some("true"));
    let tombstone = answer.is(201);
    assert_eq!(
        (&tombstone["id"], &tombstone["seq"]),
        (&first["id"], &first["seq"])
    );
    assert_eq!(
        (&tombstone["content"], &tombstone["is_deleted"]),
        (&Value::Null, &json!(true))
    );
    assert_ne!(tombstone["updated_at"], first["updated_at"]);
    assert_eq!(bob.messages(&conversation).await, [tombstone]);
}

/// Contract §1: in its current state, with its readers.
#[tokio::test]
async fn sending_a_read_message_again_shows_the_reads() {
    let world = World::start().await;
    let [ada, bob, chen] = world.people(["ada", "bob", "chen"]).await;
    let conversation = ada.open_group("readers", &[&bob, &chen]).await;
    let first = ada.says_as(&conversation, "news", "id").await.is(201);
    bob.reads(&conversation, &first).await;

    let again = ada.says_as(&conversation, "news", "id").await.is(201);
    assert_eq!(
        (&again["is_read"], &again["read_count"]),
        (&json!(true), &json!(1))
    );
    assert_eq!(again["read_by"], json!([bob.id]));
}

/// Contract §1: however late.
#[tokio::test]
async fn sending_again_after_a_year_gives_the_first_message_back() {
    let world = World::start().await;
    let [ada, bob] = world.people(["ada", "bob"]).await;
    let conversation = ada.open_direct(&bob).await;
    let first = ada.says_as(&conversation, "once", "id").await.is(201);
    world.settled().await;

    world.advance(Duration::from_secs(366 * 24 * 60 * 60));
    let claims = Claims {
        username: Some("ada".into()),
        ..Claims::default()
    };
    let later = world.stranger(ada.id, claims);
    is_replay(later.says_as(&conversation, "once", "id").await, &first);
    assert_eq!(later.messages(&conversation).await.len(), 1);
}
