//! `GET /api/v2/messages/conversations`: whom the caller writes with, by last activity, newest first (S2-E03).

use std::cmp::Reverse;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::json;
use shared::auth::{Caller, cursor};
use shared::domain::ids::{ConversationId, UserId};
use shared::domain::message::Event;
use shared::domain::message_v2::{Between, MessageV2};
use shared::domain::time::Timestamp;
use shared::domain::user::{Card, Claims};
use shared::http::input::Nothing;
use shared::http::page::{PageSize, Skip, skipped};
use shared::http::{Call, Endpoint, Example, Reply, Route, Tag};
use shared::rights::{Rights, TableAction};
use shared::store::sync::{self, Place};
use shared::store::{log, profiles};
use shared::{App, Result};

use crate::examples;

/// `GET /api/v2/messages/conversations`
pub struct ListDirectConversations;

/// The parameters of the query.
#[derive(Deserialize, JsonSchema)]
pub struct Query {
    /// How many conversations a page holds, 1 to 100.
    #[serde(default)]
    pub limit: PageSize<20>,
    /// How many of the most recent to leave out.
    #[serde(default)]
    pub skip: Skip,
    /// Where to go on: the `next_cursor` of the page before. It wins over `skip`.
    pub cursor: Option<String>,
}

/// The direct conversation with somebody.
#[derive(Serialize, JsonSchema)]
pub struct DirectConversation {
    /// The other one.
    pub partner_id: UserId,
    /// What they are called.
    pub partner_name: String,
    /// Their picture.
    pub partner_avatar_url: Option<String>,
    /// The last message; a deleted one as its tombstone.
    pub last_message: Option<MessageV2>,
    /// How many of their messages the caller has not read: exact to 99, then 99.
    pub unread_count: u32,
    /// When the last message came.
    pub last_message_at: Option<Timestamp>,
}

/// A page of conversations.
#[derive(Serialize, JsonSchema)]
#[schemars(rename = "DirectConversationList")]
pub struct Output {
    /// The conversations.
    pub conversations: Vec<DirectConversation>,
    /// How many there are in all.
    pub total: u64,
    /// How many a page holds.
    pub limit: u64,
    /// How many were left out.
    pub skip: u64,
    /// Whether there are more.
    pub has_next: bool,
    /// Where to go on; null at the end.
    pub next_cursor: Option<String>,
}

/// The last conversation of a page: when it was active, and its id.
type After = (i64, ConversationId);

impl Endpoint for ListDirectConversations {
    const ROUTE: Route = Route::get(
        Tag::PersonToPerson,
        "list_direct_conversations",
        "/api/v2/messages/conversations",
        "List direct conversations",
    )
    .described("One entry per user with whom the caller has exchanged messages, the latest activity first.");
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
            parameters: json!({ "limit": 20, "skip": 0 }),
            answer: json!({
                "conversations": [{
                    "partner_id": examples::ADA,
                    "partner_name": "Ada Lovelace",
                    "partner_avatar_url": null,
                    "last_message": examples::message(),
                    "unread_count": 1,
                    "last_message_at": "2026-01-15T10:30:00.000Z"
                }],
                "total": 1,
                "limit": 20,
                "skip": 0,
                "has_next": false,
                "next_cursor": null
            }),
            ..Example::default()
        }
    }

    async fn handle(app: &App, call: Call<'_, Self>) -> Result<Reply<Output>> {
        let (user, secret, list) = (call.who.user, app.config().cursor_secret()?, Self::ROUTE.name);
        let (limit, skip) = (call.query.limit.get(), call.query.skip.get());
        let after: Option<After> = match &call.query.cursor {
            Some(sealed) => Some(cursor::open(secret, user, list, sealed)?),
            None => None,
        };
        let skipped = if after.is_some() {
            0
        } else {
            skipped(call.query.skip)?
        };

        let mut places = sync::direct_places(app, user).await?;
        let total = places.len() as u64;
        places.sort_by_key(|place| Reverse(position(place)));
        if let Some(after) = after {
            places.retain(|place| position(place) < after);
        }
        let mut rest = places
            .into_iter()
            .skip(usize::try_from(skipped).unwrap_or(usize::MAX));
        let page = usize::try_from(limit).unwrap_or(usize::MAX);
        let shown: Vec<Place> = rest.by_ref().take(page).collect();
        let next_cursor = match (shown.last(), rest.next()) {
            (Some(last), Some(_)) => Some(cursor::seal(secret, user, list, &position(last))?),
            _ => None,
        };
        let partners = shown.iter().filter_map(|place| place.membership.member().peer);
        let cards = profiles::cards(app, partners).await?;
        let mut conversations = Vec::with_capacity(shown.len());
        for place in &shown {
            let Some(partner) = place.membership.member().peer else {
                continue;
            };
            let card = cards
                .get(&partner)
                .cloned()
                .unwrap_or_else(|| Card::of(partner, &Claims::default()));
            conversations.push(conversation(app, place, partner, card).await?);
        }
        let output = Output {
            conversations,
            total,
            limit,
            skip,
            has_next: next_cursor.is_some(),
            next_cursor,
        };
        Ok(output.into())
    }
}

fn position(place: &Place) -> After {
    (place.active_at().milliseconds(), place.head.id)
}

async fn conversation(app: &App, place: &Place, partner: UserId, card: Card) -> Result<DirectConversation> {
    let (membership, newest) = (&place.membership, place.newest.as_ref());
    let last = match newest {
        Some(newest) if newest.tail.last_message_seq == newest.seq => Some(newest.clone()),
        Some(newest) if newest.tail.last_message_seq > 0 => {
            log::entry(app, membership, newest.tail.last_message_seq).await?
        }
        _ => None,
    };
    let mut cursors = vec![membership.cursor().clone()];
    cursors.extend(place.peer.iter().map(|peer| peer.cursor.clone()));
    let between = Between {
        conversation: place.head.id,
        pair: [membership.user(), partner],
        cursors: &cursors,
    };
    let last_message = last.and_then(|entry| match &entry.event {
        Event::Message(content) => Some(between.message(entry.seq, entry.at, content)),
        Event::Deletion { .. } | Event::Moderation { .. } => None,
    });
    Ok(DirectConversation {
        partner_id: partner,
        partner_name: card.display_name,
        partner_avatar_url: card.avatar_url,
        last_message,
        unread_count: log::unread(app, membership, newest).await?,
        last_message_at: newest.and_then(|newest| newest.tail.last_message_at),
    })
}
