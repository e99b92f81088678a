//! Throttling of typing indicators: one start per user and conversation per interval, and one stop for each start.

use std::time::Duration;

use super::item::{Item, number};
use super::keys;
use super::members::Membership;
use super::table::{self, Condition, Update, Written};
use crate::App;
use crate::error::Result;

/// The minimum interval between starts (contract §3).
pub const SHOWN_EVERY: Duration = Duration::from_secs(3);

/// When typing was last shown.
const AT: &str = "a";
/// Set if a start was shown, and no stop since.
const IS_SHOWN: &str = "s";

/// Whether to show that the member started typing: false if it was shown within the interval. One write.
pub async fn start(app: &App, member: &Membership) -> Result<bool> {
    let now = app.now();
    let item = Item::new(&keys::typing(member.user(), member.conversation()))
        .number(AT, now.milliseconds())
        .mark(IS_SHOWN, true)
        .number(keys::EXPIRES, now.seconds() + 60);
    let condition = Condition::holds(format!("attribute_not_exists({AT}) OR {AT} <= :before"))
        .value(":before", number(now.minus(SHOWN_EVERY).milliseconds()));
    Ok(matches!(
        table::put(app, item, condition).await?,
        Written::Done(_)
    ))
}

/// Whether to show that the member stopped typing: once per shown start. One write.
pub async fn stop(app: &App, member: &Membership) -> Result<bool> {
    let key = keys::typing(member.user(), member.conversation());
    let update = Update::new(key, format!("REMOVE {IS_SHOWN}"))
        .only_if(format!(
            "attribute_exists({IS_SHOWN}) AND {} > :now",
            keys::EXPIRES
        ))
        .value(":now", number(app.now().seconds()));
    Ok(matches!(update.send(app).await?, Written::Done(_)))
}
