//! Delivery of a member's read mark.

use shared::domain::conversation::{READS_SHOWN_UP_TO, ReadMark};
use shared::queue::{Fanout, Recipients};
use shared::store::table::Consistency;
use shared::store::{Worker, log, members as stored};
use shared::{App, Result};

use super::loaded_event::LoadedEvent;
use super::members;

/// Delivers the reader's read mark.
pub(super) async fn deliver(app: &App, worker: Worker, job: &Fanout, read_mark: ReadMark) -> Result<()> {
    let conversation = job.conversation;
    let head = async {
        match job.to {
            Recipients::All => members::head(app, worker, conversation).await.map(Some),
            Recipients::Pair(_) | Recipients::Shards(..) => Ok(None),
        }
    };
    let (newest, head) = tokio::try_join!(log::newest(app, conversation, Consistency::Strong), head)?;
    let reader = read_mark.user_id;
    let event = LoadedEvent::Read {
        conversation,
        read_mark,
        newest,
    };
    if head.as_ref().is_some_and(|head| head.members > READS_SHOWN_UP_TO) {
        let reader = stored::some(app, worker, conversation, &[reader]).await?;
        return members::deliver_to_each(app, worker, &reader, &event).await;
    }
    members::deliver(app, worker, job, (head, Vec::new()), &event).await
}
