//! Frames from the server: recipients, content, and number.

use std::collections::{BTreeMap, BTreeSet};

use futures::StreamExt as _;
use harness::world::OFFLINE;
use harness::{Person, Socket, World};
use serde_json::{Value, json};

/// S1-J03, S1-W03: including the sender's and the reader's own connections.
#[tokio::test]
async fn every_connection_of_every_member_gets_every_frame() {
    let world = World::start().await;
    let [ada, bob, eve] = world.people(["ada", "bob", "eve"]).await;
    let mut sockets = [
        ada.connect().await,
        ada.connect().await,
        bob.connect().await,
        bob.connect().await,
    ];
    let mut stranger = eve.connect().await;
    let conversation = ada.open_direct(&bob).await;
    let message = ada.says(&conversation, "one").await;
    bob.reads(&conversation, &message).await;
    ada.delete(&format!(
        "/api/conversations/{conversation}/messages/{}",
        message["id"].as_str().unwrap()
    ))
    .await
    .is(204);
    world.settled().await;

    for socket in &mut sockets {
        let frames = socket.so_far().await;
        let types: BTreeSet<&str> = frames.iter().filter_map(|frame| frame["type"].as_str()).collect();
        let all = [
            "conversation_created",
            "message_deleted",
            "message_read",
            "new_message",
        ];
        assert_eq!(types, BTreeSet::from(all));
        assert_eq!(frames.len(), all.len(), "{frames:?}");
        for frame in frames {
            assert_eq!(frame["namespace"], "conversations", "{frame}");
            assert!(frame["seq"].is_u64(), "{frame}");
        }
    }
    assert_eq!(stranger.so_far().await, Vec::<Value>::new());
}

/// S1-W03: the posted content equals the API's, each member's own view.
#[tokio::test]
async fn a_new_message_is_pushed_as_each_member_would_read_it() {
    let world = World::start().await;
    let [ada, bob] = world.people(["ada", "bob"]).await;
    let conversation = ada.open_direct(&bob).await;
    world.settled().await;
    let (mut of_ada, mut of_bob) = (ada.connect().await, bob.connect().await);
    let sent = ada.says_as(&conversation, "Zażółć 🦀\n<b>", "mine").await.is(201);

    let frame = of_ada.next_of("new_message").await;
    let expected = |unread: u32| {
        json!({
            "type": "new_message", "namespace": "conversations", "conversation_id": conversation,
            "seq": 1, "message": sent, "unread_count": unread
        })
    };
    assert_eq!(frame, expected(0));
    assert_eq!(of_bob.next_of("new_message").await, expected(1));
}

/// S1-E06
#[tokio::test]
async fn a_deletion_is_pushed_with_its_own_place_in_the_log() {
    let world = World::start().await;
    let [ada, bob] = world.people(["ada", "bob"]).await;
    let conversation = ada.open_direct(&bob).await;
    let message = ada.says(&conversation, "oops").await;
    ada.says(&conversation, "that one stays").await;
    world.settled().await;
    let mut socket = bob.connect().await;
    ada.delete(&format!(
        "/api/conversations/{conversation}/messages/{}",
        message["id"].as_str().unwrap()
    ))
    .await
    .is(204);
    assert_eq!(
        socket.next_of("message_deleted").await,
        json!({
            "type": "message_deleted", "namespace": "conversations", "conversation_id": conversation,
            "message_id": message["id"], "seq": 3, "unread_count": 1
        })
    );
}

/// S1-E01: for direct conversations and groups.
#[tokio::test]
async fn an_opening_is_pushed_to_every_member_as_each_would_read_it_and_once() {
    let world = World::start().await;
    let [ada, bob, chen] = world.people(["ada", "bob", "chen"]).await;
    let (mut of_ada, mut of_bob, mut of_chen) =
        (ada.connect().await, bob.connect().await, chen.connect().await);
    let direct = ada.open_direct(&bob).await;
    let group = ada.open_group("three", &[&bob, &chen]).await;
    world.settled().await;

    for (person, socket, expected) in [
        (&ada, &mut of_ada, 2),
        (&bob, &mut of_bob, 2),
        (&chen, &mut of_chen, 1),
    ] {
        let frames = socket.so_far().await;
        assert_eq!(frames.len(), expected, "{frames:?}");
        for frame in frames {
            let id = frame["conversation"]["id"].as_str().unwrap();
            assert!([&direct, &group].iter().any(|known| *known == id));
            let seen = person.sees(id).await;
            assert_eq!(
                frame,
                json!({ "type": "conversation_created", "namespace": "conversations", "seq": 0, "conversation": seen })
            );
        }
    }
}

/// S1-E01: not for a conversation that already has entries.
#[tokio::test]
async fn opening_an_active_conversation_posts_nothing() {
    let world = World::start().await;
    let [ada, bob] = world.people(["ada", "bob"]).await;
    let conversation = ada.open_direct(&bob).await;
    ada.says(&conversation, "hello").await;
    world.settled().await;
    let mut socket = ada.connect().await;
    assert_eq!(bob.open_direct(&ada).await, conversation);
    world.settled().await;
    assert_eq!(socket.so_far().await, Vec::<Value>::new());
}

/// S1-W03: what a member gets live equals the log, number by number.
#[tokio::test]
async fn the_pushed_frames_of_a_lively_conversation_are_its_log_without_a_hole() {
    let world = World::start().await;
    let [ada, bob] = world.people(["ada", "bob"]).await;
    let conversation = ada.open_direct(&bob).await;
    world.settled().await;
    let mut socket = bob.connect().await;
    for number in 0..30 {
        let sender = if number % 3 == 0 { &bob } else { &ada };
        let message = sender.says(&conversation, &format!("number {number}")).await;
        if number % 5 == 0 {
            let id = message["id"].as_str().unwrap();
            sender
                .delete(&format!("/api/conversations/{conversation}/messages/{id}"))
                .await
                .is(204);
        }
    }
    world.settled().await;
    let mut pushed: BTreeMap<u64, String> = BTreeMap::new();
    for frame in socket.so_far().await {
        let told = pushed.insert(
            frame["seq"].as_u64().unwrap(),
            frame["type"].as_str().unwrap().to_owned(),
        );
        assert_eq!(told, None, "twice: {frame}");
    }
    let log = bob
        .get(&format!("/api/conversations/{conversation}/events?after_seq=0"))
        .await
        .is(200);
    let logged: BTreeMap<u64, String> = log["events"]
        .as_array()
        .unwrap()
        .iter()
        .map(|event| {
            (
                event["seq"].as_u64().unwrap(),
                event["type"].as_str().unwrap().to_owned(),
            )
        })
        .collect();
    assert_eq!(pushed, logged);
    assert_eq!(pushed.len(), 36);
}

/// S1-X01, S1-J01: a large group is delivered by several jobs, and everybody gets the frame once.
#[tokio::test]
async fn a_group_of_three_hundred_gets_every_message_exactly_once() {
    const MEMBERS: usize = 300;
    let world = World::start().await;
    let ada = world.person("ada").await;
    let others: Vec<Person> = futures::stream::iter(0..MEMBERS - 1)
        .map(|number| {
            let world = &world;
            async move { world.person(&format!("member{number}")).await }
        })
        .buffered(16)
        .collect()
        .await;
    let group = ada
        .open_group("everybody", &others.iter().collect::<Vec<_>>())
        .await;
    world.settled().await;
    let mut online: Vec<(&Person, Socket)> = Vec::new();
    for person in [&ada, &others[0], &others[0], &others[77], &others[MEMBERS - 2]] {
        online.push((person, person.connect().await));
    }

    for number in 1..=3 {
        ada.says(&group, &format!("number {number}")).await;
    }
    world.settled().await;
    for (person, socket) in &mut online {
        let mut frames = socket.so_far().await;
        frames.sort_by_key(|frame| frame["seq"].as_u64());
        let seqs: Vec<u64> = frames.iter().filter_map(|frame| frame["seq"].as_u64()).collect();
        assert_eq!(seqs, [1, 2, 3], "{}", person.id);
    }
    // All others are recorded as offline, once per message.
    let mut away: BTreeMap<u64, Vec<String>> = BTreeMap::new();
    let mut jobs = 0;
    for job in world.services().queues().messages(OFFLINE).unwrap() {
        let job: Value = serde_json::from_str(&job.body).unwrap();
        let missing = &job["missing"][0];
        let users = missing["users"].as_array().unwrap();
        assert!(users.len() <= 150, "a job of {} users", users.len());
        away.entry(missing["seq"].as_u64().unwrap())
            .or_default()
            .extend(users.iter().map(|user| user.as_str().unwrap().to_owned()));
        jobs += 1;
    }
    let online: BTreeSet<String> = online.iter().map(|(person, _)| person.id.to_string()).collect();
    let mut expected: Vec<String> = others
        .iter()
        .map(|other| other.id.to_string())
        .filter(|id| !online.contains(id))
        .collect();
    expected.sort();
    assert_eq!(
        (away.len(), jobs),
        (3, 9),
        "a job per message and hundred members"
    );
    for users in away.values_mut() {
        users.sort();
        assert_eq!(*users, expected);
    }
}
