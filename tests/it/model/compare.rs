//! Comparing everything that people see with the model.

use std::collections::BTreeSet;

use futures::future::join_all;
use serde_json::{Value, json};

use super::reference::{Conversation, Entry, Message};
use super::{PEOPLE, Story};

impl Story {
    /// Compares everything that everybody sees with the model.
    pub(super) async fn compare(&self) {
        join_all((0..PEOPLE).map(async |who| {
            self.compare_list(who).await;
            for conversation in &self.conversations {
                if conversation.members.contains(&who) {
                    self.compare_messages(who, conversation).await;
                    self.compare_events(who, conversation).await;
                } else {
                    let path = format!("/api/conversations/{}", conversation.id);
                    self.people[who].get(&path).await.is_error(404, "NOT_FOUND");
                }
            }
        }))
        .await;
    }

    /// The visible part of a message.
    fn assert_message(
        &self,
        viewer: usize,
        conversation: &Conversation,
        shown: &Value,
        seq: usize,
        message: &Message,
    ) {
        let readers = conversation.readers(seq, message);
        let is_read = if viewer == message.sender {
            !readers.is_empty()
        } else {
            readers.contains(&viewer)
        };
        let content = (!message.is_deleted).then_some(&message.content);
        assert_eq!((&shown["id"], &shown["seq"]), (&json!(message.id), &json!(seq)));
        assert_eq!(shown["sender_id"], json!(self.people[message.sender].id));
        assert_eq!(
            (&shown["content"], &shown["is_deleted"]),
            (&json!(content), &json!(message.is_deleted))
        );
        assert_eq!(shown["client_message_id"], json!(message.client));
        let read_by: BTreeSet<usize> = shown["read_by"]
            .as_array()
            .unwrap()
            .iter()
            .map(|id| self.number(id))
            .collect();
        assert_eq!(
            (&read_by, &shown["read_count"]),
            (&readers, &json!(readers.len()))
        );
        assert_eq!(shown["is_read"], is_read);
    }

    async fn compare_list(&self, who: usize) {
        let mut expected: Vec<&Conversation> = self
            .conversations
            .iter()
            .filter(|conversation| conversation.members.contains(&who))
            .collect();
        expected.sort_by_key(|conversation| std::cmp::Reverse(conversation.active));
        let shown = self.pages(who, "/api/conversations", "conversations", 2).await;
        assert_eq!(shown.len(), expected.len());
        // Conversations that were active in the same millisecond may come in any order.
        let moments: Vec<&str> = shown
            .iter()
            .map(|one| {
                one["last_message_at"]
                    .as_str()
                    .or(one["created_at"].as_str())
                    .expect("a moment")
            })
            .collect();
        assert!(moments.is_sorted_by(|newer, older| newer >= older));
        let distinct = moments.iter().collect::<BTreeSet<_>>().len() == moments.len();
        let ids = |conversations: &[&str]| -> Vec<String> {
            conversations.iter().map(ToString::to_string).collect()
        };
        let mut got: Vec<&str> = shown.iter().map(|one| one["id"].as_str().unwrap()).collect();
        let mut wanted: Vec<&str> = expected.iter().map(|one| one.id.as_str()).collect();
        if !distinct {
            got.sort_unstable();
            wanted.sort_unstable();
        }
        assert_eq!(ids(&got), ids(&wanted));
        let unread = self.people[who].get("/api/events").await.is(200)["unread"].clone();
        let total: usize = expected.iter().map(|conversation| conversation.unread(who)).sum();
        assert_eq!(unread["total"], total);
        for shown in &shown {
            let conversation = expected
                .iter()
                .find(|one| shown["id"] == json!(one.id))
                .expect("it is known");
            assert_eq!(shown["unread_count"], conversation.unread(who));
            assert_eq!(shown["last_seq"], conversation.log.len());
            match conversation.messages().next_back() {
                Some((seq, message)) => {
                    self.assert_message(who, conversation, &shown["last_message"], seq, message);
                }
                None => assert_eq!(shown["last_message"], Value::Null),
            }
            for participant in shown["participants"].as_array().unwrap() {
                let cursor = conversation.cursors.get(&self.number(&participant["user_id"]));
                assert_eq!(
                    participant["last_read_message_id"],
                    json!(cursor.map(|(_, message)| message))
                );
            }
            assert_eq!(self.people[who].sees(&conversation.id).await, *shown);
        }
    }

    /// All items of a list by cursor; the pages by number must agree.
    async fn pages(&self, who: usize, path: &str, field: &str, size: usize) -> Vec<Value> {
        let (mut items, mut cursor, mut page) = (Vec::new(), String::new(), 1);
        let sign = if path.contains('?') { '&' } else { '?' };
        loop {
            let path = format!("{path}{sign}page_size={size}");
            let by_cursor = self.people[who].get(&format!("{path}{cursor}")).await.is(200);
            if !path.contains("_seq") {
                let by_number = self.people[who].get(&format!("{path}&page={page}")).await.is(200);
                for same in [field, "total", "has_next"] {
                    assert_eq!(by_number[same], by_cursor[same], "{path} page {page}");
                }
            }
            items.extend(by_cursor[field].as_array().unwrap().iter().cloned());
            assert_eq!(by_cursor["has_next"], !by_cursor["next_cursor"].is_null());
            match by_cursor["next_cursor"].as_str() {
                Some(next) => cursor = format!("&cursor={next}"),
                None => return items,
            }
            page += 1;
        }
    }

    async fn compare_messages(&self, who: usize, conversation: &Conversation) {
        let path = format!("/api/conversations/{}/messages", conversation.id);
        let newest_first: Vec<(usize, &Message)> = conversation.messages().rev().collect();
        let size = 7.max(newest_first.len() / 4);
        let shown = self.pages(who, &path, "messages", size).await;
        assert_eq!(shown.len(), newest_first.len());
        for (shown, (seq, message)) in shown.iter().zip(&newest_first) {
            self.assert_message(who, conversation, shown, *seq, message);
        }
        let page = self.people[who].get(&format!("{path}?page_size=1")).await.is(200);
        assert_eq!(page["total"], newest_first.len());
        let middle = conversation.log.len() / 2;
        let behind = self
            .pages(who, &format!("{path}?after_seq={middle}"), "messages", size)
            .await;
        let mut before = self
            .pages(
                who,
                &format!("{path}?before_seq={}", middle + 1),
                "messages",
                size,
            )
            .await;
        before.reverse();
        let around: Vec<Value> = before.into_iter().chain(behind).collect();
        assert!(around.iter().eq(shown.iter().rev()), "around {middle}");
    }

    async fn compare_events(&self, who: usize, conversation: &Conversation) {
        let mut events: Vec<Value> = Vec::new();
        loop {
            let path = format!(
                "/api/conversations/{}/events?limit=60&after_seq={}",
                conversation.id,
                events.len()
            );
            let page = self.people[who].get(&path).await.is(200);
            events.extend(page["events"].as_array().unwrap().iter().cloned());
            assert_eq!(page["last_seq"], conversation.log.len());
            for cursor in page["cursors"].as_array().unwrap() {
                assert_eq!(
                    cursor["last_read_seq"],
                    conversation.cursor(self.number(&cursor["user_id"]))
                );
            }
            if page["has_more"] == false {
                break;
            }
        }
        assert_eq!(events.len(), conversation.log.len());
        for ((event, entry), seq) in events.iter().zip(&conversation.log).zip(1..) {
            assert_eq!(event["seq"], seq);
            match entry {
                Entry::Message(message) => {
                    assert_eq!(event["type"], "new_message");
                    self.assert_message(who, conversation, &event["message"], seq, message);
                }
                Entry::Deletion(of) => {
                    let Entry::Message(message) = &conversation.log[of - 1] else {
                        panic!("no message")
                    };
                    assert_eq!(event["type"], "message_deleted");
                    assert_eq!(event["message_id"], json!(message.id));
                }
            }
        }
    }
}
