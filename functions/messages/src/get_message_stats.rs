//! `GET /api/v2/messages/stats`: how many person-to-person messages the caller has sent and received (S2-E08).
//!
//! The newest entry of each direct conversation holds the number of messages of each member, so the cost does not
//! depend on the number of messages.

use schemars::JsonSchema;
use serde::Serialize;
use serde_json::json;
use shared::auth::Caller;
use shared::domain::unread::Ordinal;
use shared::http::input::Nothing;
use shared::http::{Call, Endpoint, Example, Reply, Route, Tag};
use shared::rights::{Rights, TableAction};
use shared::store::{log, sync};
use shared::{App, Result};

/// `GET /api/v2/messages/stats`
pub struct GetMessageStats;

/// Message statistics. Deleted messages are included in `sent` and `received`.
#[derive(Default, Serialize, JsonSchema)]
#[schemars(rename = "DirectMessageStats")]
pub struct Output {
    /// The number of messages sent.
    pub sent: u64,
    /// The number of messages received.
    pub received: u64,
    /// The number of unread messages: exact up to 99 per conversation.
    pub unread: u64,
}

impl Endpoint for GetMessageStats {
    const ROUTE: Route = Route::get(
        Tag::PersonToPerson,
        "get_message_stats",
        "/api/v2/messages/stats",
        "Get message statistics",
    )
    .described(
        "The numbers of messages that the caller has sent, received, and not read yet, in direct \
         conversations.",
    );
    const RIGHTS: Rights = Rights::OF_A_ROUTE
        .table(&[TableAction::BatchGetItem, TableAction::Query])
        .queries_by_user();
    type Who = Caller;
    type Path = Nothing;
    type Query = Nothing;
    type Body = Nothing;
    type Output = Output;

    fn example() -> Example {
        Example {
            answer: json!({ "sent": 3, "received": 5, "unread": 1 }),
            ..Example::default()
        }
    }

    async fn handle(app: &App, call: Call<'_, Self>) -> Result<Reply<Output>> {
        let mut output = Output::default();
        for snapshot in sync::direct_snapshots(app, call.who.user).await? {
            let Some(newest) = &snapshot.newest else { continue };
            let (all, of_first) = (newest.tail.messages, newest.tail.messages_of_first);
            let of_second = all.saturating_sub(of_first);
            let (sent, received) = if snapshot.membership.ordinal() == Ordinal(0) {
                (of_first, of_second)
            } else {
                (of_second, of_first)
            };
            output.sent += sent;
            output.received += received;
            output.unread += u64::from(log::unread(app, &snapshot.membership, Some(newest)).await?);
        }
        Ok(output.into())
    }
}
