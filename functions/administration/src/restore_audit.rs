//! `restore_audit`: restores the end of the audit log after it was lost. An operator invokes it; its schedule is
//! disabled. Does nothing if the end is not lost.

use shared::rights::{Rights, TableAction};
use shared::schedule::Chore;
use shared::store::keys::Partition;
use shared::store::{Worker, audit};
use shared::{App, Result};

/// The chore.
pub struct RestoreAudit;

impl Chore for RestoreAudit {
    const NAME: &'static str = "restore_audit";
    const RIGHTS: Rights = Rights::NONE
        .table(&[
            TableAction::GetItem,
            TableAction::PutItem,
            TableAction::Query,
            TableAction::UpdateItem,
        ])
        .within(&[Partition::Audit, Partition::Rates])
        .lists_anchors();

    async fn run(app: &App, worker: Worker) -> Result<()> {
        audit::restore(app, worker).await
    }
}
