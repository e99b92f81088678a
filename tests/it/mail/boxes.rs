//! Folders, pages and counts.

use harness::{Person, World};
use serde_json::{Value, json};

use super::{flag, stats, subjects, to};

async fn page(person: &Person, query: &str) -> Value {
    person.get(&format!("/api/v2/messages?{query}")).await.is(200)
}

/// S0-E01, S0-F12
#[tokio::test]
async fn a_mail_is_in_the_folders_that_its_flags_imply() {
    let world = World::start().await;
    let [ada, bob] = world.people(["ada", "bob"]).await;
    let mut mails = Vec::new();
    for subject in ["plain", "starred", "archived", "both"] {
        mails.push(ada.mails(&bob, subject).await);
    }
    flag(&bob, &mails[1], json!({ "is_starred": true })).await.is(200);
    flag(&bob, &mails[2], json!({ "is_archived": true, "is_read": true }))
        .await
        .is(200);
    flag(
        &bob,
        &mails[3],
        json!({ "is_starred": true, "is_archived": true }),
    )
    .await
    .is(200);
    assert_eq!(
        subjects(&bob.folder("inbox").await),
        ["starred", "plain"],
        "archived mail is not there"
    );
    assert_eq!(subjects(&bob.folder("starred").await), ["both", "starred"]);
    assert_eq!(subjects(&bob.folder("archived").await), ["both", "archived"]);
    assert_eq!(bob.folder("sent").await.len(), 0);
    let default = page(&bob, "").await;
    assert_eq!(
        (&default["total"], &default["per_page"], &default["page"]),
        (&json!(2), &json!(20), &json!(1))
    );
    let unread = page(&bob, "folder=archived&unread_only=true").await;
    assert_eq!(subjects(unread["messages"].as_array().unwrap()), ["both"]);
    assert_eq!((&unread["total"], &unread["pages"]), (&json!(1), &json!(1)));
    let expected = json!({ "total": 4, "unread": 2, "starred": 2, "archived": 2, "sent": 0, "received": 4 });
    assert_eq!(stats(&bob).await, expected);
    let expected = json!({ "total": 4, "unread": 0, "starred": 0, "archived": 0, "sent": 4, "received": 0 });
    assert_eq!(stats(&ada).await, expected);

    flag(&bob, &mails[3], json!({ "is_archived": false }))
        .await
        .is(200);
    assert_eq!(
        subjects(&bob.folder("inbox").await),
        ["both", "starred", "plain"],
        "where it was before"
    );
}

/// S0-E01, S0-F18, S0-N03
#[tokio::test]
async fn pages_by_number_and_by_cursor_hold_each_mail_once() {
    let world = World::start().await;
    let [ada, bob] = world.people(["ada", "bob"]).await;
    let mut wanted = Vec::new();
    for number in 0..23 {
        let subject = format!("mail {number}");
        ada.mails(&bob, &subject).await;
        wanted.insert(0, subject);
    }
    let mut by_number = Vec::new();
    for number in 1..=4 {
        let page = page(&bob, &format!("page={number}&per_page=7")).await;
        assert_eq!(
            (&page["total"], &page["pages"], &page["page"]),
            (&json!(23), &json!(4), &json!(number))
        );
        assert_eq!(page["has_next"], json!(number < 4));
        by_number.extend(
            subjects(page["messages"].as_array().unwrap())
                .into_iter()
                .map(str::to_owned),
        );
    }
    assert_eq!(by_number, wanted);
    assert_eq!(page(&bob, "page=9&per_page=7").await["messages"], json!([]));

    let (mut by_cursor, mut query) = (Vec::new(), "per_page=5".to_owned());
    loop {
        let page = page(&bob, &query).await;
        by_cursor.extend(
            subjects(page["messages"].as_array().unwrap())
                .into_iter()
                .map(str::to_owned),
        );
        // New mails do not move anything.
        ada.mails(&bob, "meanwhile").await;
        match page["next_cursor"].as_str() {
            Some(cursor) => query = format!("per_page=5&cursor={cursor}"),
            None => break,
        }
    }
    assert_eq!(by_cursor, wanted);
}

/// S0-E01, S0-N03, contract §1
#[tokio::test]
async fn an_invalid_page_is_refused_and_not_clamped() {
    let world = World::start().await;
    let [ada, bob] = world.people(["ada", "bob"]).await;
    for number in 0..3 {
        ada.mails(&bob, &number.to_string()).await;
    }
    let ask = async |query: &str| bob.get(&format!("/api/v2/messages?{query}")).await;
    ask("folder=spam").await.blames("folder", "unknown_value");
    ask("per_page=0").await.blames("per_page", "out_of_range");
    ask("per_page=101").await.blames("per_page", "out_of_range");
    ask("page=0").await.blames("page", "out_of_range");
    ask("unread_only=maybe").await.blames("unread_only", "wrong_type");
    ask("page=102&per_page=100").await.is_error(400, "PAGE_TOO_DEEP");
    ask("cursor=AAAA").await.is_error(400, "INVALID_CURSOR");
    let cursor = page(&bob, "per_page=1").await["next_cursor"]
        .as_str()
        .unwrap()
        .to_owned();
    ask(&format!("cursor={cursor}")).await.is(200);
    ask(&format!("cursor={cursor}&unread_only=true"))
        .await
        .is_error(400, "INVALID_CURSOR");
    ask(&format!("cursor={cursor}&folder=sent"))
        .await
        .is_error(400, "INVALID_CURSOR");
    let theirs = ada.get(&format!("/api/v2/messages?cursor={cursor}")).await;
    theirs.is_error(400, "INVALID_CURSOR");
}

/// Contract §1: no response exceeds 5 MB.
#[tokio::test]
async fn bodies_that_do_not_fit_into_a_page_are_left_out() {
    let world = World::start().await;
    let [ada, bob] = world.people(["ada", "bob"]).await;
    // Each quote takes four bytes in the doubly escaped response.
    let body = "\"".repeat(100_000);
    for number in 0..13 {
        ada.post("/api/v2/messages", to(&bob, &number.to_string(), &body))
            .await
            .is(201);
    }
    let mails = bob.folder("inbox").await;
    let truncated: Vec<bool> = mails.iter().map(|mail| mail["truncated"] == true).collect();
    let mut expected = vec![false; 12];
    expected.push(true);
    assert_eq!(truncated, expected);
    assert_eq!(
        (&mails[11]["body"], &mails[12]["body"]),
        (&json!(body), &Value::Null)
    );
    assert_eq!(mails[12]["subject"], "0", "and nothing else is");
    assert_eq!(super::peek(&bob, &mails[12]).await.is(200)["body"], json!(body));
}

/// S0-E07
#[tokio::test]
async fn a_new_user_has_no_notifications() {
    let world = World::start().await;
    let newcomer = world.person("newcomer").await;
    let expected = json!({ "total": 0, "unread": 0, "starred": 0, "archived": 0, "sent": 0, "received": 0 });
    assert_eq!(stats(&newcomer).await, expected);
    let empty = page(&newcomer, "").await;
    assert_eq!(
        (&empty["messages"], &empty["pages"], &empty["next_cursor"]),
        (&json!([]), &json!(0), &Value::Null)
    );
}
