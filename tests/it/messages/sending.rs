//! What a message may contain, and that it is returned unchanged (S1-E04).

use harness::World;
use serde_json::{Value, json};
use uuid::Uuid;

use super::messages_path;

/// S1-E04, S1-F03, S1-F08
#[tokio::test]
async fn the_response_is_the_whole_message() {
    let world = World::start().await;
    let [ada, bob] = world.people(["ada", "bob"]).await;
    let conversation = ada.open_direct(&bob).await;

    let message = ada.says(&conversation, "Hello").await;
    let at = message["created_at"].as_str().unwrap();
    assert_eq!(at.len(), "2026-01-15T10:30:00.000Z".len(), "{at}");
    assert!(at.ends_with('Z'), "{at}");
    let id: Uuid = message["id"].as_str().unwrap().parse().unwrap();
    assert_eq!(id.get_version_num(), 7, "the server made it up");
    let expected = json!({
        "id": id,
        "conversation_id": conversation,
        "seq": 1,
        "sender_id": ada.id,
        "sender_username": "ada",
        "content": "Hello",
        "content_type": "text",
        "client_message_id": null,
        "created_at": at,
        "updated_at": at,
        "is_deleted": false,
        "is_read": false,
        "read_by": [],
        "read_count": 0
    });
    assert_eq!(message, expected);
    assert_eq!(bob.messages(&conversation).await, [expected]);
}

/// S1-N04, contract §1 *Text*: only Unicode scalar values are counted.
#[tokio::test]
async fn a_message_has_1_to_2000_characters_however_many_bytes() {
    let world = World::start().await;
    let [ada, bob] = world.people(["ada", "bob"]).await;
    let path = messages_path(&ada.open_direct(&bob).await);

    for character in ["a", "é", "ह", "💬", "\u{301}", "\"", "\n", " "] {
        for count in [1, 1999, 2000] {
            let content = character.repeat(count);
            let message = ada.post(&path, json!({ "content": content })).await.is(201);
            assert_eq!(message["content"], json!(content));
        }
        ada.post(&path, json!({ "content": character.repeat(2001) }))
            .await
            .blames("content", "too_long");
    }
    ada.post(&path, json!({ "content": "" }))
        .await
        .blames("content", "too_short");
    ada.post(&path, json!({ "content": "👩‍🚀".repeat(667) }))
        .await
        .blames("content", "too_long");
    ada.post(&path, json!({})).await.blames("content", "missing");
    ada.post(&path, json!({ "content": null }))
        .await
        .blames("content", "wrong_type");
    ada.post(&path, json!({ "content": ["a"] }))
        .await
        .blames("content", "wrong_type");
}

/// S1-N04: the message states the limit.
#[tokio::test]
async fn a_message_that_is_too_long_is_told_by_how_much() {
    let world = World::start().await;
    let [ada, bob] = world.people(["ada", "bob"]).await;
    let path = messages_path(&ada.open_direct(&bob).await);
    let error = ada
        .post(&path, json!({ "content": "a".repeat(2001) }))
        .await
        .is_error(422, "VALIDATION_ERROR");
    assert_eq!(
        error["message"],
        "content is 2001 characters long; at most 2000 are allowed"
    );
    assert_eq!(
        error["details"],
        json!({ "field": "content", "issue": "too_long", "value": null })
    );
}

/// Contract §1 *Text*: C0, DEL and C1, except line breaks and tabs.
#[tokio::test]
async fn control_characters_are_refused_but_for_line_ends_and_tabs() {
    let world = World::start().await;
    let [ada, bob] = world.people(["ada", "bob"]).await;
    let path = messages_path(&ada.open_direct(&bob).await);
    for code in (0..=0x1f).chain(0x7f..=0x9f) {
        let character = char::from_u32(code).unwrap();
        let answer = ada
            .post(&path, json!({ "content": format!("a{character}b") }))
            .await;
        if matches!(character, '\n' | '\r' | '\t') {
            assert_eq!(answer.is(201)["content"], json!(format!("a{character}b")));
        } else {
            answer.blames("content", "control_character");
        }
    }
}

/// Contract §1 *Text*, S0-N05: escaping is up to the client that displays it.
#[tokio::test]
async fn a_text_comes_back_as_it_went_in() {
    let world = World::start().await;
    let [ada, bob] = world.people(["ada", "bob"]).await;
    let conversation = ada.open_direct(&bob).await;
    let texts = [
        "<script>alert('x')</script> &amp; <b onclick=\"y\">z</b>",
        "'; DROP TABLE messages; --",
        "  spaces before and after  ",
        "\u{e9} is not e\u{301}",
        "\u{fb01}\u{212b}\u{1e9b}\u{323}",
        "\u{202e}backwards\u{202c}\u{200b}\u{feff}",
        "👩‍👩‍👧‍👦 🏳️‍🌈 \u{10ffff}\u{fffd}\u{ffff}",
        "Ω≈ç√∫ 田中さん مرحبا שלום",
        "{\"type\":\"ping\"}",
        "\\u0000 \\n %00 ${jndi} {{conversation_id}} :seq #name",
        "\r\n\tlines\r\n",
    ];
    let mut socket = bob.connect().await;
    for text in texts {
        let message = ada.says(&conversation, text).await;
        assert_eq!(message["content"], json!(text));
        assert_eq!(
            socket.next_of("new_message").await["message"]["content"],
            json!(text)
        );
    }
    let listed: Vec<Value> = bob
        .messages(&conversation)
        .await
        .iter()
        .rev()
        .map(|m| m["content"].clone())
        .collect();
    assert_eq!(listed, texts.map(Value::from));
    assert_eq!(
        bob.sees(&conversation).await["last_message"]["content"],
        json!(texts[10])
    );
}

/// S1-F05
#[tokio::test]
async fn people_send_text_images_and_files_but_never_as_the_system() {
    let world = World::start().await;
    let [ada, bob] = world.people(["ada", "bob"]).await;
    let path = messages_path(&ada.open_direct(&bob).await);
    for content_type in ["text", "image", "file"] {
        let body = json!({ "content": "a", "content_type": content_type });
        assert_eq!(ada.post(&path, body).await.is(201)["content_type"], content_type);
    }
    for unknown in ["system", "", "TEXT", "smell"] {
        let answer = ada
            .post(&path, json!({ "content": "a", "content_type": unknown }))
            .await;
        answer.blames("content_type", "unknown_value");
    }
}

/// Contract §1: unknown request fields are ignored, and nobody can set server-side fields.
#[tokio::test]
async fn server_side_fields_in_a_request_are_ignored() {
    let world = World::start().await;
    let [ada, bob] = world.people(["ada", "bob"]).await;
    let path = messages_path(&ada.open_direct(&bob).await);
    let body = json!({
        "content": "a", "sender_id": bob.id, "sender_username": "bob", "seq": 99, "id": Uuid::nil(),
        "is_deleted": true, "created_at": "2000-01-01T00:00:00.000Z", "nobody": { "knows": [1, 2] }
    });
    let message = ada.post(&path, body).await.is(201);
    assert_eq!(
        (&message["sender_id"], &message["sender_username"]),
        (&json!(ada.id), &json!("ada"))
    );
    assert_eq!(
        (&message["seq"], &message["is_deleted"]),
        (&json!(1), &json!(false))
    );
    assert_ne!(message["id"], json!(Uuid::nil()));
}

/// Contract §3: the longest possible message fits into a frame.
#[tokio::test]
async fn the_longest_message_is_pushed_whole() {
    let world = World::start().await;
    let [ada, bob] = world.people(["ada", "bob"]).await;
    let conversation = ada.open_direct(&bob).await;
    let mut socket = bob.connect().await;
    for (index, character) in ["💬", "\"", "\\", "\n"].into_iter().enumerate() {
        let content = character.repeat(2000);
        let id = format!("{}{index}", "~".repeat(127));
        ada.says_as(&conversation, &content, &id).await.is(201);
        let frame = socket.next_of("new_message").await;
        assert_eq!(frame["truncated"], Value::Null);
        assert_eq!(frame["message"]["content"], json!(content));
    }
}

/// S1-F03: a message keeps the sender's name; the next one has the new name.
#[tokio::test]
async fn a_message_keeps_the_name_under_which_it_was_sent() {
    let world = World::start().await;
    let [ada, bob] = world.people(["ada", "bob"]).await;
    let conversation = ada.open_direct(&bob).await;
    ada.says(&conversation, "as ada").await;
    let claims = shared::domain::user::Claims {
        username: Some("countess".into()),
        ..Default::default()
    };
    let countess = world.stranger(ada.id, claims);
    countess.says(&conversation, "as countess").await;

    let names: Vec<Value> = bob
        .messages(&conversation)
        .await
        .iter()
        .map(|message| message["sender_username"].clone())
        .collect();
    assert_eq!(names, ["countess", "ada"]);
    let participants = bob.sees(&conversation).await["participants"].clone();
    let countess = participants
        .as_array()
        .unwrap()
        .iter()
        .find(|one| one["user_id"] == json!(ada.id))
        .unwrap();
    assert_eq!(countess["username"], "countess");
}
