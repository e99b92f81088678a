//! `GET /api/conversations/{conversation_id}/events`: the log in order; fills gaps in `seq`.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::json;
use shared::auth::Caller;
use shared::domain::conversation::ReadMark;
use shared::domain::frame::{ConversationEvent, Frame};
use shared::domain::ids::ConversationId;
use shared::domain::message::{Entry, Viewpoint};
use shared::http::input::Nothing;
use shared::http::page::{Bounded, PageSize, fit};
use shared::http::{Call, Endpoint, Example, Reply, Route, Tag};
use shared::operations::views;
use shared::rights::{Rights, TableAction};
use shared::store::log;
use shared::store::members::{self, Membership};
use shared::store::table::Consistency;
use shared::{App, Result};

use crate::examples;

/// `GET /api/conversations/{conversation_id}/events`
pub struct ListConversationEvents;

/// The parameters of the path.
#[derive(Deserialize, JsonSchema)]
pub struct Path {
    /// The conversation.
    pub conversation_id: ConversationId,
}

/// The parameters of the query.
#[derive(Deserialize, JsonSchema)]
pub struct Query {
    /// Only events after this sequence number.
    #[serde(default)]
    pub after_seq: Bounded<0, 999_999_999_999, 0>,
    /// The maximum number of events, 1 to 100. There may be fewer although `has_more` is true.
    #[serde(default)]
    pub limit: PageSize<100>,
}

/// A part of the event log.
#[derive(Serialize, JsonSchema)]
#[schemars(rename = "ConversationEvents")]
pub struct Output {
    /// The events, ordered by `seq`.
    #[schemars(with = "Vec<ConversationEvent>")]
    pub events: Vec<Frame>,
    /// How far each member has read.
    pub cursors: Vec<ReadMark>,
    /// The sequence number of the last event of the conversation.
    pub last_seq: u64,
    /// Whether there are more events: continue with the `seq` of the last event.
    pub has_more: bool,
}

impl Endpoint for ListConversationEvents {
    const ROUTE: Route = Route::get(
        Tag::Events,
        "list_conversation_events",
        "/api/conversations/{conversation_id}/events",
        "List the events of a conversation",
    )
    .for_members()
    .described(
        "All events of the conversation in the order of `seq`, each in the form of the frame that was \
         pushed. To fill a gap, pass the last `seq` before the gap as `after_seq`, and continue with \
         the `seq` of the last event while `has_more` is true.",
    );
    const RIGHTS: Rights = Rights::OF_A_ROUTE.table(&[TableAction::BatchGetItem, TableAction::Query]);
    type Who = Caller;
    type Path = Path;
    type Query = Query;
    type Body = Nothing;
    type Output = Output;

    fn example() -> Example {
        Example {
            parameters: json!({ "conversation_id": examples::CONVERSATION, "after_seq": 0, "limit": 100 }),
            answer: json!({
                "events": [examples::new_message()],
                "cursors": [{
                    "user_id": examples::BOB,
                    "last_read_seq": 0,
                    "last_read_message_id": null,
                    "read_at": null
                }],
                "last_seq": 1,
                "has_more": false
            }),
            ..Example::default()
        }
    }

    async fn handle(app: &App, call: Call<'_, Self>) -> Result<Reply<Output>> {
        let (viewer, conversation) = (call.who.user, call.path.conversation_id);
        let membership = Membership::of(app, viewer, conversation, Consistency::Strong).await?;
        let newest = log::newest(app, conversation, Consistency::Strong).await?;
        let last_seq = newest.map_or(0, |newest| newest.seq);
        let after = call.query.after_seq.get();
        let limit = u32::try_from(call.query.limit.get()).unwrap_or(u32::MAX);
        let (entries, read_marks) = tokio::try_join!(
            log::range(app, &membership, (after + 1, last_seq), false, limit),
            members::read_marks(app, &membership),
        )?;
        let viewpoint = Viewpoint {
            conversation,
            viewer,
            read_marks: &read_marks,
        };
        let subjects = log::subjects(app, &membership, &entries).await?;
        let frame = |entry: &Entry| {
            let subject = entry.event.subject().and_then(|seq| subjects.get(&seq));
            views::entry_frame(&viewpoint, entry, subject, None)
        };
        let mut events = entries.iter().map(frame).collect::<Result<_>>()?;
        fit(&mut events, &read_marks, |_| {})?;
        let last_told = events.len().checked_sub(1).and_then(|last| entries.get(last));
        let has_more = last_told.is_some_and(|last| last.seq < last_seq);
        Ok(Output {
            events,
            cursors: read_marks,
            last_seq,
            has_more,
        }
        .into())
    }
}
