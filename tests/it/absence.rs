//! Offline members, and faults of queues: duplicated, late, failing and malformed jobs.

mod missed;
mod queues;

use harness::{Person, World};
use serde_json::Value;

/// A person's missed messages of a conversation, as stored (`shared/src/store/keys.rs`).
async fn missed(world: &World, person: &Person, conversation: &str) -> Option<Value> {
    let partition = format!("U#{}#NOTE", person.id);
    world.stored(&partition, &format!("MISSED#{conversation}")).await
}

/// The number of the newest missed message.
async fn missed_seq(world: &World, person: &Person, conversation: &str) -> Option<u64> {
    let item = missed(world, person, conversation).await?;
    Some(item["q"]["N"].as_str().unwrap().parse().unwrap())
}
