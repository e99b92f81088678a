//! `GET /api/admin/messages/search`: messages of all conversations, newest first (S2-E10).

use std::cmp::Reverse;
use std::time::Duration;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::json;
use shared::auth::Permit;
use shared::domain::audit::Target;
use shared::domain::ids::ConversationId;
use shared::domain::message::Event;
use shared::domain::message_v2::MessageV2;
use shared::domain::permission::ModerationView;
use shared::http::input::Nothing;
use shared::http::page::{Found, ListQuery, PageLimit, PageLimitFields};
use shared::http::span::Span;
use shared::http::{Call, Endpoint, Example, Reply, Route, Tag};
use shared::rights::{Rights, TableAction};
use shared::store::archive::{self, ArchiveAccess, Filter, Order, Reads, Scope, Walk};
use shared::store::audit::{self, Act};
use shared::{App, Error, Result};

use crate::examples;
use crate::filters::{self, Query};

/// `GET /api/admin/messages/search`
pub struct SearchMessages;

/// The default period.
const USUAL: Duration = Duration::from_hours(7 * 24);
/// How many messages a search examines: matches are counted exactly, or the request is refused.
const MOST: u64 = 20_000;
/// How much of a message's content is shown, in characters.
const SHOWN: usize = 200;

/// A page of messages.
#[derive(Serialize, JsonSchema)]
#[schemars(rename = "MessageSearch")]
pub struct Output {
    /// The messages, newest first, with content cut to 200 characters. Deleted and blocked messages include their
    /// content.
    pub messages: Vec<MessageV2>,
    /// The position of the page. With a cursor, `total` is as of the first page.
    #[serde(flatten)]
    pub page: PageLimitFields,
}

/// The position of a message: time, conversation and number.
type Position = (i64, ConversationId, u64);

/// Where a search continues: after which message, the beginning of its period, and the total.
#[derive(PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
struct After(Position, i64, u64);

impl Endpoint for SearchMessages {
    const ROUTE: Route = Route::get(
        Tag::Administration,
        "search_messages",
        "/api/admin/messages/search",
        "Search messages",
    )
    .described(
        "Searches the messages of a period, or of one user's conversations. `total` is exact.\n\n\
         If more than 20,000 messages would have to be examined, the response is 422 with the issue \
         `too_broad`: specify a user or a shorter period. Without a user, the period is at most 366 \
         days.",
    );
    const RIGHTS: Rights = Rights::OF_A_ROUTE
        .table(&[TableAction::BatchGetItem, TableAction::Query])
        .queries_by_user();
    type Who = Permit<ModerationView>;
    type Path = Nothing;
    type Query = ListQuery<PageLimit<50>, Query>;
    type Body = Nothing;
    type Output = Output;

    fn example() -> Example {
        Example {
            parameters: json!({
                "user_id": examples::ADA, "q": "hello", "moderation_status": "approved", "page": 1, "limit": 50
            }),
            answer: json!({
                "messages": [examples::message()],
                "total": 1,
                "page": 1,
                "limit": 50,
                "has_next": false,
                "next_cursor": null
            }),
            ..Example::default()
        }
    }

    async fn handle(app: &App, call: Call<'_, Self>) -> Result<Reply<Output>> {
        let query = &call.query.filter;
        let asked = filters::Criteria::of(query.user_id, query.q.as_ref(), query.moderation_status);
        let pager = call.query.pager(app, call.who.user, Self::ROUTE.name, &asked)?;
        // Before the reads, so that a page that is too deep costs nothing.
        pager.skipped()?;
        // A cursor includes the period.
        let scope = if let Some(After((at, ..), from, _)) = pager.after() {
            scope(*from, at + 1, &asked)
        } else {
            let span = Span::of(app.now(), query.from, query.to, USUAL, asked.most_days())?;
            scope(span.from.milliseconds(), span.to.milliseconds(), &asked)
        };
        let permit = call.permit();
        let search = Search {
            scope,
            filter: asked.filter(),
            behind: pager.after().map(|After(position, ..)| *position),
            // A cursor includes the total, so the search may stop when the page is full.
            enough: match pager.after() {
                Some(_) => Some(usize::try_from(pager.size()).map_err(Error::internal)? + 1),
                None => None,
            },
        };
        let found = search.positions(app, (&permit).into()).await?;
        let total = match pager.after() {
            Some(After(_, _, total)) => *total,
            None => found.len() as u64,
        };
        let after = |position: &Position| After(*position, scope.from, total);
        let picked = pager.pick(found, after)?;
        let messages = messages(app, (&permit).into(), &picked.items).await?;
        let filters = json!({ "filters": asked, "from": scope.from_time(), "to": scope.to_time() });
        audit::record(
            app,
            &permit,
            Act::read("messages.search", Target::all("message"), filters),
        )
        .await?;
        let row = |message: MessageV2| {
            let position = (
                message.created_at.milliseconds(),
                message.conversation_id,
                message.seq,
            );
            (after(&position), message)
        };
        let page = pager.page(Found {
            rows: messages.into_iter().map(row).collect(),
            total,
            next: picked.next,
        })?;
        Ok(Output {
            messages: page.rows,
            page: page.fields,
        }
        .into())
    }
}

fn scope(from: i64, to: i64, asked: &filters::Criteria) -> Scope {
    Scope {
        from,
        to,
        user: asked.user_id,
    }
}

/// A search.
struct Search {
    scope: Scope,
    filter: Filter,
    /// Only messages older than this.
    behind: Option<Position>,
    /// How many matches are enough; none if all must be counted.
    enough: Option<usize>,
}

impl Search {
    /// The positions of the matches, newest first: a few bytes each, whatever the size of the messages.
    async fn positions(&self, app: &App, access: ArchiveAccess) -> Result<Vec<Position>> {
        let mut walk = Walk::new(
            app,
            access,
            self.scope,
            Order::NewestDayFirst,
            Reads::Unwanted,
            None,
        );
        let mut found: Vec<Position> = Vec::new();
        let mut day = None;
        while let Some(stretch) = walk.next().await? {
            walk.is_bounded(MOST)?;
            // Within a day messages are ordered by conversation, so a day must be read completely.
            let begins = day
                .replace(stretch.day)
                .is_some_and(|before| before != stretch.day);
            if begins && self.enough.is_some_and(|enough| found.len() >= enough) {
                break;
            }
            for (entry, content) in stretch.messages() {
                let position = (entry.at.milliseconds(), stretch.conversation, entry.seq);
                let is_behind = self.behind.is_none_or(|behind| position < behind);
                if is_behind && self.filter.holds(entry, content, content.kept_text()) {
                    found.push(position);
                }
            }
        }
        found.sort_unstable_by_key(|position| Reverse(*position));
        Ok(found)
    }
}

/// The messages at these positions, as moderators see them.
async fn messages(app: &App, access: ArchiveAccess, positions: &[Position]) -> Result<Vec<MessageV2>> {
    let positions: Vec<(ConversationId, u64)> = positions
        .iter()
        .map(|(_, conversation, seq)| (*conversation, *seq))
        .collect();
    let found = archive::messages(app, access, &positions).await?;
    let mut messages = Vec::with_capacity(found.len());
    for (conversation, entry, read_marks) in &found {
        if let Event::Message(content) = &entry.event {
            let message = archive::view(*conversation, entry, content, read_marks).with_what_is_kept(content);
            messages.push(cut(message));
        }
    }
    Ok(messages)
}

/// A message with its content truncated for the list.
fn cut(message: MessageV2) -> MessageV2 {
    let content = message
        .content
        .as_ref()
        .map(|text| text.chars().take(SHOWN).collect());
    MessageV2 { content, ..message }
}
