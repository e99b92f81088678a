//! The queues as pollers and tests use them, under a clock of the test's own.

use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};
use std::time::Duration;

use super::{queue, services};
use crate::{Delivery, Outgoing, QueueError, QueueSpec, Queues, Received, Services, State};

/// Services with `fanout` and its dead-letter queue, and a clock that stands still until moved.
struct Stopped {
    services: Services,
    now_ms: Arc<AtomicI64>,
}

impl Stopped {
    fn new() -> Self {
        let services = services();
        services.create_queue(queue("fanout-dead"));
        services.create_queue(QueueSpec {
            max_receive_count: Some(2),
            dead_letter_queue: Some("fanout-dead".to_owned()),
            ..queue("fanout")
        });
        let now_ms = Arc::new(AtomicI64::new(1_000_000_000));
        let clock = Arc::clone(&now_ms);
        services
            .queues()
            .set_clock(Arc::new(move || clock.load(Ordering::SeqCst)));
        Self { services, now_ms }
    }

    fn queues(&self) -> &Queues {
        self.services.queues()
    }

    fn send(&self, body: &str) -> String {
        self.queues()
            .send(
                "fanout",
                &Outgoing {
                    body: body.to_owned(),
                    ..Outgoing::default()
                },
            )
            .unwrap()
    }

    fn pass_seconds(&self, seconds: i64) {
        self.now_ms.fetch_add(seconds * 1000, Ordering::SeqCst);
        self.queues().clock_moved();
    }

    async fn receive(&self, queue: &str) -> Vec<Received> {
        self.queues().receive(queue, 10, Duration::ZERO).await.unwrap()
    }
}

#[tokio::test]
async fn a_message_is_hidden_while_in_flight_and_comes_again() {
    let desk = Stopped::new();
    desk.send("job");
    let first = desk.receive("fanout").await;
    assert_eq!(first[0].attributes["ApproximateReceiveCount"], "1");

    desk.pass_seconds(29);
    assert!(desk.receive("fanout").await.is_empty());
    assert_eq!(desk.queues().depth("fanout").unwrap().in_flight, 1);
    desk.pass_seconds(1);
    let second = desk.receive("fanout").await;

    assert_eq!(second[0].message_id, first[0].message_id);
    assert_eq!(second[0].attributes["ApproximateReceiveCount"], "2");
    desk.queues().delete("fanout", &first[0].receipt_handle).unwrap();
    assert_eq!(desk.queues().messages("fanout").unwrap().len(), 1);
    desk.queues().delete("fanout", &second[0].receipt_handle).unwrap();
    assert!(desk.queues().messages("fanout").unwrap().is_empty());
}

#[tokio::test]
async fn a_message_received_too_often_goes_to_the_dead_letters_and_back() {
    let desk = Stopped::new();
    desk.send("poison");
    for _ in 0..2 {
        assert_eq!(desk.receive("fanout").await.len(), 1);
        desk.pass_seconds(30);
    }

    assert!(desk.receive("fanout").await.is_empty());

    let dead = desk.queues().messages("fanout-dead").unwrap();
    assert_eq!((dead[0].body.as_str(), dead[0].state), ("poison", State::Visible));
    desk.queues().idle().await.unwrap();
    assert_eq!(desk.queues().redrive("fanout-dead", "fanout").unwrap(), 1);
    assert_eq!(
        desk.receive("fanout").await[0].attributes["ApproximateReceiveCount"],
        "1"
    );
    assert!(desk.queues().messages("fanout-dead").unwrap().is_empty());
}

#[tokio::test]
async fn a_receiver_wakes_for_a_message_and_for_the_end_of_its_delay() {
    let desk = Stopped::new();
    let receive = || desk.queues().receive("fanout", 10, Duration::from_secs(20));

    let (woken, ()) = tokio::join!(receive(), async {
        tokio::task::yield_now().await;
        desk.send("at once");
    });
    let woken = woken.unwrap();
    assert_eq!(woken[0].body, "at once");
    desk.queues().delete("fanout", &woken[0].receipt_handle).unwrap();

    let later = Outgoing {
        body: "later".to_owned(),
        delay_seconds: Some(60),
        ..Outgoing::default()
    };
    desk.queues().send("fanout", &later).unwrap();
    assert_eq!(desk.queues().depth("fanout").unwrap().delayed, 1);
    let (woken, ()) = tokio::join!(receive(), async {
        tokio::task::yield_now().await;
        desk.pass_seconds(60);
    });
    assert_eq!(woken.unwrap()[0].body, "later");
}

#[tokio::test]
async fn a_receiver_wakes_by_the_real_clock() {
    let services = services();
    services.create_queue(QueueSpec {
        delay_seconds: 1,
        ..queue("offline")
    });
    services
        .queues()
        .send(
            "offline",
            &Outgoing {
                body: "later".to_owned(),
                ..Outgoing::default()
            },
        )
        .unwrap();

    let received = services
        .queues()
        .receive("offline", 1, Duration::from_secs(20))
        .await
        .unwrap();

    assert_eq!(received[0].body, "later");
}

#[tokio::test]
async fn visibility_is_changed_by_the_latest_handle_only() {
    let desk = Stopped::new();
    desk.send("job");
    let handle = desk.receive("fanout").await.remove(0).receipt_handle;

    desk.queues().change_visibility("fanout", &handle, 600).unwrap();
    desk.pass_seconds(599);
    assert!(desk.receive("fanout").await.is_empty());
    desk.queues().change_visibility("fanout", &handle, 0).unwrap();
    assert_eq!(desk.receive("fanout").await.len(), 1);

    let stale = desk.queues().change_visibility("fanout", &handle, 600);
    assert!(matches!(stale, Err(QueueError::NotInFlight)));
}

#[tokio::test]
async fn delayed_and_hidden_messages_can_be_made_visible() {
    let desk = Stopped::new();
    desk.send("hidden");
    desk.receive("fanout").await;
    let later = Outgoing {
        body: "delayed".to_owned(),
        delay_seconds: Some(900),
        ..Outgoing::default()
    };
    desk.queues().send("fanout", &later).unwrap();

    assert_eq!(desk.queues().make_visible_now("fanout").unwrap(), 2);

    assert_eq!(desk.receive("fanout").await.len(), 2);
}

#[tokio::test]
async fn old_messages_are_forgotten() {
    let desk = Stopped::new();
    desk.send("job");
    desk.pass_seconds(345_600);

    assert!(desk.receive("fanout").await.is_empty());
    assert!(desk.queues().messages("fanout").unwrap().is_empty());
}

#[tokio::test]
async fn idle_waits_for_visible_and_in_flight_messages_only() {
    let desk = Stopped::new();
    let later = Outgoing {
        body: "later".to_owned(),
        delay_seconds: Some(900),
        ..Outgoing::default()
    };
    desk.queues().send("fanout", &later).unwrap();
    desk.queues().idle().await.unwrap();
    desk.send("job");
    let handle = desk.receive("fanout").await.remove(0).receipt_handle;

    let idle = desk.queues().idle();
    tokio::pin!(idle);
    assert!(futures::poll!(&mut idle).is_pending());
    desk.queues().delete("fanout", &handle).unwrap();

    idle.await.unwrap();
}

#[tokio::test]
async fn a_message_that_is_given_up_hides_and_is_no_work() {
    let desk = Stopped::new();
    desk.send("job");
    let handle = desk.receive("fanout").await.remove(0).receipt_handle;

    let at_rest = desk.queues().at_rest();
    tokio::pin!(at_rest);
    assert!(futures::poll!(&mut at_rest).is_pending());
    desk.queues().give_up("fanout", &handle).unwrap();

    at_rest.await.unwrap();
    assert!(desk.receive("fanout").await.is_empty(), "it hides still");
    assert!(
        futures::poll!(std::pin::pin!(desk.queues().idle())).is_pending(),
        "and is not done"
    );
    desk.pass_seconds(30);
    assert_eq!(desk.receive("fanout").await.len(), 1);
}

#[tokio::test]
async fn queues_can_misbehave_as_standard_queues_may() {
    let desk = Stopped::new();
    desk.queues().set_delivery(Delivery::DuplicatedAndShuffled);
    let sent: Vec<_> = (0..20).map(|n| desk.send(&n.to_string())).collect();

    let received = desk
        .queues()
        .receive("fanout", 100, Duration::ZERO)
        .await
        .unwrap();

    let ids: Vec<_> = received.into_iter().map(|message| message.message_id).collect();
    let mut twice = [sent.clone(), sent].concat();
    assert_ne!(ids, twice);
    let mut sorted = ids;
    sorted.sort();
    twice.sort();
    assert_eq!(sorted, twice);
}

#[tokio::test]
async fn messages_come_in_the_order_of_sending() {
    let desk = Stopped::new();
    for n in 0..20 {
        desk.send(&n.to_string());
    }

    let received = desk
        .queues()
        .receive("fanout", 100, Duration::ZERO)
        .await
        .unwrap();

    let bodies: Vec<_> = received.into_iter().map(|message| message.body).collect();
    assert_eq!(bodies, (0..20).map(|n| n.to_string()).collect::<Vec<_>>());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn concurrent_receivers_share_the_messages() {
    let services = services();
    services.create_queue(queue("fanout"));
    let receivers: Vec<_> = (0..4)
        .map(|_| {
            let services = services.clone();
            tokio::spawn(async move {
                let mut ids = Vec::new();
                loop {
                    let received = services
                        .queues()
                        .receive("fanout", 10, Duration::from_secs(20))
                        .await
                        .unwrap();
                    if received.iter().any(|message| message.body == "stop") {
                        return ids;
                    }
                    for message in received {
                        services
                            .queues()
                            .delete("fanout", &message.receipt_handle)
                            .unwrap();
                        ids.push(message.message_id);
                    }
                }
            })
        })
        .collect();
    let enqueue = |body: &str| {
        let message = Outgoing {
            body: body.to_owned(),
            ..Outgoing::default()
        };
        services.queues().send("fanout", &message).unwrap()
    };

    let mut sent: Vec<_> = (0..500).map(|n| enqueue(&n.to_string())).collect();
    services.queues().idle().await.unwrap();
    let mut shared = Vec::new();
    for receiver in receivers {
        // One at a time: a receiver that stops may hold the only message then.
        while !receiver.is_finished() {
            enqueue("stop");
            tokio::task::yield_now().await;
        }
        shared.extend(receiver.await.unwrap());
    }

    sent.sort();
    shared.sort();
    assert_eq!(shared, sent);
}
