//! Profiles: what a user and others see of a token's claims.

use std::time::Duration;

use harness::{Person, Socket, World};
use serde_json::{Value, json};
use shared::domain::user::Claims;
use uuid::Uuid;

use super::{but, by_secret, claims};

fn named(name: &str, username: &str) -> Claims {
    Claims {
        name: Some(name.to_owned()),
        username: Some(username.to_owned()),
        ..Claims::default()
    }
}

async fn me(person: &Person) -> Value {
    person.get("/api/v1/users/me").await.is(200)["data"].clone()
}

/// A participant of a conversation, as another member sees them.
async fn participant(viewer: &Person, conversation: &str, of: Uuid) -> Value {
    let seen = viewer.sees(conversation).await;
    let participants = seen["participants"].as_array().unwrap();
    participants
        .iter()
        .find(|participant| participant["user_id"] == json!(of))
        .unwrap()
        .clone()
}

/// S3-E21: of a token's claims others see who somebody is, and neither e-mail nor roles.
#[tokio::test]
async fn others_see_the_public_part_of_a_profile() {
    let world = World::start().await;
    let bob = world.person("bob").await;
    let ada = world.stranger(
        Uuid::new_v4(),
        Claims {
            email: Some("ada@example.com".to_owned()),
            roles: vec!["moderator".to_owned()],
            ..named("Ada Lovelace", "ada")
        },
    );
    let path = format!("/api/v1/users/{}", ada.id);
    bob.get(&path).await.is_error(404, "NOT_FOUND");
    me(&ada).await;
    let seen = bob.get(&path).await.is(200)["data"].clone();
    let expected =
        json!({ "id": ada.id, "username": "ada", "display_name": "Ada Lovelace", "avatar_url": null });
    assert_eq!(seen, expected);
    assert_eq!(ada.get(&path).await.is(200)["data"], expected, "oneself too");
    bob.get("/api/v1/users/ada").await.is_error(404, "NOT_FOUND");
}

/// Contract §2
#[tokio::test]
async fn a_user_sees_all_claims_of_their_token() {
    let world = World::start().await;
    let everything = Claims {
        name: Some("Ada Lovelace".to_owned()),
        username: Some("ada".to_owned()),
        email: Some("ada@example.com".to_owned()),
        avatar_url: Some("https://example.com/ada.png".to_owned()),
        roles: vec!["moderator".to_owned(), "unheard of".to_owned()],
        permissions: vec!["audit.view".to_owned(), "no.such".to_owned()],
        business_unit: Some("engines".to_owned()),
    };
    let ada = world.stranger(Uuid::new_v4(), everything);
    let seen = me(&ada).await;
    assert_eq!(
        seen,
        json!({
            "id": ada.id, "username": "ada", "display_name": "Ada Lovelace", "email": "ada@example.com",
            "avatar_url": "https://example.com/ada.png", "roles": ["moderator", "unheard of"],
            "permissions": ["moderation.view", "moderation.action", "audit.view"],
            "business_unit": "engines", "created_at": seen["created_at"]
        })
    );
}

/// Contract §2: a token without claims still has a profile.
#[tokio::test]
async fn a_user_without_names_gets_the_beginning_of_their_id() {
    let world = World::start().await;
    let nobody = world.stranger(Uuid::new_v4(), Claims::default());
    let seen = me(&nobody).await;
    let start = &nobody.id.to_string()[..8];
    assert_eq!(
        seen,
        json!({
            "id": nobody.id, "username": start, "display_name": start, "email": null, "avatar_url": null,
            "roles": [], "permissions": [], "business_unit": null, "created_at": seen["created_at"]
        })
    );
}

/// Contract §1, *Permissions*
#[tokio::test]
async fn roles_expand_to_permissions() {
    let world = World::start().await;
    let all = [
        "moderation.view",
        "moderation.action",
        "analytics.view",
        "analytics.export",
        "notifications.system",
        "credits.grant",
        "audit.view",
    ];
    for (roles, expected) in [
        (vec![], &all[..0]),
        (vec!["moderator"], &all[..2]),
        (vec!["analyst"], &all[2..4]),
        (vec!["moderator", "analyst"], &all[..4]),
        (vec!["admin"], &all[..]),
        (vec!["super_admin"], &all[..]),
        (vec!["ADMIN", "root", ""], &all[..0]),
    ] {
        let claims = Claims {
            roles: roles.iter().map(|role| (*role).to_owned()).collect(),
            ..Claims::default()
        };
        let seen = me(&world.stranger(Uuid::new_v4(), claims)).await;
        assert_eq!(
            (&seen["roles"], &seen["permissions"]),
            (&json!(roles), &json!(expected))
        );
    }
}

/// Contract §1: the first authenticated call, to any route, makes a user known.
#[tokio::test]
async fn somebody_is_known_from_their_first_call_on() {
    let world = World::start().await;
    let ada = world.person("ada").await;
    let bob = world.stranger(Uuid::new_v4(), named("Bob", "bob"));
    let open = format!("/api/conversations/dm/{}", bob.id);
    ada.post_nothing(&open).await.is_error(404, "NOT_FOUND");
    ada.post(
        "/api/conversations",
        json!({ "name": "x", "member_ids": [bob.id] }),
    )
    .await
    .blames("member_ids.0", "unknown_user");

    bob.get("/api/conversations").await.is(200);
    let conversation = ada.post_nothing(&open).await.is(201);
    assert_eq!(conversation["participant_count"], 2);
}

/// Contract §1: this includes a refused request, and opening a connection.
#[tokio::test]
async fn a_connection_makes_somebody_known_too() {
    let world = World::start().await;
    let ada = world.person("ada").await;
    let bob = world.stranger(Uuid::new_v4(), named("Bob", "bob"));
    let _socket = bob.connect().await;
    ada.post_nothing(&format!("/api/conversations/dm/{}", bob.id))
        .await
        .is(201);
}

/// Contract §1
#[tokio::test]
async fn changed_claims_change_what_the_others_see_and_not_since_when_one_is_known() {
    let world = World::start().await;
    let ada = world.person("ada").await;
    let bob = world.stranger(Uuid::new_v4(), named("Bob", "bob"));
    let known_since = me(&bob).await["created_at"].clone();
    let conversation = ada.open_direct(&bob).await;
    assert_eq!(
        participant(&ada, &conversation, bob.id).await["display_name"],
        "Bob"
    );
    bob.says(&conversation, "as Bob").await;

    world.advance(Duration::from_secs(60));
    let mut changed = named("Robert", "rob");
    changed.avatar_url = Some("https://example.com/rob.png".to_owned());
    let robert = world.stranger(bob.id, changed);
    robert.says(&conversation, "as Robert").await;
    let seen = participant(&ada, &conversation, bob.id).await;
    assert_eq!(
        (&seen["display_name"], &seen["username"], &seen["avatar_url"]),
        (
            &json!("Robert"),
            &json!("rob"),
            &json!("https://example.com/rob.png")
        )
    );
    assert_eq!(me(&robert).await["created_at"], known_since);
    // A message keeps the name under which it was sent.
    let names: Vec<Value> = ada
        .messages(&conversation)
        .await
        .iter()
        .map(|message| message["sender_username"].clone())
        .collect();
    assert_eq!(names, ["rob", "bob"]);
}

/// Contract §1: two devices, one of them with an older token, never change the name back and forth.
#[tokio::test]
async fn an_older_token_changes_nothing_that_others_see() {
    let world = World::in_desk(&[]).await;
    let ada = world.person("ada").await;
    let user = Uuid::new_v4();
    let now = world.desk().clock().now().seconds();
    let device = |age: i64, name: Option<&str>| {
        let claims = but(&claims(&world, user), "iat", json!(now - age));
        let claims = but(&claims, "name", name.map_or(Value::Null, |name| json!(name)));
        world.bearer(user, by_secret(&world, &claims))
    };
    let older = device(600, Some("Bob"));
    let newer = device(60, Some("Robert"));
    let silent = device(30, None);
    let timeless = {
        let claims = but(&claims(&world, user), "iat", Value::Null);
        world.bearer(user, by_secret(&world, &but(&claims, "name", json!("Nobody"))))
    };
    older.get("/api/conversations").await.is(200);
    let conversation = ada.open_direct(&older).await;
    assert_eq!(
        participant(&ada, &conversation, user).await["display_name"],
        "Bob"
    );
    newer.get("/api/conversations").await.is(200);
    for device in [&older, &silent, &timeless, &newer, &older] {
        assert_eq!(me(device).await["display_name"], "Robert");
        let message = device.says(&conversation, "whoever I am").await;
        assert_eq!(message["sender_username"], "Robert");
        let _socket = device.connect().await;
        let mail = json!({ "recipient_id": ada.id, "subject": "Me", "body": "It is me." });
        let mail = device.post("/api/v2/messages", mail).await.is(201);
        assert_eq!(mail["sender"]["name"], "Robert");
        assert_eq!(
            participant(&ada, &conversation, user).await["display_name"],
            "Robert"
        );
    }
    world.settled().await;
    let seen = ada.get("/api/v2/notifications").await.is(200).to_string();
    assert!(
        seen.contains("Robert") && !seen.contains("Bob") && !seen.contains("Nobody"),
        "{seen}"
    );
}

/// Contract §1: unchanged claims write nothing, whichever token has them.
#[tokio::test]
async fn a_profile_is_written_only_when_a_newer_token_changes_it() {
    let world = World::in_desk(&[]).await;
    let user = Uuid::new_v4();
    let now = world.desk().clock().now().seconds();
    let device = |age: i64, name: &str| {
        let claims = but(&claims(&world, user), "iat", json!(now - age));
        world.bearer(user, by_secret(&world, &but(&claims, "name", json!(name))))
    };
    let (older, newer) = (device(600, "Bob"), device(60, "Robert"));
    let newest = device(10, "Robert");
    older.get("/api/v1/users/me").await.is(200);
    newer.get("/api/v1/users/me").await.is(200);
    for device in [&older, &newest, &older, &newer, &newest, &older] {
        let answer = device.get("/api/v1/users/me").await;
        let id = answer.header("x-request-id").unwrap().to_owned();
        answer.is(200);
        let line = world.logged(1, |line| line["request_id"] == *id).await;
        assert_eq!(line["write_units"], 0.0, "{line}");
    }
}

/// Contract §1: a profile only changes through its own user's token.
#[tokio::test]
async fn tickets_and_calls_of_one_leave_the_profile_of_another_alone() {
    let world = World::start().await;
    let [ada, bob] = world.people(["ada", "bob"]).await;
    let conversation = ada.open_direct(&bob).await;
    let before = participant(&ada, &conversation, bob.id).await;
    let mine = ada.post_nothing("/api/v1/auth/ws-ticket").await.is(201)["data"]["ticket"].clone();
    let socket = Socket::open(format!("{}/?ticket={}", ada.ws_url(), mine.as_str().unwrap())).await;
    let _socket = socket.unwrap();
    assert_eq!(participant(&ada, &conversation, bob.id).await, before);
    assert_eq!(me(&bob).await["username"], "bob");
}

/// Contract §2: only its owner sees an e-mail address.
#[tokio::test]
async fn others_never_see_an_email_address() {
    let world = World::start().await;
    let ada = world.person("ada").await;
    let bob = world.stranger(
        Uuid::new_v4(),
        Claims {
            email: Some("bob@example.com".to_owned()),
            ..Claims::default()
        },
    );
    me(&bob).await;
    let conversation = ada.open_direct(&bob).await;
    bob.says(&conversation, "hello").await;
    for path in [
        "/api/conversations".to_owned(),
        format!("/api/conversations/{conversation}"),
        format!("/api/conversations/{conversation}/messages"),
        format!("/api/conversations/{conversation}/events"),
        "/api/events".to_owned(),
    ] {
        let answer = ada.get(&path).await;
        assert!(!answer.text.contains("bob@example.com"), "{path}");
        answer.is(200);
    }
}

/// RFC 7519 §4.2: issuers add further claims, in formats of their own.
#[tokio::test]
async fn unknown_claims_are_ignored() {
    let world = World::start().await;
    let user = Uuid::new_v4();
    let good = claims(&world, user);
    for (name, value) in [
        ("jti", json!("7")),
        ("azp", json!({ "nested": true })),
        ("name", json!("Ada")),
        ("roles", json!([])),
        ("scope", json!("openid profile")),
    ] {
        let token = by_secret(&world, &but(&good, name, value.clone()));
        assert_eq!(super::status(&world, user, &token).await, 200, "{name}: {value}");
    }
}

/// Contract §1: an optional claim of another type counts as absent, and the others are used.
#[tokio::test]
async fn a_claim_of_another_type_is_ignored_and_the_token_is_accepted() {
    let world = World::start().await;
    let user = Uuid::new_v4();
    let mut odd = claims(&world, user);
    for (name, value) in [
        ("name", json!("Ada")),
        ("username", json!(7)),
        ("email", json!([])),
        ("roles", json!("admin")),
        ("permissions", json!(["audit.view", 7])),
        ("business_unit", json!({})),
        ("avatar_url", json!("javascript:alert(1)")),
    ] {
        odd[name] = value;
    }
    let ada = world.bearer(user, by_secret(&world, &odd));
    let seen = me(&ada).await;
    assert_eq!(
        seen,
        json!({
            "id": user, "username": "Ada", "display_name": "Ada", "email": null, "avatar_url": null, "roles": [],
            "permissions": ["audit.view"], "business_unit": null, "created_at": seen["created_at"]
        })
    );
}

/// Contract §1: claims are bounded and cleaned before others see them.
#[tokio::test]
async fn others_see_no_name_or_picture_that_is_too_long_or_odd() {
    let world = World::start().await;
    let ada = world.person("ada").await;
    for (name, avatar) in [
        ("a\r\nb\u{0}", "javascript:alert(1)"),
        ("", "data:text/html,<script>"),
        (
            &*"x".repeat(101),
            &*format!("https://example.com/{}", "x".repeat(2_048)),
        ),
        ("a\u{202e}b", "https://example.com/\"><script>"),
    ] {
        let odd = Claims {
            avatar_url: Some(avatar.to_owned()),
            business_unit: Some("x".repeat(65)),
            ..named(name, name)
        };
        let bob = world.stranger(Uuid::new_v4(), odd);
        let seen = me(&bob).await;
        let start = &bob.id.to_string()[..8];
        assert_eq!(
            (
                &seen["username"],
                &seen["display_name"],
                &seen["avatar_url"],
                &seen["business_unit"]
            ),
            (&json!(start), &json!(start), &Value::Null, &Value::Null)
        );
        let conversation = ada.open_direct(&bob).await;
        let message = bob.says(&conversation, "hello").await;
        assert_eq!(message["sender_username"], start);
        let seen = participant(&ada, &conversation, bob.id).await;
        assert_eq!(
            (&seen["username"], &seen["display_name"], &seen["avatar_url"]),
            (&json!(start), &json!(start), &Value::Null)
        );
    }
}

/// Contract §1: an issuer may set optional claims to null.
#[tokio::test]
async fn optional_claims_may_be_null() {
    let world = World::start().await;
    let user = Uuid::new_v4();
    for name in [
        "name",
        "username",
        "email",
        "avatar_url",
        "roles",
        "permissions",
        "business_unit",
        "nbf",
        "iat",
    ] {
        let mut claims = claims(&world, user);
        claims[name] = Value::Null;
        let token = by_secret(&world, &claims);
        assert_eq!(super::status(&world, user, &token).await, 200, "{name}");
    }
}
