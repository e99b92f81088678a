//! The content of a sync: everything, once, in order.

use std::collections::BTreeSet;
use std::time::Duration;

use futures::future::join_all;
use harness::{Person, World};
use serde_json::{Value, json};
use uuid::Uuid;

use super::{Follower, NONE, delete, token};

/// S0-J03: a client that was offline.
#[tokio::test]
async fn everything_since_the_token_is_told_as_it_was_pushed_and_in_order() {
    let world = World::start().await;
    let [ada, bob] = world.people(["ada", "bob"]).await;
    let mut follower = Follower::of(&bob).await;
    let mut socket = bob.connect().await;

    let conversation = ada.open_direct(&bob).await;
    world.settled().await;
    let one = ada.says(&conversation, "one").await;
    world.settled().await;
    let two = bob.says(&conversation, "two").await;
    delete(&ada, &conversation, &one).await;
    world.settled().await;
    ada.reads(&conversation, &two).await;
    world.settled().await;
    let three = ada.says(&conversation, "three").await;
    world.settled().await;
    assert_eq!(three["seq"], 4);

    let pushed = socket.so_far().await;
    let told = follower.catch_up(100).await;
    let types = |frames: &[Value]| -> Vec<(Value, Value)> {
        frames
            .iter()
            .map(|frame| (frame["type"].clone(), frame["seq"].clone()))
            .collect()
    };
    assert_eq!(types(&told), types(&pushed));
    assert!(told.iter().all(|event| event["namespace"] == "conversations"));
    // A frame has the current state: the deleted message is a tombstone by now.
    assert_eq!(
        (&told[1]["message"]["content"], &told[1]["message"]["is_deleted"]),
        (&Value::Null, &json!(true))
    );
    assert_eq!(told[2]["message"]["read_by"], json!([ada.id]));
    assert_eq!(
        follower.catch_up(100).await,
        Vec::<Value>::new(),
        "and never again"
    );
    follower.knows_everything(&[&conversation]).await;
}

/// S1-E09
#[tokio::test]
async fn without_a_token_nothing_is_told_but_what_is_unread_and_where_to_begin() {
    let world = World::start().await;
    let [ada, bob] = world.people(["ada", "bob"]).await;
    let conversation = ada.open_direct(&bob).await;
    ada.says(&conversation, "before").await;
    let page = bob.get("/api/events").await.is(200);
    assert_eq!(
        page,
        json!({
            "events": [], "next": page["next"], "has_more": false, "recovered": true,
            "unread": { "total": 1, "by_conversation": { &conversation: 1 } }
        })
    );
    ada.says(&conversation, "after").await;
    let page = bob
        .get(&format!("/api/events?after={}", token(&page)))
        .await
        .is(200);
    assert_eq!(page["events"].as_array().unwrap().len(), 1);
    assert_eq!(page["events"][0]["message"]["content"], "after");
}

/// S1-E09: page by page, whatever the size of the pages.
#[tokio::test]
async fn small_pages_tell_what_large_ones_do() {
    let world = World::start().await;
    let [ada, bob, chen] = world.people(["ada", "bob", "chen"]).await;
    let mut followers = Vec::new();
    for _ in 0..4 {
        followers.push(Follower::of(&bob).await);
    }
    let direct = ada.open_direct(&bob).await;
    let group = chen.open_group("three", &[&ada, &bob]).await;
    for number in 0..6 {
        let message = ada.says(&direct, &format!("direct {number}")).await;
        bob.reads(&direct, &message).await;
        let message = chen.says(&group, &format!("group {number}")).await;
        if number % 2 == 0 {
            delete(&chen, &group, &message).await;
        }
        ada.reads(&group, &message).await;
    }
    for (follower, limit) in followers.iter_mut().zip([1, 2, 3, 100]) {
        follower.catch_up(limit).await;
        follower.knows_everything(&[&direct, &group]).await;
    }
    let first = followers[0].told.clone();
    assert!(followers.iter().all(|follower| follower.told == first));
}

/// S1-E09: sends within one millisecond, or during a sync.
#[tokio::test]
async fn sends_at_once_while_somebody_catches_up_are_each_told_once() {
    let world = World::start().await;
    let [ada, bob, chen] = world.people(["ada", "bob", "chen"]).await;
    let mut follower = Follower::of(&bob).await;
    let conversations = [
        ada.open_direct(&bob).await,
        chen.open_direct(&bob).await,
        ada.open_group("three", &[&bob, &chen]).await,
    ];
    let [with_ada, with_chen, group] = &conversations;
    let sends = async {
        for round in 0..8 {
            let places: [(&Person, &str); 6] = [
                (&ada, with_ada),
                (&bob, with_ada),
                (&chen, with_chen),
                (&ada, group),
                (&bob, group),
                (&chen, group),
            ];
            join_all(
                places
                    .map(|(sender, conversation)| sender.says(conversation, "at once"))
                    .into_iter(),
            )
            .await;
            if round % 3 == 0 {
                world.advance(Duration::from_secs(9));
            }
        }
    };
    let follows = async {
        for limit in (1..=3).cycle().take(30) {
            follower.page(limit).await;
        }
    };
    tokio::join!(sends, follows);
    follower.catch_up(2).await;
    follower
        .knows_everything(&conversations.iter().map(String::as_str).collect::<Vec<_>>())
        .await;
}

/// S1-E09
#[tokio::test]
async fn forty_conversations_at_once_are_told_without_a_loss() {
    let world = World::start().await;
    let [ada, bob] = world.people(["ada", "bob"]).await;
    let mut follower = Follower::of(&bob).await;
    let opened = join_all((0..40).map(|number| {
        let (ada, bob) = (&ada, &bob);
        async move {
            let group = ada.open_group(&format!("group {number}"), &[bob]).await;
            ada.says(&group, "hello").await;
            group
        }
    }))
    .await;
    follower.catch_up(7).await;
    follower
        .knows_everything(&opened.iter().map(String::as_str).collect::<Vec<_>>())
        .await;
}

/// Groups of two people, opened at the same moment: copies of a group, written directly.
async fn open_many(world: &World, ada: &Person, bob: &Person, count: usize) {
    let group = ada.open_group("many", &[bob]).await;
    let shard = |user: Uuid| format!("MEMBER#{}#{user}", &user.to_string()[33..]);
    let sorts = ["HEAD".to_owned(), shard(ada.id), shard(bob.id)];
    let partition = format!("C#{group}");
    let mut items = Vec::new();
    for sort in &sorts {
        items.push(world.stored(&partition, sort).await.unwrap());
    }
    let mut copies = Vec::new();
    let opened_at: u64 = items[0]["a"]["N"].as_str().unwrap().parse().unwrap();
    for number in 1..count as u64 {
        let partition = format!("C#{}", Uuid::now_v7());
        for item in &items {
            let mut item = item.clone();
            item["pk"]["S"] = json!(partition);
            if item.get("gs").is_some() {
                item["gs"]["S"] = json!(partition);
            }
            if item["sk"]["S"] == "HEAD" {
                item["a"]["N"] = json!((opened_at - number).to_string());
            }
            copies.push(item);
        }
    }
    world.store(&copies).await;
}

/// S1-E09: more conversations change within a moment than a token can list.
#[tokio::test]
async fn hundreds_of_conversations_at_once_are_told_without_a_loss_in_pages_that_end() {
    let world = World::start().await;
    let [ada, bob] = world.people(["ada", "bob"]).await;
    let mut follower = Follower::of(&bob).await;
    open_many(&world, &ada, &bob, 300).await;
    let mut pages = 0;
    while follower.page(50).await["has_more"] == true {
        pages += 1;
        assert!(pages < 40, "{pages} pages for 300 events");
        world.advance(Duration::from_secs(1));
    }
    let told: BTreeSet<&str> = follower.told.iter().map(super::conversation_of).collect();
    assert_eq!(told.len(), 300);
    follower.catch_up(50).await;
    world.advance(Duration::from_secs(60));
    follower.catch_up(50).await;
    assert_eq!(follower.catch_up(50).await, Vec::<Value>::new());
}

/// S0-J03: a resume makes progress too.
#[tokio::test]
async fn a_resume_after_hundreds_of_conversations_at_once_tells_each_in_pages_that_end() {
    let world = World::start().await;
    let [ada, bob] = world.people(["ada", "bob"]).await;
    let token = Follower::of(&bob).await.token;
    open_many(&world, &ada, &bob, 300).await;
    world.settled().await;
    let mut socket = bob.connect().await;
    socket.send(json!({ "type": "resume", "after": token })).await;
    let (mut told, mut pages) = (BTreeSet::new(), 0);
    loop {
        let frame = socket.next().await.unwrap();
        if frame["type"] != "resumed" {
            told.insert(super::conversation_of(&frame).to_owned());
            continue;
        }
        if frame["has_more"] == false {
            break;
        }
        pages += 1;
        assert!(pages < 5, "{pages} pages of 200 for 300 events");
        socket
            .send(json!({ "type": "resume", "after": frame["next"] }))
            .await;
    }
    assert_eq!(told.len(), 300);
}

/// S1-E09: a token fits into a URL, whatever has happened. API Gateway accepts 10,240 bytes of request line and
/// headers, which the bearer token shares.
#[tokio::test]
async fn a_token_stays_short_whatever_has_happened() {
    let world = World::start().await;
    let [ada, bob] = world.people(["ada", "bob"]).await;
    let mut follower = Follower::of(&bob).await;
    join_all((0..110).map(|number| {
        let (ada, bob) = (&ada, &bob);
        async move {
            let group = ada.open_group(&format!("group {number}"), &[bob]).await;
            let message = ada.says(&group, "hello").await;
            bob.reads(&group, &message).await;
        }
    }))
    .await;
    for _ in 0..4 {
        follower.page(100).await;
        assert!(
            follower.token.len() < 6 * 1024,
            "a token of {} characters",
            follower.token.len()
        );
    }
}

/// S1-W05: only each member's latest read mark, however often they read.
#[tokio::test]
async fn only_the_last_read_mark_of_a_member_is_synced() {
    let world = World::start().await;
    let [ada, bob, chen] = world.people(["ada", "bob", "chen"]).await;
    let group = ada.open_group("three", &[&bob, &chen]).await;
    let mut messages = Vec::new();
    for number in 0..4 {
        messages.push(ada.says(&group, &format!("{number}")).await);
    }
    let mut follower = Follower::of(&ada).await;
    for message in &messages {
        bob.reads(&group, message).await;
    }
    chen.reads(&group, &messages[1]).await;
    let told = follower.catch_up(100).await;
    let reads: Vec<(Value, Value)> = told
        .iter()
        .map(|event| (event["user_id"].clone(), event["seq"].clone()))
        .collect();
    assert_eq!(reads, [(json!(bob.id), json!(4)), (json!(chen.id), json!(2))]);
    assert_eq!(follower.catch_up(100).await, Vec::<Value>::new());

    chen.reads(&group, &messages[3]).await;
    world.advance(Duration::from_secs(60));
    let told = follower.catch_up(1).await;
    assert_eq!(
        (told.len(), &told[0]["user_id"], &told[0]["seq"]),
        (1, &json!(chen.id), &json!(4))
    );
}

/// S1-E09: the unread counts are the same on every page.
#[tokio::test]
async fn the_unread_summary_says_what_each_conversation_says() {
    let world = World::start().await;
    let [ada, bob, chen] = world.people(["ada", "bob", "chen"]).await;
    let mut follower = Follower::of(&bob).await;
    let direct = ada.open_direct(&bob).await;
    let group = chen.open_group("three", &[&ada, &bob]).await;
    let quiet = bob.open_direct(&chen).await;
    let mut last = Value::Null;
    for number in 0..5 {
        ada.says(&direct, "d").await;
        last = chen.says(&group, "g").await;
        if number < 2 {
            bob.reads(&group, &last).await;
        }
    }
    delete(&chen, &group, &last).await;
    bob.says(&quiet, "my own").await;
    for limit in [1, 100] {
        let page = follower.page(limit).await;
        assert_eq!(
            page["unread"],
            json!({ "total": 7, "by_conversation": { &direct: 5, &group: 2 } })
        );
        for (conversation, unread) in [(&direct, 5), (&group, 2), (&quiet, 0)] {
            assert_eq!(bob.sees(conversation).await["unread_count"], unread);
        }
    }
}

/// S1-Q04
#[tokio::test]
async fn nothing_is_told_of_other_peoples_conversations() {
    let world = World::start().await;
    let [ada, bob, eve] = world.people(["ada", "bob", "eve"]).await;
    let mut follower = Follower::of(&eve).await;
    let conversation = ada.open_direct(&bob).await;
    ada.says(&conversation, "for two").await;
    let page = follower.page(100).await;
    assert_eq!(
        (&page["events"], &page["unread"]),
        (&NONE, &json!({ "total": 0, "by_conversation": {} }))
    );
}
