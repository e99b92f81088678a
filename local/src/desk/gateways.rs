//! The two gateways of a desk, and the `@connections` API between functions and connections.

use std::sync::{Arc, Weak};

use bytes::Bytes;
use futures::future::BoxFuture;
use local_gateway::guard::Guard;
use local_gateway::http::{Extra, HttpGateway, RouteError};
use local_gateway::template::Template;
use local_gateway::websocket::{self, WebSocketGateway, WebSocketOptions};
use local_services::{ConnectionInfo, Connections, PostError, Services};

use crate::invoker::SharedInvoker;
use crate::{redrive, restoring};

/// The gateways, before they listen.
pub(super) struct Gateways {
    pub(super) http: HttpGateway,
    pub(super) websocket: Arc<WebSocketGateway>,
}

/// Builds the APIs of the template with the desk's own routes, and lets the services post to connections.
pub(super) fn open(
    template: &Template,
    invoker: SharedInvoker,
    options: WebSocketOptions,
    guard: Guard,
    live_page: Extra,
    services: &Services,
) -> Result<Gateways, RouteError> {
    let redrive = redrive::route(services.clone());
    let http = HttpGateway::new(&template.http, Arc::clone(&invoker))?
        .with_guard(guard.clone())
        .with_extra(http::Method::GET, "/", live_page)
        .with_extra(http::Method::POST, redrive::PATH, redrive)
        .with_extra(
            http::Method::POST,
            restoring::PATH,
            restoring::route(Arc::clone(&invoker)),
        );
    let websocket = WebSocketGateway::with_guard(template.websocket.clone(), invoker, options, guard);
    let websocket = Arc::new(websocket);
    services.set_connections(Arc::new(Posts(Arc::downgrade(&websocket))));
    Ok(Gateways { http, websocket })
}

/// The `@connections` API over the gateway's connections. It holds a weak reference: the gateway holds the functions,
/// which hold the services, and a cycle would never be dropped.
struct Posts(Weak<WebSocketGateway>);

impl Posts {
    fn gateway(&self) -> Result<Arc<WebSocketGateway>, PostError> {
        self.0.upgrade().ok_or(PostError::Gone)
    }
}

impl Connections for Posts {
    fn post<'a>(&'a self, id: &'a str, data: Bytes) -> BoxFuture<'a, Result<(), PostError>> {
        Box::pin(async move { self.gateway()?.post(id, &data).await.map_err(post_error) })
    }

    fn get<'a>(&'a self, id: &'a str) -> BoxFuture<'a, Result<ConnectionInfo, PostError>> {
        let moment = |milliseconds: u64| {
            time::OffsetDateTime::from_unix_timestamp_nanos(i128::from(milliseconds) * 1_000_000)
                .unwrap_or(time::OffsetDateTime::UNIX_EPOCH)
        };
        Box::pin(async move {
            let info = self.gateway()?.get(id).ok_or(PostError::Gone)?;
            Ok(ConnectionInfo {
                connected_at: moment(info.connected_at),
                last_active_at: moment(info.last_active_at),
                source_ip: info.source_ip,
                user_agent: info.user_agent.unwrap_or_default(),
            })
        })
    }

    fn disconnect<'a>(&'a self, id: &'a str) -> BoxFuture<'a, Result<(), PostError>> {
        Box::pin(async move { self.gateway()?.disconnect(id).map_err(post_error) })
    }
}

fn post_error(error: websocket::PostError) -> PostError {
    match error {
        websocket::PostError::Gone => PostError::Gone,
        websocket::PostError::TooLarge => PostError::TooLarge,
        websocket::PostError::Throttled => PostError::Throttled,
    }
}
