//! A rotation of the secrets ends nothing: what the previous ones have signed is good for as long as they are known.

use std::time::Duration;

use harness::program::Program;
use harness::{Person, Socket, World};
use local::demo::{self, DemoUser};
use serde_json::{Value, json};
use shared::auth::cursor;
use shared::clock::Clock;
use shared::config::Secret;
use shared::domain::user::Claims;
use tempfile::TempDir;
use uuid::Uuid;

const ADA: DemoUser = demo::USERS[0];
const BOB: DemoUser = demo::USERS[1];
const CHEN: DemoUser = demo::USERS[2];

const OLD: &str = "the-old-secret-of-thirty-two-bytes-or-more";
const NEW: &str = "the-new-secret-of-thirty-two-bytes-or-more";

/// A desk with data of before, and with these secrets, current and previous. The audit log keeps all of its keys.
async fn desk_in(folder: &TempDir, current: &str, previous: &str) -> Program {
    let keys = format!("{current} {previous}");
    let settings = [
        ("JWT_SECRET_KEY", current),
        ("JWT_SECRET_KEY_PREVIOUS", previous),
        ("CURSOR_SECRET_KEY", current),
        ("CURSOR_SECRET_KEY_PREVIOUS", previous),
        (
            "AUDIT_SECRET_KEY",
            if previous.is_empty() { current } else { &keys },
        ),
    ];
    Program::start(&["--data-dir", folder.path().to_str().unwrap()], &settings).await
}

/// Ada with a token of a secret, and with a role.
fn ada(desk: &Program, secret: &str, roles: &[&str]) -> Person {
    let claims = Claims {
        roles: roles.iter().map(|role| (*role).to_owned()).collect(),
        ..Claims::default()
    };
    let now = Clock::default().now();
    let token = demo::token(secret, ADA.id, claims, now, Duration::from_hours(1)).unwrap();
    desk.person(ADA).with_token(&token)
}

/// What Ada was given while one secret was the current one.
struct Given {
    by: &'static str,
    /// Of the next page of her conversations.
    cursor: String,
    sync_token: String,
}

async fn given(desk: &Program, by: &'static str) -> Given {
    let ada = ada(desk, by, &[]);
    let page = ada.get("/api/conversations?page_size=1").await.is(200);
    let events = ada.get("/api/events").await.is(200);
    let text = |value: &Value| value.as_str().unwrap().to_owned();
    Given {
        by,
        cursor: text(&page["next_cursor"]),
        sync_token: text(&events["next"]),
    }
}

/// The statuses with which a token, the cursor and the sync token are answered; `current` signs good tokens.
async fn used(desk: &Program, current: &str, given: &Given) -> [u16; 3] {
    let status = async |person: &Person, path: &str| person.get(path).await.status;
    // Whatever has become of her token: the others are about Ada with a good one.
    let (then, now) = (ada(desk, given.by, &[]), ada(desk, current, &[]));
    let Given {
        cursor, sync_token, ..
    } = given;
    [
        status(&then, "/api/v1/users/me").await,
        status(&now, &format!("/api/conversations?page_size=1&cursor={cursor}")).await,
        status(&now, &format!("/api/events?after={sync_token}")).await,
    ]
}

async fn is_audit_log_valid(desk: &Program, secret: &str) -> bool {
    let admin = ada(desk, secret, &["super_admin"]);
    admin.get("/api/admin/audit/verify").await.is(200)["valid"] == true
}

const GOOD: [u16; 3] = [200; 3];
const OVER: [u16; 3] = [401, 400, 400];

/// The steps of `docs/deploy.md`: the new secrets become known, then the two change places, then the old ones go. While
/// the second deployment runs, there are functions of both kinds.
#[tokio::test]
async fn what_the_previous_secrets_have_signed_is_good_until_they_are_taken_away() {
    let folder = TempDir::new().unwrap();
    let desk = desk_in(&folder, OLD, "").await;
    let before = ada(&desk, OLD, &[]);
    for other in [BOB, CHEN] {
        before.open_direct(&desk.person(other)).await;
    }
    assert!(is_audit_log_valid(&desk, OLD).await);
    let by_old = given(&desk, OLD).await;
    desk.ends_with("TERM").await;

    let desk = desk_in(&folder, OLD, NEW).await;
    assert_eq!(used(&desk, OLD, &by_old).await, GOOD);
    desk.ends_with("TERM").await;

    let desk = desk_in(&folder, NEW, OLD).await;
    assert_eq!(used(&desk, NEW, &by_old).await, GOOD);
    let by_new = given(&desk, NEW).await;
    assert!(is_audit_log_valid(&desk, NEW).await);
    desk.ends_with("TERM").await;

    let desk = desk_in(&folder, OLD, NEW).await;
    assert_eq!(
        used(&desk, OLD, &by_new).await,
        GOOD,
        "a function that was not updated yet"
    );
    assert!(is_audit_log_valid(&desk, OLD).await);
    desk.ends_with("TERM").await;

    let desk = desk_in(&folder, NEW, "").await;
    assert_eq!(used(&desk, NEW, &by_old).await, OVER);
    assert_eq!(
        used(&desk, NEW, &by_new).await,
        GOOD,
        "new ones are made with the current secret"
    );
    // Its entries are there to be verified for years, so it would have kept its old key.
    assert!(!is_audit_log_valid(&desk, NEW).await);
    desk.ends_with("TERM").await;
}

/// A ticket lasts for half a minute, which is over before a desk has started again: so one is made as the old secret
/// would have sealed it. It was never written, so that a good one counts as used.
#[tokio::test]
async fn a_ticket_that_the_previous_secret_has_sealed_is_looked_up() {
    for (previous, refusal) in [
        (OLD, "the ticket was used"),
        ("", "the ticket was not issued here"),
    ] {
        let world = World::with(&[
            ("CURSOR_SECRET_KEY", NEW),
            ("CURSOR_SECRET_KEY_PREVIOUS", previous),
        ])
        .await;
        let ada = world.person("ada").await;
        let ends_at = world.desk().clock().now().plus(Duration::from_hours(1));
        let sealed = json!({ "e": ends_at.milliseconds(), "n": Uuid::new_v4() });
        let nobody = serde_json::from_value(json!(Uuid::nil())).unwrap();
        let ticket = cursor::seal(&Secret::from(OLD), nobody, "ticket", &sealed).unwrap();
        let url = format!("{}/?ticket={ticket}", ada.ws_url());
        assert_eq!(Socket::open(url).await.err(), Some(401));
        let is_of_authorizer = |line: &Value| line["function"] == "authorize_connection";
        let line = world.logged(1, is_of_authorizer).await;
        assert!(line["error"].as_str().unwrap().contains(refusal), "{line}");

        let answer = ada.post_nothing("/api/v1/auth/ws-ticket").await.is(201);
        let ticket = answer["data"]["ticket"].as_str().unwrap();
        cursor::open::<Value>(&Secret::from(NEW), nobody, "ticket", ticket).unwrap();
    }
}
