//! `anchor_audit`: writes the end of the audit log outside the table, in every minute in which the log has grown.
//!
//! No audited request waits for it or fails with it. An entry is anchored within about a minute; any number of entries
//! are covered by one anchor, because each holds the hash of the previous one.

use shared::rights::{Rights, TableAction};
use shared::schedule::Chore;
use shared::store::keys::Partition;
use shared::store::{Worker, audit};
use shared::{App, Result};

/// The chore.
pub struct AnchorAudit;

impl Chore for AnchorAudit {
    const NAME: &'static str = "anchor_audit";
    const RIGHTS: Rights = Rights::NONE
        .table(&[TableAction::GetItem])
        .within(&[Partition::Audit, Partition::Rates])
        .adds_anchors();

    async fn run(app: &App, worker: Worker) -> Result<()> {
        audit::anchor(app, worker).await
    }
}
