//! The fixture of the fault tests: a few people in a conversation, and checks that must hold after any fault.

use std::sync::Arc;

use harness::faults::Faults;
use harness::{Person, Socket, World};
use serde_json::{Value, json};

use super::asking::{
    adds_up, assert_dense, attempt, conversation_of, fact, frame_seq, is_entry, log, read_up_to, sync,
    unread_of,
};

/// The operations.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Operation {
    /// A message is sent.
    Send,
    /// One's own message is deleted.
    Delete,
    /// The last member reads the first message.
    Read,
    /// Ada opens a direct conversation with somebody new to her.
    OpenDirect,
    /// Ada opens a group.
    OpenGroup,
    /// A message is sent for a credit.
    Pay,
    /// Ada sends one to somebody she has never written to.
    PayNewcomer,
    /// The last member marks the first message as delivered.
    MarkDelivered,
    /// The last member reads the first message individually.
    MarkRead,
    /// Ada is granted credits.
    Grant,
}

/// Everybody's initial credits.
const CREDITS: u64 = 100;
/// The amount of the grant.
const GRANT: u64 = 7;

/// The kind of conversation.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum ConversationKind {
    /// A group of three with messages.
    Group,
    /// A direct conversation with messages.
    Direct,
    /// A direct conversation without messages.
    Empty,
}

/// People in a conversation; the last one has no connection.
pub(super) struct Fixture {
    pub(super) world: World,
    pub(super) faults: Arc<Faults>,
    pub(super) members: Vec<Person>,
    newcomer: Person,
    admin: Person,
    pub(super) conversation: String,
    /// The messages that existed before.
    pub(super) before: Vec<Value>,
    /// Each member's sync token from before.
    tokens: Vec<String>,
    /// The connections of all members but the last.
    sockets: Vec<Socket>,
    /// The frames of each connection.
    frames: Vec<Vec<Value>>,
}

/// An acknowledged operation.
#[derive(Clone, Debug)]
pub(super) struct Acknowledged {
    pub(super) attempts: usize,
    pub(super) answer: Value,
}

impl Fixture {
    pub(super) async fn new(kind: ConversationKind) -> Self {
        // Limits that nobody reaches, so that the calls that check them are included.
        let world = World::with(&[
            ("RATE_LIMIT_SENDS_PER_MINUTE", "100000"),
            ("RATE_LIMIT_REQUESTS_PER_MINUTE", "100000"),
            ("CREDITS_INITIAL", &CREDITS.to_string()),
        ])
        .await;
        let [ada, bob, cem, newcomer] = world.people(["ada", "bob", "cem", "dan"]).await;
        let admin = world.with_roles("eva", &["admin"]).await;
        let faults = Faults::install(world.services());
        let (members, conversation) = if kind == ConversationKind::Group {
            let conversation = ada.open_group("circle", &[&bob, &cem]).await;
            (vec![ada, bob, cem], conversation)
        } else {
            let conversation = ada.open_direct(&bob).await;
            (vec![ada, bob], conversation)
        };
        let mut before = Vec::new();
        if kind != ConversationKind::Empty {
            before.push(members[0].says(&conversation, "the first").await);
            before.push(members[1].says(&conversation, "the second").await);
        }
        faults.settle(world.services()).await;
        let mut sockets = Vec::new();
        for member in &members[..members.len() - 1] {
            sockets.push(member.connect().await);
        }
        let mut tokens = Vec::new();
        for member in &members {
            let sync = member.get("/api/events").await.is(200);
            tokens.push(sync["next"].as_str().unwrap().to_owned());
        }
        Self {
            world,
            faults,
            members,
            newcomer,
            admin,
            conversation,
            before,
            tokens,
            frames: vec![Vec::new(); sockets.len()],
            sockets,
        }
    }

    fn last(&self) -> &Person {
        &self.members[self.members.len() - 1]
    }

    /// The content of a member's message.
    pub(super) fn words(who: usize) -> &'static str {
        ["sent", "sent meanwhile"][who]
    }

    /// A member's request with any result: status and body.
    pub(super) async fn tries(&self, who: usize, operation: Operation) -> (u16, Value) {
        let person = &self.members[who];
        let messages = format!("/api/conversations/{}/messages", self.conversation);
        let id = |index: usize| self.before[index]["id"].as_str().unwrap();
        let request = match operation {
            Operation::Send => {
                let body = json!({ "content": Self::words(who), "client_message_id": "the-same-each-time" });
                person.request("POST", &messages).json(&body)
            }
            Operation::Delete => person.request("DELETE", &format!("{messages}/{}", id(who))),
            Operation::Read => {
                let path = format!("/api/conversations/{}/read", self.conversation);
                self.last()
                    .request("PATCH", &path)
                    .json(&json!({ "message_id": id(0) }))
            }
            Operation::OpenDirect => {
                person.request("POST", &format!("/api/conversations/dm/{}", self.newcomer.id))
            }
            Operation::Pay | Operation::PayNewcomer => {
                let receiver = if operation == Operation::Pay {
                    &self.members[1 - who]
                } else {
                    &self.newcomer
                };
                let body = json!({
                    "receiver_id": receiver.id, "content": Self::words(who), "client_message_id": "the-same-each-time"
                });
                person.request("POST", "/api/v2/messages/send").json(&body)
            }
            Operation::MarkDelivered => {
                let path = format!("/api/v2/messages/mark-delivered/{}", id(0));
                self.last().request("POST", &path)
            }
            Operation::MarkRead => {
                let body = json!({ "message_ids": [id(0)] });
                self.last()
                    .request("POST", "/api/v2/messages/mark-read")
                    .json(&body)
            }
            Operation::Grant => {
                let path = format!("/api/admin/credits/{}/grant", person.id);
                let body =
                    json!({ "amount": GRANT, "reason": "x", "client_reference": "the-same-each-time" });
                self.admin.request("POST", &path).json(&body)
            }
            Operation::OpenGroup => {
                let body = json!({ "name": "new", "member_ids": [self.members[1].id, self.newcomer.id] });
                person.request("POST", "/api/conversations").json(&body)
            }
        };
        attempt(request).await
    }

    /// Retries until it is acknowledged, as a client does.
    pub(super) async fn does(&self, who: usize, operation: Operation) -> Acknowledged {
        for attempts in 1..=5 {
            let (status, answer) = self.tries(who, operation).await;
            match status {
                200..=299 => return Acknowledged { attempts, answer },
                // The function died, or asked to retry later.
                500 | 503 => {}
                _ => panic!("{operation:?} is answered {status}: {answer}"),
            }
        }
        panic!("{operation:?} is refused again and again");
    }

    /// Waits until all jobs are done, and checks the state after the operation.
    pub(super) async fn comes_out_right(&mut self, operation: Operation, acknowledged: &Acknowledged) {
        self.faults.settle(self.world.services()).await;
        match operation {
            Operation::Send | Operation::Pay => {
                let log = self.agrees(self.before.len() + 1).await;
                let last = &log[log.len() - 1];
                assert_eq!(last["message"]["content"], "sent");
                assert_eq!(last["message"]["id"], acknowledged.answer["id"]);
                assert_eq!(last["seq"], acknowledged.answer["seq"]);
                let note = self.missed().await;
                assert_eq!(note.as_ref(), last["seq"].as_u64().as_ref(), "what was missed");
                let paid = u64::from(operation == Operation::Pay);
                assert_eq!(
                    adds_up(&self.members[0]).await,
                    CREDITS - paid,
                    "one message, one debit"
                );
            }
            Operation::PayNewcomer => {
                self.agrees(self.before.len()).await;
                let conversation = acknowledged.answer["conversation_id"].as_str().unwrap();
                let log = log(&self.newcomer, conversation).await;
                assert_dense(&log);
                assert_eq!(log.len(), 1);
                assert_eq!(log[0]["message"]["id"], acknowledged.answer["id"]);
                let id = acknowledged.answer["conversation_id"].clone();
                self.shows("conversation_created", "conversation", &id).await;
                assert_eq!(
                    adds_up(&self.members[0]).await,
                    CREDITS - 1,
                    "one message, one debit"
                );
            }
            Operation::MarkDelivered => {
                self.agrees(self.before.len()).await;
                self.came("message_status", "status", &json!("delivered")).await;
                assert_eq!(acknowledged.answer["status"], "delivered");
            }
            Operation::MarkRead => {
                self.agrees(self.before.len()).await;
                assert_eq!(acknowledged.answer["success"], true);
                self.shows("message_read", "user_id", &json!(self.last().id))
                    .await;
                self.came("message_status", "status", &json!("read")).await;
            }
            Operation::Grant => {
                self.agrees(self.before.len()).await;
                assert_eq!(acknowledged.answer["balance"], CREDITS + GRANT);
                assert_eq!(adds_up(&self.members[0]).await, CREDITS + GRANT, "granted once");
            }
            Operation::Delete => {
                let log = self.agrees(self.before.len() + 1).await;
                let last = &log[log.len() - 1];
                assert_eq!(last["type"], "message_deleted");
                assert_eq!(last["message_id"], self.before[0]["id"]);
                assert_eq!(log[0]["message"]["content"], Value::Null);
            }
            Operation::Read => {
                self.agrees(self.before.len()).await;
                assert_eq!(acknowledged.answer["last_read_seq"], 1);
                self.shows("message_read", "user_id", &json!(self.last().id))
                    .await;
            }
            Operation::OpenDirect | Operation::OpenGroup => {
                self.agrees(self.before.len()).await;
                let id = acknowledged.answer["id"].clone();
                self.shows("conversation_created", "conversation", &id).await;
                let open = self.newcomer.get("/api/conversations").await.is(200);
                let open = open["conversations"].as_array().unwrap();
                assert!(open.iter().any(|conversation| conversation["id"] == id));
                if operation == Operation::OpenDirect {
                    assert_eq!(open.len(), 1, "one conversation per pair");
                }
                let participants = if operation == Operation::OpenGroup { 3 } else { 2 };
                for conversation in open {
                    assert_eq!(conversation["participant_count"], participants, "{conversation}");
                }
            }
        }
    }

    /// Checks that the log has this length and is the same for everybody: in the log itself, in a sync from before, in
    /// the frames, and in the unread counts.
    pub(super) async fn agrees(&mut self, length: usize) -> Vec<Value> {
        let log = self.agrees_when_asked().await;
        assert_eq!(log.len(), length, "{log:#?}");
        self.receive().await;
        for frames in &self.frames {
            for event in &log[self.before.len()..] {
                let seq = frame_seq(event);
                let came = frames
                    .iter()
                    .any(|frame| is_entry(frame) && frame_seq(frame) == seq);
                assert!(came, "the frame {seq} did not come: {frames:#?}");
            }
        }
        log
    }

    /// Checks what members get when they ask, whatever was posted.
    pub(super) async fn agrees_when_asked(&self) -> Vec<Value> {
        let log = log(&self.members[0], &self.conversation).await;
        assert_dense(&log);
        let facts: Vec<Value> = log.iter().map(fact).collect();
        let new: Vec<&Value> = facts[self.before.len()..].iter().collect();
        for (index, member) in self.members.iter().enumerate() {
            let theirs = self::log(member, &self.conversation).await;
            assert!(
                theirs.iter().map(fact).eq(facts.iter().cloned()),
                "one log for all"
            );

            let (told, unread) = sync(member, &self.tokens[index]).await;
            let told: Vec<Value> = told
                .iter()
                .filter(|event| is_entry(event) && conversation_of(event) == self.conversation)
                .map(fact)
                .collect();
            assert!(told.iter().eq(new.iter().copied()), "a sync tells {told:?}");

            let seen = member.sees(&self.conversation).await;
            let expected = unread_of(&log, member, read_up_to(&seen, member, &log));
            assert_eq!(seen["unread_count"], expected, "{seen}");
            assert_eq!(
                unread["by_conversation"][&self.conversation]
                    .as_u64()
                    .unwrap_or(0),
                expected
            );
        }
        log
    }

    async fn receive(&mut self) {
        for (socket, frames) in self.sockets.iter_mut().zip(&mut self.frames) {
            frames.extend(socket.so_far().await);
        }
    }

    /// Something that is not a log entry is in everybody's sync and came over every connection.
    async fn shows(&mut self, frame_type: &str, field: &str, value: &Value) {
        let is_it = |frame: &Value| {
            let found = &frame[field];
            frame["type"] == frame_type && (found == value || found["id"] == *value)
        };
        let (told, _) = sync(&self.members[0], &self.tokens[0]).await;
        assert_eq!(
            told.iter().filter(|event| is_it(event)).count(),
            1,
            "a sync tells {told:#?}"
        );
        self.receive().await;
        let frames = &self.frames[0];
        assert!(frames.iter().any(is_it), "the frames were {frames:#?}");
    }

    /// Something that is not part of a sync came over every connection.
    async fn came(&mut self, frame_type: &str, field: &str, value: &Value) {
        self.receive().await;
        for frames in &self.frames {
            let is_it = |frame: &Value| frame["type"] == frame_type && frame[field] == *value;
            assert!(frames.iter().any(is_it), "the frames were {frames:#?}");
        }
    }

    /// The number up to which the last member is recorded as having missed messages.
    async fn missed(&self) -> Option<u64> {
        let partition = format!("U#{}#NOTE", self.last().id);
        let note = self
            .world
            .stored(&partition, &format!("MISSED#{}", self.conversation))
            .await?;
        note["q"]["N"].as_str()?.parse().ok()
    }
}
