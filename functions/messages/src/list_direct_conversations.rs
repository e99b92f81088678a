//! `GET /api/v2/messages/conversations`: the caller's direct conversations, by last activity, newest first (S2-E03).

use std::cmp::Reverse;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::json;
use shared::auth::Caller;
use shared::domain::ids::{ConversationId, UserId};
use shared::domain::message::Event;
use shared::domain::message_v2::{Between, MessageV2};
use shared::domain::time::Timestamp;
use shared::domain::user::{Card, Claims};
use shared::http::input::Nothing;
use shared::http::page::{Found, LimitSkip, LimitSkipFields, ListQuery};
use shared::http::{Call, Endpoint, Example, Reply, Route, Tag};
use shared::rights::{Rights, TableAction};
use shared::store::sync::{self, Snapshot, Token};
use shared::store::{log, profiles};
use shared::{App, Result};

use crate::examples;

/// `GET /api/v2/messages/conversations`
pub struct ListDirectConversations;

/// A direct conversation.
#[derive(Serialize, JsonSchema)]
pub struct DirectConversation {
    /// The other user.
    pub partner_id: UserId,
    /// The display name of the other user.
    pub partner_name: String,
    /// The URL of the user's avatar.
    pub partner_avatar_url: Option<String>,
    /// The last message, also if it is deleted.
    pub last_message: Option<MessageV2>,
    /// The number of unread messages: exact up to 99, and 99 if there are more.
    pub unread_count: u32,
    /// When the last message was sent.
    pub last_message_at: Option<Timestamp>,
}

/// A page of conversations.
#[derive(Serialize, JsonSchema)]
#[schemars(rename = "DirectConversationList")]
pub struct Output {
    /// The conversations.
    pub conversations: Vec<DirectConversation>,
    /// The position of the page.
    #[serde(flatten)]
    pub page: LimitSkipFields,
    /// A sync token for `GET /api/events?after=`, as of the first page. A conversation that moves up between two requests
    /// is missing from the later pages; the events complete the list.
    pub sync_token: String,
}

/// When a conversation was last active, and its id.
type Position = (i64, ConversationId);

/// Where the list continues, and when its first page was requested.
#[derive(PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
struct After(Position, i64);

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
    type Query = ListQuery<LimitSkip<20>>;
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
                "next_cursor": null,
                "sync_token": "qk7mSx0…"
            }),
            ..Example::default()
        }
    }

    async fn handle(app: &App, call: Call<'_, Self>) -> Result<Reply<Output>> {
        let user = call.who.user;
        let pager = call.query.pager(app, user, Self::ROUTE.name, &())?;
        // Before the reads: a page that is too deep costs nothing, and events during the reads are covered by the
        // token.
        pager.skipped()?;
        let began = match pager.after() {
            Some(After(_, began)) => Timestamp::from_milliseconds(*began),
            None => app.now(),
        };
        let after = |snapshot: &Snapshot| After(position(snapshot), began.milliseconds());
        let mut snapshots = sync::direct_snapshots(app, user).await?;
        let total = snapshots.len() as u64;
        snapshots.sort_by_key(|snapshot| Reverse(position(snapshot)));
        let picked = pager.pick(snapshots, after)?;
        let partners = picked
            .items
            .iter()
            .filter_map(|snapshot| snapshot.membership.member().peer);
        let cards = profiles::cards(app, partners).await?;
        let mut rows = Vec::with_capacity(picked.items.len());
        for snapshot in &picked.items {
            let Some(partner) = snapshot.membership.member().peer else {
                continue;
            };
            let card = cards
                .get(&partner)
                .cloned()
                .unwrap_or_else(|| Card::of(partner, &Claims::default()));
            rows.push((after(snapshot), conversation(app, snapshot, partner, card).await?));
        }
        let page = pager.page(Found {
            rows,
            total,
            next: picked.next,
        })?;
        let output = Output {
            conversations: page.rows,
            page: page.fields,
            sync_token: Token::since(began).seal(app, user)?,
        };
        Ok(output.into())
    }
}

fn position(snapshot: &Snapshot) -> Position {
    (snapshot.active_at().milliseconds(), snapshot.head.id)
}

async fn conversation(
    app: &App,
    snapshot: &Snapshot,
    partner: UserId,
    card: Card,
) -> Result<DirectConversation> {
    let (membership, newest) = (&snapshot.membership, snapshot.newest.as_ref());
    let last = match newest {
        Some(newest) if newest.tail.last_message_seq == newest.seq => Some(newest.clone()),
        Some(newest) if newest.tail.last_message_seq > 0 => {
            log::entry(app, membership, newest.tail.last_message_seq).await?
        }
        _ => None,
    };
    let mut read_marks = vec![membership.read_mark().clone()];
    read_marks.extend(snapshot.peer.iter().map(|peer| peer.read_mark.clone()));
    let between = Between {
        conversation: snapshot.head.id,
        pair: [membership.user(), partner],
        read_marks: &read_marks,
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
