//! What somebody with a hand in the table, with the key or without, can do to the audit log: all of it is found
//! (S2-J02).

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use harness::World;
use serde_json::{Value, json};
use shared::domain::audit::hex;
use shared::domain::time::Timestamp;

use super::audit::{KEY, forever, hmac, sorted, three_days};
use super::{anchor, audit_log, moderate, talk, verdict};

/// A key that somebody made up.
const WRONG_KEY: &str = "not-the-key-of-the-audit-log-but-as-long";

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Tampering {
    Nothing,
    ChangesAnEntry,
    ForgesAllHashes,
    ForgesAllHashesWithTheKey,
    RefersToAnother,
    RemovesAnEntry,
    RemovesTheFirst,
    RemovesTheLast,
    RemovesTheEndOfADay,
    RemovesADay,
    ForgetsADay,
    SwapsTwo,
    InsertsOne,
    InsertsAtTheEnd,
    CutsTheEndAndForgesTheHead,
    CutsTheEndAndPutsAnOldHeadBack,
    RemovesTheHead,
    RemovesEverything,
}

/// S2-J02: an entry that was changed, removed, moved or put in is found, and so is a log that was cut or emptied.
#[tokio::test]
async fn any_tampering_with_the_log_is_detected() {
    use Tampering::{
        ChangesAnEntry, CutsTheEndAndForgesTheHead, CutsTheEndAndPutsAnOldHeadBack, ForgesAllHashes,
        ForgesAllHashesWithTheKey, ForgetsADay, InsertsAtTheEnd, InsertsOne, Nothing, RefersToAnother,
        RemovesADay, RemovesAnEntry, RemovesEverything, RemovesTheEndOfADay, RemovesTheFirst, RemovesTheHead,
        RemovesTheLast, SwapsTwo,
    };
    let (changed, anchored) = (
        "is not what was written",
        "is missing, though an anchor tells of it",
    );
    for (tampering, day, number, reason) in [
        (Nothing, 0, 0, ""),
        (ChangesAnEntry, 1, 1, changed),
        (ForgesAllHashes, 1, 1, changed),
        (
            ForgesAllHashesWithTheKey,
            1,
            2,
            "is not the entry that an anchor tells of",
        ),
        (RefersToAnother, 1, 2, "does not refer to the entry before it"),
        (RemovesAnEntry, 1, 1, "is missing"),
        (RemovesTheFirst, 0, 1, "is missing"),
        (RemovesTheLast, 2, 2, anchored),
        (RemovesTheEndOfADay, 1, 2, anchored),
        (RemovesADay, 1, 2, anchored),
        (ForgetsADay, 1, 2, anchored),
        (SwapsTwo, 1, 1, "does not refer to the entry before it"),
        (InsertsOne, 1, 3, changed),
        (InsertsAtTheEnd, 2, 3, changed),
        (CutsTheEndAndForgesTheHead, 2, 2, anchored),
        (CutsTheEndAndPutsAnOldHeadBack, 2, 2, anchored),
        (RemovesTheHead, 2, 3, "may be missing: the end of the log is lost"),
        (RemovesEverything, 0, 2, anchored),
    ] {
        let world = World::start().await;
        let (_, _, _, _, message) = talk(&world).await;
        let admin = forever(&world);
        let days = three_days(&world, &admin, &message).await;
        tamper(&world, tampering, &days).await;
        let verdict = verdict(&admin).await;
        if tampering == Nothing {
            assert_eq!(
                (&verdict["valid"], &verdict["checked"]),
                (&json!(true), &json!(6))
            );
            assert_eq!(
                (&verdict["first_invalid"], &verdict["problem"]),
                (&Value::Null, &Value::Null)
            );
            assert_eq!(
                verdict["anchored_through"],
                json!({ "day": days[2], "number": 2 })
            );
            continue;
        }
        let found = &verdict["first_invalid"];
        assert_eq!(verdict["valid"], false, "{tampering:?}");
        assert_eq!(
            (&found["day"], &found["number"], &found["reason"]),
            (&json!(days[day]), &json!(number), &json!(reason)),
            "{tampering:?}: {verdict}"
        );
        let problem = verdict["problem"].as_str().unwrap();
        let is_lost = matches!(
            tampering,
            RemovesTheHead | CutsTheEndAndForgesTheHead | ForgesAllHashes
        );
        assert_eq!(
            problem.contains("until an operator restores it"),
            is_lost,
            "{problem}"
        );
        assert!(problem.contains(reason), "{problem}");
        if !is_lost {
            // That it was found is in the log too, as serious as it is.
            let last = audit_log(&admin, "action=audit.verify").await;
            assert_eq!(last[0]["severity"], "critical", "{tampering:?}");
            assert_eq!(
                last[0]["metadata"]["problem"], verdict["problem"],
                "{tampering:?}"
            );
        }
    }
}

/// Entries that no anchor covers yet cannot be cut off either by somebody without the key: the end is signed.
#[tokio::test]
async fn the_newest_entries_cannot_be_cut_off_without_the_key() {
    let world = World::start().await;
    let (_, _, admin, _, message) = talk(&world).await;
    for status in ["flagged", "approved"] {
        moderate(&admin, &message, status).await.is(200);
    }
    let head = world.stored("A#HEAD", "HEAD").await.unwrap();
    let day = head["d"]["S"].as_str().unwrap().to_owned();
    cut(&world, &day, 2).await;
    let verdict = verdict(&admin).await;
    assert_eq!(
        (&verdict["valid"], &verdict["anchored_through"]),
        (&json!(false), &Value::Null)
    );
    assert!(
        verdict["problem"]
            .as_str()
            .unwrap()
            .contains("was changed by somebody who has no key"),
        "{verdict}"
    );
}

/// Removes an entry, and moves the end of the log to the one before it.
async fn cut(world: &World, day: &str, number: usize) {
    let before = world
        .stored(&format!("A#{day}"), &format!("{:012}", number - 1))
        .await
        .unwrap();
    let mut head = world.stored("A#HEAD", "HEAD").await.unwrap();
    head["q"] = json!({ "N": (number - 1).to_string() });
    head["h"] = before["h"].clone();
    world.store(&[head]).await;
    world.remove(&format!("A#{day}"), &format!("{number:012}")).await;
}

async fn tamper(world: &World, tampering: Tampering, days: &[String]) {
    let partition = |day: usize| format!("A#{}", days[day]);
    let sort = |number: usize| format!("{number:012}");
    let entry = async |day: usize, number: usize| world.stored(&partition(day), &sort(number)).await.unwrap();
    match tampering {
        Tampering::Nothing => {}
        Tampering::ChangesAnEntry => {
            let mut changed = entry(1, 1).await;
            changed["n"] = json!({ "S": "messages.search" });
            world.store(&[changed]).await;
        }
        Tampering::ForgesAllHashes => forge(world, days, WRONG_KEY).await,
        Tampering::ForgesAllHashesWithTheKey => forge(world, days, KEY).await,
        Tampering::RefersToAnother => {
            let mut second = entry(1, 2).await;
            second["p"] = entry(1, 1).await["p"].clone();
            world.store(&[second]).await;
        }
        Tampering::RemovesAnEntry => world.remove(&partition(1), &sort(1)).await,
        Tampering::RemovesTheFirst => world.remove(&partition(0), &sort(1)).await,
        Tampering::RemovesTheLast => world.remove(&partition(2), &sort(2)).await,
        Tampering::RemovesTheEndOfADay => world.remove(&partition(1), &sort(2)).await,
        Tampering::RemovesADay => {
            for number in [1, 2] {
                world.remove(&partition(1), &sort(number)).await;
            }
            world.remove("A#DAYS", &days[1]).await;
        }
        Tampering::ForgetsADay => world.remove("A#DAYS", &days[1]).await,
        Tampering::SwapsTwo => {
            let (mut first, mut second) = (entry(1, 1).await, entry(1, 2).await);
            std::mem::swap(&mut first["sk"], &mut second["sk"]);
            world.store(&[first, second]).await;
        }
        Tampering::InsertsOne | Tampering::InsertsAtTheEnd => {
            let day = if tampering == Tampering::InsertsOne { 1 } else { 2 };
            let mut inserted = entry(day, 2).await;
            inserted["sk"] = json!({ "S": sort(3) });
            inserted["p"] = inserted["h"].clone();
            sign(&mut inserted, WRONG_KEY);
            world.store(&[inserted]).await;
        }
        Tampering::CutsTheEndAndForgesTheHead => cut(world, &days[2], 2).await,
        Tampering::CutsTheEndAndPutsAnOldHeadBack => {
            // The end as it stood after the first entry of the day, signed with the key as it was then.
            let first = entry(2, 1).await;
            let mut head = world.stored("A#HEAD", "HEAD").await.unwrap();
            for name in ["h", "a"] {
                head[name] = first[name].clone();
            }
            head["q"] = json!({ "N": "1" });
            sign_head(&mut head, KEY);
            world.store(&[head]).await;
            world.remove(&partition(2), &sort(2)).await;
        }
        Tampering::RemovesTheHead => world.remove("A#HEAD", "HEAD").await,
        Tampering::RemovesEverything => remove_everything(world, days).await,
    }
}

/// Removes every item of the log.
pub(super) async fn remove_everything(world: &World, days: &[String]) {
    for day in days {
        for item in world.stored_in(&format!("A#{day}")).await {
            world
                .remove(&format!("A#{day}"), item["sk"]["S"].as_str().unwrap())
                .await;
        }
        world.remove("A#DAYS", day).await;
    }
    for item in ["HEAD", "BEGUN"] {
        world.remove("A#HEAD", item).await;
    }
}

/// Changes an e-mail address, and makes every hash from there on fit as far as a key goes, the end of the log included.
async fn forge(world: &World, days: &[String], key: &str) {
    let (mut previous, mut last) = (Value::Null, Value::Null);
    for day in &days[1..] {
        for mut item in world.stored_in(&format!("A#{day}")).await {
            if previous.is_null() {
                item["e"] = json!({ "S": "somebody.else@example.com" });
            } else {
                item["p"] = previous.clone();
            }
            sign(&mut item, key);
            previous = item["h"].clone();
            world.store(std::slice::from_ref(&item)).await;
            last = item;
        }
    }
    let mut head = world.stored("A#HEAD", "HEAD").await.unwrap();
    head["h"] = last["h"].clone();
    sign_head(&mut head, key);
    world.store(&[head]).await;
}

fn bytes(item: &Value, name: &str) -> Vec<u8> {
    STANDARD.decode(item[name]["B"].as_str().unwrap()).unwrap()
}

fn moment(item: &Value) -> Timestamp {
    Timestamp::from_milliseconds(item["a"]["N"].as_str().unwrap().parse().unwrap())
}

/// The HMAC of a value, as it is stored.
fn tag(key: &str, value: &Value) -> Value {
    let hex = hmac(key, &sorted(value));
    let bytes: Vec<u8> = (0..hex.len())
        .step_by(2)
        .map(|at| u8::from_str_radix(&hex[at..at + 2], 16).unwrap())
        .collect();
    json!({ "B": STANDARD.encode(bytes) })
}

/// Gives an item of the log the hash of its content under a key.
fn sign(item: &mut Value, key: &str) {
    let uuid = |name: &str| uuid::Uuid::from_slice(&bytes(item, name)).unwrap();
    let json_of = |name: &str| -> Value {
        item[name]["S"]
            .as_str()
            .map_or(Value::Null, |text| serde_json::from_str(text).unwrap())
    };
    let entry = json!({
        "id": uuid("i"),
        "at": moment(item),
        "actor": { "id": uuid("u"), "email": item["e"]["S"], "roles": json_of("r") },
        "action": item["n"]["S"],
        "target": json_of("t"),
        "before": json_of("b"),
        "after": json_of("f"),
        "metadata": json_of("m"),
        "severity": item["s"]["S"],
        "previous_hash": hex(&bytes(item, "p")),
    });
    item["h"] = tag(key, &entry);
}

/// Gives the end of the log the signature of its content under a key.
fn sign_head(head: &mut Value, key: &str) {
    let number: u64 = head["q"]["N"].as_str().unwrap().parse().unwrap();
    let signed = json!({
        "kind": "head",
        "day": head["d"]["S"],
        "number": number,
        "hash": hex(&bytes(head, "h")),
        "at": moment(head),
    });
    head["v"] = tag(key, &signed);
}

/// An entry that somebody with the key forged behind the newest anchor is not found by its hash; that it is anchored
/// from then on is why the anchors come every minute.
#[tokio::test]
async fn what_is_anchored_once_cannot_be_forged_with_the_key_either() {
    let world = World::start().await;
    let (_, _, admin, _, message) = talk(&world).await;
    moderate(&admin, &message, "flagged").await.is(200);
    anchor(&world).await;
    let head = world.stored("A#HEAD", "HEAD").await.unwrap();
    let day = head["d"]["S"].as_str().unwrap().to_owned();
    let mut item = world
        .stored(&format!("A#{day}"), &format!("{:012}", 1))
        .await
        .unwrap();
    item["e"] = json!({ "S": "somebody.else@example.com" });
    sign(&mut item, KEY);
    let mut head = head;
    head["h"] = item["h"].clone();
    sign_head(&mut head, KEY);
    world.store(&[item, head]).await;
    let found = verdict(&admin).await;
    assert_eq!(
        found["first_invalid"]["reason"],
        "is not the entry that an anchor tells of"
    );
}
