//! The direct conversation of two people (S1-E01).

use std::time::Duration;

use harness::World;
use serde_json::{Value, json};
use shared::domain::user::Claims;
use uuid::Uuid;

use super::{direct_path, fields, participant};

/// S1-E01
#[tokio::test]
async fn two_people_have_one_conversation_whoever_opens_it() {
    let world = World::start().await;
    let [ada, bob] = world.people(["ada", "bob"]).await;
    let opened = ada.post_nothing(&direct_path(&bob)).await.is(201);
    let again = ada.post_nothing(&direct_path(&bob)).await.is(200);
    let other_side = bob.post_nothing(&direct_path(&ada)).await.is(200);
    assert_eq!(opened, again);
    assert_eq!(
        as_for_both(opened.clone()),
        as_for_both(other_side.clone()),
        "nothing else in it is anybody's own yet"
    );
    for (seen, first) in [(&opened, &ada), (&other_side, &bob)] {
        assert_eq!(seen["participants"][0]["user_id"], json!(first.id), "the viewer");
    }

    let id: Uuid = opened["id"].as_str().unwrap().parse().unwrap();
    assert_eq!(id.get_version_num(), 5, "it is derived from the pair");
    assert_eq!(ada.sees(&id.to_string()).await, opened);
    assert_eq!(
        bob.get("/api/conversations").await.is(200)["conversations"],
        json!([other_side])
    );
}

/// A conversation without what depends on the viewer: each participant is listed first for themselves.
fn as_for_both(mut conversation: Value) -> Value {
    let participants = conversation["participants"].as_array_mut().unwrap();
    participants.sort_by_key(|one| one["user_id"].as_str().unwrap().to_owned());
    conversation
}

/// S1-E01: opening it again only returns it.
#[tokio::test]
async fn opening_again_shows_what_is_there_by_now() {
    let world = World::start().await;
    let [ada, bob] = world.people(["ada", "bob"]).await;
    let conversation = ada.open_direct(&bob).await;
    let message = ada.says(&conversation, "Hello").await;
    let again = bob.post_nothing(&direct_path(&ada)).await.is(200);
    assert_eq!(again["last_message"], message);
    assert_eq!(
        (&again["unread_count"], &again["last_seq"]),
        (&json!(1), &json!(1))
    );
    assert_eq!(again, bob.sees(&conversation).await);
}

/// S1-E01: also concurrently.
#[tokio::test]
async fn both_open_it_concurrently_and_exactly_one_creates_it() {
    let world = World::start().await;
    for round in 0..8 {
        let [ada, bob] = world.people(["ada", "bob"]).await;
        let (to_bob, to_ada) = (direct_path(&bob), direct_path(&ada));
        let calls = (0..6).map(|index| {
            if index % 2 == 0 {
                ada.post_nothing(&to_bob)
            } else {
                bob.post_nothing(&to_ada)
            }
        });
        let answers = futures::future::join_all(calls).await;

        let made = answers.iter().filter(|answer| answer.status == 201).count();
        assert_eq!(made, 1, "round {round}");
        let mut opened: Vec<Value> = Vec::new();
        for answer in answers {
            assert!(matches!(answer.status, 200 | 201), "{}", answer.text);
            opened.push(as_for_both(answer.json));
        }
        opened.dedup();
        assert_eq!(opened.len(), 1, "round {round}: {opened:?}");
        for person in [&ada, &bob] {
            let list = person.get("/api/conversations").await.is(200);
            let listed = list["conversations"].as_array().unwrap().iter().cloned();
            assert_eq!(listed.map(as_for_both).collect::<Vec<_>>(), opened);
        }
    }
}

/// S1-F06, S1-F07, S1-F01, S1-F02
#[tokio::test]
async fn a_conversation_has_all_its_fields() {
    let world = World::start().await;
    let claims = Claims {
        name: Some("Bob Noyce".into()),
        username: Some("bob".into()),
        email: Some("bob@example.org".into()),
        avatar_url: Some("https://example.org/bob.png".into()),
        ..Claims::default()
    };
    let bob = world.stranger(Uuid::new_v4(), claims);
    bob.get("/api/v1/users/me").await.is(200);
    let ada = world.person("ada").await;
    let opened = ada.post_nothing(&direct_path(&bob)).await.is(201);
    let expected = [
        "created_at",
        "description",
        "id",
        "is_group",
        "last_message",
        "last_message_at",
        "last_seq",
        "name",
        "participant_count",
        "participants",
        "unread_count",
        "updated_at",
    ];
    assert_eq!(fields(&opened), expected);
    assert_eq!(opened["updated_at"], opened["created_at"]);
    for nothing in ["name", "description", "last_message", "last_message_at"] {
        assert_eq!(opened[nothing], Value::Null, "{nothing}");
    }
    assert_eq!(
        (&opened["is_group"], &opened["participant_count"]),
        (&json!(false), &json!(2))
    );
    assert_eq!(
        (&opened["unread_count"], &opened["last_seq"]),
        (&json!(0), &json!(0))
    );
    assert_eq!(opened["participants"].as_array().unwrap().len(), 2);
    let theirs = participant(&opened, &bob);
    let expected = json!({
        "user_id": bob.id, "username": "bob", "display_name": "Bob Noyce",
        "avatar_url": "https://example.org/bob.png", "role": "member", "joined_at": theirs["joined_at"],
        "is_active": true, "last_read_message_id": null
    });
    assert_eq!(theirs, &expected, "and no e-mail address");
    let joined_at = theirs["joined_at"].as_str().unwrap();
    assert!(joined_at <= opened["created_at"].as_str().unwrap());

    let conversation = opened["id"].as_str().unwrap();
    world.advance(Duration::from_secs(5));
    let message = ada.says(conversation, "Hello").await;
    bob.reads(conversation, &message).await;
    let seen = bob.sees(conversation).await;
    assert_eq!(
        (&seen["last_message_at"], &seen["updated_at"]),
        (&message["created_at"], &message["created_at"])
    );
    assert_eq!(seen["last_message"]["read_by"], json!([bob.id]));
    assert_eq!(participant(&seen, &bob)["last_read_message_id"], message["id"]);
    assert_eq!(participant(&seen, &ada)["last_read_message_id"], Value::Null);
    assert_eq!(seen["created_at"], opened["created_at"]);
}

/// S1-E01, contract §1 *422* and *404*
#[tokio::test]
async fn a_direct_conversation_needs_another_known_user() {
    let world = World::start().await;
    let ada = world.person("ada").await;
    ada.post_nothing(&direct_path(&ada))
        .await
        .blames("other_user_id", "oneself");
    let nobody = format!("/api/conversations/dm/{}", Uuid::new_v4());
    let error = ada.post_nothing(&nobody).await.is_error(404, "NOT_FOUND");
    assert_eq!(error["message"], "user not found");
    for none in ["me", "ada", "1", "0b8f1c1e5d3a5f629a573f0c5a8e7d11", "%7B%7D"] {
        ada.post_nothing(&format!("/api/conversations/dm/{none}"))
            .await
            .is_error(404, "NOT_FOUND");
    }
    assert_eq!(
        ada.get("/api/conversations").await.is(200)["total"],
        0,
        "nothing was left behind"
    );
}

/// Contract §1 *Authentication*: the first call makes a user known.
#[tokio::test]
async fn somebody_is_known_from_their_first_call_on() {
    let world = World::start().await;
    let ada = world.person("ada").await;
    let newcomer = world.stranger(Uuid::new_v4(), Claims::default());
    ada.post_nothing(&direct_path(&newcomer))
        .await
        .is_error(404, "NOT_FOUND");
    let refused = newcomer.get("/api/conversations?page=0").await;
    refused.is_error(422, "VALIDATION_ERROR");
    let opened = ada.post_nothing(&direct_path(&newcomer)).await.is(201);
    let shown = participant(&opened, &newcomer);
    let start = &newcomer.id.to_string()[..8];
    assert_eq!(
        (&shown["username"], &shown["display_name"]),
        (&json!(start), &json!(start))
    );
}

/// Contract §3: `conversation_created` goes to every connection of both.
#[tokio::test]
async fn both_are_told_live_on_every_connection() {
    let world = World::start().await;
    let [ada, bob, eve] = world.people(["ada", "bob", "eve"]).await;
    let mut sockets = [
        (&ada, ada.connect().await),
        (&bob, bob.connect().await),
        (&bob, bob.connect().await),
    ];
    let mut outside = eve.connect().await;
    let conversation = ada.open_direct(&bob).await;

    for (person, socket) in &mut sockets {
        let frame = socket.next_of("conversation_created").await;
        assert_eq!(
            (&frame["namespace"], &frame["seq"]),
            (&json!("conversations"), &json!(0))
        );
        assert_eq!(frame["conversation"], person.sees(&conversation).await);
    }
    world.settled().await;
    assert_eq!(outside.so_far().await, Vec::<Value>::new());
}
