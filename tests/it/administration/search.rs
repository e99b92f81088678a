//! Search, the view of a conversation, and figures (S2-E10, S2-E11, S2-E13).

use std::time::Duration;

use harness::{Person, World};
use serde_json::{Value, json};
use shared::domain::user::Claims;
use uuid::Uuid;

use super::{audit_log, hard_delete, id, moderate};

/// What a search finds.
async fn search(admin: &Person, query: &str) -> Value {
    admin
        .get(&format!("/api/admin/messages/search?{query}"))
        .await
        .is(200)
}

/// The contents of the messages of a page.
fn contents(page: &Value) -> Vec<&str> {
    let messages = page["messages"].as_array().unwrap();
    messages
        .iter()
        .map(|message| message["content"].as_str().unwrap_or("(none)"))
        .collect()
}

/// Somebody with a role, whose token outlives the stories that let days pass.
fn forever(world: &World, name: &str, role: &str) -> Person {
    let claims = Claims {
        username: Some(name.to_owned()),
        roles: vec![role.to_owned()],
        ..Claims::default()
    };
    let user = Uuid::new_v4();
    let token = world.token(user, claims, Duration::from_hours(24 * 400));
    world.bearer(user, token)
}

/// Three days of talk among three people, in two direct conversations and a group: the day each began on.
async fn three_days(world: &World, [ada, bob, cem]: [&Person; 3]) -> Vec<String> {
    for person in [ada, bob, cem] {
        person.get("/api/v1/users/me").await.is(200);
    }
    let with_bob = ada.open_direct(bob).await;
    let with_cem = ada.open_direct(cem).await;
    let group = cem.open_group("three", &[ada, bob]).await;
    let mut days = Vec::new();
    for day in 1..=3 {
        days.push(world.desk().clock().now().to_string()[..10].to_owned());
        ada.says(&with_bob, &format!("Hello Bob {day}")).await;
        bob.says(&with_bob, &format!("HELLO yourself {day}")).await;
        cem.says(&with_cem, &format!("Good day {day}")).await;
        bob.says(&group, &format!("Hello all {day}")).await;
        world.advance(Duration::from_hours(24));
    }
    days
}

/// S2-E10: by user, words, status and time, newest first, exactly counted.
#[tokio::test]
async fn messages_are_found_by_user_words_status_and_time() {
    let world = World::start().await;
    let people = ["ada", "bob", "cem"].map(|name| forever(&world, name, "nobody"));
    let [ada, bob, cem] = &people;
    let admin = forever(&world, "root", "admin");
    let days = three_days(&world, [ada, bob, cem]).await;

    let all = search(&admin, "limit=100").await;
    assert_eq!((&all["total"], &all["has_next"]), (&json!(12), &json!(false)));
    let times: Vec<&str> = all["messages"]
        .as_array()
        .unwrap()
        .iter()
        .map(|message| message["created_at"].as_str().unwrap())
        .collect();
    assert!(times.is_sorted_by(|newer, older| newer >= older), "{times:?}");
    assert_eq!(search(&admin, "q=hello").await["total"], 9);
    let yourself = search(&admin, "q=hello%20YOURSELF").await;
    assert_eq!(
        contents(&yourself),
        ["HELLO yourself 3", "HELLO yourself 2", "HELLO yourself 1"]
    );
    // Bob: two of his own a day, and what Ada wrote to him.
    assert_eq!(search(&admin, &format!("user_id={}", bob.id)).await["total"], 9);
    // Cem: what he wrote, but not what was said in his group.
    assert_eq!(search(&admin, &format!("user_id={}", cem.id)).await["total"], 3);
    assert_eq!(
        search(&admin, &format!("user_id={}", Uuid::new_v4())).await["total"],
        0
    );
    let of_day = format!("from={0}&to={0}", days[1]);
    assert_eq!(search(&admin, &of_day).await["total"], 4);
    assert_eq!(
        search(&admin, &format!("{of_day}&user_id={}", cem.id)).await["total"],
        1
    );
    assert_eq!(search(&admin, &format!("to={}", days[0])).await["total"], 4);
    assert_eq!(
        search(&admin, &format!("from={}T00:00:00Z", days[2])).await["total"],
        4
    );

    let message = &yourself["messages"][0];
    moderate(&admin, message, "blocked").await.is(200);
    let blocked = search(&admin, "moderation_status=blocked").await;
    assert_eq!(
        contents(&blocked),
        ["HELLO yourself 3"],
        "moderators see what is blocked"
    );
    assert_eq!(blocked["messages"][0]["moderation_status"], "blocked");
    assert_eq!(search(&admin, "moderation_status=approved").await["total"], 11);
    hard_delete(&forever(&world, "super", "super_admin"), message)
        .await
        .is(200);
    let gone = search(&admin, "moderation_status=blocked").await;
    assert_eq!(
        (contents(&gone), &gone["messages"][0]["is_deleted"]),
        (vec!["(none)"], &json!(true))
    );
    assert_eq!(
        search(&admin, "q=yourself").await["total"],
        2,
        "what is gone is not found by its words"
    );
}

/// S2-E10: a message as S2 shows it, its content cut.
#[tokio::test]
async fn a_search_shows_the_first_two_hundred_characters() {
    let world = World::start().await;
    let [ada, bob] = world.people(["ada", "bob"]).await;
    let admin = world.with_roles("root", &["moderator"]).await;
    let conversation = ada.open_direct(&bob).await;
    let message = ada.says(&conversation, &"é".repeat(300)).await;
    let found = search(&admin, "").await;
    let expected = json!({
        "id": message["id"],
        "conversation_id": conversation,
        "seq": 1,
        "sender_id": ada.id,
        "receiver_id": bob.id,
        "content": "é".repeat(200),
        "message_type": "text",
        "status": "sent",
        "moderation_status": "approved",
        "delivered_at": null,
        "read_at": null,
        "attachments": [],
        "metadata": {},
        "credits_cost": 0,
        "credits_transaction_id": null,
        "is_deleted": false,
        "deleted_at": null,
        "created_at": message["created_at"],
        "updated_at": message["updated_at"],
    });
    assert_eq!(found["messages"], json!([expected]));
    bob.reads(&conversation, &message).await;
    let read = search(&admin, "").await;
    assert_eq!(read["messages"][0]["status"], "read");
    assert!(read["messages"][0]["read_at"].is_string());
}

/// Contract §1 *Lists*: by number, by how many to skip, and by cursor, the same messages.
#[tokio::test]
async fn pages_of_a_search_are_the_same_however_one_turns_them() {
    let world = World::start().await;
    let people = ["ada", "bob", "cem"].map(|name| forever(&world, name, "nobody"));
    let [ada, bob, cem] = &people;
    let admin = forever(&world, "root", "admin");
    three_days(&world, [ada, bob, cem]).await;
    for filter in ["q=hello".to_owned(), format!("user_id={}", bob.id)] {
        let all = search(&admin, &format!("{filter}&limit=100")).await["messages"].clone();
        let all = all.as_array().unwrap();
        assert_eq!(all.len(), 9);
        let (mut by_number, mut by_skip, mut by_cursor) = (Vec::new(), Vec::new(), Vec::new());
        let mut cursor = String::new();
        for page in 1..=5 {
            let answer = search(&admin, &format!("{filter}&limit=2&page={page}")).await;
            assert_eq!((&answer["page"], &answer["total"]), (&json!(page), &json!(9)));
            by_number.extend(answer["messages"].as_array().unwrap().clone());
            let answer = search(&admin, &format!("{filter}&limit=2&skip={}", (page - 1) * 2)).await;
            by_skip.extend(answer["messages"].as_array().unwrap().clone());
            let answer = search(&admin, &format!("{filter}&limit=2{cursor}")).await;
            by_cursor.extend(answer["messages"].as_array().unwrap().clone());
            assert_eq!(
                (&answer["total"], &answer["has_next"]),
                (&json!(9), &json!(page < 5))
            );
            match answer["next_cursor"].as_str() {
                Some(next) => cursor = format!("&cursor={next}"),
                None => assert_eq!(page, 5),
            }
        }
        for pages in [by_number, by_skip, by_cursor] {
            assert_eq!(&pages, all);
        }
        admin
            .get(&format!("/api/admin/messages/search?q=other&limit=2{cursor}"))
            .await
            .is_error(400, "INVALID_CURSOR");
    }
    admin
        .get("/api/admin/messages/search?limit=100&page=102")
        .await
        .is_error(400, "PAGE_TOO_DEEP");
    admin
        .get("/api/admin/messages/search?skip=10001")
        .await
        .is_error(400, "PAGE_TOO_DEEP");
}

/// S2-E10, S2-J02: the audit log has what was asked, and not what was found.
#[tokio::test]
async fn a_search_is_in_the_audit_log_with_its_filters() {
    let world = World::start().await;
    let [ada, bob] = world.people(["ada", "bob"]).await;
    let admin = world.with_roles("root", &["admin"]).await;
    let conversation = ada.open_direct(&bob).await;
    ada.says(&conversation, "the treasure lies under the oak").await;
    search(&admin, &format!("q=treasure&user_id={}", ada.id)).await;
    let entry = &audit_log(&admin, "action=messages.search").await[0];
    assert_eq!(entry["target"], json!({ "type": "message", "id": null }));
    assert_eq!(
        entry["metadata"]["filters"],
        json!({ "user_id": ada.id, "q": "treasure", "moderation_status": null })
    );
    assert!(!entry.to_string().contains("oak"));
}

/// Contract §4: what is too broad is refused with how to narrow it; with a user it is not too broad.
#[tokio::test]
async fn a_search_over_years_wants_a_user() {
    let world = World::start().await;
    let admin = world.with_roles("root", &["admin"]).await;
    let answer = admin.get("/api/admin/messages/search?from=2020-01-01").await;
    assert!(answer.text.contains("at most 366"), "{}", answer.text);
    answer.blames("from", "too_broad");
    let query = format!("from=2020-01-01&user_id={}", admin.id);
    assert_eq!(search(&admin, &query).await["total"], 0);
}

/// S2-E11: everything that two people wrote, what was deleted and blocked included.
#[tokio::test]
async fn a_moderator_sees_the_whole_conversation_of_two_people() {
    let world = World::start().await;
    let [ada, bob, cem] = world.people(["ada", "bob", "cem"]).await;
    let admin = world.with_roles("root", &["moderator", "super_admin"]).await;
    let conversation = ada.open_direct(&bob).await;
    let mut messages = Vec::new();
    for number in 1..=5 {
        messages.push(ada.says(&conversation, &format!("{number}")).await);
    }
    ada.delete(&format!(
        "/api/conversations/{conversation}/messages/{}",
        id(&messages[1])
    ))
    .await
    .is(204);
    moderate(&admin, &messages[2], "blocked").await.is(200);
    hard_delete(&admin, &messages[3]).await.is(200);
    for (one, other) in [(ada.id, bob.id), (bob.id, ada.id)] {
        let path = format!("/api/admin/messages/conversation/{one}/{other}");
        let all = admin.get(&path).await.is(200);
        assert_eq!(contents(&all), ["1", "2", "3", "(none)", "5"]);
        assert_eq!((&all["total"], &all["has_next"]), (&json!(5), &json!(false)));
        let first = admin.get(&format!("{path}?limit=2")).await.is(200);
        assert_eq!(contents(&first), ["(none)", "5"]);
        let second = format!("{path}?limit=2&cursor={}", first["next_cursor"].as_str().unwrap());
        for second in [
            second,
            format!("{path}?limit=2&page=2"),
            format!("{path}?limit=2&skip=2"),
        ] {
            let second = admin.get(&second).await.is(200);
            assert_eq!(
                (contents(&second), &second["has_next"]),
                (vec!["2", "3"], &json!(true))
            );
        }
        let last = admin.get(&format!("{path}?limit=2&skip=4")).await.is(200);
        assert_eq!((contents(&last), &last["next_cursor"]), (vec!["1"], &Value::Null));
    }
    let path = |other: Uuid| format!("/api/admin/messages/conversation/{}/{other}", ada.id);
    for other in [cem.id, ada.id, Uuid::new_v4()] {
        admin.get(&path(other)).await.is_error(404, "NOT_FOUND");
    }
    let entries = audit_log(&admin, "action=messages.view_conversation").await;
    assert_eq!(entries.len(), 12);
    assert!(
        entries
            .iter()
            .all(|entry| entry["target"]["id"] == json!(conversation))
    );
}

/// S2-E13
#[tokio::test]
async fn an_overview_counts_every_message_once() {
    let world = World::start().await;
    let people = ["ada", "bob", "cem"].map(|name| forever(&world, name, "nobody"));
    let [ada, bob, cem] = &people;
    let admin = forever(&world, "root", "super_admin");
    let overview = async |query: &str| {
        admin
            .get(&format!("/api/admin/messages/stats/overview?{query}"))
            .await
            .is(200)
    };
    let empty = overview("").await;
    assert_eq!((&empty["total"], &empty["by_day"]), (&json!(0), &json!([])));
    let days = three_days(&world, [ada, bob, cem]).await;
    let with_bob = ada.open_direct(bob).await;
    let messages = bob.messages(&with_bob).await;
    // Ada's first two reach Bob's eyes, and the first of his hers.
    bob.reads(&with_bob, &messages[2]).await;
    ada.reads(&with_bob, &messages[4]).await;
    moderate(&admin, &messages[0], "blocked").await.is(200);
    moderate(&admin, &messages[1], "flagged").await.is(200);
    let picture = format!("/api/conversations/{with_bob}/messages");
    ada.post(
        &picture,
        json!({ "content": "https://…", "content_type": "image" }),
    )
    .await
    .is(201);
    let today = world.desk().clock().now().to_string()[..10].to_owned();
    let expected = json!({
        "total": 13,
        "by_status": { "sent": 10, "delivered": 0, "read": 3, "failed": 0 },
        "by_moderation_status": { "pending": 0, "approved": 11, "flagged": 1, "blocked": 1 },
        "by_type": { "text": 12, "image": 1, "video": 0, "audio": 0, "file": 0 },
        "by_day": [
            { "day": days[0], "count": 4 }, { "day": days[1], "count": 4 }, { "day": days[2], "count": 4 },
            { "day": today, "count": 1 }
        ],
    });
    assert_eq!(overview("").await, expected);
    let one = overview(&format!("from={0}&to={0}", days[1])).await;
    assert_eq!(
        (&one["total"], &one["by_day"]),
        (&json!(4), &json!([{ "day": days[1], "count": 4 }]))
    );
    assert_eq!(audit_log(&admin, "action=messages.overview").await.len(), 3);
}

/// Whatever begins a day in a conversation, and however many do at once, its messages are found.
#[tokio::test]
async fn a_day_that_many_begin_at_once_or_a_deletion_begins_is_found_whole() {
    let world = World::start().await;
    let people = ["ada", "bob", "cem"].map(|name| forever(&world, name, "nobody"));
    let [ada, bob, cem] = &people;
    let admin = forever(&world, "root", "super_admin");
    for person in &people {
        person.get("/api/v1/users/me").await.is(200);
    }
    let group = ada.open_group("three", &[bob, cem]).await;
    let with_bob = ada.open_direct(bob).await;
    let mut expected = 0;
    for day in 0..3 {
        let says = (0..12).map(|number| people[number % 3].says(&group, "at once"));
        futures::future::join_all(says).await;
        let message = ada.says(&with_bob, "alone").await;
        expected += 13;
        world.advance(Duration::from_hours(24));
        // The next day begins with something that is no message.
        if day == 0 {
            let path = format!("/api/conversations/{with_bob}/messages/{}", id(&message));
            ada.delete(&path).await.is(204);
        } else {
            moderate(&admin, &message, "flagged").await.is(200);
        }
        let today = world.desk().clock().now().to_string();
        ada.says(&with_bob, "after that").await;
        expected += 1;
        assert_eq!(
            search(&admin, &format!("from={}", &today[..10])).await["total"],
            1
        );
    }
    assert_eq!(search(&admin, "").await["total"], expected);
}

/// One folding for every comparison: case letter by letter, and composed forms are the same as decomposed ones.
#[tokio::test]
async fn search_ignores_case_and_unicode_composition() {
    let world = World::start().await;
    let [ada, bob] = world.people(["ada", "bob"]).await;
    let admin = world.with_roles("root", &["admin"]).await;
    let with_bob = ada.open_direct(&bob).await;
    for (content, words) in [
        ("ΟΔΥΣΣΕΥΣ", ["ΟΔΥΣ", "οδυς", "σευς"]),
        ("İstanbul", ["istanbul", "I\u{307}STANBUL", "i\u{307}st"]),
        ("cafe\u{301}", ["CAF\u{c9}", "caf\u{e9}", "cafe"]),
        ("NA\u{cf}VE", ["nai\u{308}ve", "NAI\u{308}", "\u{ef}ve"]),
    ] {
        ada.says(&with_bob, content).await;
        for words in words {
            let found = search(&admin, &format!("q={words}")).await;
            assert_eq!(contents(&found), [content], "{words}");
        }
    }
}
