//! Everything that can go wrong between a decision and its services: it is whole or not there, audited once and told
//! to all (design §8).

use std::sync::Arc;

use harness::faults::{Faults, Misfortune, Point};
use harness::{Person, Socket, World};
use serde_json::{Value, json};

use super::{audit_log, id, is_valid, log, talk};

/// What an administrator does to a message.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Deed {
    Block,
    HardDelete,
}

/// Ada and Bob, what she said to him, and an administrator.
struct Stage {
    world: World,
    faults: Arc<Faults>,
    ada: Person,
    admin: Person,
    conversation: String,
    message: Value,
    socket: Socket,
}

impl Stage {
    async fn set() -> Self {
        let world = World::start().await;
        let (ada, bob, admin, conversation, message) = talk(&world).await;
        let socket = bob.connect().await;
        // The day of the audit log has begun.
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

    /// One attempt; its status.
    async fn tries(&self, deed: Deed) -> u16 {
        let path = format!("/api/admin/messages/{}", id(&self.message));
        let request = match deed {
            Deed::Block => {
                let body = json!({ "moderation_status": "blocked", "reason": "A story" });
                self.admin
                    .request("POST", &format!("{path}/moderate"))
                    .json(&body)
            }
            Deed::HardDelete => self.admin.request("DELETE", &format!("{path}/hard-delete")),
        };
        request.send().await.unwrap().status().as_u16()
    }

    /// Does it as a client does: again and again until it is acknowledged.
    async fn insists(&self, deed: Deed) {
        for _ in 0..5 {
            match self.tries(deed).await {
                200 => return,
                500 | 503 => {}
                other => panic!("{deed:?} is answered {other}"),
            }
        }
        panic!("{deed:?} is refused again and again");
    }

    /// Whether it took place, in the log, on the message and in the audit log alike.
    async fn has_done(&self, deed: Deed) -> bool {
        let (told_as, action) = match deed {
            Deed::Block => ("message_moderated", "messages.moderate"),
            Deed::HardDelete => ("message_deleted", "messages.hard_delete"),
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

/// Does a deed for each call and misfortune, until it is acknowledged; and for each of its own calls, with the only
/// attempt given up there.
async fn survives(deed: Deed) {
    let stage = Stage::set().await;
    stage.faults.watch();
    stage.insists(deed).await;
    stage.faults.settle(stage.world.services()).await;
    let points: Vec<Point> = stage.faults.seen();
    assert!(points.len() >= 8, "{points:?}");
    for (index, point) in points.iter().enumerate() {
        for misfortune in Misfortune::at(point, index) {
            let mut stage = Stage::set().await;
            stage.faults.strike(point, misfortune);
            stage.insists(deed).await;
            stage.faults.settle(stage.world.services()).await;
            assert!(stage.faults.calm(), "{misfortune:?} at {point} is never met");
            assert!(stage.has_done(deed).await, "{misfortune:?} at {point}");
            let frames = stage.socket.so_far().await;
            let told = frames
                .iter()
                .any(|frame| frame["message_id"] == stage.message["id"]);
            assert!(told, "{misfortune:?} at {point}: {frames:#?}");
        }
        if !point.is_of_a_job() {
            for misfortune in [Misfortune::DiesBefore, Misfortune::DiesAfter] {
                let stage = Stage::set().await;
                stage.faults.strike(point, misfortune);
                stage.tries(deed).await;
                stage.faults.settle(stage.world.services()).await;
                stage.has_done(deed).await;
            }
        }
    }
}

#[tokio::test]
async fn a_block_survives_everything() {
    survives(Deed::Block).await;
}

#[tokio::test]
async fn a_hard_deletion_survives_everything() {
    survives(Deed::HardDelete).await;
}
