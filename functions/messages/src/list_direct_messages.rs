//! `GET /api/v2/messages/conversation/{partner_id}`: the messages between the caller and another user (S2-E02).
//!
//! The newest page comes first; within a page the oldest message comes first.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::json;
use shared::auth::Caller;
use shared::domain::ids::{ConversationId, UserId};
use shared::domain::message::{Entry, Event};
use shared::domain::message_v2::{Between, MessageV2};
use shared::http::input::Nothing;
use shared::http::page::{Found, LimitSkip, LimitSkipFields, ListQuery, Pager};
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
    /// The other user.
    pub partner_id: UserId,
}

/// A page of messages.
#[derive(Serialize, JsonSchema)]
#[schemars(rename = "DirectMessageList")]
pub struct Output {
    /// The messages, oldest first.
    pub messages: Vec<MessageV2>,
    /// The position of the page; the newest messages come first. `total` includes deleted messages.
    #[serde(flatten)]
    pub page: LimitSkipFields,
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
    type Query = ListQuery<LimitSkip<50>>;
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
        let (user, partner) = (call.who.user, call.path.partner_id);
        let pager = call.query.pager(app, user, Self::ROUTE.name, &partner)?;
        let skipped = pager.skipped()?;
        let conversation = ConversationId::direct(user, partner);
        let membership = match Membership::of(app, user, conversation, Consistency::Strong).await {
            Ok(membership) => membership,
            // A known user without a conversation with the caller: an empty list.
            Err(Error::NotFound(_)) => {
                profiles::find(app, partner)
                    .await?
                    .ok_or(Error::NotFound("user"))?;
                let nothing = Found {
                    rows: Vec::new(),
                    total: 0,
                    next: None,
                };
                return output(&pager, nothing);
            }
            Err(error) => return Err(error),
        };
        let (newest, read_marks) = tokio::try_join!(
            log::newest(app, conversation, Consistency::Strong),
            receipts::both(app, &membership),
        )?;
        let start = match pager.after() {
            Some(start) => *start,
            None => Start::skipping(app, &membership, newest.as_ref(), skipped).await?,
        };
        let last_seq = newest.as_ref().map_or(0, |newest| newest.seq);
        let found = log::page(app, &membership, start, last_seq, pager.size()).await?;
        let between = Between {
            conversation,
            pair: [user, partner],
            read_marks: &read_marks,
        };
        let row = |entry: &Entry| match &entry.event {
            Event::Message(content) => {
                let message = between.message(entry.seq, entry.at, content);
                Some((start.at(entry.seq), message))
            }
            Event::Deletion { .. } | Event::Moderation { .. } => None,
        };
        let found = Found {
            rows: found.messages.iter().filter_map(row).collect(),
            total: newest.map_or(0, |newest| newest.tail.messages),
            next: found.next,
        };
        output(&pager, found)
    }
}

fn output(pager: &Pager<'_, LimitSkip<50>, Start>, found: Found<MessageV2, Start>) -> Result<Reply<Output>> {
    let page = pager.page(found)?;
    Ok(Output {
        messages: page.rows.into_iter().rev().collect(),
        page: page.fields,
    }
    .into())
}
