//! Exports: their parameters, their progress, and their files.
//!
//! An export is written in steps, each a job of its own. A step ends with one transaction: the files that it wrote, the
//! position where the next step continues, and the number of that step, on the condition that this step was not ended
//! yet. So a step that runs twice, or again after a crash, is recorded once.

use std::time::Duration;

use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::Worker;
use super::archive::{Filter, Position, Scope};
use super::audit::{Act, Pending};
use super::item::{Item, number, text};
use super::keys;
use super::once::Once;
use super::table::{self, Backoff, Condition, Consistency, Query, Transacted, Transaction, Update, Written};
use crate::App;
use crate::auth::Permit;
use crate::blob;
use crate::domain::audit::{Actor, Target};
use crate::domain::ids::{ExportId, UserId};
use crate::domain::permission::{AnalyticsExport, HardDelete};
use crate::domain::time::Timestamp;
use crate::error::{Error, Result};
use crate::telemetry::Count;

/// How long an export is kept; the bucket expires its files after the same time.
pub const LIFETIME: Duration = Duration::from_hours(7 * 24);
/// An export without progress for this long was abandoned: its job was tried five times, with minutes between, and died
/// each time.
pub const STALLED_AFTER: Duration = Duration::from_hours(1);

/// The status of an export.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "snake_case")]
#[schemars(rename = "ExportStatus")]
pub enum Status {
    /// Waiting to be processed.
    Queued,
    /// Being written.
    Running,
    /// All files are ready.
    Completed,
    /// Abandoned.
    Failed,
    /// The files were removed because they may contain a message that was deleted permanently. Start another export.
    Withdrawn,
}

impl Status {
    const ALL: [Self; 5] = [
        Self::Queued,
        Self::Running,
        Self::Completed,
        Self::Failed,
        Self::Withdrawn,
    ];

    const fn as_str(self) -> &'static str {
        match self {
            Self::Queued => "queued",
            Self::Running => "running",
            Self::Completed => "completed",
            Self::Failed => "failed",
            Self::Withdrawn => "withdrawn",
        }
    }
}

/// An export.
#[derive(Clone, Debug)]
pub struct Export {
    /// Its id.
    pub id: ExportId,
    /// Who asked for it.
    pub owner: UserId,
    /// The range of the walk.
    pub scope: Scope,
    /// Which messages it includes.
    pub filter: Filter,
    /// Whether its CSV files begin with a byte order mark.
    pub with_bom: bool,
    /// Its status.
    pub status: Status,
    /// Where the next step continues; none for the beginning.
    pub position: Option<Position>,
    /// The number of the next step, from 1.
    pub step: u32,
    /// How many parts there are.
    pub parts: u32,
    /// The approximate progress, from 0 to 1000.
    pub progress_permille: u16,
    /// When it last made progress.
    pub updated_at: Timestamp,
}

/// A part of an export: the same messages in both formats.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Part {
    /// Its number, from 1.
    pub number: u32,
    /// How many messages it holds.
    pub rows: u64,
    /// As JSON Lines.
    pub jsonl: File,
    /// As CSV.
    pub csv: File,
}

/// A file of an export.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct File {
    /// The key of its object.
    pub key: String,
    /// How large it is.
    pub size_bytes: u64,
    /// Its SHA-256 in hexadecimal.
    pub sha256: String,
}

/// The result of a step.
#[derive(Clone, Debug)]
pub struct Outcome {
    /// The part that it wrote, if any.
    pub part: Option<Part>,
    /// Where the next step continues; none after the last one.
    pub position: Option<Position>,
    /// The approximate progress of the export, from 0 to 1000.
    pub progress_permille: u16,
}

/// Creates an export, once for all requests with a key as long as the export is kept; also returns whether an earlier
/// one created it. The entry of the audit log is in the same transaction.
///
/// # Errors
/// [`Error::IdempotencyKeyReused`] if the key was used for another export.
pub async fn create(
    app: &App,
    permit: &Permit<AnalyticsExport>,
    scope: Scope,
    filter: &Filter,
    with_bom: bool,
    asked: Value,
    once: Option<&Once>,
) -> Result<(ExportId, bool)> {
    let now = app.now();
    let id = ExportId::generate(now);
    let actor = Actor::from(permit);
    let act = |id| Act::read("messages.export", Target::one("export", id), asked.clone());
    let expires = now.plus(LIFETIME).seconds();
    let item = Item::new(&keys::export(id))
        .id(attribute::OWNER, actor.id.uuid())
        .text(attribute::SCOPE, json(&scope)?)
        .text(attribute::FILTER, json(filter)?)
        .text(attribute::STATUS, Status::Queued.as_str())
        .number(attribute::STEP, 1)
        .number(attribute::PARTS, 0)
        .number(attribute::PROGRESS, 0)
        .number(attribute::UPDATED_AT, now.milliseconds())
        .mark(attribute::WITH_BOM, with_bom)
        .number(keys::EXPIRES, expires);
    // As long as the bucket may keep a file of its last step.
    let listed = Item::new(&keys::listed_export(id)).number(keys::EXPIRES, now.plus(2 * LIFETIME).seconds());
    let mut backoff = Backoff::new(super::audit::ATTEMPTS);
    loop {
        let pending = Pending::next(app, &actor, &act(id)).await?;
        let transaction = match once {
            Some(once) => {
                let marker = once.marker(id.uuid()).number(keys::EXPIRES, expires);
                Transaction::default().put(marker, Once::is_first(app.now()))
            }
            None => Transaction::default(),
        };
        let transaction = transaction
            .put(item.clone(), Condition::absent())
            .put(listed.clone(), Condition::default());
        let (transaction, seat) = pending.join(transaction);
        let Transacted::Refused(parts) = transaction.send(app).await? else {
            return Ok((id, false));
        };
        if let (Some(once), Some(Some(marker))) = (once, parts.first()) {
            let earlier = ExportId::from_uuid(once.found(marker)?.made);
            super::audit::record(app, actor, act(earlier)).await?;
            return Ok((earlier, true));
        }
        if !seat.was_taken(&parts) {
            return Err(Error::internal("an export has an id that was drawn before"));
        }
        app.meter().count(Count::Contentions, 1);
        backoff.wait("recording in the audit log").await?;
    }
}

/// An export, for its worker; none if it has expired.
pub async fn find(app: &App, _: Worker, id: ExportId) -> Result<Option<Export>> {
    read(app, id).await
}

async fn read(app: &App, id: ExportId) -> Result<Option<Export>> {
    let item = table::get(app, &keys::export(id), Consistency::Strong).await?;
    let Some(item) = item else { return Ok(None) };
    let is_over = item.get_number::<i64>(keys::EXPIRES)? <= app.now().seconds();
    Ok(if is_over { None } else { Some(decode(id, &item)?) })
}

/// The caller's own export with its parts. Other users' exports do not exist for the caller: they hold other people's
/// messages, and whoever may export can start their own.
pub async fn own(app: &App, permit: &Permit<AnalyticsExport>, id: ExportId) -> Result<(Export, Vec<Part>)> {
    let export = read(app, id).await?;
    let export = export.filter(|export| export.owner == permit.caller().user);
    let mut export = export.ok_or(Error::NotFound("export"))?;
    let is_under_way = matches!(export.status, Status::Queued | Status::Running);
    if is_under_way && app.now().since(export.updated_at) > STALLED_AFTER {
        export.status = Status::Failed;
    }
    let partition = keys::export_partition(id);
    let parts = Query::between(partition, keys::PART, format!("{}~", keys::PART));
    let part = |item: &Item| serde_json::from_str(item.get_text(attribute::PART)?).map_err(Error::internal);
    let parts = parts.all(app).await?.iter().map(part).collect::<Result<_>>()?;
    Ok((export, parts))
}

/// Withdraws every export whose files may contain an erased message: links are no longer issued, and the files are
/// removed from the bucket, which deletes them completely within two days. Exports are selected by time range and user,
/// not by content, since the content is gone.
///
/// Idempotent: a retry completes what a crashed attempt left.
pub async fn withdraw(
    app: &App,
    _: &Permit<HardDelete>,
    sent_at: Timestamp,
    people: &[UserId],
) -> Result<()> {
    let listed = Query::between(keys::EXPORTS.to_owned(), "0", "~")
        .all(app)
        .await?;
    for item in listed {
        let id: ExportId = item.sort()?.parse().map_err(Error::internal)?;
        let Some(item) = table::get(app, &keys::export(id), Consistency::Strong).await? else {
            continue;
        };
        let scope = decode(id, &item)?.scope;
        let is_within = scope.from <= sent_at.milliseconds() && sent_at.milliseconds() < scope.to;
        if !is_within || scope.user.is_some_and(|user| !people.contains(&user)) {
            continue;
        }
        let expression = format!(
            "SET {} = :status, {} = :now",
            attribute::STATUS,
            attribute::UPDATED_AT
        );
        let update = Update::new(keys::export(id), expression)
            .only_if(format!("attribute_exists({})", keys::PARTITION))
            .value(":status", text(Status::Withdrawn.as_str()))
            .value(":now", number(app.now().milliseconds()));
        match update.send(app).await? {
            Written::Done(_) | Written::Refused(_) => {}
        }
        blob::remove_exports(app, id).await?;
    }
    Ok(())
}

/// Ends a step, unless it has been ended or the export was withdrawn; returns whether it did.
pub async fn advance(app: &App, _: Worker, export: &Export, outcome: &Outcome) -> Result<bool> {
    let status = if outcome.position.is_some() {
        Status::Running
    } else {
        Status::Completed
    };
    let expression = format!(
        "SET {} = :next, {} = :parts, {} = :progress, {} = :now, {} = :status, {} = :position",
        attribute::STEP,
        attribute::PARTS,
        attribute::PROGRESS,
        attribute::UPDATED_AT,
        attribute::STATUS,
        attribute::POSITION
    );
    let added = u32::from(outcome.part.is_some());
    let update = Update::new(keys::export(export.id), expression)
        .only_if(unless_withdrawn())
        .value(":withdrawn", text(Status::Withdrawn.as_str()))
        .value(":step", number(export.step))
        .value(":next", number(export.step + 1))
        .value(":parts", number(export.parts + added))
        .value(":progress", number(outcome.progress_permille))
        .value(":now", number(app.now().milliseconds()))
        .value(":status", text(status.as_str()))
        .value(":position", text(json(&outcome.position)?));
    let transaction = Transaction::default().update(update);
    let transaction = match &outcome.part {
        Some(part) => {
            let expires = app.now().plus(LIFETIME).seconds();
            let item = Item::new(&keys::export_part(export.id, part.number))
                .text(attribute::PART, json(part)?)
                .number(keys::EXPIRES, expires);
            transaction.put(item, Condition::absent())
        }
        None => transaction,
    };
    match transaction.send(app).await? {
        Transacted::Done => Ok(true),
        Transacted::Refused(_) => Ok(false),
    }
}

/// The step is the current one, and the export was not withdrawn.
fn unless_withdrawn() -> String {
    format!(
        "{} = :step AND {} <> :withdrawn",
        attribute::STEP,
        attribute::STATUS
    )
}

/// Records that a step was given up, with the kind of error. If its job is redriven, the export continues.
pub async fn give_up(app: &App, _: Worker, id: ExportId, step: u32, code: &str) -> Result<()> {
    let expression = format!(
        "SET {} = :status, {} = :code, {} = :now",
        attribute::STATUS,
        attribute::ERROR,
        attribute::UPDATED_AT
    );
    let update = Update::new(keys::export(id), expression)
        .only_if(unless_withdrawn())
        .value(":withdrawn", text(Status::Withdrawn.as_str()))
        .value(":step", number(step))
        .value(":status", text(Status::Failed.as_str()))
        .value(":code", text(code))
        .value(":now", number(app.now().milliseconds()));
    match update.send(app).await? {
        Written::Done(_) | Written::Refused(_) => Ok(()),
    }
}

/// The attributes of exports and their parts.
mod attribute {
    /// The kind of error with which it was given up.
    pub(super) const ERROR: &str = "e";
    /// Which messages it includes.
    pub(super) const FILTER: &str = "f";
    /// A part.
    pub(super) const PART: &str = "j";
    /// How many parts there are.
    pub(super) const PARTS: &str = "n";
    /// The owner.
    pub(super) const OWNER: &str = "o";
    /// Where the next step continues.
    pub(super) const POSITION: &str = "p";
    /// Set if its CSV files begin with a byte order mark.
    pub(super) const WITH_BOM: &str = "b";
    /// The approximate progress, from 0 to 1000.
    pub(super) const PROGRESS: &str = "g";
    /// The range of the walk.
    pub(super) const SCOPE: &str = "r";
    /// Its status.
    pub(super) const STATUS: &str = "s";
    /// The number of the next step.
    pub(super) const STEP: &str = "q";
    /// When it last made progress.
    pub(super) const UPDATED_AT: &str = "u";
}

fn decode(id: ExportId, item: &Item) -> Result<Export> {
    let status = item.get_text(attribute::STATUS)?;
    let status = Status::ALL.into_iter().find(|known| known.as_str() == status);
    let position = item.find_text(attribute::POSITION).map(serde_json::from_str);
    let parsed = |name: &str| item.get_text(name).map(str::to_owned);
    Ok(Export {
        id,
        owner: UserId::from_uuid(item.get_id(attribute::OWNER)?),
        scope: serde_json::from_str(&parsed(attribute::SCOPE)?).map_err(Error::internal)?,
        filter: serde_json::from_str(&parsed(attribute::FILTER)?).map_err(Error::internal)?,
        with_bom: item.is_marked(attribute::WITH_BOM),
        status: status.ok_or_else(|| Error::internal("an export has an unknown status"))?,
        position: position.transpose().map_err(Error::internal)?.flatten(),
        step: item.get_number(attribute::STEP)?,
        parts: item.get_number(attribute::PARTS)?,
        progress_permille: item.get_number(attribute::PROGRESS)?,
        updated_at: item.get_time(attribute::UPDATED_AT)?,
    })
}

fn json<T: Serialize>(value: &T) -> Result<String> {
    serde_json::to_string(value).map_err(Error::internal)
}
