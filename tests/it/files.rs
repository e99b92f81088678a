//! Files: uploads, access and removal (contract §4, *attachments*).

mod at_once;
mod downloading;
mod dying;
mod orphans;
mod uploading;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use harness::World;
use serde_json::json;
use uuid::Uuid;

/// Attaches a file to a message, in the transaction that stores the message.
async fn brings(world: &World, file: &str, conversation: &str, seq: u64) {
    let conversation: Uuid = conversation.parse().unwrap();
    let place = [&conversation.as_bytes()[..], &seq.to_be_bytes()].concat();
    let mut item = world.stored(&format!("F#{file}"), "FILE").await.unwrap();
    let mut places = item["r"]["BS"].as_array().cloned().unwrap_or_default();
    places.push(json!(STANDARD.encode(place)));
    item["r"] = json!({ "BS": places });
    world.store(&[item]).await;
}

/// The keys of all objects.
fn objects(world: &World) -> Vec<String> {
    world
        .services()
        .objects()
        .keys(local::environment::BUCKET)
        .unwrap()
}
