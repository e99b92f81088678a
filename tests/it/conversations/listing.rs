//! The list of conversations: by last activity, in consistent pages (S1-E02).

use std::time::Duration;

use harness::{Person, World};
use serde_json::{Value, json};

const PATH: &str = "/api/conversations";

struct Desk {
    world: World,
    ada: Person,
    others: Vec<Person>,
    /// Ada's conversations, by last activity, newest first.
    order: Vec<String>,
}

/// Ada with conversations, a second apart.
async fn desk(count: usize) -> Desk {
    let world = World::start().await;
    let ada = world.person("ada").await;
    let (mut others, mut order) = (Vec::new(), Vec::new());
    for index in 0..count {
        let other = world.person(&format!("other{index}")).await;
        world.advance(Duration::from_secs(1));
        order.insert(0, ada.open_direct(&other).await);
        others.push(other);
    }
    Desk {
        world,
        ada,
        others,
        order,
    }
}

fn ids(page: &Value) -> Vec<String> {
    let conversations = page["conversations"].as_array().unwrap().iter();
    conversations
        .map(|conversation| conversation["id"].as_str().unwrap().to_owned())
        .collect()
}

impl Desk {
    async fn page(&self, query: &str) -> Value {
        self.ada.get(&format!("{PATH}?{query}")).await.is(200)
    }

    /// Activity moves a conversation to the top.
    fn moves_up(&mut self, conversation: &str) {
        self.order.retain(|id| id != conversation);
        self.order.insert(0, conversation.to_owned());
    }

    async fn by_page(&self, size: usize) -> Vec<String> {
        let mut found = Vec::new();
        for number in 1.. {
            let page = self.page(&format!("page={number}&page_size={size}")).await;
            assert_eq!(
                (&page["page"], &page["page_size"]),
                (&json!(number), &json!(size))
            );
            assert_eq!(page["total"], json!(self.order.len()));
            assert_eq!(page["has_next"], json!(!page["next_cursor"].is_null()));
            found.extend(ids(&page));
            if page["has_next"] == false {
                break;
            }
            assert_eq!(ids(&page).len(), size, "a page before the last is full");
        }
        found
    }

    async fn by_cursor(&self, first: &str) -> Vec<String> {
        let mut page = self.page(first).await;
        let mut found = ids(&page);
        while let Some(cursor) = page["next_cursor"].as_str() {
            page = self.page(&format!("page_size=2&cursor={cursor}")).await;
            found.extend(ids(&page));
        }
        assert_eq!(page["has_next"], false);
        found
    }
}

/// S1-E02, S1-N09
#[tokio::test]
async fn a_newcomer_has_an_empty_list() {
    let desk = desk(0).await;
    let page = desk.ada.get(PATH).await.is(200);
    let expected = json!({
        "conversations": [], "total": 0, "page": 1, "page_size": 20, "has_next": false, "next_cursor": null,
        "sync_token": page["sync_token"]
    });
    assert_eq!(page, expected);
}

/// S1-E02
#[tokio::test]
async fn the_last_active_conversation_comes_first() {
    let mut desk = desk(5).await;
    assert_eq!(ids(&desk.page("").await), desk.order);

    // Messages by anyone; reads and deletions are not activity.
    for (index, by_ada) in [(0, true), (3, false), (2, true), (3, true)] {
        desk.world.advance(Duration::from_secs(1));
        let conversation = desk.ada.open_direct(&desk.others[index]).await;
        let sender = if by_ada { &desk.ada } else { &desk.others[index] };
        sender.says(&conversation, "Hello").await;
        desk.moves_up(&conversation);
        assert_eq!(ids(&desk.page("").await), desk.order);
    }
    desk.world.advance(Duration::from_secs(1));
    let quiet = desk.ada.open_direct(&desk.others[0]).await;
    let message = desk.ada.messages(&quiet).await[0].clone();
    desk.others[0].reads(&quiet, &message).await;
    desk.ada
        .delete(&format!(
            "{PATH}/{quiet}/messages/{}",
            message["id"].as_str().unwrap()
        ))
        .await
        .is(204);
    assert_eq!(ids(&desk.page("").await), desk.order);

    desk.world.advance(Duration::from_secs(1));
    let group = desk.others[1].open_group("new", &[&desk.ada]).await;
    desk.moves_up(&group);
    assert_eq!(
        ids(&desk.page("").await),
        desk.order,
        "a new one is active by being opened"
    );
}

/// S1-E02: each is the same as when it is read alone.
#[tokio::test]
async fn the_list_shows_each_as_it_is_alone() {
    let desk = desk(3).await;
    for (other, conversation) in desk.others.iter().rev().zip(&desk.order) {
        other.says(conversation, "one").await;
        let last = other.says(conversation, "two").await;
        other.says(conversation, "three").await;
        desk.ada.reads(conversation, &last).await;
    }
    let page = desk.page("").await;
    for conversation in page["conversations"].as_array().unwrap() {
        assert_eq!(
            conversation,
            &desk.ada.sees(conversation["id"].as_str().unwrap()).await
        );
        assert_eq!(conversation["unread_count"], 1);
        assert_eq!(conversation["last_message"]["content"], "three");
    }
    let theirs = desk.others[0].get(PATH).await.is(200);
    assert_eq!(
        (&theirs["total"], &theirs["conversations"][0]["unread_count"]),
        (&json!(1), &json!(0))
    );
}

/// S1-E02
#[tokio::test]
async fn pages_and_cursors_agree_and_show_every_conversation_once() {
    let desk = desk(7).await;
    for size in [1, 2, 3, 6, 7, 8, 100] {
        assert_eq!(desk.by_page(size).await, desk.order, "pages of {size}");
        assert_eq!(
            desk.by_cursor(&format!("page_size={size}")).await,
            desk.order,
            "from a page of {size}"
        );
    }
    assert_eq!(desk.by_cursor("page=2&page_size=3").await, desk.order[3..]);
}

/// S1-E02, S1-N09: 20 per page by default.
#[tokio::test]
async fn the_first_page_holds_20() {
    let desk = desk(23).await;
    let page = desk.ada.get(PATH).await.is(200);
    assert_eq!(
        (&page["page"], &page["page_size"], &page["total"]),
        (&json!(1), &json!(20), &json!(23))
    );
    assert_eq!(ids(&page), desk.order[..20]);
    assert_eq!(page["has_next"], true);
    assert_eq!(ids(&desk.page("page=2").await), desk.order[20..]);
}

/// S1-E02: conversations that were active in the same millisecond are each listed once.
#[tokio::test]
async fn equal_times_neither_repeat_nor_lose_a_conversation() {
    let world = World::start().await;
    let [ada, bob] = world.people(["ada", "bob"]).await;
    let others = [&bob];
    let open = (0..9).map(|_| ada.open_group("at once", &others));
    let opened = futures::future::join_all(open).await;
    let desk = Desk {
        world,
        ada,
        others: vec![bob],
        order: opened.clone(),
    };
    for found in [desk.by_page(2).await, desk.by_cursor("page_size=2").await] {
        let (mut found, mut all) = (found, opened.clone());
        found.sort_unstable();
        all.sort_unstable();
        assert_eq!(found, all);
    }
}

/// S1-N04: values out of range are refused, not clamped.
#[tokio::test]
async fn page_numbers_and_sizes_have_bounds() {
    let desk = desk(1).await;
    for (query, field) in [
        ("page=0", "page"),
        ("page=-1", "page"),
        ("page_size=0", "page_size"),
        ("page_size=101", "page_size"),
        ("page_size=-20", "page_size"),
    ] {
        desk.ada
            .get(&format!("{PATH}?{query}"))
            .await
            .blames(field, "out_of_range");
    }
    for wrong in ["page=one", "page_size=1.5", "page_size="] {
        let field = wrong.split('=').next().unwrap();
        desk.ada
            .get(&format!("{PATH}?{wrong}"))
            .await
            .blames(field, "wrong_type");
    }
    assert_eq!(
        desk.page("page=101&page_size=100").await["conversations"],
        json!([]),
        "10,000 may be skipped"
    );
    for deep in [
        "page=102&page_size=100",
        "page=502",
        "page=10002&page_size=1",
        "page=9223372036854775807",
    ] {
        desk.ada
            .get(&format!("{PATH}?{deep}"))
            .await
            .is_error(400, "PAGE_TOO_DEEP");
    }
    assert_eq!(ids(&desk.page("page=1&unknown=x&page_size=1").await), desk.order);
}

/// Contract §1: a tampered cursor is 400, never page 1 or other users' data.
#[tokio::test]
async fn a_cursor_is_good_for_its_owner_alone() {
    let desk = desk(3).await;
    let page = desk.page("page_size=1").await;
    let cursor = page["next_cursor"].as_str().unwrap();
    let other = desk.others[0].get(&format!("{PATH}?cursor={cursor}")).await;
    other.is_error(400, "INVALID_CURSOR");
    let messages = format!("{PATH}/{}/messages?cursor={cursor}", desk.order[0]);
    desk.ada.get(&messages).await.is_error(400, "INVALID_CURSOR");
    for index in 0..cursor.len() {
        let other = if &cursor[index..=index] == "A" { "B" } else { "A" };
        let tampered = format!("{}{other}{}", &cursor[..index], &cursor[index + 1..]);
        desk.ada
            .get(&format!("{PATH}?cursor={tampered}"))
            .await
            .is_error(400, "INVALID_CURSOR");
    }
    for garbage in ["", "x", "%00", "AAAA", &format!("{cursor}A"), &"A".repeat(3000)] {
        desk.ada
            .get(&format!("{PATH}?cursor={garbage}"))
            .await
            .is_error(400, "INVALID_CURSOR");
    }
    assert_eq!(
        ids(&desk.page(&format!("page_size=1&cursor={cursor}")).await),
        desk.order[1..2]
    );
}

/// What moves up during paging is on no later page; the token of every page covers it.
#[tokio::test]
async fn what_moves_up_between_two_pages_is_synced_with_their_token() {
    for (path, limit, id) in [
        (PATH, "page_size", "id"),
        ("/api/v2/messages/conversations", "limit", "partner_id"),
    ] {
        let desk = desk(5).await;
        for (other, conversation) in desk.others.iter().rev().zip(&desk.order) {
            desk.world.advance(Duration::from_secs(1));
            other.says(conversation, "before").await;
        }
        desk.world.advance(Duration::from_secs(60));
        let first = desk.ada.get(&format!("{path}?{limit}=2")).await.is(200);
        let mut seen: Vec<Value> = first["conversations"].as_array().unwrap().clone();
        desk.world.advance(Duration::from_secs(60));
        // The earliest writer is last, and moves up.
        let other = &desk.others[4];
        let moved = desk.ada.open_direct(other).await;
        let message = other.says(&moved, "meanwhile").await;
        let mut page = first.clone();
        while let Some(cursor) = page["next_cursor"].as_str() {
            page = desk
                .ada
                .get(&format!("{path}?{limit}=2&cursor={cursor}"))
                .await
                .is(200);
            seen.extend(page["conversations"].as_array().unwrap().iter().cloned());
        }
        let is_seen = |wanted: &Value| seen.iter().any(|one| one[id] == *wanted);
        let skipped = if id == "id" { json!(moved) } else { json!(other.id) };
        assert!(seen.len() == 4 && !is_seen(&skipped), "it is skipped");
        for page in [&first, &page] {
            let token = page["sync_token"].as_str().unwrap();
            let events = desk.ada.get(&format!("/api/events?after={token}")).await.is(200);
            let told: Vec<&Value> = events["events"]
                .as_array()
                .unwrap()
                .iter()
                .map(|event| &event["message"]["id"])
                .collect();
            assert_eq!(told, [&message["id"]]);
        }
    }
}
