//! Late jobs: the frame may be the last to arrive, so it holds the current state.

use std::time::Duration;

use harness::World;
use harness::faults::{Fault, Faults};
use serde_json::{Value, json};

/// S1-E05: the first message is delivered after the second, and says that both are unread.
#[tokio::test]
async fn a_frame_that_comes_late_tells_what_is_unread_by_then() {
    // The fault is for a job's call, and would hit the init of a process.
    let world = World::in_desk(&[]).await;
    let faults = Faults::install(world.services());
    let [ada, bob] = world.people(["ada", "bob"]).await;
    let conversation = ada.open_direct(&bob).await;
    let mut socket = bob.connect().await;
    world.settled().await;
    world.caught_up().await;
    faults.watch();
    ada.says(&conversation, "read").await;
    world.settled().await;
    let points = faults.seen();
    let look = points.iter().find(|point| point.function == "Deliver").unwrap();
    socket.so_far().await;

    faults.inject(look, Fault::DiesBefore);
    ada.says(&conversation, "told late").await;
    faults.was_injected().await;
    ada.says(&conversation, "told at once").await;
    assert_eq!(told(&[socket.next_of("new_message").await]), [json!([3, 3])]);
    world.advance(Duration::from_secs(2));
    faults.settle(world.services()).await;
    assert_eq!(told(&socket.so_far().await), [json!([2, 3])]);
}

/// The number of each posted message, with its unread count.
fn told(frames: &[Value]) -> Vec<Value> {
    let messages = frames.iter().filter(|frame| frame["type"] == "new_message");
    messages
        .map(|frame| json!([frame["seq"], frame["unread_count"]]))
        .collect()
}
