//! Random operations on boxes, compared with a simple model, and concurrent operations.

use std::collections::BTreeMap;

use futures::future::join_all;
use harness::faults::Dice;
use harness::{Person, World, boxes};
use local_gateway::websocket::WebSocketOptions;
use serde_json::{Value, json};

/// How many runs, each with another seed.
const STORIES: u64 = 4;
const PEOPLE: usize = 3;
const STEPS: usize = 60;

/// The expected view of one mail for one person; none once it is deleted.
#[derive(Clone, Debug, PartialEq)]
struct Side {
    is_read: bool,
    is_starred: bool,
    is_archived: bool,
    version: u64,
    notification: Option<bool>,
}

impl Side {
    fn change(&mut self, flags: &Value) {
        let before = self.clone();
        let set = |flag: &mut bool, name: &str| *flag = flags[name].as_bool().unwrap_or(*flag);
        set(&mut self.is_read, "is_read");
        set(&mut self.is_starred, "is_starred");
        set(&mut self.is_archived, "is_archived");
        self.version += u64::from(*self != before);
        // Reading a mail marks its notification as read.
        if self.is_read && !before.is_read {
            self.notification = self.notification.map(|_| true);
        }
    }
}

/// Everything, by person and mail.
type Model = BTreeMap<(usize, String), Side>;

fn flags(dice: &mut Dice) -> Value {
    let mut flags = json!({});
    for name in ["is_read", "is_starred", "is_archived"] {
        if dice.happens(4_000) {
            flags[name] = json!(dice.happens(5_000));
        }
    }
    flags
}

fn path(mail: &str) -> String {
    format!("/api/v2/messages/{mail}")
}

/// One of a person's mails.
fn any(model: &Model, dice: &mut Dice, who: usize) -> Option<String> {
    let own: Vec<&String> = model
        .keys()
        .filter(|key| key.0 == who)
        .map(|key| &key.1)
        .collect();
    (!own.is_empty()).then(|| (*dice.one_of(&own)).clone())
}

async fn step(people: &[Person], model: &mut Model, dice: &mut Dice) {
    let who = dice.below(PEOPLE);
    let person = &people[who];
    let choice = dice.below(12);
    if choice < 4 {
        let other = dice.below(PEOPLE);
        let mail = person.mails(&people[other], "A mail").await;
        let id = mail["id"].as_str().unwrap().to_owned();
        let side = Side {
            is_read: true,
            is_starred: false,
            is_archived: false,
            version: 1,
            notification: None,
        };
        model.insert((who, id.clone()), side.clone());
        let received = Side {
            is_read: false,
            notification: Some(false),
            ..side
        };
        model.insert((other, id), received);
        return;
    }
    if choice == 11 && dice.happens(5_000) {
        person
            .put("/api/v2/notifications/bulk/read", json!({ "all": true }))
            .await
            .is(200);
        for side in own(model, who) {
            side.notification = side.notification.map(|_| true);
        }
        return;
    }
    let Some(mail) = any(model, dice, who) else { return };
    let key = (who, mail.clone());
    match choice {
        4 => {
            let got = person.get(&path(&mail)).await.is(200);
            let side = model.get_mut(&key).unwrap();
            if got["recipient"]["id"] == json!(person.id) {
                side.change(&json!({ "is_read": true }));
            }
            assert_eq!(got["version"], side.version);
        }
        5..=7 => {
            let flags = flags(dice);
            let got = person.put(&path(&mail), flags.clone()).await.is(200);
            let side = model.get_mut(&key).unwrap();
            side.change(&flags);
            assert_eq!(got["version"], side.version);
        }
        8 => {
            let mut flags = flags(dice);
            let mut ids = vec![mail];
            for _ in 0..4 {
                ids.extend(any(model, dice, who));
            }
            flags["message_ids"] = json!(ids);
            person.put("/api/v2/messages/bulk", flags.clone()).await.is(200);
            ids.sort();
            ids.dedup();
            for id in ids {
                model.get_mut(&(who, id)).unwrap().change(&flags);
            }
        }
        9 => {
            person.delete(&path(&mail)).await.is(204);
            model.remove(&key);
        }
        _ => {
            let notifications = person.notifications().await;
            let about = notifications.iter().find(|one| one["message_id"] == json!(mail));
            let side = model.get_mut(&key).unwrap();
            assert_eq!(about.map(|one| one["is_read"] == true), side.notification);
            let Some(about) = about else { return };
            let note = format!("/api/v2/notifications/{}", about["id"].as_str().unwrap());
            if dice.happens(3_000) {
                person.delete(&note).await.is(204);
                side.notification = None;
            } else {
                person.get(&note).await.is(200);
                // And vice versa, if it was unread.
                if side.notification == Some(false) {
                    side.change(&json!({ "is_read": true }));
                }
                side.notification = Some(true);
            }
        }
    }
}

fn own(model: &mut Model, who: usize) -> impl Iterator<Item = &mut Side> {
    model
        .iter_mut()
        .filter(move |(key, _)| key.0 == who)
        .map(|(_, side)| side)
}

async fn agrees(people: &[Person], model: &Model) {
    for (who, person) in people.iter().enumerate() {
        let contents = boxes::adds_up(person).await;
        let expected: BTreeMap<String, Value> = model
            .iter()
            .filter(|(key, _)| key.0 == who)
            .map(|(key, side)| {
                (
                    key.1.clone(),
                    json!([side.is_read, side.is_starred, side.is_archived, side.version]),
                )
            })
            .collect();
        let found = contents.mails.iter().map(|(id, mail)| {
            let state = json!([
                mail["is_read"],
                mail["is_starred"],
                mail["is_archived"],
                mail["version"]
            ]);
            (id.clone(), state)
        });
        assert_eq!(
            found.collect::<BTreeMap<_, _>>(),
            expected,
            "the mails of person {who}"
        );
        let notified = model
            .iter()
            .filter(|(key, side)| key.0 == who && side.notification.is_some());
        let notified: BTreeMap<&str, bool> = notified
            .filter_map(|(key, side)| Some((key.1.as_str(), side.notification?)))
            .collect();
        let found = contents.notifications.iter().map(|one| {
            let mail = one["message_id"].as_str().unwrap();
            (mail, one["is_read"] == true)
        });
        assert_eq!(
            found.collect::<BTreeMap<_, _>>(),
            notified,
            "the notifications of person {who}"
        );
    }
}

/// S0-E01 to E12: random operations, one after the other.
#[tokio::test]
async fn boxes_are_what_the_model_says() {
    for story in 0..STORIES {
        let world = World::start().await;
        let people = world.people(["ada", "bob", "cem"]).await;
        let (mut model, mut dice) = (Model::new(), Dice::new(story));
        for number in 1..=STEPS {
            step(&people, &mut model, &mut dice).await;
            if number % 20 == 0 {
                agrees(&people, &model).await;
            }
        }
    }
}

/// Retries until it is acknowledged, as a client does.
async fn until_done(ask: impl AsyncFn() -> u16) -> u16 {
    for _ in 0..50 {
        match ask().await {
            503 => {}
            status => return status,
        }
    }
    panic!("refused again and again");
}

/// Many devices at one box, and many senders: lists, flags and counts still agree.
#[tokio::test]
async fn concurrent_changes_add_up() {
    let world = World::with_options(&[], WebSocketOptions::default(), 6).await;
    let people = world.people(["ada", "bob", "cem"]).await;
    let mut mails = Vec::new();
    for number in 0..6 {
        mails.push(people[0].mails(&people[1], &number.to_string()).await["id"].clone());
    }
    let people = &people;
    let devices = (0..9_u64).map(|device| {
        let mails = mails.clone();
        async move {
            let mut dice = Dice::new(100).part(device);
            let bob = &people[1];
            for round in 0..12 {
                let mail = dice.one_of(&mails).as_str().unwrap().to_owned();
                match dice.below(8) {
                    0 => drop(until_done(async || bob.get(&path(&mail)).await.status).await),
                    1 => drop(until_done(async || bob.delete(&path(&mail)).await.status).await),
                    2 => {
                        let all = json!({ "all": true });
                        let ask = async || {
                            bob.put("/api/v2/notifications/bulk/read", all.clone())
                                .await
                                .status
                        };
                        until_done(ask).await;
                    }
                    3 => {
                        let mut body = flags(&mut dice);
                        body["message_ids"] = json!(mails);
                        until_done(async || bob.put("/api/v2/messages/bulk", body.clone()).await.status)
                            .await;
                    }
                    4 => {
                        let sender = &people[usize::try_from(device % 3).unwrap()];
                        let mut body = super::to(bob, "more", "x");
                        body["client_message_id"] = json!(format!("{device}-{round}"));
                        until_done(async || sender.post("/api/v2/messages", body.clone()).await.status).await;
                    }
                    5 => {
                        for note in bob.notifications().await.iter().take(1) {
                            let note = format!("/api/v2/notifications/{}", note["id"].as_str().unwrap());
                            until_done(async || bob.delete(&note).await.status).await;
                        }
                    }
                    _ => {
                        let flags = flags(&mut dice);
                        until_done(async || bob.put(&path(&mail), flags.clone()).await.status).await;
                    }
                }
            }
        }
    });
    join_all(devices).await;
    for person in people {
        boxes::adds_up(person).await;
    }
}

/// All mails and notifications of concurrent senders are there, each once.
#[tokio::test]
async fn many_who_write_to_one_person_at_once_all_arrive() {
    const WRITERS: usize = 12;
    let world = World::with_options(&[], WebSocketOptions::default(), 6).await;
    let bob = world.person("bob").await;
    let names: Vec<String> = (0..WRITERS).map(|index| format!("writer{index}")).collect();
    let writers = join_all(names.iter().map(|name| world.person(name))).await;
    let sends = writers.iter().map(|writer| {
        let bob = &bob;
        async move {
            for number in 0..4 {
                let mut body = super::to(bob, &number.to_string(), "x");
                body["client_message_id"] = json!(number.to_string());
                let ask = async || writer.post("/api/v2/messages", body.clone()).await.status;
                assert_eq!(until_done(ask).await, 201);
            }
        }
    });
    join_all(sends).await;
    let contents = boxes::adds_up(&bob).await;
    assert_eq!(
        (contents.mails.len(), contents.notifications.len()),
        (4 * WRITERS, 4 * WRITERS)
    );
    for writer in &writers {
        assert_eq!(boxes::adds_up(writer).await.mails.len(), 4);
    }
}
