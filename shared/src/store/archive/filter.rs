//! Which messages are meant.

use serde::{Deserialize, Serialize};

use crate::domain::folding::Sought;
use crate::domain::ids::UserId;
use crate::domain::message::{Content, Entry};
use crate::domain::moderation::ModerationStatus;

/// Which messages are meant.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Filter {
    /// Those that this user sent or, in a direct conversation, got.
    pub user: Option<UserId>,
    /// Those that say this, however it is written.
    pub words: Option<Sought>,
    /// Those with this status.
    pub moderation_status: Option<ModerationStatus>,
}

impl Filter {
    /// Whether a message is meant, of which one can read this text. What one cannot read, one cannot look for.
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
