//! `GET /api/admin/messages/conversation/{user1_id}/{user2_id}`: what two people have written to each other (S2-E11).

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::json;
use shared::auth::{Permit, cursor};
use shared::domain::audit::Target;
use shared::domain::ids::{ConversationId, UserId};
use shared::domain::message::{Entry, Event};
use shared::domain::message_v2::MessageV2;
use shared::domain::permission::ModerationView;
use shared::http::input::Nothing;
use shared::http::page::{PageNumber, PageSize, Skip, offset};
use shared::http::{Call, Endpoint, Example, Reply, Route, Tag};
use shared::rights::{Rights, TableAction};
use shared::store::archive;
use shared::store::audit::{self, Act};
use shared::{App, Result};

use crate::examples;

/// `GET /api/admin/messages/conversation/{user1_id}/{user2_id}`
pub struct ViewConversation;

/// The parameters of the path.
#[derive(Deserialize, JsonSchema)]
pub struct Path {
    /// One of the two.
    pub user1_id: UserId,
    /// The other.
    pub user2_id: UserId,
}

/// The parameters of the query.
#[derive(Deserialize, JsonSchema)]
pub struct Query {
    /// Which page, from 1; the first has the newest messages.
    #[serde(default)]
    pub page: PageNumber,
    /// How many messages a page holds, 1 to 100.
    #[serde(default)]
    pub limit: PageSize<50>,
    /// How many of the newest messages to leave out. It wins over `page`.
    pub skip: Option<Skip>,
    /// Where to go on: the `next_cursor` of the page before. It wins over both.
    pub cursor: Option<String>,
}

/// A page of messages.
#[derive(Serialize, JsonSchema)]
#[schemars(rename = "ModeratedConversation")]
pub struct Output {
    /// The messages, oldest first within the page; what was deleted or blocked has its content.
    pub messages: Vec<MessageV2>,
    /// How many there are in all.
    pub total: u64,
    /// Which page this is.
    pub page: u64,
    /// How many a page holds.
    pub limit: u64,
    /// Whether there are older ones.
    pub has_next: bool,
    /// Where to go on; null at the end.
    pub next_cursor: Option<String>,
    /// The conversation.
    pub conversation_id: ConversationId,
}

impl Endpoint for ViewConversation {
    const ROUTE: Route = Route::get(
        Tag::Administration,
        "view_conversation",
        "/api/admin/messages/conversation/{user1_id}/{user2_id}",
        "View a direct conversation",
    )
    .described(
        "The messages between two users. Pages run from the newest to the oldest; within a page the \
         oldest message comes first. Deleted and blocked messages are shown with their content, unless \
         they were permanently deleted. If the two users have no conversation, the response is 404.",
    );
    const RIGHTS: Rights = Rights::OF_A_ROUTE.table(&[TableAction::Query]);
    type Who = Permit<ModerationView>;
    type Path = Path;
    type Query = Query;
    type Body = Nothing;
    type Output = Output;

    fn example() -> Example {
        Example {
            parameters: json!({ "user1_id": examples::ADA, "user2_id": examples::BOB, "page": 1, "limit": 50 }),
            answer: json!({
                "messages": [examples::message()],
                "total": 1,
                "page": 1,
                "limit": 50,
                "has_next": false,
                "next_cursor": null,
                "conversation_id": examples::CONVERSATION
            }),
            ..Example::default()
        }
    }

    async fn handle(app: &App, call: Call<'_, Self>) -> Result<Reply<Output>> {
        let (user, secret, query) = (call.who.user, app.config().cursor_secret()?, &call.query);
        let users = [call.path.user1_id, call.path.user2_id];
        let limit = query.limit.get();
        let skipped = offset(query.page, query.skip, limit)?;
        let permit = call.permit();
        let between = archive::between(app, &permit, users).await?;
        let list = format!("{}/{}", Self::ROUTE.name, between.conversation);
        let place = match &query.cursor {
            Some(sealed) => cursor::open(secret, user, &list, sealed)?,
            None => between.leaving_out(app, skipped).await?,
        };
        // One more than the page holds tells whether there is more.
        let wanted = usize::try_from(limit).unwrap_or(usize::MAX) + 1;
        let mut entries = between.before(app, place, wanted).await?;
        let has_next = entries.len() == wanted;
        entries.truncate(wanted - 1);
        let next_cursor = match entries.last().filter(|_| has_next) {
            Some(oldest) => Some(cursor::seal(secret, user, &list, &oldest.seq)?),
            None => None,
        };
        let seen = json!({ "user_ids": users, "before_seq": place, "limit": limit });
        let target = Target::one("conversation", between.conversation);
        audit::record(
            app,
            &permit,
            Act::read("messages.view_conversation", target, seen),
        )
        .await?;
        let message = |entry: &Entry| match &entry.event {
            Event::Message(content) => {
                let message = archive::view(between.conversation, entry, content, &between.cursors);
                Some(message.with_what_is_kept(content))
            }
            Event::Deletion { .. } | Event::Moderation { .. } => None,
        };
        Ok(Output {
            messages: entries.iter().rev().filter_map(message).collect(),
            total: between.total(),
            page: query.page.get(),
            limit,
            has_next,
            next_cursor,
            conversation_id: between.conversation,
        }
        .into())
    }
}
