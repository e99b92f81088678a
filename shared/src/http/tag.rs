//! The sections of the HTTP API document.

/// A section. The order is that of the document.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Tag {
    /// Opening, listing and reading conversations.
    Conversations,
    /// Messages of a conversation.
    Messages,
    /// Paid messages between two people.
    PersonToPerson,
    /// Balances and ledgers.
    Credits,
    /// Mail.
    Mail,
    /// Notifications.
    Notifications,
    /// Attachments.
    Files,
    /// Catching up.
    Events,
    /// Profiles.
    Users,
    /// Credentials.
    Authentication,
    /// Administration and moderation.
    Administration,
    /// Health and documentation.
    System,
}

impl Tag {
    /// Every section, in order.
    pub const ALL: [Self; 12] = [
        Self::Conversations,
        Self::Messages,
        Self::PersonToPerson,
        Self::Credits,
        Self::Mail,
        Self::Notifications,
        Self::Files,
        Self::Events,
        Self::Users,
        Self::Authentication,
        Self::Administration,
        Self::System,
    ];

    /// The name in the API document.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Conversations => "conversations",
            Self::Messages => "messages",
            Self::PersonToPerson => "person-to-person",
            Self::Credits => "credits",
            Self::Mail => "mail",
            Self::Notifications => "notifications",
            Self::Files => "files",
            Self::Events => "events",
            Self::Users => "users",
            Self::Authentication => "authentication",
            Self::Administration => "administration",
            Self::System => "system",
        }
    }

    /// One sentence for the API document.
    pub const fn description(self) -> &'static str {
        match self {
            Self::Conversations => "Open, list and read direct and group conversations.",
            Self::Messages => "Send, list and delete the messages of a conversation.",
            Self::PersonToPerson => {
                "Messages between two people, with delivery and read receipts, paid for with credits. They are part \
                 of the direct conversation of the two."
            }
            Self::Credits => {
                "The balance that person-to-person messages are paid from, and its transactions."
            }
            Self::Mail => "Messages with a subject and a body, in folders, with flags of each side.",
            Self::Notifications => "Notifications of new mail, missed messages and system announcements.",
            Self::Files => "Upload files, attach them to messages, download them.",
            Self::Events => {
                "Events in the order in which they happened: to catch up after a gap, or instead of a WebSocket."
            }
            Self::Users => "User profiles.",
            Self::Authentication => "Credentials for the WebSocket.",
            Self::Administration => "Moderation, search, statistics, exports and the audit log.",
            Self::System => "Health checks and this documentation. No token is needed.",
        }
    }
}
