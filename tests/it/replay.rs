//! Every recorded event, through the decoder that runs on Lambda (style §5, 20).

use harness::{World, events};
use serde_json::{Value, json};

/// S1-Q01
#[tokio::test]
async fn every_function_does_what_its_recorded_event_asks() {
    events::replay(&World::start().await).await;
}

/// The routes whose events speak of something that has another id on each desk: 404.
const WITHOUT_A_THING: [&str; 8] = [
    "complete_file",
    "delete_notification",
    "get_attachment",
    "get_export",
    "get_file",
    "get_notification",
    "mark_notification_read",
    "reject_route",
];

/// Nobody has to fill anything in: on a new desk the first three make what the others speak of.
#[tokio::test]
async fn every_recorded_event_gets_an_ordinary_answer_as_it_stands() {
    let world = World::start().await;
    let mut functions = harness::functions();
    let first = ["send_mail", "send_message", "open_direct_conversation"];
    functions.sort_by_key(|function| {
        let is_deletion = function.name.starts_with("delete") || function.name.starts_with("hard");
        (
            is_deletion,
            std::cmp::Reverse(first.iter().position(|name| *name == function.name)),
        )
    });
    let (recorded, mut not_found, mut others) = (events::recorded(), Vec::new(), Vec::new());
    for function in &functions {
        let answer = events::invoke(&world, function, &recorded[&function.binary()]).await;
        match answer["statusCode"].as_u64() {
            None | Some(200..300) => {}
            Some(404) => not_found.push(function.name),
            Some(_) => others.push(answer.to_string()),
        }
    }
    assert_eq!(others, [""; 0]);
    not_found.sort_unstable();
    assert_eq!(not_found, WITHOUT_A_THING);
}

/// What a recorded event did is there afterwards, as after a request.
#[tokio::test]
async fn a_recorded_send_is_a_message_that_the_other_one_sees() {
    let world = World::start().await;
    let [ada, bob] = events::ada_and_bob(&world);
    let conversation = ada.open_direct(&bob).await;
    let event = &events::recorded()["send-message"];
    let functions = harness::functions();
    let send = functions
        .iter()
        .find(|function| function.name == "send_message")
        .unwrap();

    let answer = events::invoke(&world, send, event).await;
    assert_eq!(answer["statusCode"], 201);
    let sent: Value = serde_json::from_str(answer["body"].as_str().unwrap()).unwrap();

    assert_eq!(bob.messages(&conversation).await, [sent]);
    let again = events::invoke(&world, send, event).await;
    assert_eq!(again["headers"]["idempotency-replayed"], "true");
}

/// What is set up wrongly fails, and says which event came and which is wanted, once.
#[tokio::test]
async fn an_event_of_another_kind_fails_in_words_that_name_both() {
    let world = World::in_desk(&[]).await;
    let rest = json!({ "resource": "/health", "path": "/health", "httpMethod": "GET", "headers": {},
        "requestContext": { "stage": "dev", "resourceId": "a1", "httpMethod": "GET" } });
    let mut old = rest.clone();
    old["version"] = json!("1.0");
    let balancer = json!({ "requestContext": { "elb": { "targetGroupArn": "arn" } }, "httpMethod": "GET",
        "path": "/health", "queryStringParameters": {}, "headers": { "accept": "*/*" }, "body": "", "isBase64Encoded": false });
    let warm = json!({ "source": "serverless-plugin-warmup" });
    let topic = json!({ "Records": [{ "EventSource": "aws:sns", "EventVersion": "1.0", "Sns": { "Message": "{}" } }] });
    for (function, event, came, wanted) in [
        ("GetHealth", &rest, "of a REST API", "payload format 2.0"),
        ("GetHealth", &old, "in payload format 1.0", "payload format 2.0"),
        (
            "GetHealth",
            &balancer,
            "of an Application Load Balancer",
            "payload format 2.0",
        ),
        (
            "SendMessage",
            &warm,
            "from serverless-plugin-warmup",
            "payload format 2.0",
        ),
        ("SendMessage", &json!({}), "empty event", "payload format 2.0"),
        (
            "ShowTyping",
            &warm,
            "from serverless-plugin-warmup",
            "WebSocket API",
        ),
        (
            "AuthorizeConnection",
            &warm,
            "from serverless-plugin-warmup",
            "WebSocket API",
        ),
        (
            "OpenConnection",
            &warm,
            "from serverless-plugin-warmup",
            "WebSocket API",
        ),
        ("Deliver", &topic, "records from aws:sns", "SQS"),
        ("Deliver", &warm, "from serverless-plugin-warmup", "SQS"),
        (
            "RemoveOrphans",
            &warm,
            "from serverless-plugin-warmup",
            "EventBridge Scheduler",
        ),
    ] {
        let before = world.log().len();
        let event = event.to_string().into_bytes();
        let error = world
            .desk()
            .invoker()
            .invoke(function, event)
            .await
            .unwrap_err()
            .to_string();
        assert!(
            error.contains(came) && error.contains(wanted),
            "{function}: {error}"
        );
        let lines = world.log().split_off(before);
        let told: Vec<&Value> = lines
            .iter()
            .filter(|line| line.to_string().contains(came))
            .collect();
        assert_eq!(told.len(), 1, "{function}: {lines:?}");
        assert_eq!(told[0]["level"], "ERROR");
    }
}
