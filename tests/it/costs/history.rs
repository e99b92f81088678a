//! The costs of operations with a short and with a long history: the same.

use harness::ledger::Ledger;
use harness::{Person, World, history};
use serde_json::Value;

use super::{Cost, Table, world};

/// A conversation with a history, and its two members.
struct Talk {
    ada: Person,
    bob: Person,
    conversation: String,
    messages: Vec<Value>,
}

impl Talk {
    /// A conversation with so many messages, the last four of which are its own to mark and delete.
    async fn of_length(world: &World, length: u64) -> Self {
        let [ada, bob] = world.people(["ada", "bob"]).await;
        let conversation = ada.open_direct(&bob).await;
        ada.says(&conversation, "first").await;
        history::lengthen(world.services(), &conversation, length - 4).await;
        let mut messages = Vec::new();
        for content in ["one", "two", "three", "four"] {
            messages.push(ada.says(&conversation, content).await);
        }
        assert_eq!(messages[3]["seq"], length);
        Self {
            ada,
            bob,
            conversation,
            messages,
        }
    }

    /// Every operation on the conversation, twice, so that warm functions are measured.
    async fn operations(&self, world: &World, ledger: &Ledger) -> Vec<(&'static str, Cost)> {
        let Self { ada, bob, .. } = self;
        let path = |rest: &str| format!("/api/conversations/{}{rest}", self.conversation);
        let last = self.messages[3]["seq"].as_u64().unwrap();
        let token = bob.get("/api/events").await.is(200)["next"].clone();
        let token = token.as_str().unwrap();
        let reads = [
            ("messages: newest page", path("/messages?page_size=5")),
            ("messages: second page", path("/messages?page=2&page_size=5")),
            (
                "messages: before a number",
                path("/messages?before_seq=8&page_size=5"),
            ),
            (
                "events: the last five",
                path(&format!("/events?after_seq={}", last - 5)),
            ),
            ("conversation, all unread", path("")),
            ("list of conversations", "/api/conversations".to_owned()),
            ("sync: a token for now", "/api/events".to_owned()),
            (
                "sync: since a token, two new",
                format!("/api/events?after={token}"),
            ),
        ];
        let mut costs = Vec::new();
        for (name, path) in &reads {
            if name.contains("two new") {
                ada.says(&self.conversation, "five").await;
                ada.says(&self.conversation, "six").await;
            }
            bob.get(path).await.is(200);
            costs.push((
                *name,
                Cost::of(world, ledger, async { bob.get(path).await.is(200) }).await,
            ));
        }
        ada.says(&self.conversation, "warm").await;
        let sent = Cost::of(world, ledger, ada.says(&self.conversation, "counted"));
        costs.push(("send, recipient away", sent.await));
        bob.open_direct(ada).await;
        let opened = Cost::of(world, ledger, bob.open_direct(ada));
        costs.push(("opening what is open", opened.await));
        bob.reads(&self.conversation, &self.messages[2]).await;
        let read = Cost::of(world, ledger, bob.reads(&self.conversation, &self.messages[3]));
        costs.push(("marking as read, told to the other", read.await));
        bob.sees(&self.conversation).await;
        let seen = Cost::of(world, ledger, bob.sees(&self.conversation));
        costs.push(("conversation, four unread", seen.await));
        let delete = async |message: &Value| {
            let path = path(&format!("/messages/{}", message["id"].as_str().unwrap()));
            ada.delete(&path).await.is(204);
        };
        delete(&self.messages[2]).await;
        let deleted = Cost::of(world, ledger, delete(&self.messages[3]));
        costs.push(("deletion, told to the other", deleted.await));
        costs
    }
}

#[tokio::test]
async fn every_operation_costs_the_same_with_ten_and_with_ten_thousand_messages() {
    let mut costs = Vec::new();
    for length in [10, 10_000] {
        let (world, ledger) = world().await;
        let talk = Talk::of_length(&world, length).await;
        costs.push(talk.operations(&world, &ledger).await);
    }
    let [short, long] = &costs[..] else {
        panic!("two lengths")
    };
    let mut table = Table::new("in a direct conversation of 10,000 messages");
    for (name, cost) in long {
        table.row(name, cost);
    }
    table.print();
    let figures = |costs: &[(&'static str, Cost)]| -> Vec<_> {
        let figures = |(name, cost): &(&'static str, Cost)| {
            let bill = &cost.bill;
            (
                *name,
                bill.reads(),
                bill.writes(),
                bill.calls(),
                cost.queue_requests(),
                cost.invoked(),
            )
        };
        costs.iter().map(figures).collect()
    };
    assert_eq!(figures(short), figures(long));
}
