//! Opening connections: stored, but not yet known to API Gateway.

use std::collections::BTreeSet;
use std::sync::Arc;

use futures::future::{BoxFuture, join_all};
use harness::World;
use local_services::{Call, Interceptor, Verdict};
use serde_json::Value;
use tokio::sync::Semaphore;

/// Holds `$connect` after it has stored its connection, until it is released.
struct SlowConnect {
    /// Whether it is held after its catch-up job was enqueued, or before.
    is_enqueued: bool,
    has_noted: Semaphore,
    may_answer: Semaphore,
}

impl SlowConnect {
    /// Holds the next `$connect` of a world.
    fn of(world: &World, is_enqueued: bool) -> Arc<Self> {
        let slow = Arc::new(Self {
            is_enqueued,
            has_noted: Semaphore::new(0),
            may_answer: Semaphore::new(0),
        });
        world.services().set_interceptor(Some(Arc::clone(&slow) as _));
        slow
    }

    async fn passes(&self, call: &Call, is_enqueued: bool) -> Verdict {
        let is_meant = call.function == "OpenConnection" && call.operation == "SendMessage";
        if is_meant && self.is_enqueued == is_enqueued {
            self.has_noted.add_permits(1);
            let permit = self.may_answer.acquire().await;
            permit.expect("nobody closes it").forget();
        }
        Verdict::Proceed
    }
}

impl Interceptor for SlowConnect {
    fn before<'a>(&'a self, call: &'a Call) -> BoxFuture<'a, Verdict> {
        Box::pin(self.passes(call, false))
    }

    fn after<'a>(&'a self, call: &'a Call, _: u16) -> BoxFuture<'a, Verdict> {
        Box::pin(self.passes(call, true))
    }
}

/// S0-J03: however many messages were sent around the time of opening, they are delivered in several jobs.
#[tokio::test]
async fn a_new_connection_gets_its_catch_up_in_pages() {
    const FRIENDS: usize = 5;
    const EACH: usize = 50;
    let world = World::in_desk(&[]).await;
    let bob = world.person("bob").await;
    let names: Vec<String> = (0..FRIENDS).map(|number| format!("friend{number}")).collect();
    let friends = join_all(names.iter().map(|name| world.person(name))).await;
    let conversations = join_all(friends.iter().map(|friend| friend.open_direct(&bob))).await;
    let talks = friends
        .iter()
        .zip(&conversations)
        .map(async |(friend, conversation)| {
            for _ in 0..EACH {
                friend.says(conversation, "quick").await;
            }
        });
    join_all(talks).await;
    world.settled().await;
    let mut socket = bob.connect().await;
    world.caught_up().await;
    let frames = socket.so_far().await;
    let is_whole = |frame: &Value| frame["type"] == "new_message" && frame["unread_count"] == EACH;
    assert!(frames.iter().all(is_whole), "{frames:?}");
    let told: BTreeSet<(String, u64)> = frames
        .iter()
        .map(|frame| {
            (
                frame["conversation_id"].to_string(),
                frame["seq"].as_u64().unwrap(),
            )
        })
        .collect();
    assert_eq!(told.len(), FRIENDS * EACH);
    let posts: Vec<u64> = world
        .log()
        .iter()
        .filter(|line| line["function"] == "deliver")
        .filter_map(|line| line["deliveries"].as_u64())
        .collect();
    assert!(
        posts.len() > 1 && posts.iter().all(|posts| *posts <= 200),
        "{posts:?}"
    );
}

/// S0-J03: until `$connect` has returned, a connection looks gone. A delivery must not remove it then, or it would be
/// open and get nothing.
#[tokio::test]
async fn a_connection_that_looks_gone_while_it_opens_is_kept_and_gets_later_messages() {
    let world = World::start().await;
    let [ada, bob] = world.people(["ada", "bob"]).await;
    let conversation = ada.open_direct(&bob).await;
    world.settled().await;
    let slow = SlowConnect::of(&world, false);
    let (mut socket, too_early) = tokio::join!(bob.connect(), async {
        slow.has_noted.acquire().await.expect("nobody closes it").forget();
        let said = ada.says(&conversation, "Are you coming?").await;
        world.settled().await;
        let line = world.logged(1, |line| line["gone_connections"] == 1).await;
        assert_eq!(line["function"], "deliver");
        slow.may_answer.add_permits(1);
        said
    });
    assert_eq!(world.noted_connections(bob.id).await.len(), 1);

    let said = ada.says(&conversation, "There you are").await;
    assert_eq!(socket.next_of("new_message").await["message"]["id"], said["id"]);
    // Earlier messages come with the catch-up.
    world.caught_up().await;
    let caught_up = socket.next_of("new_message").await;
    assert_eq!(caught_up["message"]["id"], too_early["id"]);
    assert_eq!(caught_up["unread_count"], 2, "as in every frame that is pushed");
}

/// S0-J03: a catch-up that comes while `$connect` has not returned comes once more, and no job fails for it.
#[tokio::test]
async fn a_catch_up_that_meets_an_opening_connection_comes_once_more() {
    let world = World::start().await;
    let [ada, bob] = world.people(["ada", "bob"]).await;
    let conversation = ada.open_direct(&bob).await;
    let said = ada.says(&conversation, "Are you coming?").await;
    world.settled().await;
    let slow = SlowConnect::of(&world, true);

    let (mut socket, ()) = tokio::join!(bob.connect(), async {
        slow.has_noted.acquire().await.expect("nobody closes it").forget();
        world.caught_up().await;
        let line = world.logged(1, |line| line["gone_connections"] == 1).await;
        assert_eq!(
            (&line["function"], &line["level"]),
            (&"deliver".into(), &"INFO".into())
        );
        slow.may_answer.add_permits(1);
    });
    assert_eq!(socket.so_far().await, Vec::<Value>::new());
    world.caught_up().await;
    assert_eq!(socket.next_of("new_message").await["message"]["id"], said["id"]);
    world.caught_up().await;
    assert_eq!(socket.so_far().await, Vec::<Value>::new(), "and no third time");
}
