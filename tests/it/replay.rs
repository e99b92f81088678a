//! Every recorded event, through the decoder that runs on Lambda (style §5, 20).

use harness::{World, events};
use serde_json::Value;

/// S1-Q01
#[tokio::test]
async fn every_function_does_what_its_recorded_event_asks() {
    events::replay(&World::start().await).await;
}

/// What a recorded event did is there afterwards, as after a request.
#[tokio::test]
async fn a_recorded_send_is_a_message_that_the_other_one_sees() {
    let world = World::start().await;
    let [ada, bob] = events::ada_and_bob(&world);
    let conversation = ada.open_direct(&bob).await;
    let event = events::recorded()["send-message"]
        .replace("{{token}}", &ada.token)
        .replace("{{conversation_id}}", &conversation);
    let functions = harness::functions();
    let send = functions
        .iter()
        .find(|function| function.name == "send_message")
        .unwrap();

    let answer = events::invoke(&world, send, &event).await;
    assert_eq!(answer["statusCode"], 201);
    let sent: Value = serde_json::from_str(answer["body"].as_str().unwrap()).unwrap();

    assert_eq!(bob.messages(&conversation).await, [sent]);
    let again = events::invoke(&world, send, &event).await;
    assert_eq!(again["headers"]["idempotency-replayed"], "true");
}
