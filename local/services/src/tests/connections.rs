//! The `@connections` API through the SDK.

use std::sync::{Arc, Mutex};

use aws_sdk_apigatewaymanagement::Client;
use aws_sdk_apigatewaymanagement::primitives::Blob;
use bytes::Bytes;
use futures::future::BoxFuture;
use time::macros::datetime;

use super::{client, services};
use crate::{ConnectionInfo, Connections, PostError, Services};

/// One live connection, `live=`, which notes what is done to it.
#[derive(Default)]
struct OneConnection {
    seen: Mutex<Vec<String>>,
}

impl OneConnection {
    fn see(&self, id: &str, what: String) -> Result<(), PostError> {
        match id {
            "live=" => {
                self.seen.lock().unwrap().push(what);
                Ok(())
            }
            "large=" => Err(PostError::TooLarge),
            "slow=" => Err(PostError::Throttled),
            _ => Err(PostError::Gone),
        }
    }
}

impl Connections for OneConnection {
    fn post(&self, id: &str, data: Bytes) -> BoxFuture<'_, Result<(), PostError>> {
        let done = self.see(id, format!("post {}", String::from_utf8_lossy(&data)));
        Box::pin(async move { done })
    }

    fn get(&self, id: &str) -> BoxFuture<'_, Result<ConnectionInfo, PostError>> {
        let info = self.see(id, "get".to_owned()).map(|()| ConnectionInfo {
            connected_at: datetime!(2026-11-21 11:00:00 UTC),
            last_active_at: datetime!(2026-11-21 11:30:00 UTC),
            source_ip: "127.0.0.1".to_owned(),
            user_agent: "test".to_owned(),
        });
        Box::pin(async move { info })
    }

    fn disconnect(&self, id: &str) -> BoxFuture<'_, Result<(), PostError>> {
        let done = self.see(id, "disconnect".to_owned());
        Box::pin(async move { done })
    }
}

fn client(services: &Services) -> Client {
    client!(aws_sdk_apigatewaymanagement, Connections, services)
}

#[tokio::test]
async fn a_live_connection_is_posted_to_described_and_closed() {
    let services = services();
    let connection = Arc::new(OneConnection::default());
    services.set_connections(connection.clone());
    let client = client(&services);

    client
        .post_to_connection()
        .connection_id("live=")
        .data(Blob::new("hello"))
        .send()
        .await
        .unwrap();
    let info = client
        .get_connection()
        .connection_id("live=")
        .send()
        .await
        .unwrap();
    client
        .delete_connection()
        .connection_id("live=")
        .send()
        .await
        .unwrap();

    assert_eq!(
        *connection.seen.lock().unwrap(),
        ["post hello", "get", "disconnect"]
    );
    assert_eq!(info.identity().unwrap().source_ip(), Some("127.0.0.1"));
    assert_eq!(
        info.connected_at().unwrap().secs(),
        datetime!(2026-11-21 11:00:00 UTC).unix_timestamp()
    );
}

#[tokio::test]
async fn refusals_come_out_as_typed_errors() {
    let services = services();
    services.set_connections(Arc::new(OneConnection::default()));
    let client = client(&services);
    let refusal = async |id: &str| {
        let post = client
            .post_to_connection()
            .connection_id(id)
            .data(Blob::new("hello"));
        post.send().await.unwrap_err()
    };

    let gone = refusal("gone=").await;
    assert_eq!(gone.raw_response().unwrap().status().as_u16(), 410);
    assert!(gone.into_service_error().is_gone_exception());
    assert!(
        refusal("large=")
            .await
            .into_service_error()
            .is_payload_too_large_exception()
    );
    assert!(
        refusal("slow=")
            .await
            .into_service_error()
            .is_limit_exceeded_exception()
    );
    let closed = client
        .delete_connection()
        .connection_id("gone=")
        .send()
        .await
        .unwrap_err();
    assert!(closed.into_service_error().is_gone_exception());
}

#[tokio::test]
async fn without_a_gateway_every_connection_is_gone() {
    let client = client(&services());

    let post = client
        .post_to_connection()
        .connection_id("live=")
        .data(Blob::new("hello"));

    assert!(
        post.send()
            .await
            .unwrap_err()
            .into_service_error()
            .is_gone_exception()
    );
}
