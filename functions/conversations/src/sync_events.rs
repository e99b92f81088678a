//! `GET /api/events`: all events in any of the caller's conversations since a token.

use std::time::Duration;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::json;
use shared::auth::Caller;
use shared::domain::frame::{ConversationEvent, Frame, UnreadSummary};
use shared::domain::ids::UserId;
use shared::http::input::Nothing;
use shared::http::page::{Bounded, PageSize, fit};
use shared::http::{Call, Endpoint, Example, Reply, Route, Tag};
use shared::operations::views::{self, Unread};
use shared::rights::{Rights, TableAction};
use shared::store::connections;
use shared::store::sync::{self, Token};
use shared::{App, Result};

use crate::examples;

/// `GET /api/events`
pub struct SyncEvents;

/// The parameters of the query.
#[derive(Deserialize, JsonSchema)]
pub struct Query {
    /// The `next` of the previous response. Without it, no events are listed, only the token of the current position.
    pub after: Option<String>,
    /// The number of seconds to wait for an event, 0 to 25.
    #[serde(default)]
    pub wait: Bounded<0, 25, 0>,
    /// The maximum number of events, 1 to 100. There may be fewer although `has_more` is true.
    #[serde(default)]
    pub limit: PageSize<100>,
}

/// New events.
#[derive(Serialize, JsonSchema)]
#[schemars(rename = "Events")]
pub struct Output {
    /// The events. For each member, only the latest `message_read` is included.
    #[schemars(with = "Vec<ConversationEvent>")]
    pub events: Vec<Frame>,
    /// The sync token to continue with.
    pub next: String,
    /// Whether more events are available now.
    pub has_more: bool,
    /// False if the token is too old to list all events; then `events` is empty and `next` is the current position.
    pub recovered: bool,
    /// Unread messages.
    pub unread: UnreadSummary,
}

/// How often a waiting request checks the signal.
const LOOK_EVERY: Duration = Duration::from_millis(400);

impl Endpoint for SyncEvents {
    const ROUTE: Route = Route::get(Tag::Events, "sync_events", "/api/events", "List new events").described(
        "All events in the caller's conversations since a sync token. Call it without `after` to get a \
         token for the current position; from then on pass `next` of the previous response as `after`.\n\n\
         With `wait` the response is held back until there is an event or the time is over (long \
         polling). `recovered: false` means that the token is too old to list all events since: reload \
         the conversations and continue with `next`.",
    );
    const RIGHTS: Rights = Rights::OF_A_ROUTE
        .table(&[TableAction::BatchGetItem, TableAction::Query])
        .queries_by_user();
    type Who = Caller;
    type Path = Nothing;
    type Query = Query;
    type Body = Nothing;
    type Output = Output;

    fn example() -> Example {
        Example {
            parameters: json!({ "limit": 100 }),
            answer: json!({
                "events": [examples::new_message()],
                "next": "Zp3vTa1…",
                "has_more": false,
                "recovered": true,
                "unread": { "total": 1, "by_conversation": { examples::CONVERSATION: 1 } }
            }),
            ..Example::default()
        }
    }

    async fn handle(app: &App, call: Call<'_, Self>) -> Result<Reply<Output>> {
        let (user, query) = (call.who.user, &call.query);
        let Some(after) = &query.after else {
            return Ok(fresh(app, user).await?.into());
        };
        let token = Token::open(app, user, after)?;
        let limit = usize::try_from(query.limit.get()).unwrap_or(usize::MAX);
        if query.wait.get() == 0 {
            return Ok(since(app, user, &token, limit).await?.into());
        }
        Ok(wait(
            app,
            &call.request.id,
            user,
            &token,
            limit,
            Duration::from_secs(query.wait.get()),
        )
        .await?
        .into())
    }
}

async fn fresh(app: &App, user: UserId) -> Result<Output> {
    // Before the reads: events during the reads belong to the next sync.
    let now = app.now();
    let snapshots = sync::snapshots(app, user).await?;
    let next = sync::from_now(app, now, &snapshots).await?.seal(app, user)?;
    let unread = views::unread(app, &snapshots).await?;
    Ok(Output {
        events: Vec::new(),
        next,
        has_more: false,
        recovered: true,
        unread,
    })
}

async fn since(app: &App, user: UserId, token: &Token, limit: usize) -> Result<Output> {
    let now = app.now();
    let snapshots = sync::snapshots(app, user).await?;
    let since = sync::since(app, now, &snapshots, token, limit).await?;
    let (mut events, unread) = tokio::try_join!(
        views::frames(app, user, &snapshots, &since.events, Unread::LeftOut),
        views::unread(app, &snapshots)
    )?;
    fit(&mut events, &unread, |_| {})?;
    let since = since.first(app, &snapshots, events.len()).await?;
    let events = events.into_iter().flatten().collect();
    let next = since.next.seal(app, user)?;
    Ok(Output {
        events,
        next,
        has_more: since.has_more,
        recovered: since.recovered,
        unread,
    })
}

/// Registers as waiting first, then reads, and reads again whenever the signal changes: a delivery between the read and
/// the wait changes the signal. A delivery may not see the registration at first ([`shared::queue::CatchUp`]), so there
/// is one more read once it surely does.
async fn wait(
    app: &App,
    waiter: &str,
    user: UserId,
    token: &Token,
    limit: usize,
    longest: Duration,
) -> Result<Output> {
    let (ends_at, known_at) = (app.now().plus(longest), app.now().plus(app.config().catch_up));
    let mut is_known = false;
    let mut signal = connections::wait(app, user, waiter, ends_at).await?;
    let output = loop {
        let output = since(app, user, token, limit).await?;
        if !output.events.is_empty() || !output.recovered {
            break output;
        }
        let woken = loop {
            let left = ends_at.since(app.now());
            if left.is_zero() {
                break false;
            }
            tokio::time::sleep(left.min(LOOK_EVERY)).await;
            let now = connections::signal_of(app, user).await?;
            if now != signal {
                signal = now;
                break true;
            }
            if !is_known && app.now() >= known_at {
                is_known = true;
                break true;
            }
        };
        if !woken {
            break output;
        }
    };
    connections::stop_waiting(app, user, waiter).await?;
    Ok(output)
}
