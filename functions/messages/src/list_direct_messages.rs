//! `GET /api/v2/messages/conversation/{partner_id}`: the messages between the caller and somebody (S2-E02).
//!
//! The newest page comes first, and within a page the oldest message.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::json;
use shared::auth::{Caller, cursor};
use shared::domain::ids::{ConversationId, UserId};
use shared::domain::message::{Entry, Event};
use shared::domain::message_v2::{Between, MessageV2};
use shared::http::input::Nothing;
use shared::http::page::{PageSize, Skip, skipped};
use shared::http::{Call, Endpoint, Example, Reply, Route, Tag};
use shared::operations::receipts;
use shared::rights::{Rights, TableAction};
use shared::store::log::{self, Start};
use shared::store::members::Membership;
use shared::store::profiles;
use shared::store::table::Consistency;
use shared::{App, Error, Result};

use crate::examples;

/// `GET /api/v2/messages/conversation/{partner_id}`
pub struct ListDirectMessages;

/// The parameters of the path.
#[derive(Deserialize, JsonSchema)]
pub struct Path {
    /// The other one.
    pub partner_id: UserId,
}

/// The parameters of the query.
#[derive(Deserialize, JsonSchema)]
pub struct Query {
    /// How many messages a page holds, 1 to 100.
    #[serde(default)]
    pub limit: PageSize<50>,
    /// How many of the newest messages to leave out.
    #[serde(default)]
    pub skip: Skip,
    /// Where to go on: the `next_cursor` of the page before. It wins over `skip`.
    pub cursor: Option<String>,
}

/// A page of messages.
#[derive(Default, Serialize, JsonSchema)]
#[schemars(rename = "DirectMessageList")]
pub struct Output {
    /// The messages, oldest first.
    pub messages: Vec<MessageV2>,
    /// How many there are in all, deleted ones included.
    pub total: u64,
    /// How many a page holds.
    pub limit: u64,
    /// How many of the newest were left out.
    pub skip: u64,
    /// Whether there are older ones.
    pub has_next: bool,
    /// Where to go on; null at the end.
    pub next_cursor: Option<String>,
}

impl Endpoint for ListDirectMessages {
    const ROUTE: Route = Route::get(
        Tag::PersonToPerson,
        "list_direct_messages",
        "/api/v2/messages/conversation/{partner_id}",
        "List messages with a user",
    )
    .described(
        "Pages run from the newest to the oldest; within a page the oldest message comes first. \
         Deleted messages are included with `is_deleted: true`. For a user with whom you have no \
         messages yet the list is empty.",
    );
    const RIGHTS: Rights = Rights::OF_A_ROUTE.table(&[TableAction::Query]);
    type Who = Caller;
    type Path = Path;
    type Query = Query;
    type Body = Nothing;
    type Output = Output;

    fn example() -> Example {
        Example {
            parameters: json!({ "partner_id": examples::BOB, "limit": 50, "skip": 0 }),
            answer: json!({
                "messages": [examples::message()],
                "total": 1,
                "limit": 50,
                "skip": 0,
                "has_next": false,
                "next_cursor": null
            }),
            ..Example::default()
        }
    }

    async fn handle(app: &App, call: Call<'_, Self>) -> Result<Reply<Output>> {
        let (user, partner, secret) = (call.who.user, call.path.partner_id, app.config().cursor_secret()?);
        let (limit, skip) = (call.query.limit.get(), call.query.skip.get());
        let list = format!("{}/{partner}", Self::ROUTE.name);
        let asked: Option<Start> = match &call.query.cursor {
            Some(sealed) => Some(cursor::open(secret, user, &list, sealed)?),
            None => None,
        };
        let skipped = if asked.is_some() {
            0
        } else {
            skipped(call.query.skip)?
        };
        let conversation = ConversationId::direct(user, partner);
        let membership = match Membership::of(app, user, conversation, Consistency::Strong).await {
            Ok(membership) => membership,
            // Who is known and was never written to has said nothing yet.
            Err(Error::NotFound(_)) => {
                profiles::find(app, partner)
                    .await?
                    .ok_or(Error::NotFound("user"))?;
                return Ok(Output {
                    limit,
                    skip,
                    ..Output::default()
                }
                .into());
            }
            Err(error) => return Err(error),
        };
        let (newest, cursors) = tokio::try_join!(
            log::newest(app, conversation, Consistency::Strong),
            receipts::both(app, &membership),
        )?;
        let start = match asked {
            Some(start) => start,
            None => Start::skipping(app, &membership, newest.as_ref(), skipped).await?,
        };
        let last_seq = newest.as_ref().map_or(0, |newest| newest.seq);
        let page = log::page(app, &membership, start, last_seq, limit).await?;
        let next_cursor = match &page.next {
            Some(next) => Some(cursor::seal(secret, user, &list, next)?),
            None => None,
        };
        let between = Between {
            conversation,
            pair: [user, partner],
            cursors: &cursors,
        };
        let message = |entry: &Entry| match &entry.event {
            Event::Message(content) => Some(between.message(entry.seq, entry.at, content)),
            Event::Deletion { .. } | Event::Moderation { .. } => None,
        };
        let output = Output {
            messages: page.messages.iter().rev().filter_map(message).collect(),
            total: newest.map_or(0, |newest| newest.tail.messages),
            limit,
            skip,
            has_next: next_cursor.is_some(),
            next_cursor,
        };
        Ok(output.into())
    }
}
