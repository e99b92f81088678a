//! How connections end.

use super::*;

#[tokio::test]
async fn what_is_too_big_closes_with_1009() {
    let world = World::new(open()).await;
    let (mut client, _) = world.join().await;
    // The server may close while the rest of the frame is on its way.
    client
        .send(Message::text("x".repeat(FRAME_LIMIT_BYTES + 1)))
        .await
        .ok();
    assert_eq!(close_code(&mut client).await, 1009);
    let event = world.functions.event("Disconnect").await;
    assert_eq!(event["requestContext"]["disconnectStatusCode"], 1009);

    let (mut client, _) = world.join().await;
    for number in 0..5 {
        let kind = if number == 0 { Data::Text } else { Data::Continue };
        let part = Frame::message(vec![b'x'; FRAME_LIMIT_BYTES], OpCode::Data(kind), number == 4);
        client.send(Message::Frame(part)).await.ok();
    }
    assert_eq!(close_code(&mut client).await, 1009);
}

#[tokio::test]
async fn silence_and_age_close_with_1001() {
    let short = Duration::from_millis(20);
    for options in [
        WebSocketOptions {
            idle_timeout: short,
            ..WebSocketOptions::default()
        },
        WebSocketOptions {
            lifetime: short,
            ..WebSocketOptions::default()
        },
    ] {
        let world = World::with(open(), options).await;
        let mut client = world.connect().await.unwrap();
        assert_eq!(close_code(&mut client).await, 1001);
        let event = world.functions.event("Disconnect").await;
        assert_eq!(event["requestContext"]["disconnectReason"], "Going away");
    }
}

#[tokio::test]
async fn posts_to_a_client_that_does_not_read_are_throttled_and_it_is_cut_off_in_the_end() {
    let world = World::with(
        open(),
        WebSocketOptions {
            outgoing_frames: 4,
            post_timeout: Duration::from_millis(20),
            write_timeout: Duration::from_secs(1),
            ..WebSocketOptions::default()
        },
    )
    .await;
    let (_client, id) = world.join().await;
    let frame = Bytes::from(vec![b'x'; MESSAGE_LIMIT_BYTES]);
    // What the kernel holds for the client comes first.
    let refused = loop {
        if let Err(error) = world.gateway.post(&id, &frame).await {
            break error;
        }
    };
    assert_eq!(refused, PostError::Throttled);
    assert_eq!(world.gateway.connections(), 1, "it may read on");
    let event = world.functions.event("Disconnect").await;
    assert_eq!(event["requestContext"]["disconnectStatusCode"], 1006);
    assert_eq!(world.gateway.post(&id, &frame).await, Err(PostError::Gone));
}

#[tokio::test]
async fn a_client_that_reads_gets_everything_however_fast_it_is_posted() {
    const FRAMES: usize = 5_000;
    let world = World::with(
        open(),
        WebSocketOptions {
            outgoing_frames: 4,
            ..WebSocketOptions::default()
        },
    )
    .await;
    let (mut client, id) = world.join().await;
    let posts = async {
        for number in 0..FRAMES {
            let frame = Bytes::from(number.to_string());
            world.gateway.post(&id, &frame).await.unwrap();
        }
    };
    let reads = async {
        for number in 0..FRAMES {
            assert_eq!(hear(&mut client).await, number.to_string());
        }
    };
    tokio::join!(posts, reads);
}

#[tokio::test]
async fn disconnect_events_can_be_lost() {
    let world = World::new(open()).await;
    let dropping = Arc::clone(&world.gateway.inner.options.drop_disconnect);
    dropping.store(true, std::sync::atomic::Ordering::Relaxed);
    let (mut client, _) = world.join().await;
    client.close(None).await.unwrap();
    world.gateway.close_all().await;
    assert!(world.functions.events("Disconnect").is_empty());
}

#[tokio::test]
async fn stopping_closes_every_connection() {
    let world = World::new(open()).await;
    let (mut client, _) = world.join().await;
    world.stop.send(()).unwrap();
    assert_eq!(close_code(&mut client).await, 1001);
    world.functions.event("Disconnect").await;
}
