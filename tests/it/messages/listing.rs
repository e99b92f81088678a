//! Pages of messages: newest first, by page number, by cursor and by `seq`, all consistent (S1-E03).

use harness::{Person, World};
use serde_json::{Value, json};

use super::{each, message_path, messages_path};

struct Talk {
    world: World,
    ada: Person,
    bob: Person,
    conversation: String,
    /// The ids of the messages, oldest first.
    ids: Vec<Value>,
}

/// A conversation with messages from both members in turn.
async fn talk(count: usize) -> Talk {
    let world = World::start().await;
    let [ada, bob] = world.people(["ada", "bob"]).await;
    let conversation = ada.open_direct(&bob).await;
    let mut ids = Vec::new();
    for index in 1..=count {
        let sender = if index % 2 == 1 { &ada } else { &bob };
        ids.push(sender.says(&conversation, &format!("number {index}")).await["id"].clone());
    }
    Talk {
        world,
        ada,
        bob,
        conversation,
        ids,
    }
}

impl Talk {
    fn path(&self, query: &str) -> String {
        format!("{}?{query}", messages_path(&self.conversation))
    }

    async fn page(&self, query: &str) -> Value {
        self.bob.get(&self.path(query)).await.is(200)
    }

    fn newest_first(&self) -> Vec<Value> {
        self.ids.iter().rev().cloned().collect()
    }

    /// All pages by number.
    async fn by_page(&self, size: usize) -> Vec<Value> {
        let mut found = Vec::new();
        for number in 1.. {
            let page = self.page(&format!("page={number}&page_size={size}")).await;
            assert_eq!(
                (&page["page"], &page["page_size"]),
                (&json!(number), &json!(size))
            );
            assert_eq!(page["total"], json!(self.ids.len()));
            assert_eq!(page["has_next"], json!(!page["next_cursor"].is_null()));
            found.extend(each(&page["messages"], "id"));
            if page["has_next"] == false {
                break;
            }
            assert_eq!(
                page["messages"].as_array().unwrap().len(),
                size,
                "a page before the last is full"
            );
        }
        found
    }

    /// All pages by cursor, starting from a query.
    async fn by_cursor(&self, first: &str) -> Vec<Value> {
        let mut page = self.page(first).await;
        let mut found = each(&page["messages"], "id");
        while let Some(cursor) = page["next_cursor"].as_str() {
            assert_eq!(page["has_next"], true);
            page = self.page(&format!("page_size=3&cursor={cursor}")).await;
            found.extend(each(&page["messages"], "id"));
        }
        assert_eq!(page["has_next"], false);
        found
    }
}

/// S1-E03, S1-N09
#[tokio::test]
async fn an_empty_conversation_is_one_empty_page() {
    let talk = talk(0).await;
    let expected = json!({
        "messages": [], "total": 0, "page": 1, "page_size": 50, "has_next": false, "next_cursor": null,
        "conversation_id": talk.conversation
    });
    assert_eq!(
        talk.ada.get(&messages_path(&talk.conversation)).await.is(200),
        expected
    );
}

/// S1-E03, S1-N09
#[tokio::test]
async fn the_first_page_holds_the_50_newest() {
    let talk = talk(53).await;
    let page = talk.bob.get(&messages_path(&talk.conversation)).await.is(200);
    assert_eq!(
        (&page["page"], &page["page_size"], &page["total"]),
        (&json!(1), &json!(50), &json!(53))
    );
    assert_eq!(page["has_next"], true);
    assert_eq!(each(&page["messages"], "id"), talk.newest_first()[..50]);
    let sequence: Vec<u64> = each(&page["messages"], "seq")
        .iter()
        .map(|seq| seq.as_u64().unwrap())
        .collect();
    assert_eq!(sequence, (4..=53).rev().collect::<Vec<u64>>());
}

/// S1-E03
#[tokio::test]
async fn pages_and_cursors_agree_and_show_every_message_once() {
    let talk = talk(10).await;
    for size in [1, 3, 5, 9, 10, 11, 100] {
        assert_eq!(talk.by_page(size).await, talk.newest_first(), "pages of {size}");
        assert_eq!(
            talk.by_cursor(&format!("page_size={size}")).await,
            talk.newest_first(),
            "from a page of {size}"
        );
    }
    let from_page_2 = talk.by_cursor("page=2&page_size=3").await;
    assert_eq!(
        from_page_2,
        talk.newest_first()[3..],
        "a cursor goes on from any page"
    );
}

/// S1-E03: new messages do not change the position of a cursor.
#[tokio::test]
async fn a_cursor_goes_on_where_it_was_though_messages_come_in() {
    let talk = talk(6).await;
    let first = talk.page("page_size=2").await;
    talk.ada.says(&talk.conversation, "meanwhile").await;
    let cursor = first["next_cursor"].as_str().unwrap();
    let second = talk.page(&format!("page_size=2&cursor={cursor}")).await;
    assert_eq!(each(&second["messages"], "id"), talk.newest_first()[2..4]);
    assert_eq!(second["total"], 7);
}

/// S1-E03
#[tokio::test]
async fn before_seq_goes_back_and_after_seq_goes_forth() {
    let talk = talk(10).await;
    let newest_first = talk.newest_first();
    assert_eq!(
        talk.by_cursor("page_size=3&before_seq=8").await,
        newest_first[3..]
    );
    assert_eq!(talk.by_cursor("page_size=3&after_seq=4").await, talk.ids[4..]);
    assert_eq!(talk.by_cursor("page_size=3&after_seq=0").await, talk.ids);
    assert_eq!(
        talk.by_cursor("page_size=3&before_seq=999999999999").await,
        newest_first
    );
    for nothing in [
        "before_seq=0",
        "before_seq=1",
        "after_seq=10",
        "after_seq=11",
        "after_seq=999999999999",
    ] {
        let page = talk.page(nothing).await;
        assert_eq!(page["messages"], json!([]), "{nothing}");
        assert_eq!(
            (&page["has_next"], &page["total"]),
            (&json!(false), &json!(10)),
            "{nothing}"
        );
    }
    let one = talk.page("before_seq=2").await;
    assert_eq!(each(&one["messages"], "id"), talk.ids[..1]);

    talk.bob
        .get(&talk.path("before_seq=5&after_seq=2"))
        .await
        .blames("after_seq", "contradiction");
    for wrong in ["-1", "1000000000000"] {
        for field in ["before_seq", "after_seq"] {
            talk.bob
                .get(&talk.path(&format!("{field}={wrong}")))
                .await
                .blames(field, "out_of_range");
        }
    }
}

/// S1-E03, S1-E06: a tombstone stays in the list, and the deletion itself is not listed.
#[tokio::test]
async fn deletions_in_between_do_not_shift_pages() {
    let mut talk = talk(8).await;
    for index in [7, 1, 4, 5] {
        let sender = if index % 2 == 0 { &talk.ada } else { &talk.bob };
        let message = json!({ "id": talk.ids[index] });
        sender
            .delete(&message_path(&talk.conversation, &message))
            .await
            .is(204);
    }
    for size in [1, 2, 3, 7, 8, 100] {
        assert_eq!(talk.by_page(size).await, talk.newest_first(), "pages of {size}");
    }
    assert_eq!(talk.by_cursor("page_size=3").await, talk.newest_first());
    // After the deletions there are more messages.
    for index in 0..3 {
        let message = talk.ada.says(&talk.conversation, &format!("later {index}")).await;
        assert_eq!(message["seq"], json!(13 + index));
        talk.ids.push(message["id"].clone());
    }
    for size in [1, 2, 3, 11] {
        assert_eq!(talk.by_page(size).await, talk.newest_first(), "pages of {size}");
    }
    assert_eq!(
        talk.by_cursor("page_size=2&before_seq=13").await,
        talk.newest_first()[3..]
    );
    assert_eq!(talk.by_cursor("page_size=2&after_seq=8").await, talk.ids[8..]);
    let deleted = each(&talk.page("page_size=100").await["messages"], "is_deleted");
    assert_eq!(
        deleted.iter().filter(|deleted| **deleted == json!(true)).count(),
        4
    );
}

/// S1-N04: values out of range are refused, not clamped.
#[tokio::test]
async fn page_numbers_and_sizes_have_bounds() {
    let talk = talk(2).await;
    for (query, field) in [
        ("page=0", "page"),
        ("page=-1", "page"),
        ("page_size=0", "page_size"),
        ("page_size=-5", "page_size"),
        ("page_size=101", "page_size"),
    ] {
        talk.bob
            .get(&talk.path(query))
            .await
            .blames(field, "out_of_range");
    }
    assert_eq!(talk.page("page_size=100").await["page_size"], 100);
    assert_eq!(talk.page("page=2&page_size=100").await["messages"], json!([]));
    assert_eq!(
        talk.page("page=101&page_size=100").await["messages"],
        json!([]),
        "10,000 may be skipped"
    );
    for deep in [
        "page=102&page_size=100",
        "page=10002&page_size=1",
        "page=9223372036854775807",
    ] {
        let error = talk
            .bob
            .get(&talk.path(deep))
            .await
            .is_error(400, "PAGE_TOO_DEEP");
        assert!(
            error["message"].as_str().unwrap().contains("next_cursor"),
            "{error}"
        );
    }
}

/// Contract §1: a tampered cursor is 400, never page 1 or other users' data.
#[tokio::test]
async fn a_cursor_is_good_for_its_owner_and_its_list_alone() {
    let talk = talk(6).await;
    let chen = talk.world.person("chen").await;
    let with_chen = talk.bob.open_direct(&chen).await;
    for index in 0..3 {
        talk.bob.says(&with_chen, &format!("other {index}")).await;
    }
    let page = talk.page("page_size=2").await;
    let cursor = page["next_cursor"].as_str().unwrap();

    talk.ada
        .get(&talk.path(&format!("cursor={cursor}")))
        .await
        .is_error(400, "INVALID_CURSOR");
    let elsewhere = format!("{}?cursor={cursor}", messages_path(&with_chen));
    talk.bob.get(&elsewhere).await.is_error(400, "INVALID_CURSOR");
    talk.bob
        .get(&format!("/api/conversations?cursor={cursor}"))
        .await
        .is_error(400, "INVALID_CURSOR");
    for index in 0..cursor.len() {
        let other = if &cursor[index..=index] == "A" { "B" } else { "A" };
        let tampered = format!("{}{other}{}", &cursor[..index], &cursor[index + 1..]);
        let answer = talk
            .bob
            .get(&talk.path(&format!("page_size=2&cursor={tampered}")))
            .await;
        answer.is_error(400, "INVALID_CURSOR");
    }
    for garbage in [
        "",
        "x",
        "%00",
        "AAAA",
        &cursor[..cursor.len() - 4],
        &format!("{cursor}AAAA"),
        &"A".repeat(3000),
    ] {
        talk.bob
            .get(&talk.path(&format!("cursor={garbage}")))
            .await
            .is_error(400, "INVALID_CURSOR");
    }
}
