//! `GET /api/v2/messages/stats/summary`: the caller's mail statistics (S0-E07).
//!
//! Nothing is counted: the tally is updated with each mail, so the response costs the same for any box.

use schemars::JsonSchema;
use serde::Serialize;
use serde_json::json;
use shared::auth::Caller;
use shared::domain::mail::{Count, Folder};
use shared::http::input::Nothing;
use shared::http::{Call, Endpoint, Example, Reply, Route, Tag};
use shared::store::tally;
use shared::{App, Result};

/// `GET /api/v2/messages/stats/summary`
pub struct GetMailStats;

/// Mail statistics.
#[derive(Serialize, JsonSchema)]
#[schemars(rename = "MessageStats")]
pub struct Output {
    /// All mails. A mail to oneself counts once.
    pub total: u64,
    /// Unread mails that are not archived.
    pub unread: u64,
    /// Starred mails.
    pub starred: u64,
    /// Archived mails.
    pub archived: u64,
    /// Sent mails.
    pub sent: u64,
    /// Received mails, archived or not.
    pub received: u64,
}

impl Endpoint for GetMailStats {
    const ROUTE: Route = Route::get(
        Tag::Mail,
        "get_mail_stats",
        "/api/v2/messages/stats/summary",
        "Get mail statistics",
    )
    .described("The numbers of the caller's mails. Archived mails do not count in `unread`.");
    type Who = Caller;
    type Path = Nothing;
    type Query = Nothing;
    type Body = Nothing;
    type Output = Output;

    fn example() -> Example {
        Example {
            answer: json!({ "total": 3, "unread": 1, "starred": 1, "archived": 0, "sent": 1, "received": 2 }),
            ..Example::default()
        }
    }

    async fn handle(app: &App, call: Call<'_, Self>) -> Result<Reply<Output>> {
        let tally = tally::of(app, call.who.user).await?;
        Ok(Output {
            total: tally.of(Count::Total),
            unread: tally.unread_mails(),
            starred: tally.of(Count::of(Folder::Starred)),
            archived: tally.of(Count::of(Folder::Archived)),
            sent: tally.of(Count::of(Folder::Sent)),
            received: tally.of(Count::Received),
        }
        .into())
    }
}
