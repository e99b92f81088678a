//! Every fault between an administrator's action and the services: the action takes effect completely or not at all, is
//! audited once, and is delivered to all (design §8).

use std::sync::Arc;

use harness::faults::{Fault, Faults, Point};
use harness::{Person, Socket, World};
use serde_json::{Value, json};

use super::{audit_log, id, is_valid, log, talk};

/// An administrator's action on a message.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Operation {
    Block,
    HardDelete,
}

/// Ada and Bob, a message between them, and an administrator.
struct Fixture {
    world: World,
    faults: Arc<Faults>,
    ada: Person,
    admin: Person,
    conversation: String,
    message: Value,
    socket: Socket,
}

impl Fixture {
    async fn new() -> Self {
        let world = World::start().await;
        let (ada, bob, admin, conversation, message) = talk(&world).await;
        let socket = bob.connect().await;
        // The day of the audit log has its first entry.
        admin.get("/api/admin/audit").await.is(200);
        let faults = Faults::install(world.services());
        faults.settle(world.services()).await;
        Self {
            world,
            faults,
            ada,
            admin,
            conversation,
            message,
            socket,
        }
    }

    /// One attempt; returns its status.
    async fn tries(&self, operation: Operation) -> u16 {
        let path = format!("/api/admin/messages/{}", id(&self.message));
        let request = match operation {
            Operation::Block => {
                let body = json!({ "moderation_status": "blocked", "reason": "A story" });
                self.admin
                    .request("POST", &format!("{path}/moderate"))
                    .json(&body)
            }
            Operation::HardDelete => self.admin.request("DELETE", &format!("{path}/hard-delete")),
        };
        request.send().await.unwrap().status().as_u16()
    }

    /// Retries until it is acknowledged, as a client does.
    async fn insists(&self, operation: Operation) {
        for _ in 0..5 {
            match self.tries(operation).await {
                200 => return,
                500 | 503 => {}
                other => panic!("{operation:?} is answered {other}"),
            }
        }
        panic!("{operation:?} is refused again and again");
    }

    /// Whether it took effect, in the log, on the message and in the audit log alike.
    async fn has_done(&self, operation: Operation) -> bool {
        let (told_as, action) = match operation {
            Operation::Block => ("message_moderated", "messages.moderate"),
            Operation::HardDelete => ("message_deleted", "messages.hard_delete"),
        };
        let log = log(&self.ada, &self.conversation).await;
        let told = log.iter().filter(|event| event["type"] == told_as).count();
        let audited = audit_log(&self.admin, &format!("action={action}")).await;
        let audited = audited
            .iter()
            .filter(|entry| entry["before"] != entry["after"])
            .count();
        let is_hidden = log[0]["message"]["content"].is_null();
        assert!(
            told <= 1 && audited == told && is_hidden == (told == 1),
            "{told} {audited} {log:#?}"
        );
        is_valid(&self.admin).await;
        told == 1
    }
}

/// Performs the operation once for each call and fault, until it is acknowledged; and once for each of its own calls,
/// abandoning the only attempt there.
async fn survives(operation: Operation) {
    let fixture = Fixture::new().await;
    fixture.faults.watch();
    fixture.insists(operation).await;
    fixture.faults.settle(fixture.world.services()).await;
    let points: Vec<Point> = fixture.faults.seen();
    assert!(points.len() >= 8, "{points:?}");
    for (index, point) in points.iter().enumerate() {
        for fault in Fault::at(point, index) {
            let mut fixture = Fixture::new().await;
            fixture.faults.inject(point, fault);
            fixture.insists(operation).await;
            fixture.faults.settle(fixture.world.services()).await;
            assert!(fixture.faults.clear(), "{fault:?} at {point} is never met");
            assert!(fixture.has_done(operation).await, "{fault:?} at {point}");
            let frames = fixture.socket.so_far().await;
            let told = frames
                .iter()
                .any(|frame| frame["message_id"] == fixture.message["id"]);
            assert!(told, "{fault:?} at {point}: {frames:#?}");
        }
        if !point.is_of_a_job() {
            for fault in [Fault::DiesBefore, Fault::DiesAfter] {
                let fixture = Fixture::new().await;
                fixture.faults.inject(point, fault);
                fixture.tries(operation).await;
                fixture.faults.settle(fixture.world.services()).await;
                fixture.has_done(operation).await;
            }
        }
    }
}

#[tokio::test]
async fn a_block_survives_everything() {
    survives(Operation::Block).await;
}

#[tokio::test]
async fn a_hard_deletion_survives_everything() {
    survives(Operation::HardDelete).await;
}
