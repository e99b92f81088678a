//! Credits: initial balance, prices, grants, and a ledger that adds up (contract §4).

mod grants;
mod many;

use harness::{Person, World};
use serde_json::{Value, json};
use uuid::Uuid;

/// The whole ledger, newest first, page by page.
async fn ledger(person: &Person) -> Vec<Value> {
    let (mut entries, mut path): (Vec<Value>, _) =
        (Vec::new(), "/api/v1/credits/transactions?limit=7".to_owned());
    loop {
        let page = person.get(&path).await.is(200)["data"].clone();
        entries.extend(page["transactions"].as_array().unwrap().iter().cloned());
        assert_eq!(page["has_next"], !page["next_cursor"].is_null());
        let Some(cursor) = page["next_cursor"].as_str() else {
            assert_eq!(page["total"], entries.len());
            return entries;
        };
        path = format!("/api/v1/credits/transactions?limit=7&cursor={cursor}");
    }
}

/// Checks that the ledger adds up, entry by entry, to the balance, which is returned.
async fn adds_up(person: &Person) -> u64 {
    let mut sum = 0;
    for entry in ledger(person).await.iter().rev() {
        let amount = entry["amount"].as_i64().unwrap();
        let expected = if amount < 0 { "debit" } else { "grant" };
        assert_eq!(entry["type"], expected, "{entry}");
        sum += amount;
        assert!(sum >= 0, "the ledger went below zero: {entry}");
        assert_eq!(entry["balance_after"], sum, "{entry}");
    }
    let balance = person.balance().await;
    assert_eq!(
        i64::try_from(balance).unwrap(),
        sum,
        "the ledger does not add up to the balance"
    );
    balance
}

#[tokio::test]
async fn new_people_start_with_what_the_installation_gives_them() {
    let world = World::with(&[("CREDITS_INITIAL", "3")]).await;
    let ada = world.person("ada").await;
    assert_eq!(ada.balance().await, 3);
    assert_eq!(ada.balance().await, 3, "asking again gives nothing more");
    let entries = ledger(&ada).await;
    let [welcome] = entries.as_slice() else {
        panic!("{entries:?}")
    };
    assert_eq!(
        (
            &welcome["type"],
            &welcome["amount"],
            &welcome["balance_after"],
            &welcome["reason"]
        ),
        (&json!("grant"), &json!(3), &json!(3), &json!("initial balance"))
    );

    let world = World::with(&[("CREDITS_INITIAL", "0")]).await;
    let bob = world.person("bob").await;
    assert_eq!(bob.balance().await, 0);
    assert!(ledger(&bob).await.is_empty());
}

/// S2-N01: 1 credit per message; the message and the ledger entry refer to each other.
#[tokio::test]
async fn a_message_costs_a_credit_and_the_ledger_says_which() {
    let world = World::with(&[("CREDITS_INITIAL", "2")]).await;
    let [ada, bob] = world.people(["ada", "bob"]).await;
    let message = ada.writes_to(&bob, "Hello").await.is(200);
    assert_eq!(message["credits_cost"], 1);
    let entries = ledger(&ada).await;
    assert_eq!(entries[0]["id"], message["credits_transaction_id"]);
    assert_eq!(entries[0]["message_id"], message["id"]);
    assert_eq!(
        (
            &entries[0]["type"],
            &entries[0]["amount"],
            &entries[0]["balance_after"]
        ),
        (&json!("debit"), &json!(-1), &json!(1))
    );
    assert_eq!(adds_up(&ada).await, 1);
    assert_eq!(adds_up(&bob).await, 2, "receiving costs nothing");

    // Messages of conversations (S1) are free, and are listed with the others.
    let conversation = message["conversation_id"].as_str().unwrap();
    ada.says(conversation, "For free").await;
    assert_eq!(adds_up(&ada).await, 1);
}

/// S2-N03: `limit` and `skip` on every list, and a cursor.
#[tokio::test]
async fn the_ledger_is_listed_page_by_page() {
    let world = World::with(&[("CREDITS_INITIAL", "20")]).await;
    let [ada, bob] = world.people(["ada", "bob"]).await;
    for number in 0..11 {
        ada.writes_to(&bob, &format!("Message {number}")).await.is(200);
    }
    let all = ledger(&ada).await;
    assert_eq!(all.len(), 12);
    let page = |query: &str| format!("/api/v1/credits/transactions?{query}");
    let second = ada.get(&page("limit=5&skip=5")).await.is(200)["data"].clone();
    assert_eq!(second["transactions"].as_array().unwrap(), &all[5..10]);
    assert_eq!(
        (
            &second["total"],
            &second["limit"],
            &second["skip"],
            &second["has_next"]
        ),
        (&json!(12), &json!(5), &json!(5), &json!(true))
    );
    let behind = ada.get(&page("skip=12")).await.is(200)["data"].clone();
    assert_eq!(
        (&behind["transactions"], &behind["has_next"]),
        (&json!([]), &json!(false))
    );
    ada.get(&page("skip=10001")).await.is_error(400, "PAGE_TOO_DEEP");
    ada.get(&page("limit=0")).await.blames("limit", "out_of_range");
    ada.get(&page("limit=101")).await.blames("limit", "out_of_range");
    let cursor = second["next_cursor"].as_str().unwrap();
    bob.get(&page(&format!("cursor={cursor}")))
        .await
        .is_error(400, "INVALID_CURSOR");
}

/// Nobody can read other people's credits: there is no such route.
#[tokio::test]
async fn everybody_sees_only_their_own_ledger() {
    let world = World::with(&[("CREDITS_INITIAL", "5")]).await;
    let [ada, bob] = world.people(["ada", "bob"]).await;
    ada.writes_to(&bob, "Hello").await.is(200);
    let eve = world.stranger(Uuid::new_v4(), shared::domain::user::Claims::default());
    assert_eq!(adds_up(&eve).await, 5);
}

/// `CREDITS_APPLY_TO`: by default the routes of conversations are free; if direct messages are paid, they cost the same
/// as through the paid route, once for all attempts, and groups stay free.
#[tokio::test]
async fn direct_messages_cost_a_credit_by_every_route_where_the_installation_says_so() {
    let world = World::with(&[("CREDITS_INITIAL", "2")]).await;
    let [ada, bob] = world.people(["ada", "bob"]).await;
    let conversation = ada.open_direct(&bob).await;
    ada.says(&conversation, "Free").await;
    assert_eq!(ada.balance().await, 2);

    let world = World::with(&[("CREDITS_INITIAL", "2"), ("CREDITS_APPLY_TO", "direct_messages")]).await;
    let [ada, bob, cem] = world.people(["ada", "bob", "cem"]).await;
    let conversation = ada.open_direct(&bob).await;
    let group = ada.open_group("free", &[&bob, &cem]).await;
    world.settled().await;
    let mut socket = bob.connect().await;
    for _ in 0..2 {
        ada.says_as(&conversation, "Paid for", "one").await.is(201);
    }
    let frame = socket.next_of("new_message").await;
    assert_eq!(frame["message"]["content"], "Paid for");
    assert_eq!(adds_up(&ada).await, 1);
    ada.says(&group, "To all").await;
    assert_eq!(ada.balance().await, 1);
    ada.writes_to(&bob, "By the paid route").await.is(200);
    let path = format!("/api/conversations/{conversation}/messages");
    let body = json!({ "content": "Too much", "client_message_id": "two" });
    ada.post(&path, body).await.is_error(402, "INSUFFICIENT_CREDITS");
    assert_eq!(ada.messages(&conversation).await.len(), 2);
    // Repeating the first one returns it, whatever the balance is.
    let again = ada.says_as(&conversation, "Paid for", "one").await;
    assert_eq!(again.header("idempotency-replayed"), Some("true"));
    assert_eq!(adds_up(&ada).await, 0);
}
