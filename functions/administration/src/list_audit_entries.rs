//! `GET /api/admin/audit`: the entries of the audit log, newest first (S2-F06, S2-J02).

use std::time::Duration;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::json;
use shared::auth::Permit;
use shared::domain::audit::{AuditEntry, Target};
use shared::domain::ids::UserId;
use shared::domain::permission::AuditView;
use shared::domain::text::Text;
use shared::domain::time::Timestamp;
use shared::http::input::Nothing;
use shared::http::page::{Found, Limited, LimitedFields, ListQuery};
use shared::http::span::{Edge, Span};
use shared::http::{Call, Endpoint, Example, Reply, Route, Tag};
use shared::rights::{Rights, TableAction};
use shared::store::audit::{self, Act, Filter, MOST_DAYS, Position};
use shared::store::keys::Partition;
use shared::{App, Error, Result};

use crate::examples;

/// `GET /api/admin/audit`
pub struct ListAuditEntries;

/// The default period.
pub(crate) const USUAL: Duration = Duration::from_hours(7 * 24);

/// Which entries.
#[derive(Deserialize, JsonSchema)]
pub struct Narrow {
    /// Only actions of this user.
    pub actor: Option<UserId>,
    /// Only actions of this kind, such as `messages.moderate`.
    pub action: Option<Text<1, 100>>,
    /// The start of the period: a date or a time. Defaults to seven days before `to`.
    pub from: Option<Edge>,
    /// The end of the period: a date (inclusive) or a time (exclusive). Defaults to now.
    pub to: Option<Edge>,
}

/// A page of audit log entries.
#[derive(Serialize, JsonSchema)]
#[schemars(rename = "AuditEntryList")]
pub struct Output {
    /// The entries, newest first. A page may be short although there are more entries.
    pub entries: Vec<AuditEntry>,
    /// The position of the page.
    #[serde(flatten)]
    pub page: LimitedFields,
}

/// Where the list continues, and its period.
#[derive(Serialize, Deserialize)]
struct After(Position, i64, i64);

impl Endpoint for ListAuditEntries {
    const ROUTE: Route = Route::get(
        Tag::Administration,
        "list_audit_entries",
        "/api/admin/audit",
        "List audit log entries",
    )
    .described(
        "Every administrative read and write, newest first, for a period of at most 92 days. With a \
         selective filter a page may be short although there are more entries: continue while there is \
         a `next_cursor`. Reading the audit log is recorded too; that entry is not part of the same \
         response.\n\n\
         `hash` is the HMAC-SHA256 of the entry without `hash`, as compact JSON in UTF-8 with sorted \
         keys, under the key of the audit log.",
    );
    const RIGHTS: Rights = Rights::OF_A_ROUTE.table(&[TableAction::Query]).within(&[
        Partition::Audit,
        Partition::Rates,
        Partition::Users,
    ]);
    type Who = Permit<AuditView>;
    type Path = Nothing;
    type Query = ListQuery<Limited<50>, Narrow>;
    type Body = Nothing;
    type Output = Output;

    fn example() -> Example {
        Example {
            parameters: json!({ "actor": examples::MODERATOR, "action": "messages.moderate", "limit": 50 }),
            answer: json!({ "entries": [examples::audit_entry()], "next_cursor": null }),
            ..Example::default()
        }
    }

    async fn handle(app: &App, call: Call<'_, Self>) -> Result<Reply<Output>> {
        let (user, query) = (call.who.user, &call.query.filter);
        let action = query.action.as_ref().map(Text::as_str);
        let pager = call
            .query
            .pager(app, user, Self::ROUTE.name, &(query.actor, action))?;
        // A cursor includes the period.
        let (span, before) = match pager.after() {
            Some(After(position, from, to)) => {
                let [from, to] = [*from, *to].map(Timestamp::from_milliseconds);
                (Span { from, to }, Some(*position))
            }
            None => (Span::of(app.now(), query.from, query.to, USUAL, MOST_DAYS)?, None),
        };
        let filter = Filter {
            from: span.from,
            to: span.to,
            actor: query.actor,
            action: action.map(str::to_owned),
        };
        let limit = usize::try_from(pager.size()).map_err(Error::internal)?;
        let permit = call.permit();
        let found = audit::list(app, &permit, &filter, before, limit).await?;
        let asked = json!({ "actor": query.actor, "action": action, "from": span.from, "to": span.to });
        audit::record(app, &permit, Act::read("audit.list", Target::all("audit"), asked)).await?;
        let after = |position: Position| After(position, span.from.milliseconds(), span.to.milliseconds());
        let rows = found.entries.into_iter();
        let page = pager.page(Found {
            rows: rows.map(|(position, entry)| (after(position), entry)).collect(),
            // The number is unknown, and the family has no field for it.
            total: 0,
            next: found.next.map(after),
        })?;
        Ok(Output {
            entries: page.rows,
            page: page.fields,
        }
        .into())
    }
}
