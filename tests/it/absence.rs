//! Who was away, and what the queues may do to the jobs: come twice, come late, be refused, be poison.

mod missed;
mod queues;

use harness::{Person, World};
use serde_json::Value;

/// What somebody missed in a conversation, as it is stored (`shared/src/store/keys.rs`).
async fn missed(world: &World, person: &Person, conversation: &str) -> Option<Value> {
    let partition = format!("U#{}#NOTE", person.id);
    world.stored(&partition, &format!("MISSED#{conversation}")).await
}

/// The place of the newest message that somebody missed.
async fn missed_seq(world: &World, person: &Person, conversation: &str) -> Option<u64> {
    let item = missed(world, person, conversation).await?;
    Some(item["q"]["N"].as_str().unwrap().parse().unwrap())
}
