//! `GET /api/admin/messages/stats/overview`: statistics of the messages of all conversations (S2-E13).

use std::collections::BTreeMap;
use std::time::Duration;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::json;
use shared::auth::Permit;
use shared::domain::audit::Target;
use shared::domain::day::Day;
use shared::domain::message::MessageType;
use shared::domain::message_v2::MessageStatus;
use shared::domain::moderation::ModerationStatus;
use shared::domain::permission::AnalyticsView;
use shared::http::input::Nothing;
use shared::http::span::{Edge, Span};
use shared::http::{Call, Endpoint, Example, Reply, Route, Tag};
use shared::rights::{Rights, TableAction};
use shared::store::archive::{self, Order, Reads, Scope, Walk};
use shared::store::audit::{self, Act};
use shared::{App, Result};

use crate::filters::MOST_DAYS;

/// `GET /api/admin/messages/stats/overview`
pub struct GetMessagesOverview;

/// The default period.
const USUAL: Duration = Duration::from_hours(30 * 24);
/// The maximum number of messages per request: they are counted exactly, or the request is refused.
const MOST: u64 = 200_000;

/// The parameters of the query.
#[derive(Deserialize, JsonSchema)]
pub struct Query {
    /// The start of the period: a date or a time. Defaults to thirty days before `to`.
    pub from: Option<Edge>,
    /// The end of the period: a date (inclusive) or a time (exclusive). Defaults to now.
    pub to: Option<Edge>,
}

/// Message statistics of a period.
#[derive(Serialize, JsonSchema)]
#[schemars(rename = "MessagesOverview")]
pub struct Output {
    /// The number of messages.
    pub total: u64,
    /// The numbers by delivery status.
    pub by_status: BTreeMap<MessageStatus, u64>,
    /// The numbers by moderation status.
    pub by_moderation_status: BTreeMap<ModerationStatus, u64>,
    /// The numbers by message type.
    pub by_type: BTreeMap<MessageType, u64>,
    /// The numbers by day. Days without messages are left out.
    pub by_day: Vec<DayCount>,
}

/// The number of messages on a day.
#[derive(Serialize, JsonSchema)]
pub struct DayCount {
    /// The day, in UTC.
    pub day: Day,
    /// The number of messages.
    pub count: u64,
}

impl Endpoint for GetMessagesOverview {
    const ROUTE: Route = Route::get(
        Tag::Administration,
        "get_messages_overview",
        "/api/admin/messages/stats/overview",
        "Get message statistics of a period",
    )
    .described(
        "All numbers are exact. If the period contains more than 200,000 messages, the response is 422 \
         with the issue `too_broad`: specify a shorter period.",
    );
    const RIGHTS: Rights = Rights::OF_A_ROUTE.table(&[TableAction::Query]);
    type Who = Permit<AnalyticsView>;
    type Path = Nothing;
    type Query = Query;
    type Body = Nothing;
    type Output = Output;

    fn example() -> Example {
        Example {
            answer: json!({
                "total": 3,
                "by_status": { "sent": 1, "delivered": 0, "read": 2, "failed": 0 },
                "by_moderation_status": { "pending": 0, "approved": 2, "flagged": 0, "blocked": 1 },
                "by_type": { "text": 3, "image": 0, "video": 0, "audio": 0, "file": 0 },
                "by_day": [{ "day": "2026-01-15", "count": 3 }]
            }),
            ..Example::default()
        }
    }

    async fn handle(app: &App, call: Call<'_, Self>) -> Result<Reply<Output>> {
        let span = Span::of(app.now(), call.query.from, call.query.to, USUAL, MOST_DAYS)?;
        let scope = Scope {
            from: span.from.milliseconds(),
            to: span.to.milliseconds(),
            user: None,
        };
        let permit = call.permit();
        let mut figures = Figures::default();
        let mut walk = Walk::new(
            app,
            (&permit).into(),
            scope,
            Order::OldestDayFirst,
            Reads::Wanted,
            None,
        );
        while let Some(stretch) = walk.next().await? {
            walk.is_bounded(MOST)?;
            for (entry, content) in stretch.messages() {
                let progress = archive::progress(entry, content, &stretch.read_marks);
                figures.total += 1;
                *figures.by_status.entry(progress.status).or_default() += 1;
                *figures
                    .by_moderation_status
                    .entry(content.moderation_status())
                    .or_default() += 1;
                *figures.by_type.entry(content.message_type).or_default() += 1;
                *figures.by_day.entry(Day::of(entry.at)).or_default() += 1;
            }
        }
        let asked = json!({ "from": span.from, "to": span.to });
        audit::record(
            app,
            &permit,
            Act::read("messages.overview", Target::all("message"), asked),
        )
        .await?;
        let day = |(day, count)| DayCount { day, count };
        Ok(Output {
            total: figures.total,
            by_status: of_all(MessageStatus::ALL, figures.by_status),
            by_moderation_status: of_all(ModerationStatus::ALL, figures.by_moderation_status),
            by_type: of_all(MessageType::ALL, figures.by_type),
            by_day: figures.by_day.into_iter().map(day).collect(),
        }
        .into())
    }
}

/// The counts, without zeros.
#[derive(Default)]
struct Figures {
    total: u64,
    by_status: BTreeMap<MessageStatus, u64>,
    by_moderation_status: BTreeMap<ModerationStatus, u64>,
    by_type: BTreeMap<MessageType, u64>,
    by_day: BTreeMap<Day, u64>,
}

/// The counts including zeros.
fn of_all<K: Ord, const COUNT: usize>(all: [K; COUNT], mut counts: BTreeMap<K, u64>) -> BTreeMap<K, u64> {
    for one in all {
        counts.entry(one).or_default();
    }
    counts
}
