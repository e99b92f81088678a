//! Long histories, created at once, for tests that cost must not grow with them.

mod archive;

pub use archive::Archive;

use std::sync::atomic::{AtomicU64, Ordering};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use local_services::Services;
use serde_json::{Value, json};
use uuid::Uuid;

use crate::table::{TABLE, dynamodb};

/// How many entries are loaded at once.
const BATCH: u64 = 10_000;
/// How many messages an entry's window covers: `shared::domain::unread::Window::MESSAGES`.
const WINDOW: usize = 128;

/// Extends a conversation's log to `length` entries. It must hold exactly one message; the others are copies of it,
/// with their own numbers, ids, windows and locators, as sends would have left them.
///
/// # Panics
/// If the conversation has no first message.
pub async fn lengthen(services: &Services, conversation: &str, length: u64) {
    let partition = format!("L#{conversation}");
    let key = json!({ "pk": { "S": partition }, "sk": { "S": format!("{:012}", 1) } });
    let body = json!({ "TableName": TABLE, "Key": key, "ConsistentRead": true });
    let answer = dynamodb(services, "GetItem", body).await;
    let first = answer.get("Item").expect("the first message").clone();
    let window = bytes(&first["w"]);
    let mark = *window.last().expect("the mark of the first message");
    let conversation = Uuid::parse_str(conversation).expect("the id of a conversation");
    let mut seq = 2;
    while seq <= length {
        let last = length.min(seq + BATCH - 1);
        let mut items = Vec::new();
        for seq in seq..=last {
            let id = fresh_id();
            let seen = usize::try_from(seq).unwrap_or(WINDOW).min(WINDOW);
            let mut window = vec![*window.first().expect("the width of a window")];
            window.resize(1 + seen, mark);
            let mut entry = first.clone();
            entry["sk"] = json!({ "S": format!("{seq:012}") });
            entry["o"] = json!({ "N": seq.to_string() });
            if first["of"]["N"] == "1" {
                entry["of"] = json!({ "N": seq.to_string() });
            }
            entry["i"] = json!({ "B": STANDARD.encode(id.as_bytes()) });
            entry["w"] = json!({ "B": STANDARD.encode(window) });
            items.push(entry);
            items.push(json!({
                "pk": { "S": format!("M#{id}") },
                "sk": { "S": "AT" },
                "c": { "B": STANDARD.encode(conversation.as_bytes()) },
                "q": { "N": seq.to_string() },
                "f": { "B": STANDARD.encode([0; 16]) },
            }));
        }
        services.import(TABLE, items).expect("the items are loaded");
        seq = last + 1;
    }
}

fn bytes(value: &Value) -> Vec<u8> {
    let text = value["B"].as_str().expect("bytes");
    STANDARD.decode(text).expect("base64")
}

/// An id that no message has; evenly distributed, like those of messages.
fn fresh_id() -> Uuid {
    static NEXT: AtomicU64 = AtomicU64::new(0);
    let number = NEXT.fetch_add(1, Ordering::Relaxed);
    Uuid::new_v5(&Uuid::NAMESPACE_OID, &number.to_be_bytes())
}
