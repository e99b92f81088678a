//! `GET /api/admin/audit/verify`: computes the chain of the audit log again (S2-J02).

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::json;
use shared::auth::Permit;
use shared::domain::audit::{Break, Severity, Target};
use shared::domain::permission::AuditView;
use shared::http::input::Nothing;
use shared::http::span::{Edge, Span};
use shared::http::{Call, Endpoint, Example, Reply, Route, Tag};
use shared::rights::{Rights, TableAction};
use shared::store::audit::{self, Act, MOST_DAYS};
use shared::{App, Result};

use crate::list_audit_entries::USUAL;

/// `GET /api/admin/audit/verify`
pub struct VerifyAudit;

/// The parameters of the query.
#[derive(Deserialize, JsonSchema)]
pub struct Query {
    /// From which day on; seven days before `to` if not said.
    pub from: Option<Edge>,
    /// Up to which day; today if not said.
    pub to: Option<Edge>,
}

/// What it comes to.
#[derive(Serialize, JsonSchema)]
#[schemars(rename = "AuditVerdict")]
pub struct Output {
    /// Whether every entry is what was written, in the order in which it was, and none is missing.
    pub valid: bool,
    /// How many entries were looked at.
    pub checked: u64,
    /// The first place at which the chain breaks; null if it does not.
    pub first_invalid: Option<Break>,
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
         and after. Finds entries that were changed, removed, moved, inserted, or cut off at the end. \
         The result is recorded in the audit log.",
    );
    const RIGHTS: Rights = Rights::OF_A_ROUTE.table(&[TableAction::Query]);
    type Who = Permit<AuditView>;
    type Path = Nothing;
    type Query = Query;
    type Body = Nothing;
    type Output = Output;

    fn example() -> Example {
        Example {
            answer: json!({ "valid": true, "checked": 42, "first_invalid": null }),
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
            "from": first, "to": last, "valid": valid, "checked": verdict.checked, "first_invalid": verdict.first_invalid
        });
        let act = Act::read("audit.verify", Target::all("audit"), found);
        let severity = if valid { Severity::Info } else { Severity::Critical };
        audit::record(app, &permit, act.weighing(severity)).await?;
        Ok(Output {
            valid,
            checked: verdict.checked,
            first_invalid: verdict.first_invalid,
        }
        .into())
    }
}
