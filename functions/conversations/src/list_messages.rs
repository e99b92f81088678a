//! `GET /api/conversations/{conversation_id}/messages`: the messages of a conversation, newest first (S1-E03).

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::json;
use shared::auth::Caller;
use shared::domain::ids::ConversationId;
use shared::domain::message::{Entry, Event, Message, Viewpoint};
use shared::http::input::Nothing;
use shared::http::page::{Bounded, Found, ListQuery, PageSized, PageSizedFields};
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

/// A number of the log.
type Seq = Bounded<0, 999_999_999_999, 0>;

/// Which messages.
#[derive(Deserialize, JsonSchema)]
pub struct Filter {
    /// Only messages before this sequence number, newest first.
    pub before_seq: Option<Seq>,
    /// Only messages after this sequence number, oldest first.
    pub after_seq: Option<Seq>,
}

/// A page of messages.
#[derive(Serialize, JsonSchema)]
#[schemars(rename = "MessageList")]
pub struct Output {
    /// The messages.
    pub messages: Vec<Message>,
    /// The position of the page; `total` includes deleted messages.
    #[serde(flatten)]
    pub page: PageSizedFields,
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
    type Query = ListQuery<PageSized<50>, Filter>;
    type Body = Nothing;
    type Output = Output;

    fn example() -> Example {
        Example {
            parameters: json!({
                "conversation_id": examples::CONVERSATION, "page": 1, "page_size": 50
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
        let (user, conversation_id) = (call.who.user, call.path.conversation_id);
        let pager = call.query.pager(app, user, Self::ROUTE.name, &conversation_id)?;
        let (before_seq, after_seq) = (call.query.filter.before_seq, call.query.filter.after_seq);
        let asked: Option<Start> = match (pager.after(), before_seq, after_seq) {
            (Some(start), _, _) => Some(*start),
            (None, Some(_), Some(_)) => {
                let reason = "cannot be combined with before_seq";
                return Err(Error::invalid("after_seq", "contradiction", reason));
            }
            (None, Some(before), None) => Some(Start::Before(before.get())),
            (None, None, Some(after)) => Some(Start::After(after.get())),
            (None, None, None) => None,
        };
        let skipped = if asked.is_some() { 0 } else { pager.skipped()? };

        let membership = Membership::of(app, user, conversation_id, Consistency::Strong).await?;
        let newest = log::newest(app, conversation_id, Consistency::Strong).await?;
        let start = match asked {
            Some(start) => start,
            None => Start::skipping(app, &membership, newest.as_ref(), skipped).await?,
        };
        let last_seq = newest.as_ref().map_or(0, |newest| newest.seq);
        let found = log::page(app, &membership, start, last_seq, pager.size()).await?;

        let read_marks = members::read_marks(app, &membership).await?;
        let viewpoint = Viewpoint {
            conversation: conversation_id,
            viewer: user,
            read_marks: &read_marks,
        };
        let row = |entry: &Entry| match &entry.event {
            Event::Message(content) => {
                let message = viewpoint.message(entry.seq, entry.at, content);
                Some((start.at(entry.seq), message))
            }
            Event::Deletion { .. } | Event::Moderation { .. } => None,
        };
        let page = pager.page(Found {
            rows: found.messages.iter().filter_map(row).collect(),
            total: newest.map_or(0, |newest| newest.tail.messages),
            next: found.next,
        })?;
        let output = Output {
            messages: page.rows,
            page: page.fields,
            conversation_id,
        };
        Ok(output.into())
    }
}
