//! Frames to people: to each live connection of theirs, and a sign to a request of theirs that waits.

use futures::stream::{self, StreamExt as _};

use crate::App;
use crate::connections_api::{self, Posted};
use crate::domain::frame::Frame;
use crate::domain::ids::{ConnectionId, UserId};
use crate::error::{Error, Result};
use crate::socket::{self, error_frame};
use crate::store::connections::{self, Listeners, Live};
use crate::store::table::Consistency;

/// How many posts are on their way at once.
const PARALLEL: usize = 50;

/// Who of some people can be reached now.
#[derive(Clone, Debug, Default)]
pub struct Audience {
    /// Those with a live connection, or a request that waits.
    pub listening: Vec<(UserId, Listeners)>,
    /// Those without a live connection.
    pub offline: Vec<UserId>,
}

/// Finds out who can be reached. Read eventually, it may leave out a connection that was opened a moment ago.
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
    /// Where they listen.
    pub listeners: Listeners,
    /// The frame.
    pub frame: Frame,
}

/// Delivers frames: who turned out to have no live connection left, and what went wrong. A connection that cannot
/// be reached keeps none of the others waiting, and is reported once all have been tried.
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

/// Delivers to one person; whether any connection took it. Those that live come before those that have ended: a
/// farewell that fails keeps no frame back.
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
    // Who has no live connection is known to be offline, and not unreached.
    let mut reached = Ok(listeners.connections.is_empty());
    let mut is_gone = false;
    for result in futures::future::join_all(posts).await {
        is_gone |= matches!(result, Ok(false));
        reached = reached.and_then(|before| Ok(before | result?));
    }
    if is_gone && listeners.is_remembered {
        // Somebody who comes back where they were a moment ago is told over the new connection at once.
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

/// Posts to one connection; one that is gone is forgotten, that one and no other. One that is opening may be yet to
/// come: forgotten, it would be open and hear nothing.
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

/// Ends a connection whose token has run out: says so, closes it and forgets it (contract §3, 4001).
pub async fn end(app: &App, user: UserId, connection: &ConnectionId) -> Result<()> {
    socket::post(
        app,
        connection,
        &Frame::Error(error_frame(&Error::unauthenticated("the token has expired"))),
    )
    .await?;
    connections_api::disconnect(app, connection).await?;
    connections::remove(app, user, connection).await
}
