//! `GET /api/conversations/{conversation_id}/messages`: the messages of a conversation, newest first (S1-E03).

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::json;
use shared::auth::{Caller, cursor};
use shared::domain::ids::ConversationId;
use shared::domain::message::{Entry, Event, Message, Viewpoint};
use shared::http::input::Nothing;
use shared::http::page::{Bounded, PageNumber, PageSize, skip};
use shared::http::{Call, Endpoint, Example, Reply, Route, Tag};
use shared::rights::{Rights, TableAction};
use shared::store::log::{self, Start};
use shared::store::members::{self, Membership};
use shared::store::table::Consistency;
use shared::{App, Error, Result};

use crate::examples;

/// `GET /api/conversations/{conversation_id}/messages`
pub struct ListMessages;

/// The parameters of the path.
#[derive(Deserialize, JsonSchema)]
pub struct Path {
    /// The conversation.
    pub conversation_id: ConversationId,
}

/// A place of the log.
type Seq = Bounded<0, 999_999_999_999, 0>;

/// The parameters of the query.
#[derive(Deserialize, JsonSchema)]
pub struct Query {
    /// Which page, from 1; newest messages first.
    #[serde(default)]
    pub page: PageNumber,
    /// How many messages a page holds, 1 to 100.
    #[serde(default)]
    pub page_size: PageSize<50>,
    /// Where to go on: the `next_cursor` of the page before. It wins over `page`.
    pub cursor: Option<String>,
    /// Messages before this place of the log, newest first.
    pub before_seq: Option<Seq>,
    /// Messages behind this place of the log, oldest first.
    pub after_seq: Option<Seq>,
}

/// A page of messages.
#[derive(Serialize, JsonSchema)]
#[schemars(rename = "MessageList")]
pub struct Output {
    /// The messages.
    pub messages: Vec<Message>,
    /// How many there are in all, deleted ones included.
    pub total: u64,
    /// Which page this is.
    pub page: u64,
    /// How many a page holds.
    pub page_size: u64,
    /// Whether there are more.
    pub has_next: bool,
    /// Where to go on; null at the end.
    pub next_cursor: Option<String>,
    /// The conversation.
    pub conversation_id: ConversationId,
}

impl Endpoint for ListMessages {
    const ROUTE: Route = Route::get(
        Tag::Messages,
        "list_messages",
        "/api/conversations/{conversation_id}/messages",
        "List messages",
    )
    .for_members()
    .described(
        "Newest first. Deleted messages are included with `content: null` and `is_deleted: true`.\n\n\
         Use either `before_seq` or `after_seq` to list one part of the history; both together are \
         refused (422). With `after_seq` the oldest message comes first.",
    );
    const RIGHTS: Rights = Rights::OF_A_ROUTE.table(&[TableAction::Query]);
    type Who = Caller;
    type Path = Path;
    type Query = Query;
    type Body = Nothing;
    type Output = Output;

    fn example() -> Example {
        Example {
            parameters: json!({
                "conversation_id": examples::CONVERSATION, "page": 1, "page_size": 50, "before_seq": 2
            }),
            answer: json!({
                "messages": [examples::message()],
                "total": 1,
                "page": 1,
                "page_size": 50,
                "has_next": false,
                "next_cursor": null,
                "conversation_id": examples::CONVERSATION
            }),
            ..Example::default()
        }
    }

    async fn handle(app: &App, call: Call<'_, Self>) -> Result<Reply<Output>> {
        let (user, secret) = (call.who.user, app.config().cursor_secret()?);
        let (conversation_id, query) = (call.path.conversation_id, &call.query);
        let list = format!("{}/{conversation_id}", Self::ROUTE.name);
        let page_size = query.page_size.get();
        let asked: Option<Start> = match (&query.cursor, query.before_seq, query.after_seq) {
            (Some(sealed), _, _) => Some(cursor::open(secret, user, &list, sealed)?),
            (None, Some(_), Some(_)) => {
                let reason = "cannot be combined with before_seq";
                return Err(Error::invalid("after_seq", "contradiction", reason));
            }
            (None, Some(before), None) => Some(Start::Before(before.get())),
            (None, None, Some(after)) => Some(Start::After(after.get())),
            (None, None, None) => None,
        };
        let skipped = if asked.is_some() {
            0
        } else {
            skip(query.page, page_size)?
        };

        let membership = Membership::of(app, user, conversation_id, Consistency::Strong).await?;
        let newest = log::newest(app, conversation_id, Consistency::Strong).await?;
        let start = match asked {
            Some(start) => start,
            None => Start::skipping(app, &membership, newest.as_ref(), skipped).await?,
        };
        let last_seq = newest.as_ref().map_or(0, |newest| newest.seq);
        let page = log::page(app, &membership, start, last_seq, page_size).await?;
        let next_cursor = match &page.next {
            Some(next) => Some(cursor::seal(secret, user, &list, next)?),
            None => None,
        };

        let cursors = members::cursors(app, &membership).await?;
        let viewpoint = Viewpoint {
            conversation: conversation_id,
            viewer: user,
            cursors: &cursors,
        };
        let message = |entry: &Entry| match &entry.event {
            Event::Message(content) => Some(viewpoint.message(entry.seq, entry.at, content)),
            Event::Deletion { .. } | Event::Moderation { .. } => None,
        };
        let output = Output {
            messages: page.messages.iter().filter_map(message).collect(),
            total: newest.map_or(0, |newest| newest.tail.messages),
            page: query.page.get(),
            page_size,
            has_next: page.next.is_some(),
            next_cursor,
            conversation_id,
        };
        Ok(output.into())
    }
}
