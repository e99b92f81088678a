//! Concurrency: nothing is charged twice, no balance goes below zero, and the ledger adds up.

use futures::future::join_all;
use harness::World;
use local_gateway::websocket::WebSocketOptions;
use serde_json::json;

use super::adds_up;

/// Balance 10, 40 concurrent sends: exactly 10 messages, and 30 × 402 (contract §4).
#[tokio::test]
async fn ten_credits_pay_for_ten_of_forty_messages_sent_at_once() {
    let settings = [("CREDITS_INITIAL", "10")];
    let world = World::with_options(&settings, WebSocketOptions::default(), 8).await;
    let [ada, bob] = world.people(["ada", "bob"]).await;
    let send = async |number: usize| {
        loop {
            let body = json!({
                "receiver_id": bob.id, "content": format!("Message {number}"), "client_message_id": format!("m-{number}")
            });
            let answer = ada.post("/api/v2/messages/send", body).await;
            // Too many writers at one ledger: retried, as a client does.
            if answer.status != 503 {
                return answer.status;
            }
        }
    };
    let statuses = join_all((0..40).map(send)).await;
    let count = |status: u16| statuses.iter().filter(|found| **found == status).count();
    assert_eq!((count(200), count(402)), (10, 30), "{statuses:?}");
    assert_eq!(adds_up(&ada).await, 0);
    let path = format!("/api/v2/messages/conversation/{}?limit=100", ada.id);
    let page = bob.get(&path).await.is(200);
    assert_eq!(page["total"], 10);
    let seqs: Vec<u64> = page["messages"]
        .as_array()
        .unwrap()
        .iter()
        .map(|message| message["seq"].as_u64().unwrap())
        .collect();
    assert_eq!(seqs, (1..=10).collect::<Vec<u64>>());
}

/// Concurrent grants, sends to several people and retries: the ledger agrees with the responses.
#[tokio::test]
async fn grants_and_debits_at_once_add_up() {
    let settings = [("CREDITS_INITIAL", "5")];
    let world = World::with_options(&settings, WebSocketOptions::default(), 8).await;
    let admin = world.with_roles("admin", &["admin"]).await;
    let [ada, bob, chen] = world.people(["ada", "bob", "chen"]).await;
    let grant = async |number: usize| {
        let body = json!({ "amount": 2, "reason": "x", "client_reference": format!("g-{}", number / 2) });
        loop {
            let path = format!("/api/admin/credits/{}/grant", ada.id);
            let answer = admin.post(&path, body.clone()).await;
            if answer.status != 503 {
                answer.is(200);
                return;
            }
        }
    };
    let send = async |number: usize| {
        let receiver = if number.is_multiple_of(2) { &bob } else { &chen };
        // Two concurrent attempts for each message.
        let body = json!({
            "receiver_id": receiver.id, "content": format!("{}", number / 4), "client_message_id": format!("m-{}", number / 4)
        });
        loop {
            let answer = ada.post("/api/v2/messages/send", body.clone()).await;
            if answer.status != 503 {
                return (answer.status == 200).then(|| answer.json["id"].clone().to_string());
            }
        }
    };
    let (_, sent) = tokio::join!(join_all((0..12).map(grant)), join_all((0..40).map(send)));
    let sent: std::collections::BTreeSet<String> = sent.into_iter().flatten().collect();
    let left = adds_up(&ada).await;
    // Five initially, plus six grants of two.
    assert_eq!(left + sent.len() as u64, 5 + 6 * 2);
}
