//! `remove_orphans`: removes files that no message brings along after a day.
//!
//! Files are noted by the hour in which they were begun. Each turn looks at all hours that are over for a day, and as
//! many before them as turns may have been missed: an hour whose files have been judged is empty, and costs half a read
//! unit. A message that brings a file along while it is judged wins, or is refused; see [`shared::store::files`].

use futures::stream::{self, StreamExt as _};
use shared::domain::ids::FileId;
use shared::rights::{ObjectAction, Objects, Prefix, Rights, TableAction};
use shared::schedule::Chore;
use shared::store::{Worker, files};
use shared::{App, Error, Result, blob};

/// The chore.
pub struct RemoveOrphans;

/// How long a file may be without a message, in hours.
const GRACE_HOURS: i64 = 24;
/// How many turns may be missed.
const LOOK_BACK_HOURS: i64 = 48;
/// How many files are judged at once.
const PARALLEL: usize = 16;
/// How many are read at once.
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
        .objects(&[
            Objects::used(Prefix::Files, &[ObjectAction::Delete]),
            Objects::used(Prefix::Uploads, &[ObjectAction::Delete]),
        ]);

    async fn run(app: &App, worker: Worker) -> Result<()> {
        // The hour that ended a day ago is the youngest.
        let youngest = files::hour(app.now()) - GRACE_HOURS - 1;
        let mut failure = None;
        for hour in youngest - LOOK_BACK_HOURS + 1..=youngest {
            if let Err(error) = judge_hour(app, worker, hour).await {
                // The next turn comes back to what is left; the other hours need not wait for it.
                failure = Some(error);
            }
        }
        failure.map_or(Ok(()), Err)
    }
}

/// Judges the files of an hour, page by page; one that cannot be judged does not keep the others.
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

/// Removes a file unless a message brings it along. Whoever dies on the way leaves the note that leads here, so that
/// the next turn goes on.
async fn judge(app: &App, worker: Worker, hour: i64, file: FileId) -> Result<()> {
    let is_orphan = files::condemn(app, worker, file).await?;
    // A form that was used again after the file was complete has left something.
    blob::remove_upload(app, file).await?;
    if is_orphan {
        blob::remove_file(app, file).await?;
        files::forget(app, worker, file).await?;
    }
    files::judged(app, worker, hour, file).await
}
