//! `GET /api/admin/messages/search`: messages of all conversations, newest first (S2-E10).

use std::cmp::Reverse;
use std::time::Duration;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::json;
use shared::auth::{Permit, cursor};
use shared::domain::audit::{Target, hex};
use shared::domain::ids::{ConversationId, UserId};
use shared::domain::message::Event;
use shared::domain::message_v2::MessageV2;
use shared::domain::moderation::ModerationStatus;
use shared::domain::permission::ModerationView;
use shared::domain::text::Text;
use shared::http::input::Nothing;
use shared::http::page::{PageNumber, PageSize, Skip, offset};
use shared::http::span::{Edge, Span};
use shared::http::{Call, Endpoint, Example, Reply, Route, Tag};
use shared::rights::{Rights, TableAction};
use shared::store::archive::{self, Filter, Order, Reads, Scope, Sight, Walk};
use shared::store::audit::{self, Act};
use shared::{App, Error, Result};

use crate::examples;
use crate::filters::Asked;

/// `GET /api/admin/messages/search`
pub struct SearchMessages;

/// How far back one looks who does not say.
const USUAL: Duration = Duration::from_hours(7 * 24);
/// How many messages a search looks at: what is found is counted exactly, or the question is refused.
const MOST: u64 = 20_000;
/// How much of a content is shown, in characters.
const SHOWN: usize = 200;

/// The parameters of the query.
#[derive(Deserialize, JsonSchema)]
pub struct Query {
    /// Messages that this user sent or, in a direct conversation, got.
    pub user_id: Option<UserId>,
    /// Messages that say this, in capitals or not.
    pub q: Option<Text<1, 200>>,
    /// Messages with this status.
    pub moderation_status: Option<ModerationStatus>,
    /// From when on: a date, or a moment; seven days before `to` if not said.
    pub from: Option<Edge>,
    /// Until when: a date, which is in it, or a moment, which is not; now if not said.
    pub to: Option<Edge>,
    /// Which page, from 1.
    #[serde(default)]
    pub page: PageNumber,
    /// How many messages a page holds, 1 to 100.
    #[serde(default)]
    pub limit: PageSize<50>,
    /// How many messages to leave out. It wins over `page`.
    pub skip: Option<Skip>,
    /// Where to go on: the `next_cursor` of the page before. It wins over both, and brings its stretch of time along.
    pub cursor: Option<String>,
}

/// A page of messages.
#[derive(Serialize, JsonSchema)]
#[schemars(rename = "MessageSearch")]
pub struct Output {
    /// The messages, newest first, their contents cut to 200 characters; what was deleted or blocked has its content.
    pub messages: Vec<MessageV2>,
    /// How many were found in all; for a page by cursor, when the first page was asked for.
    pub total: u64,
    /// Which page this is.
    pub page: u64,
    /// How many a page holds.
    pub limit: u64,
    /// Whether there are more.
    pub has_next: bool,
    /// Where to go on; null at the end.
    pub next_cursor: Option<String>,
}

/// Where a message is: when, in which conversation, and its number there.
type Place = (i64, ConversationId, u64);

/// Where a search goes on: behind which message, since when it looks, and how many there were in all.
#[derive(Serialize, Deserialize)]
struct After(Place, i64, u64);

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
    type Query = Query;
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
        let (user, secret, query) = (call.who.user, app.config().cursor_secret()?, &call.query);
        let asked = Asked::of(query.user_id, query.q.as_ref(), query.moderation_status);
        let limit = query.limit.get();
        let list = list(&asked)?;
        let after: Option<After> = match &query.cursor {
            Some(sealed) => Some(cursor::open(secret, user, &list, sealed)?),
            None => None,
        };
        let skipped = if after.is_some() {
            0
        } else {
            offset(query.page, query.skip, limit)?
        };
        let scope = if let Some(After((at, ..), from, _)) = &after {
            scope(*from, at + 1, &asked)
        } else {
            let span = Span::of(app.now(), query.from, query.to, USUAL, asked.most_days())?;
            scope(span.from.milliseconds(), span.to.milliseconds(), &asked)
        };
        let permit = call.permit();
        let wanted = usize::try_from(skipped + limit).unwrap_or(usize::MAX) + 1;
        let behind = after.as_ref().map(|After(place, ..)| *place);
        let search = Search {
            scope,
            filter: asked.filter(),
            behind,
            // A page by cursor has its total already, and may stop where it is full.
            enough: after.as_ref().map(|_| wanted),
        };
        let found = search.places(app, (&permit).into()).await?;
        let total = after.map_or(found.len() as u64, |After(_, _, total)| total);
        let has_next = found.len() >= wanted;
        let page: Vec<Place> = found
            .into_iter()
            .skip(usize::try_from(skipped).unwrap_or(usize::MAX))
            .take(usize::try_from(limit).unwrap_or(usize::MAX))
            .collect();
        let next_cursor = match page.last().filter(|_| has_next) {
            Some(last) => Some(cursor::seal(
                secret,
                user,
                &list,
                &After(*last, scope.from, total),
            )?),
            None => None,
        };
        let messages = messages(app, (&permit).into(), &page).await?;
        let filters = json!({ "filters": asked, "from": scope.from_time(), "to": scope.to_time() });
        audit::record(
            app,
            &permit,
            Act::read("messages.search", Target::all("message"), filters),
        )
        .await?;
        Ok(Output {
            messages,
            total,
            page: query.page.get(),
            limit,
            has_next,
            next_cursor,
        }
        .into())
    }
}

/// The name of a list: that of another question is another.
fn list(asked: &Asked) -> Result<String> {
    use sha2::{Digest as _, Sha256};
    let asked = serde_json::to_vec(asked).map_err(Error::internal)?;
    Ok(format!(
        "{}/{}",
        SearchMessages::ROUTE.name,
        hex(&Sha256::digest(asked))
    ))
}

fn scope(from: i64, to: i64, asked: &Asked) -> Scope {
    Scope {
        from,
        to,
        user: asked.user_id,
    }
}

/// What is looked for.
struct Search {
    scope: Scope,
    filter: Filter,
    /// Only what is older than this.
    behind: Option<Place>,
    /// How many are enough; none if all are to be counted.
    enough: Option<usize>,
}

impl Search {
    /// Where the messages are that are meant, newest first: a few bytes each, however long they are.
    async fn places(&self, app: &App, sight: Sight) -> Result<Vec<Place>> {
        let mut walk = Walk::new(
            app,
            sight,
            self.scope,
            Order::NewestDayFirst,
            Reads::Unwanted,
            None,
        );
        let mut found: Vec<Place> = Vec::new();
        let mut day = None;
        while let Some(stretch) = walk.next().await? {
            walk.is_bounded(MOST)?;
            // A day is seen in the order of its conversations, and has to be seen whole.
            let begins = day
                .replace(stretch.day)
                .is_some_and(|before| before != stretch.day);
            if begins && self.enough.is_some_and(|enough| found.len() >= enough) {
                break;
            }
            for (entry, content) in stretch.messages() {
                let place = (entry.at.milliseconds(), stretch.conversation, entry.seq);
                let is_behind = self.behind.is_none_or(|behind| place < behind);
                if is_behind && self.filter.holds(entry, content, content.kept_text()) {
                    found.push(place);
                }
            }
        }
        found.sort_unstable_by_key(|place| Reverse(*place));
        Ok(found)
    }
}

/// The messages at these places, as moderators see them.
async fn messages(app: &App, sight: Sight, places: &[Place]) -> Result<Vec<MessageV2>> {
    let places: Vec<(ConversationId, u64)> = places
        .iter()
        .map(|(_, conversation, seq)| (*conversation, *seq))
        .collect();
    let found = archive::messages(app, sight, &places).await?;
    let mut messages = Vec::with_capacity(found.len());
    for (conversation, entry, cursors) in &found {
        if let Event::Message(content) = &entry.event {
            let message = archive::view(*conversation, entry, content, cursors).with_what_is_kept(content);
            messages.push(cut(message));
        }
    }
    Ok(messages)
}

/// A message whose content is cut to what a list shows.
fn cut(message: MessageV2) -> MessageV2 {
    let content = message
        .content
        .as_ref()
        .map(|text| text.chars().take(SHOWN).collect());
    MessageV2 { content, ..message }
}
