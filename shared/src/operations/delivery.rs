//! Delivering frames: to each live connection of a person, and a signal to their waiting long-polling request.

use futures::stream::{self, StreamExt as _};

use crate::App;
use crate::connections_api::{self, Posted, error_frame};
use crate::domain::frame::Frame;
use crate::domain::ids::{ConnectionId, UserId};
use crate::error::{Error, Result};
use crate::store::connections::{self, Listeners, Live};
use crate::store::table::Consistency;

/// How many posts are made concurrently.
const PARALLEL: usize = 50;

/// Which of some people can be reached now.
#[derive(Clone, Debug, Default)]
pub struct Audience {
    /// Those with a live connection or a waiting long-polling request.
    pub listening: Vec<(UserId, Listeners)>,
    /// Those without a live connection.
    pub offline: Vec<UserId>,
}

/// Finds out who can be reached. With eventual consistency it may miss a connection that has just been opened.
pub async fn audience(app: &App, users: &[UserId], consistency: Consistency) -> Result<Audience> {
    let mut listeners = connections::of_many(app, users, consistency).await?;
    Ok(users
        .iter()
        .map(|user| (*user, listeners.remove(user).unwrap_or_default()))
        .collect())
}

impl FromIterator<(UserId, Listeners)> for Audience {
    fn from_iter<I: IntoIterator<Item = (UserId, Listeners)>>(found: I) -> Self {
        let mut audience = Self::default();
        for (user, listeners) in found {
            if listeners.connections.is_empty() {
                audience.offline.push(user);
            }
            if listeners != Listeners::default() {
                audience.listening.push((user, listeners));
            }
        }
        audience
    }
}

/// A frame for one person.
#[derive(Clone, Debug)]
pub struct Delivery {
    /// Who.
    pub user: UserId,
    /// The person's connections.
    pub listeners: Listeners,
    /// The frame.
    pub frame: Frame,
}

/// Delivers frames. Returns who turned out to have no live connection, and the last error. A connection that cannot be
/// reached does not hold up the others; its error is reported after all have been tried.
pub async fn deliver(app: &App, deliveries: Vec<Delivery>) -> (Vec<UserId>, Result<()>) {
    let results: Vec<(UserId, Result<bool>)> = stream::iter(deliveries)
        .map(|delivery| async move { (delivery.user, deliver_one(app, &delivery).await) })
        .buffer_unordered(PARALLEL)
        .collect()
        .await;
    let (mut unreached, mut delivered) = (Vec::new(), Ok(()));
    for (user, result) in results {
        match result {
            Ok(true) => {}
            Ok(false) => unreached.push(user),
            Err(error) => delivered = Err(error),
        }
    }
    (unreached, delivered)
}

/// Delivers to one person; returns whether any connection got the frame. Live connections come before expired ones, so
/// that a failure to close one holds no frame back.
async fn deliver_one(app: &App, delivery: &Delivery) -> Result<bool> {
    let Delivery {
        user,
        listeners,
        frame,
    } = delivery;
    if listeners.is_polled {
        connections::signal(app, *user).await?;
    }
    let text = frame.to_text().map_err(Error::internal)?;
    let posts = listeners
        .connections
        .iter()
        .map(|connection| post(app, *user, connection, &text));
    // Someone without a live connection counts as offline, not as unreached.
    let mut reached = Ok(listeners.connections.is_empty());
    let mut is_gone = false;
    for result in futures::future::join_all(posts).await {
        is_gone |= matches!(result, Ok(false));
        reached = reached.and_then(|before| Ok(before | result?));
    }
    if is_gone && listeners.is_remembered {
        // Somebody who has just reconnected is reached over the new connection at once.
        let fresh = connections::of_many(app, &[*user], Consistency::Strong).await?;
        let tried = |fresh: &&Live| listeners.connections.iter().any(|tried| tried.id == fresh.id);
        let fresh = fresh.values().flat_map(|fresh| &fresh.connections);
        for connection in fresh.filter(|fresh| !tried(fresh)) {
            let result = post(app, *user, connection, &text).await;
            reached = reached.and_then(|before| Ok(before | result?));
        }
    }
    for connection in &listeners.ended {
        end(app, *user, connection).await?;
    }
    reached
}

/// Posts to one connection. A connection that is gone is removed, and no other. A connection that is opening may look
/// gone and is kept: removed, it would get nothing once it is open.
async fn post(app: &App, user: UserId, connection: &Live, text: &str) -> Result<bool> {
    match connections_api::post(app, &connection.id, text).await? {
        Posted::Delivered => Ok(true),
        Posted::Gone => {
            if connection.is_opening {
                connections::forget(app, user);
            } else {
                connections::remove(app, user, &connection.id).await?;
            }
            Ok(false)
        }
    }
}

/// Ends a connection whose token has expired: posts an error, closes the connection and removes it (contract §3, 4001).
pub async fn end(app: &App, user: UserId, connection: &ConnectionId) -> Result<()> {
    connections_api::post_frame(
        app,
        connection,
        &Frame::Error(error_frame(&Error::unauthenticated("the token has expired"))),
    )
    .await?;
    connections_api::disconnect(app, connection).await?;
    connections::remove(app, user, connection).await
}
