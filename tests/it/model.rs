//! The API against a model of contract §2 so simple that one sees that it is right: random operations of four
//! people in a group and in direct conversations, compared after every few steps.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, LazyLock};

use futures::future::join_all;
use harness::{Person, World};
use proptest::prelude::*;
use proptest::test_runner::{Config, TestRunner};
use serde_json::{Value, json};

/// How many people a case has; the first three are in the group.
const PEOPLE: usize = 4;
/// How many operations pass between two comparisons.
const COMPARE_EVERY: usize = 8;
/// How many cases, unless `PROPTEST_CASES` says otherwise.
const CASES: u32 = 12;

/// Something that somebody does. Indexes are taken modulo what there is.
#[derive(Clone, Debug)]
enum Operation {
    Open {
        who: usize,
        other: usize,
    },
    Send {
        who: usize,
        conversation: usize,
        client: Option<u8>,
        word: u8,
    },
    /// Sends so many that unread counts reach their cap and logs outgrow what their ends remember.
    Burst {
        who: usize,
        conversation: usize,
        count: usize,
    },
    /// Sends one of the messages with a client's id again, as it was.
    Retry {
        message: usize,
    },
    /// Sends another content under an id that is taken.
    Reuse {
        message: usize,
    },
    Delete {
        who: usize,
        conversation: usize,
        message: usize,
    },
    Read {
        who: usize,
        conversation: usize,
        message: usize,
    },
}

fn operation() -> impl Strategy<Value = Operation> {
    let (who, turn) = (0..PEOPLE, 0_usize..1000);
    let who_bursts = who.clone();
    let send = (
        who.clone(),
        turn.clone(),
        proptest::option::of(0_u8..20),
        any::<u8>(),
    );
    let at = (who.clone(), turn.clone(), turn.clone());
    prop_oneof![
        1 => (who.clone(), who).prop_map(|(who, other)| Operation::Open { who, other }),
        8 => send.prop_map(|(who, conversation, client, word)| Operation::Send { who, conversation, client, word }),
        1 => (who_bursts, turn.clone(), 40_usize..90).prop_map(|(who, conversation, count)| Operation::Burst { who, conversation, count }),
        1 => turn.clone().prop_map(|message| Operation::Retry { message }),
        1 => turn.prop_map(|message| Operation::Reuse { message }),
        2 => at.clone().prop_map(|(who, conversation, message)| Operation::Delete { who, conversation, message }),
        3 => at.prop_map(|(who, conversation, message)| Operation::Read { who, conversation, message }),
    ]
}

/// One entry of a log.
#[derive(Clone, Debug)]
enum Entry {
    Message(Message),
    /// The place of the message that was deleted.
    Deletion(usize),
}

#[derive(Clone, Debug)]
struct Message {
    id: String,
    sender: usize,
    content: String,
    client: Option<String>,
    is_deleted: bool,
}

/// A conversation as the contract has it: a log, and a cursor per member.
#[derive(Clone, Debug)]
struct Conversation {
    id: String,
    members: Vec<usize>,
    log: Vec<Entry>,
    cursors: BTreeMap<usize, (usize, String)>,
    /// Counts up with each message and opening of the whole case.
    active: usize,
}

impl Conversation {
    fn messages(&self) -> impl DoubleEndedIterator<Item = (usize, &Message)> {
        self.log
            .iter()
            .enumerate()
            .filter_map(|(index, entry)| match entry {
                Entry::Message(message) => Some((index + 1, message)),
                Entry::Deletion(_) => None,
            })
    }

    fn cursor(&self, who: usize) -> usize {
        self.cursors.get(&who).map_or(0, |(seq, _)| *seq)
    }

    fn unread(&self, who: usize) -> usize {
        let counts = |(seq, message): &(usize, &Message)| {
            *seq > self.cursor(who) && message.sender != who && !message.is_deleted
        };
        self.messages().filter(counts).count().min(99)
    }

    fn readers(&self, seq: usize, message: &Message) -> BTreeSet<usize> {
        let has_read = |who: &&usize| **who != message.sender && self.cursor(**who) >= seq;
        self.members.iter().filter(has_read).copied().collect()
    }
}

/// Four people who have never met, and what they should see.
struct Story {
    people: Vec<Person>,
    conversations: Vec<Conversation>,
    moments: usize,
}

impl Story {
    async fn begin(world: &World) -> Self {
        let people =
            join_all((0..PEOPLE).map(async |index| world.person(&format!("person{index}")).await)).await;
        let id = people[0].open_group("the three", &[&people[1], &people[2]]).await;
        let mut story = Self {
            people,
            conversations: Vec::new(),
            moments: 0,
        };
        story.opened(id, vec![0, 1, 2]);
        story
    }

    fn opened(&mut self, id: String, members: Vec<usize>) {
        self.moments += 1;
        let conversation = Conversation {
            id,
            members,
            log: Vec::new(),
            cursors: BTreeMap::new(),
            active: self.moments,
        };
        self.conversations.push(conversation);
    }

    fn number(&self, id: &Value) -> usize {
        self.people
            .iter()
            .position(|person| *id == json!(person.id))
            .expect("one of the people")
    }

    /// Does an operation, and holds the answer against the model.
    async fn perform(&mut self, operation: &Operation) {
        match *operation {
            Operation::Open { who, other } if who == other => {
                let path = format!("/api/conversations/dm/{}", self.people[other].id);
                self.people[who].post_nothing(&path).await.is(422);
            }
            Operation::Open { who, other } => {
                let path = format!("/api/conversations/dm/{}", self.people[other].id);
                let answer = self.people[who].post_nothing(&path).await;
                let id = answer.json["id"].as_str().expect("an id").to_owned();
                let is_known = self
                    .conversations
                    .iter()
                    .any(|conversation| conversation.id == id);
                assert_eq!(answer.status, if is_known { 200 } else { 201 });
                if !is_known {
                    self.opened(id, vec![who.min(other), who.max(other)]);
                }
            }
            Operation::Send {
                who,
                conversation,
                client,
                word,
            } => {
                let index = conversation % self.conversations.len();
                // An id of its own for each sender and content, so that nothing is reused by accident.
                let client = client.map(|client| format!("{who}-{client}"));
                let content = client.clone().unwrap_or_else(|| format!("word {word}"));
                self.send(who, index, client, content).await;
            }
            Operation::Burst {
                who,
                conversation,
                count,
            } => {
                let index = conversation % self.conversations.len();
                for number in 0..count {
                    self.send(who, index, None, format!("number {number}")).await;
                }
            }
            Operation::Retry { message } => {
                if let Some((index, known)) = self.named(message) {
                    self.send(known.sender, index, known.client, known.content).await;
                }
            }
            Operation::Reuse { message } => {
                if let Some((index, known)) = self.named(message) {
                    let id = self.conversations[index].id.clone();
                    let client = known.client.as_deref().expect("a client's id");
                    let answer = self.people[known.sender]
                        .says_as(&id, "something else", client)
                        .await;
                    answer.is_error(422, "IDEMPOTENCY_KEY_REUSED");
                }
            }
            Operation::Delete {
                who,
                conversation,
                message,
            } => self.delete(who, conversation, message).await,
            Operation::Read {
                who,
                conversation,
                message,
            } => self.read(who, conversation, message).await,
        }
    }

    /// One of the messages with a client's id, and the conversation it is in.
    fn named(&self, turn: usize) -> Option<(usize, Message)> {
        let named: Vec<(usize, &Message)> = self
            .conversations
            .iter()
            .enumerate()
            .flat_map(|(index, conversation)| {
                conversation.messages().map(move |(_, message)| (index, message))
            })
            .filter(|(_, message)| message.client.is_some())
            .collect();
        (!named.is_empty())
            .then(|| named[turn % named.len()])
            .map(|(index, message)| (index, message.clone()))
    }

    /// One of the messages of one of the conversations: which conversation, and its place.
    fn chosen(&self, conversation: usize, message: usize) -> Option<(usize, usize)> {
        let index = conversation % self.conversations.len();
        let places: Vec<usize> = self.conversations[index].messages().map(|(seq, _)| seq).collect();
        (!places.is_empty()).then(|| (index, places[message % places.len()]))
    }

    async fn send(&mut self, who: usize, index: usize, client: Option<String>, content: String) {
        let conversation = &mut self.conversations[index];
        let path = format!("/api/conversations/{}/messages", conversation.id);
        let mut body = json!({ "content": content });
        if let Some(client) = &client {
            body["client_message_id"] = json!(client);
        }
        let answer = self.people[who].post(&path, body).await;
        if !conversation.members.contains(&who) {
            answer.is_error(404, "NOT_FOUND");
            return;
        }
        let known = conversation
            .messages()
            .find(|(_, message)| client.is_some() && message.sender == who && message.client == client)
            .map(|(seq, message)| (seq, message.clone()));
        assert_eq!(answer.header("idempotency-replayed").is_some(), known.is_some());
        let sent = answer.is(201);
        if let Some((seq, message)) = known {
            assert_eq!((&sent["id"], &sent["seq"]), (&json!(message.id), &json!(seq)));
            assert_eq!(sent["is_deleted"], message.is_deleted);
            return;
        }
        self.moments += 1;
        conversation.active = self.moments;
        let id = sent["id"].as_str().expect("an id").to_owned();
        conversation.log.push(Entry::Message(Message {
            id,
            sender: who,
            content,
            client,
            is_deleted: false,
        }));
        assert_eq!(sent["seq"], conversation.log.len());
    }

    async fn delete(&mut self, who: usize, conversation: usize, message: usize) {
        let Some((index, seq)) = self.chosen(conversation, message) else {
            return;
        };
        let conversation = &mut self.conversations[index];
        let Entry::Message(message) = &mut conversation.log[seq - 1] else {
            panic!("no message")
        };
        let path = format!("/api/conversations/{}/messages/{}", conversation.id, message.id);
        let answer = self.people[who].delete(&path).await;
        if !conversation.members.contains(&who) {
            answer.is_error(404, "NOT_FOUND");
        } else if message.sender != who {
            answer.is_error(403, "FORBIDDEN");
        } else {
            answer.is(204);
            if !std::mem::replace(&mut message.is_deleted, true) {
                conversation.log.push(Entry::Deletion(seq));
            }
        }
    }

    async fn read(&mut self, who: usize, conversation: usize, message: usize) {
        let Some((index, seq)) = self.chosen(conversation, message) else {
            return;
        };
        let conversation = &mut self.conversations[index];
        let Entry::Message(message) = &conversation.log[seq - 1] else {
            panic!("no message")
        };
        let id = message.id.clone();
        let path = format!("/api/conversations/{}/read", conversation.id);
        let answer = self.people[who].patch(&path, json!({ "message_id": id })).await;
        if !conversation.members.contains(&who) {
            answer.is_error(404, "NOT_FOUND");
            return;
        }
        if seq > conversation.cursor(who) {
            conversation.cursors.insert(who, (seq, id));
        }
        let (seq, id) = &conversation.cursors[&who];
        let expected = json!({
            "conversation_id": conversation.id, "last_read_message_id": id, "last_read_seq": seq,
            "unread_count": conversation.unread(who),
        });
        assert_eq!(answer.is(200), expected);
    }

    /// Everything that everybody sees, against the model.
    async fn compare(&self) {
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

    /// What one sees of a message.
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
        // Of two that were active within one millisecond, either may come first.
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

    /// All items of a list by its cursor; the pages by number must agree.
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

/// Design §9: unread is what the model says, always; one order for everybody. S1-E02, S1-E03, S1-E05, S1-E06.
#[test]
fn whatever_people_do_everybody_sees_what_the_model_says() {
    static RUNTIME: LazyLock<tokio::runtime::Runtime> = LazyLock::new(|| {
        tokio::runtime::Builder::new_multi_thread()
            .worker_threads(2)
            .enable_all()
            .build()
            .unwrap()
    });
    let world = Arc::new(RUNTIME.block_on(World::start()));
    let default = Config::default();
    let cases = if std::env::var_os("PROPTEST_CASES").is_some() {
        default.cases
    } else {
        CASES
    };
    let config = Config {
        cases,
        max_shrink_iters: 40,
        failure_persistence: None,
        ..default
    };
    let outcome =
        TestRunner::new(config).run(&proptest::collection::vec(operation(), 10..50), |operations| {
            RUNTIME.block_on(async {
                let mut story = Story::begin(&world).await;
                for (index, operation) in operations.iter().enumerate() {
                    story.perform(operation).await;
                    if index % COMPARE_EVERY == COMPARE_EVERY - 1 {
                        story.compare().await;
                    }
                }
                story.compare().await;
            });
            Ok(())
        });
    RUNTIME.block_on(world.settled());
    if let Err(failure) = outcome {
        panic!("{failure}");
    }
}
