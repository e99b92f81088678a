//! Filters of searches and exports.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use shared::domain::folding::Sought;
use shared::domain::ids::UserId;
use shared::domain::moderation::ModerationStatus;
use shared::domain::text::Text;
use shared::http::span::Edge;
use shared::store::archive::Filter;

/// The maximum number of days of a walk over all conversations.
pub(crate) const MOST_DAYS: i64 = 366;
/// The maximum for the conversations of one user, whose cost does not depend on the number of days.
pub(crate) const MOST_DAYS_OF_A_USER: i64 = 36_600;

/// The filters, as they are recorded in the audit log.
#[derive(Clone, Debug, Serialize)]
pub(crate) struct Criteria {
    pub(crate) user_id: Option<UserId>,
    pub(crate) q: Option<String>,
    pub(crate) moderation_status: Option<ModerationStatus>,
}

impl Criteria {
    pub(crate) fn of(
        user_id: Option<UserId>,
        q: Option<&Words>,
        moderation_status: Option<ModerationStatus>,
    ) -> Self {
        Self {
            user_id,
            q: q.map(|q| q.as_str().to_owned()),
            moderation_status,
        }
    }

    /// The corresponding filter of the archive.
    pub(crate) fn filter(&self) -> Filter {
        Filter {
            user: self.user_id,
            words: self.q.clone().map(Sought::from),
            moderation_status: self.moderation_status,
        }
    }

    /// The maximum number of days.
    pub(crate) fn most_days(&self) -> i64 {
        if self.user_id.is_some() {
            MOST_DAYS_OF_A_USER
        } else {
            MOST_DAYS
        }
    }
}

/// Text to search for.
pub type Words = Text<1, 200>;

/// The parameters of an export: those of a search, and the form of its files.
#[derive(Deserialize, JsonSchema)]
pub struct Query {
    /// Only messages that this user sent or, in a direct conversation, received.
    pub user_id: Option<UserId>,
    /// Only messages that contain this text. Case and Unicode composition are ignored.
    pub q: Option<Words>,
    /// Only messages with this moderation status.
    pub moderation_status: Option<ModerationStatus>,
    /// The start of the period: a date or a time. Defaults to seven days before `to`.
    pub from: Option<Edge>,
    /// The end of the period: a date (inclusive) or a time (exclusive). Defaults to now.
    pub to: Option<Edge>,
    /// Whether the CSV files begin with a byte order mark, from which spreadsheets recognize UTF-8.
    #[serde(default)]
    pub bom: bool,
}
