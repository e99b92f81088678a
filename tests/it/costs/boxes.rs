//! The costs of mail and notifications, with a small and with a large box: the same.

use std::collections::BTreeMap;

use harness::ledger::Ledger;
use harness::{Person, World, boxes};
use serde_json::{Value, json};

use super::{Cost, Table, world};

/// A person with a full box, and a person who writes to them.
struct Mailbox {
    ada: Person,
    bob: Person,
    admin: Person,
}

impl Mailbox {
    async fn of_size(world: &World, size: u64) -> Self {
        let [ada, bob] = world.people(["ada", "bob"]).await;
        let admin = world.with_roles("admin", &["admin"]).await;
        let first = ada.mails(&bob, "first").await;
        boxes::fill(world.services(), &bob, &first, size).await;
        let expected = json!({
            "total": size, "unread": size, "starred": 0, "archived": 0, "sent": 0, "received": size
        });
        assert_eq!(bob.get("/api/v2/messages/stats/summary").await.is(200), expected);
        let last = bob
            .get(&format!("/api/v2/messages?page={}&per_page=1", size.min(9_000)))
            .await
            .is(200);
        assert_eq!(
            last["messages"].as_array().unwrap().len(),
            1,
            "the box is as full as it says"
        );
        Self { ada, bob, admin }
    }

    /// Every operation, twice, so that warm functions are measured.
    async fn operations(&self, world: &World, ledger: &Ledger) -> Vec<(&'static str, Cost)> {
        let Self { ada, bob, admin } = self;
        let mut costs = Vec::new();
        macro_rules! cost {
            ($name:literal, $once:expr) => {{
                $once;
                costs.push(($name, Cost::of(world, ledger, async { $once }).await));
            }};
        }
        cost!("mail: send", drop(ada.mails(bob, "counted").await));
        let mails = bob.folder("inbox").await;
        let mut mails = mails.iter();
        let mut next = || {
            format!(
                "/api/v2/messages/{}",
                mails.next().unwrap()["id"].as_str().unwrap()
            )
        };
        for (name, query) in [
            ("mail: page of the inbox", "per_page=5"),
            ("mail: second page", "per_page=5&page=2"),
            ("mail: page of what is unread", "per_page=5&unread_only=true"),
            ("mail: page of an empty folder", "folder=starred"),
        ] {
            let path = format!("/api/v2/messages?{query}");
            bob.get(&path).await.is(200);
            costs.push((
                name,
                Cost::of(world, ledger, async { bob.get(&path).await.is(200) }).await,
            ));
        }
        cost!(
            "mail: look",
            drop(bob.get(&format!("{}?peek=true", next())).await.is(200))
        );
        cost!("mail: open", drop(bob.get(&next()).await.is(200)));
        cost!(
            "mail: star",
            drop(bob.put(&next(), json!({ "is_starred": true })).await.is(200))
        );
        cost!(
            "mail: archive",
            drop(bob.put(&next(), json!({ "is_archived": true })).await.is(200))
        );
        cost!("mail: delete", drop(bob.delete(&next()).await.is(204)));
        let mut ids: Vec<Value> = bob
            .folder("inbox")
            .await
            .iter()
            .map(|mail| mail["id"].clone())
            .collect();
        ids.truncate(4);
        for (name, is_starred) in [("(warm)", false), ("mail: star four at once", true)] {
            let body = json!({ "message_ids": ids, "is_starred": is_starred });
            let bulk = async { bob.put("/api/v2/messages/bulk", body).await.is(200) };
            let cost = Cost::of(world, ledger, bulk).await;
            if is_starred {
                costs.push((name, cost));
            }
        }
        cost!(
            "mail: statistics",
            drop(bob.get("/api/v2/messages/stats/summary").await.is(200))
        );

        let notifications = bob.notifications().await;
        let mut notifications = notifications.iter();
        let mut next = || {
            let notification = notifications.next().unwrap();
            format!("/api/v2/notifications/{}", notification["id"].as_str().unwrap())
        };
        for (name, query) in [
            ("notifications: page", "per_page=5"),
            (
                "notifications: page of what is unread",
                "per_page=5&unread_only=true",
            ),
        ] {
            let path = format!("/api/v2/notifications?{query}");
            bob.get(&path).await.is(200);
            costs.push((
                name,
                Cost::of(world, ledger, async { bob.get(&path).await.is(200) }).await,
            ));
        }
        cost!("notifications: open", drop(bob.get(&next()).await.is(200)));
        cost!(
            "notifications: mark",
            drop(bob.put(&format!("{}/read", next()), json!({})).await.is(200))
        );
        cost!("notifications: delete", drop(bob.delete(&next()).await.is(204)));
        let system = json!({ "user_id": bob.id, "content": "x" });
        cost!(
            "notifications: from the system",
            drop(
                admin
                    .post("/api/v2/notifications/system", system.clone())
                    .await
                    .is(201)
            )
        );
        cost!(
            "notifications: statistics",
            drop(bob.get("/api/v2/notifications/stats/summary").await.is(200))
        );
        bob.put(
            "/api/v2/notifications/bulk/read",
            json!({ "notification_ids": [uuid::Uuid::new_v4()] }),
        )
        .await
        .is(200);
        let all = async {
            let body = json!({ "all": true });
            bob.put("/api/v2/notifications/bulk/read", body).await.is(200)
        };
        costs.push(("notifications: mark all", Cost::of(world, ledger, all).await));
        cost!(
            "notifications: nothing is unread",
            drop(bob.get("/api/v2/notifications?unread_only=true").await.is(200))
        );
        costs
    }
}

/// S0-W01, S0-W06: up to the two frames of one recipient who is online.
#[tokio::test]
async fn a_mail_costs_two_posts_and_few_reads_up_to_its_frames() {
    let (world, ledger) = world().await;
    let [ada, bob] = world.people(["ada", "bob"]).await;
    let mut device = bob.connect().await;
    let mut send = async || {
        ada.mails(&bob, "counted").await;
        device.next_of("new_message").await;
        device.next_of("new_notification").await;
    };
    send().await;
    let cost = Cost::of(&world, &ledger, send()).await;
    let mut table = Table::new("mail, its recipient online");
    table.row("send", &cost.part("SendMail"));
    table.row("deliver", &cost.part("Deliver"));
    table.row("in all", &cost);
    table.print();
    assert_eq!((cost.posts(), cost.queue_requests(), cost.invoked()), (2, 3, 2));
    assert!(cost.part("Deliver").bill.calls() <= 10, "{cost:#?}");
    assert!(cost.part("Deliver").bill.reads() <= 12.0, "{cost:#?}");
}

/// S0-N01, S0-N02: what others cache costs the same here, whatever the size.
#[tokio::test]
async fn every_operation_on_a_box_costs_the_same_with_ten_and_with_ten_thousand_mails() {
    let mut costs = Vec::new();
    for size in [15, 10_000] {
        let (world, ledger) = world().await;
        let mailbox = Mailbox::of_size(&world, size).await;
        costs.push(mailbox.operations(&world, &ledger).await);
    }
    let [small, large] = &costs[..] else {
        panic!("two sizes")
    };
    let mut table = Table::new("with a box of 10,000 mails");
    for (name, cost) in large {
        table.row(name, cost);
    }
    table.print();
    let figures = |costs: &[(&'static str, Cost)]| -> BTreeMap<&'static str, String> {
        let figures = |(name, cost): &(&'static str, Cost)| {
            let bill = &cost.bill;
            let figures = format!(
                "{} reads, {} writes, {} calls, {} requests of queues, {} invocations",
                bill.reads(),
                bill.writes(),
                bill.calls(),
                cost.queue_requests(),
                cost.invoked()
            );
            (*name, figures)
        };
        costs.iter().map(figures).collect()
    };
    assert_eq!(figures(small), figures(large));
    let of = |name: &str| &large.iter().find(|(known, _)| *known == name).unwrap().1;
    let send = of("mail: send").part("SendMail");
    assert!(send.bill.rounds() <= 3 && send.bill.writes() <= 17.0, "{send:#?}");
    assert!(of("mail: statistics").bill.reads() <= 1.0 + 1.0);
    assert!(of("notifications: mark all").bill.writes() <= 2.0);
}
