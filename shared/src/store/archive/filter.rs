//! Which messages a search or export includes.

use serde::{Deserialize, Serialize};

use crate::domain::folding::Sought;
use crate::domain::ids::UserId;
use crate::domain::message::{Content, Entry};
use crate::domain::moderation::ModerationStatus;

/// Which messages a search or export includes.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Filter {
    /// Messages that this user sent or, in a direct conversation, received.
    pub user: Option<UserId>,
    /// Messages that contain this, ignoring case.
    pub words: Option<Sought>,
    /// Messages with this status.
    pub moderation_status: Option<ModerationStatus>,
}

impl Filter {
    /// Whether a message matches; `text` is what the caller may read of it, so hidden text cannot be searched.
    pub fn holds(&self, entry: &Entry, content: &Content, text: Option<&str>) -> bool {
        let is_of =
            |user: UserId| content.sender == user || entry.tail.pair.is_some_and(|pair| pair.contains(&user));
        self.user.is_none_or(is_of)
            && self
                .moderation_status
                .is_none_or(|status| content.moderation_status() == status)
            && self
                .words
                .as_ref()
                .is_none_or(|words| text.is_some_and(|text| words.is_in(text)))
    }
}
