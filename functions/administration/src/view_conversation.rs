//! `GET /api/admin/messages/conversation/{user1_id}/{user2_id}`: the direct conversation of two users (S2-E11).

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::json;
use shared::auth::Permit;
use shared::domain::audit::Target;
use shared::domain::ids::{ConversationId, UserId};
use shared::domain::message::{Entry, Event};
use shared::domain::message_v2::MessageV2;
use shared::domain::permission::ModerationView;
use shared::http::input::Nothing;
use shared::http::page::{Found, ListQuery, PageLimit, PageLimitFields};
use shared::http::{Call, Endpoint, Example, Reply, Route, Tag};
use shared::rights::{Rights, TableAction};
use shared::store::archive;
use shared::store::audit::{self, Act};
use shared::{App, Error, Result};

use crate::examples;

/// `GET /api/admin/messages/conversation/{user1_id}/{user2_id}`
pub struct ViewConversation;

/// The parameters of the path.
#[derive(Deserialize, JsonSchema)]
pub struct Path {
    /// One of the two users.
    pub user1_id: UserId,
    /// The other user.
    pub user2_id: UserId,
}

/// A page of messages.
#[derive(Serialize, JsonSchema)]
#[schemars(rename = "ModeratedConversation")]
pub struct Output {
    /// The messages, oldest first within the page. Deleted and blocked messages include their content.
    pub messages: Vec<MessageV2>,
    /// The position of the page; the newest messages come first.
    #[serde(flatten)]
    pub page: PageLimitFields,
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
    type Query = ListQuery<PageLimit<50>>;
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
        let users = [call.path.user1_id, call.path.user2_id];
        let conversation = ConversationId::direct(call.path.user1_id, call.path.user2_id);
        let pager = call
            .query
            .pager(app, call.who.user, Self::ROUTE.name, &conversation)?;
        let skipped = pager.skipped()?;
        let permit = call.permit();
        let between = archive::between(app, &permit, users).await?;
        let place = match pager.after() {
            Some(place) => *place,
            None => between.leaving_out(app, skipped).await?,
        };
        let limit = usize::try_from(pager.size()).map_err(Error::internal)?;
        // Reading one more message than the page holds tells whether there is a next page.
        let mut entries = between.before(app, place, limit + 1).await?;
        let has_next = entries.len() > limit;
        entries.truncate(limit);
        let seen = json!({ "user_ids": users, "before_seq": place, "limit": limit });
        let target = Target::one("conversation", between.conversation);
        audit::record(
            app,
            &permit,
            Act::read("messages.view_conversation", target, seen),
        )
        .await?;
        let row = |entry: &Entry| match &entry.event {
            Event::Message(content) => {
                let message = archive::view(between.conversation, entry, content, &between.read_marks);
                Some((entry.seq, message.with_what_is_kept(content)))
            }
            Event::Deletion { .. } | Event::Moderation { .. } => None,
        };
        let page = pager.page(Found {
            rows: entries.iter().filter_map(row).collect(),
            total: between.total(),
            next: entries.last().filter(|_| has_next).map(|oldest| oldest.seq),
        })?;
        Ok(Output {
            messages: page.rows.into_iter().rev().collect(),
            page: page.fields,
            conversation_id: between.conversation,
        }
        .into())
    }
}
