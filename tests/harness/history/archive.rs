//! Many conversations over many days, created at once, for searches, statistics and exports.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use local_services::Services;
use serde_json::{Value, json};
use shared::domain::day::Day;
use shared::domain::ids::{ConversationId, UserId};
use shared::domain::time::Timestamp;
use uuid::Uuid;

use super::fresh_id;
use crate::table::TABLE;

/// The size of the archive.
#[derive(Clone, Copy, Debug)]
pub struct Archive {
    /// How many conversations, each between two people of its own.
    pub conversations: u64,
    /// How many days they are active, the last of which is today.
    pub days: u64,
    /// How many messages each has on each day.
    pub messages_a_day: u64,
}

impl Archive {
    /// The total number of messages.
    pub fn messages(&self) -> u64 {
        self.conversations * self.days * self.messages_a_day
    }

    /// Stores the archive, up to `now`; returns the sender of half of the messages of one conversation.
    ///
    /// # Panics
    /// If the table cannot be loaded.
    pub fn store(&self, services: &Services, now: Timestamp) -> Uuid {
        let mut somebody = Uuid::nil();
        for number in 0..self.conversations {
            let mut items = Vec::new();
            let mut pair = [fresh_id(), fresh_id()];
            pair.sort();
            somebody = pair[0];
            self.conversation(number, pair, now, &mut items);
            services.import(TABLE, items).expect("the items are loaded");
        }
        somebody
    }

    fn conversation(&self, number: u64, pair: [Uuid; 2], now: Timestamp, items: &mut Vec<Value>) {
        let [low, high] = pair.map(UserId::from_uuid);
        let conversation = ConversationId::direct(low, high);
        let (partition, log) = (format!("C#{conversation}"), format!("L#{conversation}"));
        let first = Day::of(now).start().milliseconds() - day_ms(self.days - 1);
        items.push(json!({ "pk": text(&partition), "sk": text("HEAD"), "a": count(first), "p": count(2) }));
        for (ordinal, (user, peer)) in [(low, high), (high, low)].into_iter().enumerate() {
            let [.., a, b] = *user.uuid().as_bytes();
            let shard = (u16::from(a) << 8 | u16::from(b)) & 0xfff;
            items.push(json!({
                "pk": text(&partition),
                "sk": text(&format!("MEMBER#{shard:03x}#{user}")),
                "gp": text(&format!("U#{user}")),
                "gs": text(&partition),
                "u": bytes(user.uuid().as_bytes()),
                "o": count(ordinal),
                "j": count(first),
                "p": bytes(peer.uuid().as_bytes()),
                // The first of the two has read the first half.
                "q": count(if ordinal == 0 { self.days * self.messages_a_day / 2 } else { 0 }),
            }));
        }
        let both = [low.uuid().into_bytes(), high.uuid().into_bytes()].concat();
        let [.., last] = *conversation.uuid().as_bytes();
        let mut seq = 0;
        for day in 0..self.days {
            let start = first + day_ms(day);
            let date = Day::of(Timestamp::from_milliseconds(start));
            items.push(json!({
                "pk": text(&format!("D#{date}#{}", last % 4)), "sk": text(&partition), "q": count(seq + 1),
            }));
            for message in 0..self.messages_a_day {
                seq += 1;
                let sender = if message % 2 == 0 { low } else { high };
                let id = fresh_id();
                let said = format!(
                    "conversation {number}, message {seq}: {}",
                    "so it goes on and on ".repeat(6)
                );
                items.push(json!({
                    "pk": text(&log),
                    "sk": text(&format!("{seq:012}")),
                    "a": count(start.min(now.milliseconds())),
                    "o": count(seq),
                    "w": bytes(&[1, 0]),
                    "p": bytes(&both),
                    "i": bytes(id.as_bytes()),
                    "s": bytes(sender.uuid().as_bytes()),
                    "u": text("somebody"),
                    "c": text(&said),
                }));
                items.push(json!({
                    "pk": text(&format!("M#{id}")),
                    "sk": text("AT"),
                    "c": bytes(conversation.uuid().as_bytes()),
                    "q": count(seq),
                    "f": bytes(&[0; 16]),
                }));
            }
        }
    }
}

fn day_ms(days: u64) -> i64 {
    i64::try_from(days).unwrap_or_default() * 24 * 60 * 60 * 1000
}

fn text(value: &str) -> Value {
    json!({ "S": value })
}

#[expect(clippy::needless_pass_by_value, reason = "numbers are copied")]
fn count(value: impl ToString) -> Value {
    json!({ "N": value.to_string() })
}

fn bytes(value: &[u8]) -> Value {
    json!({ "B": STANDARD.encode(value) })
}
