//! The typing throttle: one shown start per user and conversation in a while.

use std::time::Duration;

use super::item::{Item, number};
use super::keys;
use super::members::Membership;
use super::table::{self, Condition, Written};
use crate::App;
use crate::error::Result;

/// How often a start of typing is shown (contract §3).
pub const SHOWN_EVERY: Duration = Duration::from_secs(3);

/// Whether the member's typing is to be shown: false if it was a moment ago.
pub async fn may_show(app: &App, member: &Membership) -> Result<bool> {
    const AT: &str = "a";
    let now = app.now();
    let item = Item::new(&keys::typing(member.user(), member.conversation()))
        .number(AT, now.milliseconds())
        .number(keys::EXPIRES, now.seconds() + 60);
    let condition = Condition::holds(format!("attribute_not_exists({AT}) OR {AT} <= :before"))
        .value(":before", number(now.minus(SHOWN_EVERY).milliseconds()));
    Ok(matches!(
        table::put(app, item, condition).await?,
        Written::Done(_)
    ))
}
