//! Checks that a person's lists, flags and counts agree, and creates large boxes at once, for tests that cost must not
//! grow with them.

use std::collections::BTreeMap;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use local_services::Services;
use serde_json::{Value, json};
use uuid::Uuid;

use crate::person::Person;
use crate::table::{TABLE, dynamodb};

/// The folders of a box.
pub const FOLDERS: [&str; 4] = ["inbox", "sent", "starred", "archived"];

/// Everything that a person has.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Contents {
    /// Every mail by its id.
    pub mails: BTreeMap<String, Value>,
    /// The ids in each folder, newest first.
    pub folders: BTreeMap<&'static str, Vec<String>>,
    /// The notifications, newest first.
    pub notifications: Vec<Value>,
}

/// Reads everything that a person has, and checks that each mail is exactly in the lists that its flags imply, and that
/// every count equals the length of its list.
///
/// # Panics
/// If they do not agree.
pub async fn adds_up(person: &Person) -> Contents {
    let mut contents = Contents::default();
    for folder in FOLDERS {
        let (total, mails) = all(person, &format!("/api/v2/messages?folder={folder}"), "messages").await;
        assert_eq!(total, mails.len(), "how many are in {folder}");
        let query = format!("/api/v2/messages?folder={folder}&unread_only=true");
        let (total_unread, unread) = all(person, &query, "messages").await;
        assert_eq!(total_unread, unread.len(), "how many are unread in {folder}");
        let expected: Vec<&Value> = mails.iter().filter(|mail| mail["is_read"] == false).collect();
        assert!(unread.iter().eq(expected), "what is unread in {folder}");
        contents.folders.insert(folder, mails.iter().map(id).collect());
        for mail in mails {
            let known = contents.mails.entry(id(&mail)).or_insert_with(|| mail.clone());
            assert_eq!(*known, mail, "one mail, one state");
        }
    }
    let mine = json!(person.id);
    let mut expected =
        json!({ "total": 0, "unread": 0, "starred": 0, "archived": 0, "sent": 0, "received": 0 });
    for (id, mail) in &contents.mails {
        let (sent, received) = (mail["sender"]["id"] == mine, mail["recipient"]["id"] == mine);
        let stands = [
            ("inbox", received && mail["is_archived"] == false),
            ("sent", sent),
            ("starred", mail["is_starred"] == true),
            ("archived", mail["is_archived"] == true),
        ];
        for (folder, stands) in stands {
            let times = contents.folders[folder]
                .iter()
                .filter(|listed| *listed == id)
                .count();
            assert_eq!(times, usize::from(stands), "{folder} and {mail}");
        }
        let counts = [
            ("total", true),
            ("unread", mail["is_read"] == false && mail["is_archived"] == false),
            ("starred", mail["is_starred"] == true),
            ("archived", mail["is_archived"] == true),
            ("sent", sent),
            ("received", received),
        ];
        for (name, counts) in counts {
            expected[name] = json!(expected[name].as_u64().unwrap_or_default() + u64::from(counts));
        }
    }
    let stats = person.get("/api/v2/messages/stats/summary").await.is(200);
    assert_eq!(stats, expected, "the statistics of mail");

    let (total, notifications) = all(person, "/api/v2/notifications?", "notifications").await;
    assert_eq!(total, notifications.len(), "how many notifications");
    let query = "/api/v2/notifications?unread_only=true";
    let (total_unread, unread) = all(person, query, "notifications").await;
    assert_eq!(total_unread, unread.len(), "how many unread notifications");
    let expected: Vec<&Value> = notifications
        .iter()
        .filter(|one| one["is_read"] == false)
        .collect();
    assert!(unread.iter().eq(expected), "which notifications are unread");
    let mut by_type: BTreeMap<&str, u64> = BTreeMap::new();
    for notification in &notifications {
        *by_type
            .entry(notification["type"].as_str().expect("a type"))
            .or_default() += 1;
    }
    let numbers = person.get("/api/v2/notifications/stats/summary").await.is(200);
    assert_eq!(
        numbers,
        json!({ "total": total, "unread": total_unread, "by_type": by_type }),
        "the statistics of notifications"
    );
    contents.notifications = notifications;
    contents
}

/// All pages of a list, and its total.
async fn all(person: &Person, path: &str, name: &str) -> (usize, Vec<Value>) {
    let (mut found, mut cursor) = (Vec::new(), String::new());
    loop {
        let page = person.get(&format!("{path}&per_page=100{cursor}")).await.is(200);
        found.extend(page[name].as_array().expect("a list").iter().cloned());
        let Some(next) = page["next_cursor"].as_str() else {
            let total = page["total"].as_u64().expect("a total");
            return (usize::try_from(total).expect("a size"), found);
        };
        cursor = format!("&cursor={next}");
    }
}

fn id(value: &Value) -> String {
    value["id"].as_str().expect("an id").to_owned()
}

/// Fills the box of somebody who has exactly one mail, up to `count` mails: copies of that one, each a little older
/// than the one before, with their own ids, lists and notifications, as sends would have left them.
///
/// # Panics
/// If there is no such mail.
pub async fn fill(services: &Services, person: &Person, mail: &Value, count: u64) {
    let get = async |partition: String, sort: &str| {
        let key = json!({ "pk": { "S": partition }, "sk": { "S": sort } });
        let body = json!({ "TableName": TABLE, "Key": key, "ConsistentRead": true });
        dynamodb(services, "GetItem", body).await["Item"].clone()
    };
    let first = get(format!("M#{}", id(mail)), "AT").await;
    let (mailbox, notes) = (format!("U#{}#BOX", person.id), format!("U#{}#NOTE", person.id));
    let newest = STANDARD
        .decode(first["n"]["B"].as_str().expect("bytes"))
        .expect("base64");
    let newest = Uuid::from_slice(&newest).expect("an id");
    let notification = get(notes.clone(), &format!("N#{newest}")).await;
    let sent_at: u64 = first["a"]["N"]
        .as_str()
        .expect("a moment")
        .parse()
        .expect("a number");
    let mut items = Vec::new();
    for age in 1..count {
        let (message, at) = (
            Uuid::new_v5(&Uuid::NAMESPACE_OID, &age.to_be_bytes()),
            sent_at - age,
        );
        let note = uuid::Builder::from_unix_timestamp_millis(at, &[7; 10]).into_uuid();
        let bytes = |id: Uuid| json!({ "B": STANDARD.encode(id.as_bytes()) });
        let mut content = first.clone();
        content["pk"] = json!({ "S": format!("M#{message}") });
        content["a"] = json!({ "N": at.to_string() });
        content["n"] = bytes(note);
        items.push(content);
        for list in ["inbox", "inbox-unread"] {
            let sort = format!("{list}#{at:013}#{message}");
            items.push(json!({ "pk": { "S": mailbox }, "sk": { "S": sort } }));
        }
        let mut about = notification.clone();
        about["sk"] = json!({ "S": format!("N#{note}") });
        about["m"] = bytes(message);
        items.push(about);
        items.push(json!({ "pk": { "S": notes }, "sk": { "S": format!("UNREAD#{note}") } }));
    }
    let mut tally = get(format!("U#{}", person.id), "TALLY").await;
    for (_, number) in tally.as_object_mut().expect("a tally") {
        if *number == json!({ "N": "1" }) {
            *number = json!({ "N": count.to_string() });
        }
    }
    items.push(tally);
    services.import(TABLE, items).expect("the items are loaded");
}
