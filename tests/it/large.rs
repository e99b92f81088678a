//! Response sizes: lists of the largest possible rows come in pages that fit (contract §1).

use std::collections::BTreeSet;

use harness::{Person, World};
use schemars::generate::SchemaSettings;
use serde_json::{Value, json};
use shared::domain::user::Claims;
use shared::http::page::ANSWER_LIMIT_BYTES;
use shared::lambda::Trigger;
use uuid::Uuid;

/// Checks that a response is within the limit, as Lambda counts it: the body is a string within JSON.
async fn get(person: &Person, path: &str) -> Value {
    let answer = person.get(path).await;
    let bytes = serde_json::to_string(&answer.text).unwrap().len();
    assert!(bytes <= ANSWER_LIMIT_BYTES, "{path} answers {bytes} bytes");
    answer.is(200)
}

fn rows(page: &Value, name: &str) -> Vec<Value> {
    page[name].as_array().unwrap().clone()
}

/// The pages of a list, by cursor.
async fn pages(person: &Person, path: &str, name: &str) -> Vec<Vec<Value>> {
    let (mut pages, mut cursor) = (Vec::new(), String::new());
    loop {
        let page = get(person, &format!("{path}{cursor}")).await;
        pages.push(rows(&page, name));
        let Some(next) = page["next_cursor"].as_str() else {
            assert!(page["has_next"].is_null() || page["has_next"] == false);
            return pages;
        };
        cursor = format!("&cursor={next}");
        assert!(page["has_next"].is_null() || page["has_next"] == true);
    }
}

fn ids(rows: &[Value], name: &str) -> BTreeSet<String> {
    rows.iter()
        .map(|row| row[name].as_str().unwrap().to_owned())
        .collect()
}

/// All rows of a list, each once; the first page has fewer than requested.
async fn comes_in_pages(person: &Person, path: &str, name: &str, id: &str, count: usize) {
    let pages = pages(person, path, name).await;
    assert!(
        pages[0].len() < count.min(100),
        "{path}: the first page is cut short"
    );
    let all = pages.concat();
    assert_eq!(all.len(), count, "{path}: no row comes twice");
    assert_eq!(ids(&all, id).len(), count, "{path}: every row comes");
}

/// A message of maximum size: four-byte characters in the content, the metadata and the file's name.
async fn sends(sender: &Person, receiver: &Person, files: &[String]) {
    let body = json!({
        "receiver_id": receiver.id,
        "content": "\"".repeat(10_000),
        "metadata": { "x": "\"".repeat(2_040) },
        "attachments": files,
    });
    sender.post("/api/v2/messages/send", body).await.is(200);
}

/// Files with names of maximum length.
async fn long_names(person: &Person) -> Vec<String> {
    let mut files = Vec::new();
    for _ in 0..3 {
        let name = format!("{}.txt", "😀".repeat(240));
        let file = person.uploads(&name, "text/plain", b"some words").await;
        person.completes(&file).await.is(200);
        files.push(file);
    }
    files
}

/// Person-to-person messages: the list of one conversation, the list of conversations, and what moderators see.
#[tokio::test]
async fn lists_of_the_largest_messages_come_in_pages_that_fit() {
    const COUNT: usize = 106;
    let world = World::with(&[("CREDITS_INITIAL", "1000")]).await;
    let [ada, bob] = world.people(["ada", "bob"]).await;
    let moderator = world.with_roles("moderator", &["moderator"]).await;
    // A file can be attached a hundred times.
    let mut files = Vec::new();
    for _ in 0..4 {
        files.push(long_names(&ada).await);
    }
    for number in 0..COUNT {
        sends(&ada, &bob, &files[number / 60]).await;
        if number > 0 {
            let other = world.person(&format!("other{number}")).await;
            sends(&ada, &other, &files[2 + number / 60]).await;
        }
    }
    let with_bob = format!("/api/v2/messages/conversation/{}?limit=100", bob.id);
    comes_in_pages(&ada, &with_bob, "messages", "id", COUNT).await;
    let moderated = format!("/api/admin/messages/conversation/{}/{}?limit=100", ada.id, bob.id);
    comes_in_pages(&moderator, &moderated, "messages", "id", COUNT).await;
    let conversations = "/api/v2/messages/conversations?limit=100";
    comes_in_pages(&ada, conversations, "conversations", "partner_id", COUNT).await;

    // Within a page the oldest comes first, and the oldest are left out.
    let page = get(&ada, &with_bob).await;
    let seqs: Vec<u64> = rows(&page, "messages")
        .iter()
        .map(|message| message["seq"].as_u64().unwrap())
        .collect();
    assert!(
        seqs.is_sorted() && seqs.last() == Some(&(COUNT as u64)),
        "{seqs:?}"
    );

    // The same conversation in the other format: 100 of these contents fit.
    let id = ada.open_direct(&bob).await;
    let messages = pages(
        &ada,
        &format!("/api/conversations/{id}/messages?page_size=100"),
        "messages",
    )
    .await;
    assert_eq!((messages[0].len(), messages.concat().len()), (100, COUNT));
    let events = get(&ada, &format!("/api/conversations/{id}/events?limit=100")).await;
    assert_eq!(
        (rows(&events, "events").len(), &events["has_more"]),
        (100, &json!(true))
    );
    let found = pages(&moderator, "/api/admin/messages/search?limit=100", "messages").await;
    assert_eq!(found.concat().len(), 2 * COUNT - 1);
}

/// Mail: the last bodies of a page are left out, but no mail is.
#[tokio::test]
async fn a_page_of_the_largest_mails_holds_them_all() {
    let world = World::start().await;
    let [ada, bob] = world.people(["ada", "bob"]).await;
    for number in 0..15 {
        let body =
            json!({ "recipient_id": bob.id, "subject": number.to_string(), "body": "\"".repeat(100_000) });
        ada.post("/api/v2/messages", body).await.is(201);
    }
    let page = get(&bob, "/api/v2/messages?per_page=100").await;
    let mails = rows(&page, "messages");
    assert_eq!((mails.len(), &page["has_next"]), (15, &json!(false)));
    let with_body = mails.iter().take_while(|mail| mail["body"].is_string()).count();
    assert!((10..15).contains(&with_body), "{with_body} have their bodies");
    assert!(
        mails[with_body..]
            .iter()
            .all(|mail| mail["body"].is_null() && mail["truncated"] == true)
    );
}

/// System notifications of maximum size.
#[tokio::test]
async fn a_page_of_the_largest_notifications_fits() {
    let world = World::start().await;
    let bob = world.person("bob").await;
    let admin = world.with_roles("admin", &["admin"]).await;
    let body = json!({ "user_id": bob.id, "content": "\"".repeat(2_000) });
    for _ in 0..100 {
        admin
            .post("/api/v2/notifications/system", body.clone())
            .await
            .is(201);
    }
    let found = pages(&bob, "/api/v2/notifications?per_page=100", "notifications").await;
    assert_eq!((found.len(), found.concat().len()), (1, 100));
}

/// A person with the longest possible picture URL.
async fn pictured(world: &World, number: usize) -> Person {
    let claims = Claims {
        username: Some(format!("other{number}")),
        avatar_url: Some(format!("https://example.com/{}", "x".repeat(2_028))),
        ..Claims::default()
    };
    let person = world.stranger(Uuid::new_v4(), claims);
    person.get("/api/v1/users/me").await.is(200);
    person
}

/// Groups of a hundred people with long picture URLs: the list shows fewer participants, but every group; their events
/// come in several pages.
#[tokio::test]
async fn a_page_of_large_groups_shows_fewer_participants() {
    const COUNT: usize = 24;
    let world = World::start().await;
    let bob = world.person("bob").await;
    let mut others = Vec::new();
    for number in 0..99 {
        others.push(pictured(&world, number).await);
    }
    let start = bob.get("/api/events").await.is(200)["next"].clone();
    let members: Vec<&Person> = others.iter().collect();
    for number in 0..COUNT {
        bob.open_group(&number.to_string(), &members).await;
    }
    let page = get(&bob, "/api/conversations?page_size=100").await;
    let groups = rows(&page, "conversations");
    assert_eq!((groups.len(), &page["has_next"]), (COUNT, &json!(false)));
    let shown: Vec<usize> = groups
        .iter()
        .map(|group| group["participants"].as_array().unwrap().len())
        .collect();
    assert_eq!((shown[0], shown[COUNT - 1]), (100, 10), "{shown:?}");
    for group in &groups {
        assert_eq!(group["participants"][0]["user_id"], json!(bob.id));
        assert_eq!(group["participant_count"], 100);
    }

    let (mut next, mut told, mut answers) = (start, Vec::new(), 0);
    loop {
        let events = get(&bob, &format!("/api/events?after={}", next.as_str().unwrap())).await;
        answers += 1;
        told.extend(rows(&events, "events"));
        next = events["next"].clone();
        if events["has_more"] == false {
            break;
        }
    }
    assert!(answers > 1, "they do not fit into one answer");
    let told: Vec<Value> = told.iter().map(|event| event["conversation"].clone()).collect();
    assert_eq!((told.len(), ids(&told, "id").len()), (COUNT, COUNT));
}

/// The lists that this file covers: a new list needs a test here.
#[test]
fn every_list_is_covered_here() {
    let mut lists = BTreeSet::new();
    for function in local::functions() {
        let Trigger::Http(entry) = &function.trigger else {
            continue;
        };
        let settings = SchemaSettings::draft2020_12();
        let mut generator = settings.for_serialize().into_generator();
        let schema = (entry.output)(&mut generator).to_value();
        let schemas = json!([schema, generator.take_definitions(true)]).to_string();
        if ["\"has_more\"", "\"next_cursor\""]
            .iter()
            .any(|name| schemas.contains(name))
        {
            lists.insert(entry.route.name);
        }
    }
    let told = [
        "list_audit_entries",
        "list_conversation_events",
        "list_conversations",
        "list_credit_transactions",
        "list_direct_conversations",
        "list_direct_messages",
        "list_mail",
        "list_messages",
        "list_notifications",
        "search_messages",
        "sync_events",
        "view_conversation",
    ];
    assert_eq!(lists, BTreeSet::from(told));
}
