//! The kinds of partitions, by what their keys begin with.

/// A kind of partitions. What its keys begin with, no other's do, so a role can be bound to some of them: IAM compares the
/// partition keys of a call with the condition key `dynamodb:LeadingKeys`.
/// Source: AWS, *Using IAM policy conditions for fine-grained access control*.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Partition {
    /// The audit log.
    Audit,
    /// Conversations, and who is a member.
    Conversations,
    /// What was talked about on a day.
    Days,
    /// Connections that end within a minute.
    Endings,
    /// Exports.
    Exports,
    /// Files.
    Files,
    /// Files begun within an hour.
    FilesBegun,
    /// Logs of conversations.
    Logs,
    /// Mails, and where messages are.
    Messages,
    /// What an `Idempotency-Key` stands for.
    Once,
    /// Rate buckets. Every function that connects to the table in its init reads one.
    Rates,
    /// Socket tickets.
    Tickets,
    /// Who is typing.
    Typing,
    /// What belongs to a user: profile, connections, counts, mailbox, notifications, credits. Also the key of the index
    /// from a user to their memberships.
    Users,
}

impl Partition {
    /// Every kind.
    pub const ALL: [Self; 14] = [
        Self::Audit,
        Self::Conversations,
        Self::Days,
        Self::Endings,
        Self::Exports,
        Self::Files,
        Self::FilesBegun,
        Self::Logs,
        Self::Messages,
        Self::Once,
        Self::Rates,
        Self::Tickets,
        Self::Typing,
        Self::Users,
    ];

    /// What the keys of these partitions begin with.
    pub const fn prefix(self) -> &'static str {
        match self {
            Self::Audit => "A#",
            Self::Conversations => "C#",
            Self::Days => "D#",
            Self::Endings => "E#",
            Self::Exports => "X#",
            Self::Files => "F#",
            Self::FilesBegun => "O#",
            Self::Logs => "L#",
            Self::Messages => "M#",
            Self::Once => "I#",
            Self::Rates => "R#",
            Self::Tickets => "K#",
            Self::Typing => "T#",
            Self::Users => "U#",
        }
    }
}
