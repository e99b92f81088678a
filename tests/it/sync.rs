//! Catching up: `GET /api/events`, and `resume` on a WebSocket, with the same content.

mod limits;
mod randomly;
mod resume;
mod telling;
mod waiting;

use std::collections::{BTreeMap, BTreeSet};

use harness::Person;
use serde_json::Value;

/// A client that keeps up: its last token, and everything that it got.
struct Follower<'a> {
    person: &'a Person,
    token: String,
    told: Vec<Value>,
}

impl<'a> Follower<'a> {
    /// Starts now.
    async fn of(person: &'a Person) -> Self {
        let page = person.get("/api/events").await.is(200);
        assert_eq!(
            (&page["events"], &page["has_more"], &page["recovered"]),
            (&NONE, &false.into(), &true.into())
        );
        Self {
            person,
            token: token(&page),
            told: Vec::new(),
        }
    }

    /// One more page.
    async fn page(&mut self, limit: usize) -> Value {
        let path = format!("/api/events?after={}&limit={limit}", self.token);
        let page = self.person.get(&path).await.is(200);
        let events = page["events"].as_array().unwrap();
        assert!(
            events.len() <= limit,
            "{} events on a page of {limit}",
            events.len()
        );
        self.told.extend(events.iter().cloned());
        self.token = token(&page);
        page
    }

    /// Pages until there is no more; returns the events.
    async fn catch_up(&mut self, limit: usize) -> Vec<Value> {
        let known = self.told.len();
        for _ in 0..2000 {
            let page = self.page(limit).await;
            assert_eq!(page["recovered"], true);
            if page["has_more"] == false {
                return self.told[known..].to_vec();
            }
            assert_ne!(page["events"], NONE, "there is more, and nothing comes");
        }
        panic!("pages without an end");
    }

    /// Checks that the received events equal the logs of this person's conversations: each entry once and in order,
    /// each opening once and first, and the last read mark of each member, once.
    async fn knows_everything(&self, conversations: &[&str]) {
        let mut logs: BTreeMap<&str, Vec<(u64, String)>> = BTreeMap::new();
        let mut reads: BTreeMap<(&str, String), Vec<u64>> = BTreeMap::new();
        for event in &self.told {
            let seq = event["seq"].as_u64().unwrap();
            match event["type"].as_str().unwrap() {
                "message_read" => {
                    let key = (conversation_of(event), event["user_id"].to_string());
                    reads.entry(key).or_default().push(seq);
                }
                frame_type => logs
                    .entry(conversation_of(event))
                    .or_default()
                    .push((seq, frame_type.to_owned())),
            }
        }
        let told: BTreeSet<&str> = logs.keys().copied().collect();
        assert_eq!(
            told,
            conversations.iter().copied().collect(),
            "the conversations that were told of"
        );
        for (conversation, told) in logs {
            let (entries, cursors) = log(self.person, conversation).await;
            let mut expected = vec![(0, "conversation_created".to_owned())];
            expected.extend(entries);
            assert_eq!(told, expected, "in {conversation}");
            for (reader, seq) in cursors {
                let of_reader = reads.remove(&(conversation, reader)).unwrap_or_default();
                assert!(
                    of_reader.is_sorted_by(|one, next| one < next),
                    "reads {of_reader:?}"
                );
                assert_eq!(
                    of_reader.last().copied().unwrap_or(0),
                    seq,
                    "the last read in {conversation}"
                );
            }
        }
        assert!(reads.is_empty(), "{reads:?}");
    }
}

const NONE: Value = Value::Array(Vec::new());

fn token(page: &Value) -> String {
    page["next"].as_str().unwrap().to_owned()
}

fn conversation_of(event: &Value) -> &str {
    event["conversation_id"]
        .as_str()
        .or_else(|| event["conversation"]["id"].as_str())
        .unwrap()
}

/// The whole log of a conversation, and the read marks.
async fn log(person: &Person, conversation: &str) -> (Vec<(u64, String)>, Vec<(String, u64)>) {
    let mut entries = Vec::new();
    loop {
        let after = entries.len();
        let path = format!("/api/conversations/{conversation}/events?after_seq={after}&limit=100");
        let page = person.get(&path).await.is(200);
        for event in page["events"].as_array().unwrap() {
            entries.push((
                event["seq"].as_u64().unwrap(),
                event["type"].as_str().unwrap().to_owned(),
            ));
        }
        if page["has_more"] == false {
            let cursors = page["cursors"].as_array().unwrap().iter();
            let cursors = cursors.map(|cursor| {
                (
                    cursor["user_id"].to_string(),
                    cursor["last_read_seq"].as_u64().unwrap(),
                )
            });
            return (entries, cursors.collect());
        }
    }
}

async fn delete(person: &Person, conversation: &str, message: &Value) {
    let id = message["id"].as_str().unwrap();
    person
        .delete(&format!("/api/conversations/{conversation}/messages/{id}"))
        .await
        .is(204);
}
