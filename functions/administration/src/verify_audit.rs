//! `GET /api/admin/audit/verify`: verifies the hash chain of the audit log, and compares it with the anchors outside
//! the table (S2-J02).

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::json;
use shared::auth::Permit;
use shared::domain::audit::{AuditAnchor, Break, Severity, Target};
use shared::domain::permission::AuditView;
use shared::http::input::Nothing;
use shared::http::span::{Edge, Span};
use shared::http::{Call, Endpoint, Example, Reply, Route, Tag};
use shared::rights::{Rights, TableAction};
use shared::store::audit::{self, Act, MOST_DAYS};
use shared::store::keys::Partition;
use shared::{App, Error, Result};

use crate::list_audit_entries::USUAL;

/// `GET /api/admin/audit/verify`
pub struct VerifyAudit;

/// The parameters of the query.
#[derive(Deserialize, JsonSchema)]
pub struct Query {
    /// The first day. Defaults to seven days before `to`.
    pub from: Option<Edge>,
    /// The last day. Defaults to today.
    pub to: Option<Edge>,
}

/// The result of a verification.
#[derive(Serialize, JsonSchema)]
#[schemars(rename = "AuditVerdict")]
pub struct Output {
    /// Whether all entries are unchanged, complete and in order. Entries after `anchored_through` can be missing without
    /// notice only if somebody restored an older copy of the end of the log.
    pub valid: bool,
    /// The number of entries that were checked.
    pub checked: u64,
    /// The first invalid entry; null if all are valid.
    pub first_invalid: Option<Break>,
    /// The newest entry that is anchored outside the table; null before the first anchor. An anchor is written in
    /// every minute in which the log has grown.
    pub anchored_through: Option<AuditAnchor>,
    /// Problems that an auditor must know of, in sentences; null if there are none. A valid log may have some too, for
    /// example that no anchors have been written for a while.
    pub problem: Option<String>,
}

impl Endpoint for VerifyAudit {
    const ROUTE: Route = Route::get(
        Tag::Administration,
        "verify_audit",
        "/api/admin/audit/verify",
        "Verify the audit log",
    )
    .described(
        "Recomputes the hashes of all entries of the given days, and the links to the entries before \
         and after, and compares the log with the anchors that are stored outside the database. Finds \
         entries that were changed, removed, moved, inserted, or cut off at the end, and a log that was \
         emptied. The result is recorded in the audit log, unless the log has lost its end and can't be \
         written.",
    );
    const RIGHTS: Rights = Rights::OF_A_ROUTE
        .table(&[TableAction::Query])
        .within(&[Partition::Audit, Partition::Rates, Partition::Users])
        .lists_anchors();
    type Who = Permit<AuditView>;
    type Path = Nothing;
    type Query = Query;
    type Body = Nothing;
    type Output = Output;

    fn example() -> Example {
        Example {
            answer: json!({
                "valid": true,
                "checked": 42,
                "first_invalid": null,
                "anchored_through": { "day": "2026-01-15", "number": 40 },
                "problem": null
            }),
            ..Example::default()
        }
    }

    async fn handle(app: &App, call: Call<'_, Self>) -> Result<Reply<Output>> {
        let span = Span::of(app.now(), call.query.from, call.query.to, USUAL, MOST_DAYS)?;
        let (first, last) = (span.first_day(), span.last_day());
        let permit = call.permit();
        let verdict = audit::verify(app, &permit, first, last).await?;
        let valid = verdict.first_invalid.is_none();
        let found = json!({
            "from": first,
            "to": last,
            "valid": valid,
            "checked": verdict.checked,
            "first_invalid": verdict.first_invalid,
            "anchored_through": verdict.anchored_through,
            "problem": verdict.problem,
        });
        let act = Act::read("audit.verify", Target::all("audit"), found);
        let severity = if valid { Severity::Info } else { Severity::Critical };
        match audit::record(app, &permit, act.weighing(severity)).await {
            // A log without its end accepts no entry. This response is how an auditor learns that.
            Ok(()) | Err(Error::AuditUnavailable(_)) => {}
            Err(error) => return Err(error),
        }
        Ok(Output {
            valid,
            checked: verdict.checked,
            first_invalid: verdict.first_invalid,
            anchored_through: verdict.anchored_through,
            problem: verdict.problem,
        }
        .into())
    }
}
