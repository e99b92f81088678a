//! `GET /api/conversations`: the caller's conversations, by last activity, newest first (S1-E02).

use std::cmp::Reverse;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::json;
use shared::auth::Caller;
use shared::domain::conversation::Conversation;
use shared::domain::ids::ConversationId;
use shared::domain::time::Timestamp;
use shared::http::input::Nothing;
use shared::http::page::{Found, ListQuery, PageSized, PageSizedFields};
use shared::http::{Call, Endpoint, Example, Reply, Route, Tag};
use shared::operations::views;
use shared::rights::{Rights, TableAction};
use shared::store::sync::{self, Snapshot, Token};
use shared::{App, Result};

use crate::examples;

/// `GET /api/conversations`
pub struct ListConversations;

/// A page of conversations.
#[derive(Serialize, JsonSchema)]
#[schemars(rename = "ConversationList")]
pub struct Output {
    /// The conversations.
    pub conversations: Vec<Conversation>,
    /// The position of the page.
    #[serde(flatten)]
    pub page: PageSizedFields,
    /// A sync token for `GET /api/events?after=`, as of the first page. A conversation that moves up between two requests
    /// is missing from the later pages; the events complete the list.
    pub sync_token: String,
}

/// When a conversation was last active, and its id.
type Position = (i64, ConversationId);

/// Where the list continues, and when its first page was requested.
#[derive(PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
struct After(Position, i64);

impl Endpoint for ListConversations {
    const ROUTE: Route = Route::get(
        Tag::Conversations,
        "list_conversations",
        "/api/conversations",
        "List conversations",
    )
    .described("The caller's conversations, the one with the latest activity first.");
    const RIGHTS: Rights = Rights::OF_A_ROUTE
        .table(&[TableAction::BatchGetItem, TableAction::Query])
        .queries_by_user();
    type Who = Caller;
    type Path = Nothing;
    type Query = ListQuery<PageSized<20>>;
    type Body = Nothing;
    type Output = Output;

    fn example() -> Example {
        Example {
            parameters: json!({ "page": 1, "page_size": 20 }),
            answer: json!({
                "conversations": [examples::conversation()],
                "total": 1,
                "page": 1,
                "page_size": 20,
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
        let mut snapshots = sync::snapshots(app, user).await?;
        let total = snapshots.len() as u64;
        snapshots.sort_by_key(|snapshot| Reverse(position(snapshot)));
        let picked = pager.pick(snapshots, after)?;
        let conversations = views::conversations(app, &picked.items).await?;
        let page = pager.page_of(
            Found {
                rows: picked.items.iter().map(after).zip(conversations).collect(),
                total,
                next: picked.next,
            },
            Conversation::show_fewer,
        )?;
        Ok(Output {
            conversations: page.rows,
            page: page.fields,
            sync_token: Token::since(began).seal(app, user)?,
        }
        .into())
    }
}

fn position(snapshot: &Snapshot) -> Position {
    (snapshot.active_at().milliseconds(), snapshot.head.id)
}
