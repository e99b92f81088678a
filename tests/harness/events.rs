//! The recorded events in `events/`, one per function, and checks of the responses.

use std::collections::BTreeMap;
use std::path::Path;

use local::demo;
use md5::{Digest as _, Md5};
use serde_json::{Value, json};
use shared::domain::user::Claims;
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

/// Invokes a function directly with an event whose placeholders are filled in.
pub async fn invoke(world: &World, function: &Function, event: &str) -> Value {
    let left = event.find("{{").map(|at| &event[at..event.len().min(at + 40)]);
    assert_eq!(left, None, "{} has an unknown placeholder", function.name);
    let answer = world
        .desk()
        .invoker()
        .invoke(&logical_id(function.name), event.as_bytes().to_vec())
        .await;
    let answer = answer.unwrap_or_else(|error| panic!("{} fails on its event: {error}", function.name));
    serde_json::from_slice(&answer).unwrap()
}

/// Invokes every function with its event, with Ada as the caller, and checks the responses.
pub async fn replay(world: &World) {
    let [ada, bob] = ada_and_bob(world);
    let powers = Claims {
        roles: vec!["super_admin".to_owned()],
        ..demo::USERS[0].claims()
    };
    let admin = world.stranger(demo::USERS[0].id, powers);
    let conversation = ada.open_direct(&bob).await;
    let token = ada.get("/api/events").await.is(200)["next"]
        .as_str()
        .unwrap()
        .to_owned();
    ada.says(&conversation, "The entry that the jobs speak of").await;
    let file = ada.uploads("harbour.jpg", "image/jpeg", files::JPEG).await;
    let export = admin.get("/api/admin/messages/export").await.is(202)["export_id"]
        .as_str()
        .unwrap()
        .to_owned();
    let attached_file = ada.uploads("pier.jpg", "image/jpeg", files::JPEG).await;
    ada.completes(&attached_file).await.is(200);
    let body = json!({ "receiver_id": bob.id, "content": "Look!", "attachments": [attached_file] });
    let attached = ada.post("/api/v2/messages/send", body).await.is(200);
    let (functions, mut events) = (local::functions(), recorded());
    let caller = caller(world, &functions, &events, &ada).await;

    for function in &functions {
        let event = events.remove(&function.binary());
        let event = event.unwrap_or_else(|| panic!("there is no events/{}.json", function.binary()));
        // One for each, so that none is gone when the next event refers to it.
        let message = ada.says(&conversation, function.name).await;
        let received = bob.says(&conversation, function.name).await;
        let needs_more = matches!(&function.trigger, Trigger::Http(entry) if entry.route.needs.is_some());
        let bearer = if needs_more { &admin.token } else { &ada.token };
        let mail = bob.mails(&ada, function.name).await;
        let notification = ada.notifications().await.remove(0);
        let event = event
            .replace("{{token}}", bearer)
            .replace("{{mail_id}}", mail["id"].as_str().unwrap())
            .replace("{{notification_id}}", notification["id"].as_str().unwrap())
            .replace("{{ada}}", &ada.id.to_string())
            .replace("{{bob}}", &bob.id.to_string())
            .replace("{{received_id}}", received["id"].as_str().unwrap())
            .replace("{{conversation_id}}", &conversation)
            .replace("{{message_id}}", message["id"].as_str().unwrap())
            .replace("{{export_id}}", &export)
            .replace("{{sync_token}}", &token)
            .replace("{{file_id}}", &file)
            .replace("{{attached_id}}", attached["id"].as_str().unwrap())
            .replace("{{attached_file_id}}", &attached_file)
            .replace("{{caller}}", &escaped(&caller));
        let event = sound(function, &event);
        check(function, &invoke(world, function, &event).await);
    }
    assert_eq!(
        events.keys().collect::<Vec<_>>(),
        Vec::<&String>::new(),
        "events of no function"
    );
    world.settled().await;
}

/// An event with the digests of its records, and the length of the body, which AWS includes too.
fn sound(function: &Function, event: &str) -> String {
    let mut fields: Value = serde_json::from_str(event).unwrap();
    if let Some(records) = fields.get_mut("Records").and_then(Value::as_array_mut) {
        for record in records {
            assert_eq!(record["md5OfBody"], "{{md5_of_body}}", "{}", function.name);
            let digest = Md5::digest(record["body"].as_str().unwrap());
            let digits = digest.iter().flat_map(|byte| [byte >> 4, byte & 15]);
            let hex: String = digits
                .filter_map(|digit| char::from_digit(digit.into(), 16))
                .collect();
            record["md5OfBody"] = hex.into();
        }
    }
    if let (Trigger::Http(_), Some(body)) = (&function.trigger, fields["body"].as_str()) {
        let length = &fields["headers"]["content-length"];
        assert_eq!(
            length,
            &json!(body.len().to_string()),
            "the content-length of {}",
            function.name
        );
    }
    fields.to_string()
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

/// The context after the authorizer accepted Ada.
async fn caller(
    world: &World,
    functions: &[Function],
    events: &BTreeMap<String, String>,
    ada: &Person,
) -> String {
    let is_authorizer = |function: &&Function| matches!(&function.trigger, Trigger::Connection(entry) if entry.key == "authorizer");
    let authorizer = functions.iter().find(is_authorizer).unwrap();
    let event = events[&authorizer.binary()].replace("{{token}}", &ada.token);
    let answer = invoke(world, authorizer, &event).await;
    check(authorizer, &answer);
    answer["context"]["caller"].as_str().unwrap().to_owned()
}

/// A value as it is written within a JSON string.
fn escaped(text: &str) -> String {
    let quoted = Value::from(text).to_string();
    quoted[1..quoted.len() - 1].to_owned()
}
