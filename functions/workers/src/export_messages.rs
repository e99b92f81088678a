//! `export_messages`: writes an export, step by step (S2-E14).
//!
//! A step continues where the last one stopped, writes what it finds as a part, records both and enqueues the next
//! step. It holds one part in memory, however many there are. The name of a file includes the hash of its content, so
//! that a repeated step, after a message was deleted in between, does not change a recorded file.

mod part;

use std::ops::ControlFlow;
use std::time::{Duration, Instant};

use shared::blob;
use shared::domain::ids::ExportId;
use shared::http::reply::status_and_code;
use shared::job::Job;
use shared::queue::{self, ExportStep, Queue};
use shared::rights::{ObjectAction, Objects, Prefix, Rights, TableAction};
use shared::store::Worker;
use shared::store::archive::{self, Order, Reads, Walk};
use shared::store::exports::{self, Export, File, Outcome, Part, Status};
use shared::{App, Error, Result};

use part::{Finished, PartWriter};

/// The worker of the queue `export`.
pub struct ExportMessages;

/// How much text a part holds before it ends.
const MOST_BYTES: usize = 32 * 1024 * 1024;
/// How many entries a step examines.
const MOST_EXAMINED: u64 = 100_000;
/// How long a step walks; its function's timeout is twice as long.
const BUDGET: Duration = Duration::from_secs(25);

impl Job for ExportMessages {
    const NAME: &'static str = "export_messages";
    const QUEUE: Queue = Queue::Export;
    const RIGHTS: Rights = Rights::NONE
        .table(&[
            TableAction::GetItem,
            TableAction::PutItem,
            TableAction::Query,
            TableAction::UpdateItem,
        ])
        .queries_by_user()
        .sends_to(&[Queue::Export])
        .objects(&[Objects::used(
            Prefix::Exports,
            &[ObjectAction::Delete, ObjectAction::Put],
        )])
        .lists_bucket();
    type Message = ExportStep;

    async fn run(app: &App, worker: Worker, job: ExportStep) -> Result<()> {
        let Some(export) = exports::find(app, worker, job.export).await? else {
            // It has expired.
            return Ok(());
        };
        if export.status == Status::Withdrawn {
            // What an attempt wrote but did not record.
            return blob::remove_exports(app, export.id).await;
        }
        if export.status == Status::Completed || job.step + 1 < export.step {
            return Ok(());
        }
        if job.step > export.step {
            return Err(Error::internal(
                "a step of an export runs before the previous one",
            ));
        }
        if job.step == export.step {
            let outcome = write(app, worker, &export).await?;
            if !exports::advance(app, worker, &export, &outcome).await? {
                let now = exports::find(app, worker, job.export).await?;
                if now.is_none_or(|export| export.status == Status::Withdrawn) {
                    // A message was erased while this step held its text.
                    return blob::remove_exports(app, export.id).await;
                }
            }
            if outcome.position.is_none() {
                return Ok(());
            }
        }
        // The attempt that ended the step may have died before it enqueued the next one.
        let next = ExportStep {
            export: export.id,
            step: job.step + 1,
        };
        queue::enqueue(app, Queue::Export, &next).await
    }

    async fn give_up(app: &App, worker: Worker, job: ExportStep, error: &Error) -> Result<()> {
        let (_, code) = status_and_code(error);
        exports::give_up(app, worker, job.export, job.step, code).await
    }
}

/// Writes the part of one step.
async fn write(app: &App, worker: Worker, export: &Export) -> Result<Outcome> {
    let begun = Instant::now();
    let mut part = PartWriter::new(export.with_bom)?;
    let mut walk = Walk::new(
        app,
        worker.into(),
        export.scope,
        Order::OldestDayFirst,
        Reads::Wanted,
        export.position,
    );
    let mut flow = ControlFlow::Continue(());
    while let ControlFlow::Continue(()) = flow {
        let Some(stretch) = walk.next().await? else { break };
        for (entry, content) in stretch.messages() {
            if export.filter.holds(entry, content, content.shown_text()) {
                let message = archive::view(stretch.conversation, entry, content, &stretch.read_marks);
                part.add(&message)?;
            }
        }
        let is_full = part.rows() >= app.config().export_part_rows || part.bytes() >= MOST_BYTES;
        if is_full || walk.examined() >= MOST_EXAMINED || begun.elapsed() >= BUDGET {
            flow = ControlFlow::Break(());
        }
    }
    let position = if flow.is_break() { walk.position() } else { None };
    // An export without messages has one empty part.
    let is_wanted = part.rows() > 0 || (position.is_none() && export.parts == 0);
    let part = if is_wanted {
        Some(store(app, export.id, export.parts + 1, part.finish()?).await?)
    } else {
        None
    };
    Ok(Outcome {
        part,
        position,
        progress_permille: if position.is_some() {
            permille(walk.progress())
        } else {
            1000
        },
    })
}

/// Stores the files of a part.
async fn store(app: &App, export: ExportId, number: u32, finished: Finished) -> Result<Part> {
    let key = |sha256: &str, form: &str| {
        let start = sha256.get(..8).unwrap_or_default();
        format!("exports/{export}/part-{number:05}-{start}.{form}.gz")
    };
    let file = |bytes: &[u8], form: &str| {
        let sha256 = part::sha256(bytes);
        File {
            key: key(&sha256, form),
            size_bytes: bytes.len() as u64,
            sha256,
        }
    };
    let Finished { rows, jsonl, csv } = finished;
    let part = Part {
        number,
        rows,
        jsonl: file(&jsonl, "jsonl"),
        csv: file(&csv, "csv"),
    };
    // One after the other, so that only one is held twice.
    blob::put_export(app, &part.jsonl.key, jsonl).await?;
    blob::put_export(app, &part.csv.key, csv).await?;
    Ok(part)
}

#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "it lies between 0 and 1000"
)]
fn permille(progress: f64) -> u16 {
    (progress.clamp(0.0, 1.0) * 1000.0) as u16
}
