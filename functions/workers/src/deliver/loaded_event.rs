//! An event in a conversation, loaded from the table, and its frame for each member.

use std::sync::OnceLock;

use shared::domain::conversation::ReadMark;
use shared::domain::frame::Frame;
use shared::domain::ids::{ConversationId, UserId};
use shared::domain::message::{Entry, Event, Viewpoint};
use shared::domain::time::Timestamp;
use shared::operations::views::{self, Crowd};
use shared::store::conversations::Head;
use shared::store::members::{Member, Membership};
use shared::store::table::Consistency;
use shared::store::{Worker, log};
use shared::{App, Result};

/// An event, as it is in the table now.
pub(super) enum LoadedEvent {
    Entry {
        conversation: ConversationId,
        entry: Box<Entry>,
        /// The message that a moderation entry refers to.
        subject: Option<Box<Entry>>,
        newest: Option<Entry>,
    },
    Opened {
        head: Head,
        newest: Option<Entry>,
        /// Read with the first frame; the same for all.
        crowd: OnceLock<Crowd>,
    },
    Read {
        conversation: ConversationId,
        read_mark: ReadMark,
        newest: Option<Entry>,
    },
}

impl LoadedEvent {
    /// The consistency for finding connections: for an entry eventual, because new connections are caught up later.
    pub(super) fn consistency(&self) -> Consistency {
        match self {
            Self::Entry { .. } => Consistency::Eventual,
            Self::Opened { .. } | Self::Read { .. } => Consistency::Strong,
        }
    }

    /// The frame for one member.
    pub(super) async fn frame(
        &self,
        app: &App,
        worker: Worker,
        member: &Member,
        read_marks: &[ReadMark],
    ) -> Result<Option<Frame>> {
        let membership = Membership::of_member(worker, member.clone());
        match self {
            Self::Entry {
                conversation,
                entry,
                subject,
                newest,
            } => {
                let unread = log::unread(app, &membership, newest.as_ref()).await?;
                let viewpoint = Viewpoint {
                    conversation: *conversation,
                    viewer: member.user,
                    read_marks,
                };
                views::entry_frame(&viewpoint, entry, subject.as_deref(), Some(unread)).map(Some)
            }
            Self::Opened { head, newest, crowd } => {
                let snapshot = views::snapshot_of(app, head.clone(), membership, newest.clone()).await?;
                let crowd = if let Some(crowd) = crowd.get() {
                    crowd
                } else {
                    let found = views::crowd(app, &snapshot).await?;
                    crowd.get_or_init(|| found)
                };
                Ok(Some(views::opened_frame(
                    views::seen(app, &snapshot, crowd).await?,
                )))
            }
            Self::Read {
                conversation,
                read_mark,
                newest,
            } => {
                let unread = if read_mark.user_id == member.user {
                    Some(log::unread(app, &membership, newest.as_ref()).await?)
                } else {
                    None
                };
                Ok(views::read_frame(*conversation, read_mark, unread))
            }
        }
    }

    /// Whether some member may have read the entry, if a member last read at this moment.
    pub(super) fn is_read_since(&self, last_read: Timestamp) -> bool {
        matches!(self, Self::Entry { entry, .. } if last_read >= entry.at)
    }

    /// The message that offline members missed: its position, and its sender. None for a hidden message.
    pub(super) fn missable(&self) -> Option<(ConversationId, u64, UserId)> {
        let Self::Entry {
            conversation, entry, ..
        } = self
        else {
            return None;
        };
        match &entry.event {
            Event::Message(content) if content.is_shown() => Some((*conversation, entry.seq, content.sender)),
            Event::Message(_) | Event::Deletion { .. } | Event::Moderation { .. } => None,
        }
    }
}
