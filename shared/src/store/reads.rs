//! When a group was last read by any member: a sync sees for half a read unit whether it must look at the members' read
//! marks. A direct conversation has no such item; there the other member's item is read.

use super::Worker;
use super::item::number;
use super::keys;
use super::members::attribute::READ_AT;
use super::table::{self, Consistency, Update, Written};
use crate::App;
use crate::domain::ids::ConversationId;
use crate::domain::time::Timestamp;
use crate::error::Result;

/// Records that a member read, unless a later time is recorded.
pub async fn touch(app: &App, conversation: ConversationId, at: Timestamp) -> Result<()> {
    let update = Update::new(keys::reads(conversation), format!("SET {READ_AT} = :at"))
        .only_if(format!("attribute_not_exists({READ_AT}) OR {READ_AT} < :at"))
        .value(":at", number(at.milliseconds()));
    match update.send(app).await? {
        Written::Done(_) | Written::Refused(_) => Ok(()),
    }
}

/// When a member last read in a group, for a worker.
pub async fn last(app: &App, _: Worker, conversation: ConversationId) -> Result<Option<Timestamp>> {
    let item = table::get(app, &keys::reads(conversation), Consistency::Strong).await?;
    item.map_or(Ok(None), |item| item.find_time(READ_AT))
}
