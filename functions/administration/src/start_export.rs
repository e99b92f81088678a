//! `GET /api/admin/messages/export`: starts an export of messages (S2-E14).

use std::time::Duration;

use schemars::JsonSchema;
use serde::Serialize;
use serde_json::json;
use shared::auth::Permit;
use shared::domain::ids::ExportId;
use shared::domain::permission::AnalyticsExport;
use shared::http::input::Nothing;
use shared::http::span::Span;
use shared::http::{Call, Endpoint, Example, Reply, Route, Tag};
use shared::queue::{self, ExportStep, Queue};
use shared::rights::Rights;
use shared::store::archive::Scope;
use shared::store::exports;
use shared::{App, Result};

use crate::examples;
use crate::filters::{Criteria, Query};

/// `GET /api/admin/messages/export`
pub struct StartExport;

/// The default period.
const USUAL: Duration = Duration::from_hours(7 * 24);

/// The export that was started.
#[derive(Serialize, JsonSchema)]
#[schemars(rename = "ExportStarted")]
pub struct Output {
    /// The id of the export.
    pub export_id: ExportId,
}

impl Endpoint for StartExport {
    const ROUTE: Route = Route::get(
        Tag::Administration,
        "start_export",
        "/api/admin/messages/export",
        "Start an export",
    )
    .answers(202)
    .takes_key()
    .described(
        "Exports all messages of a period, or of one user's conversations, that match the filters. \
         Each call starts a new export. Without a user, the period is at most 366 days.\n\n\
         The files are JSON Lines and CSV, compressed with gzip, in parts of at most 20,000 messages, \
         oldest day first. The content is as members see it: null if a message is deleted or blocked. \
         The columns of the CSV are the scalar fields of `MessageV2`. The CSV is for spreadsheets: a \
         cell that begins with `=`, `+`, `-`, `@`, a tab, a return or a newline has an apostrophe in \
         front, so that it doesn't run as a formula. With `bom=true` each CSV file begins with a byte \
         order mark. JSON Lines contain every text unchanged; U+2028 and U+2029 are escaped.",
    );
    const RIGHTS: Rights = Rights::OF_A_ROUTE.sends_to(&[Queue::Export]);
    type Who = Permit<AnalyticsExport>;
    type Path = Nothing;
    type Query = Query;
    type Body = Nothing;
    type Output = Output;

    fn example() -> Example {
        Example {
            parameters: json!({ "user_id": examples::ADA, "q": "hello", "moderation_status": "approved" }),
            answer: json!({ "export_id": examples::EXPORT }),
            ..Example::default()
        }
    }

    async fn handle(app: &App, call: Call<'_, Self>) -> Result<Reply<Output>> {
        let query = &call.query;
        let asked = Criteria::of(query.user_id, query.q.as_ref(), query.moderation_status);
        let span = Span::of(app.now(), query.from, query.to, USUAL, asked.most_days())?;
        let scope = Scope {
            from: span.from.milliseconds(),
            to: span.to.milliseconds(),
            user: query.user_id,
        };
        let once =
            call.once(&json!({ "filters": asked, "from": query.from, "to": query.to, "bom": query.bom }));
        let noted = json!({ "filters": asked, "from": span.from, "to": span.to });
        let (export, is_replayed) = exports::create(
            app,
            &call.permit(),
            scope,
            &asked.filter(),
            query.bom,
            noted,
            once.as_ref(),
        )
        .await?;
        // Enqueued by every attempt: the attempt that created it may have died before it could. A repeated step has no
        // effect.
        let step = ExportStep { export, step: 1 };
        queue::enqueue(app, Queue::Export, &step).await?;
        Ok(Reply::from(Output { export_id: export }).replayed(is_replayed))
    }
}
