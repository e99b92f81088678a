//! The API compared with a simple model of contract §2: random operations of four people in a group and in direct
//! conversations, compared after every few steps.

mod compare;
mod operations;
mod reference;

use std::collections::BTreeMap;
use std::sync::{Arc, LazyLock};

use futures::future::join_all;
use harness::{Person, World};
use proptest::test_runner::{Config, TestRunner};
use serde_json::{Value, json};

use self::operations::{Operation, operation};
use self::reference::{Conversation, Entry, Message};

/// How many people a case has; the first three are in the group.
const PEOPLE: usize = 4;
/// How many operations pass between two comparisons.
const COMPARE_EVERY: usize = 8;
/// How many cases, unless `PROPTEST_CASES` says otherwise.
const CASES: u32 = 12;

/// Four new people, and what they should see.
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

    /// Performs an operation, and compares the response with the model.
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
                // Unique for each sender and content, so that nothing is reused by accident.
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

    /// A message: its conversation, and its index.
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
}

/// Design §9: unread counts equal the model's; one order for everybody. S1-E02, S1-E03, S1-E05, S1-E06.
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
