//! Delivery of a new conversation.

use std::sync::OnceLock;

use shared::queue::Fanout;
use shared::store::table::Consistency;
use shared::store::{Worker, log};
use shared::{App, Result};

use super::loaded_event::LoadedEvent;
use super::members;

/// Delivers the conversation, as each member sees it.
pub(super) async fn deliver(app: &App, worker: Worker, job: &Fanout) -> Result<()> {
    let (newest, head, first) = tokio::try_join!(
        log::newest(app, job.conversation, Consistency::Strong),
        members::head(app, worker, job.conversation),
        members::first_of(app, worker, job),
    )?;
    let event = LoadedEvent::Opened {
        head: head.clone(),
        newest,
        crowd: OnceLock::new(),
    };
    members::deliver(app, worker, job, (Some(head), first), &event).await
}
