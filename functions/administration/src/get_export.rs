//! `GET /api/admin/messages/export/{export_id}`: the progress of an export, and the links to its files (S2-E14).

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::json;
use shared::auth::Permit;
use shared::blob;
use shared::domain::audit::Target;
use shared::domain::ids::ExportId;
use shared::domain::permission::AnalyticsExport;
use shared::domain::time::Timestamp;
use shared::http::input::Nothing;
use shared::http::{Call, Endpoint, Example, Reply, Route, Tag};
use shared::rights::{ObjectAction, Objects, Prefix, Rights, TableAction};
use shared::store::audit::{self, Act};
use shared::store::exports::{self, File, Part, Status};
use shared::{App, Result};

use crate::examples;

/// `GET /api/admin/messages/export/{export_id}`
pub struct GetExport;

/// The parameters of the path.
#[derive(Deserialize, JsonSchema)]
pub struct Path {
    /// The export.
    pub export_id: ExportId,
}

/// An export.
#[derive(Serialize, JsonSchema)]
#[schemars(rename = "Export")]
pub struct Output {
    /// The current status.
    pub status: Status,
    /// The approximate progress, from 0 to 1.
    pub progress: f64,
    /// The files, by part; empty until the export is completed, and once it is `withdrawn`.
    pub files: Vec<ExportFile>,
}

/// A file of an export.
#[derive(Serialize, JsonSchema)]
pub struct ExportFile {
    /// The file format.
    pub format: Format,
    /// The number of the part, starting at 1. Each part exists in each format.
    pub part: u32,
    /// The download link, which needs no token.
    pub url: String,
    /// When the link expires. Get the export again for a new link.
    pub expires_at: Timestamp,
    /// The size in bytes.
    pub size_bytes: u64,
    /// The SHA-256 of the file, in hexadecimal.
    pub sha256: String,
    /// The number of messages in the file.
    pub rows: u64,
}

/// A file format.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
#[schemars(rename = "ExportFormat")]
pub enum Format {
    /// JSON Lines, one message per line, compressed with gzip. Texts are unchanged.
    Jsonl,
    /// CSV with a header, one message per row, compressed with gzip. For spreadsheets: a cell that begins with `=`, `+`,
    /// `-`, `@`, a tab, a carriage return or a newline is prefixed with an apostrophe (`'`), so that it is not run as a
    /// formula.
    Csv,
}

impl Endpoint for GetExport {
    const ROUTE: Route = Route::get(
        Tag::Administration,
        "get_export",
        "/api/admin/messages/export/{export_id}",
        "Get an export",
    )
    .described(
        "Only for the user who started the export. Exports are kept for seven days. Download links \
         expire after five minutes and need no token.\n\n\
         An export that was abandoned, or that has made no progress for an hour, has the status \
         `failed`: start a new one. So is the export `withdrawn` if a message that its files may have \
         contained was permanently deleted.",
    );
    const RIGHTS: Rights = Rights::OF_A_ROUTE
        .table(&[TableAction::Query])
        .objects(&[Objects::signed(Prefix::Exports, &[ObjectAction::Get])]);
    type Who = Permit<AnalyticsExport>;
    type Path = Path;
    type Query = Nothing;
    type Body = Nothing;
    type Output = Output;

    fn example() -> Example {
        Example {
            parameters: json!({ "export_id": examples::EXPORT }),
            answer: json!({
                "status": "completed",
                "progress": 1.0,
                "files": [{
                    "format": "jsonl",
                    "part": 1,
                    "url": "https://…/exports/019bc151-2b40-7c3d-8e21-5a6b7c8d9e0f/part-00001-1f0c3b7a.jsonl.gz?…",
                    "expires_at": "2026-01-15T10:35:00.000Z",
                    "size_bytes": 2_310,
                    "sha256": "1f0c3b7ad2e9846b5f30c1a2b3d4e5f60718293a4b5c6d7e8f90a1b2c3d4e5f6",
                    "rows": 12
                }]
            }),
            ..Example::default()
        }
    }

    async fn handle(app: &App, call: Call<'_, Self>) -> Result<Reply<Output>> {
        let (permit, id) = (call.permit(), call.path.export_id);
        let (export, parts) = exports::own(app, &permit, id).await?;
        let mut files = Vec::new();
        if export.status == Status::Completed {
            for part in &parts {
                for (format, file) in [(Format::Jsonl, &part.jsonl), (Format::Csv, &part.csv)] {
                    files.push(linked(app, part, format, file).await?);
                }
            }
        }
        let seen = json!({ "status": export.status, "files": files.len() });
        audit::record(
            app,
            &permit,
            Act::read("messages.view_export", Target::one("export", id), seen),
        )
        .await?;
        Ok(Output {
            status: export.status,
            progress: f64::from(export.progress_permille) / 1000.0,
            files,
        }
        .into())
    }
}

/// A file with its download link.
async fn linked(app: &App, part: &Part, format: Format, file: &File) -> Result<ExportFile> {
    let form = match format {
        Format::Jsonl => "jsonl",
        Format::Csv => "csv",
    };
    let name = format!("part-{:05}.{form}.gz", part.number);
    let link = blob::export_link(app, &file.key, &name).await?;
    Ok(ExportFile {
        format,
        part: part.number,
        url: link.url,
        expires_at: link.expires_at,
        size_bytes: file.size_bytes,
        sha256: file.sha256.clone(),
        rows: part.rows,
    })
}
