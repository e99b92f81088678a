//! `remove_orphans`: removes files that are not attached to any message after a day.
//!
//! Every file is indexed by the hour in which its upload began. Each run reads the hours that ended a day ago or
//! earlier, `LOOK_BACK_HOURS` of them, so that runs may be missed. Files that have been examined leave the index: an
//! hour without any costs half a read unit. If a message attaches a file while it is being examined, one of the two
//! fails; see [`shared::store::files`].

use futures::stream::{self, StreamExt as _};
use shared::domain::ids::FileId;
use shared::rights::{ObjectAction, Objects, Prefix, Rights, TableAction};
use shared::schedule::Chore;
use shared::store::keys::Partition;
use shared::store::{Worker, files};
use shared::{App, Error, Result, blob};

/// The chore.
pub struct RemoveOrphans;

/// How long a file may stay without a message, in hours.
const GRACE_HOURS: i64 = 24;
/// How many hourly runs may be missed.
const LOOK_BACK_HOURS: i64 = 48;
/// How many files are examined concurrently.
const PARALLEL: usize = 16;
/// How many index entries one page has.
const PAGE: u32 = 200;

impl Chore for RemoveOrphans {
    const NAME: &'static str = "remove_orphans";
    const RIGHTS: Rights = Rights::NONE
        .table(&[
            TableAction::DeleteItem,
            TableAction::GetItem,
            TableAction::Query,
            TableAction::UpdateItem,
        ])
        .within(&[Partition::Files, Partition::FilesBegun, Partition::Rates])
        .objects(&[
            Objects::used(Prefix::Files, &[ObjectAction::Delete]),
            Objects::used(Prefix::Uploads, &[ObjectAction::Delete]),
        ]);

    async fn run(app: &App, worker: Worker) -> Result<()> {
        // The last hour that ended at least a day ago.
        let youngest = files::hour(app.now()) - GRACE_HOURS - 1;
        let mut failure = None;
        for hour in youngest - LOOK_BACK_HOURS + 1..=youngest {
            if let Err(error) = judge_hour(app, worker, hour).await {
                // The next run repeats this hour; the others are done in this one.
                failure = Some(error);
            }
        }
        failure.map_or(Ok(()), Err)
    }
}

/// Examines the files of an hour, page by page. An error with one file does not stop the others.
async fn judge_hour(app: &App, worker: Worker, hour: i64) -> Result<()> {
    let (mut last, mut failure) = (None, None);
    loop {
        let page = files::begun(app, worker, hour, last, PAGE).await?;
        let Some(end) = page.last().copied() else {
            break;
        };
        last = Some(end);
        let judged = stream::iter(page.into_iter().map(|file| judge(app, worker, hour, file)))
            .buffer_unordered(PARALLEL)
            .collect::<Vec<Result<()>>>()
            .await;
        failure = judged.into_iter().find_map(Result::err).or(failure);
    }
    failure.map_or(Ok(()), Err::<(), Error>)
}

/// Removes a file unless a message has it as an attachment. The index entry is deleted last: if the process dies before,
/// the next run finds it and continues.
async fn judge(app: &App, worker: Worker, hour: i64, file: FileId) -> Result<()> {
    let is_orphan = files::condemn(app, worker, file).await?;
    // The form may have been used again after the file was complete.
    blob::remove_upload(app, file).await?;
    if is_orphan {
        blob::remove_file(app, file).await?;
        files::forget(app, worker, file).await?;
    }
    files::judged(app, worker, hour, file).await
}
