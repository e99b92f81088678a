//! The recorded events in `events/`, one per function, and checks of the responses.

use std::collections::BTreeMap;
use std::path::Path;

use local::demo;
use md5::{Digest as _, Md5};
use serde_json::{Value, json};
use shared::domain::user::Claims;
use shared::examples;
use shared::lambda::{Function, Trigger};

use crate::files;
use crate::person::Person;
use crate::world::World;

/// An event that an API refuses, and the status.
const REFUSED: [(&str, u64); 1] = [("reject_route", 404)];

/// The events by file name, which is the name of the binary.
pub fn recorded() -> BTreeMap<String, String> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../events");
    let mut events = BTreeMap::new();
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        let name = path.file_stem().unwrap().to_str().unwrap().to_owned();
        events.insert(name, std::fs::read_to_string(&path).unwrap());
    }
    events
}

/// The name of a function in the template: `send_message` is `SendMessage`.
pub fn logical_id(name: &str) -> String {
    let word = |word: &str| word[..1].to_ascii_uppercase() + &word[1..];
    name.split('_').map(word).collect()
}

/// Ada and Bob, who exist on every desk.
pub fn ada_and_bob(world: &World) -> [Person; 2] {
    [0, 1].map(|index| {
        let user = demo::USERS[index];
        world.stranger(user.id, user.claims())
    })
}

/// The recorded event of a route, by its binary's name, as another caller would make it.
pub fn by(caller: &Person, name: &str) -> Value {
    let mut event: Value = serde_json::from_str(&recorded()[name]).unwrap();
    event["headers"]["authorization"] = format!("Bearer {}", caller.token).into();
    event
}

/// Invokes a function with an event, past the gateways.
pub async fn invoke(world: &World, function: &Function, event: &str) -> Value {
    let answer = world
        .desk()
        .invoker()
        .invoke(&logical_id(function.name), event.as_bytes().to_vec())
        .await;
    let answer = answer.unwrap_or_else(|error| panic!("{} fails on its event: {error}", function.name));
    serde_json::from_slice(&answer).unwrap()
}

/// Hands every function its event and insists on what the answers say. What an event names that nobody can derive, such
/// as a file, and what an earlier event has removed, is there under another id, which takes the place of the event's.
pub async fn replay(world: &World) {
    let [ada, bob] = ada_and_bob(world);
    let powers = Claims {
        roles: vec!["super_admin".to_owned()],
        ..demo::USERS[0].claims()
    };
    let admin = world.stranger(demo::USERS[0].id, powers);
    let conversation = ada.open_direct(&bob).await;
    assert_eq!(conversation, examples::CONVERSATION);
    ada.says(&conversation, "The entry that the jobs speak of").await;
    let file = ada.uploads("harbour.jpg", "image/jpeg", files::JPEG).await;
    let export = admin.get("/api/admin/messages/export").await.is(202)["export_id"].clone();
    let attached_file = ada.uploads("pier.jpg", "image/jpeg", files::JPEG).await;
    ada.completes(&attached_file).await.is(200);
    let body = json!({ "receiver_id": bob.id, "content": "Look!", "attachments": [attached_file] });
    let attached = ada.post("/api/v2/messages/send", body).await.is(200)["id"].clone();
    let (functions, mut events) = (local::functions(), recorded());
    agree_on_the_caller(world, &functions, &events).await;

    for function in &functions {
        let event = events.remove(&function.binary());
        let event = event.unwrap_or_else(|| panic!("there is no events/{}.json", function.binary()));
        is_sound(function, &event);
        // One for each, so that none is gone when the next event speaks of it.
        let message = ada.says(&conversation, function.name).await["id"].clone();
        let mail = bob.mails(&ada, function.name).await["id"].clone();
        let notification = ada.notifications().await.remove(0)["id"].clone();
        let (message, file) = match function.name {
            "get_attachment" => (attached.clone(), attached_file.clone()),
            _ => (message, file.clone()),
        };
        let event = [
            (examples::MESSAGE, message),
            (examples::MAIL, mail),
            (examples::NOTIFICATION, notification),
            (examples::FILE, file.into()),
            (examples::EXPORT, export.clone()),
        ]
        .into_iter()
        .fold(event, |event, (example, real)| {
            event.replace(example, real.as_str().unwrap())
        });
        check(function, &invoke(world, function, &event).await);
    }
    assert_eq!(
        events.keys().collect::<Vec<_>>(),
        Vec::<&String>::new(),
        "events of no function"
    );
    world.settled().await;
}

/// Insists that nothing is left to fill in, and on what AWS tells of the records of a queue and of a body.
fn is_sound(function: &Function, event: &str) {
    let name = function.name;
    assert!(!event.contains("{{"), "{name}: its event has a placeholder");
    let fields: Value = serde_json::from_str(event).unwrap();
    for record in fields["Records"].as_array().into_iter().flatten() {
        let digest = Md5::digest(record["body"].as_str().unwrap());
        let digits = digest.iter().flat_map(|byte| [byte >> 4, byte & 15]);
        let hex: String = digits
            .filter_map(|digit| char::from_digit(digit.into(), 16))
            .collect();
        assert_eq!(record["md5OfBody"], hex, "the digest of a record of {name}");
    }
    if let (Trigger::Http(_), Some(body)) = (&function.trigger, fields["body"].as_str()) {
        let length = &fields["headers"]["content-length"];
        assert_eq!(
            length,
            &json!(body.len().to_string()),
            "the content-length of {name}"
        );
    }
}

/// Checks the response to a recorded event.
fn check(function: &Function, answer: &Value) {
    let name = function.name;
    match &function.trigger {
        Trigger::Queue(_) => assert_eq!(answer, &json!({ "batchItemFailures": [] }), "{name}"),
        Trigger::Schedule(_) => assert_eq!(answer, &json!({}), "{name}"),
        Trigger::Connection(entry) if entry.key == "authorizer" => {
            assert_eq!(
                answer["policyDocument"]["Statement"][0]["Effect"], "Allow",
                "{name}: {answer}"
            );
        }
        Trigger::Http(_) | Trigger::Frame(_) | Trigger::Connection(_) => {
            let status = answer["statusCode"].as_u64().unwrap();
            match REFUSED.iter().find(|(refused, _)| *refused == name) {
                Some((_, expected)) => assert_eq!(status, *expected, "{name}: {answer}"),
                None => assert!((200..300).contains(&status), "{name}: {answer}"),
            }
        }
    }
}

/// Insists that the events of connections name the caller as the authorizer does, who let Ada in.
async fn agree_on_the_caller(world: &World, functions: &[Function], events: &BTreeMap<String, String>) {
    let is_authorizer = |function: &&Function| matches!(&function.trigger, Trigger::Connection(entry) if entry.key == "authorizer");
    let authorizer = functions.iter().find(is_authorizer).unwrap();
    let answer = invoke(world, authorizer, &events[&authorizer.binary()]).await;
    check(authorizer, &answer);
    for (name, event) in events {
        let event: Value = serde_json::from_str(event).unwrap();
        let caller = &event["requestContext"]["authorizer"]["caller"];
        assert!(
            caller.is_null() || *caller == answer["context"]["caller"],
            "events/{name}.json: requestContext.authorizer.caller should be {}",
            answer["context"]["caller"]
        );
    }
}
