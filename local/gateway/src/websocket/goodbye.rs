//! Why a connection ended, and who says so.

use tokio_tungstenite::tungstenite::Error;
use tokio_tungstenite::tungstenite::protocol::CloseFrame;

/// Why a connection ended: what `$disconnect` is told, and what the client is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Goodbye {
    pub(super) status: u16,
    pub(super) reason: String,
    pub(super) last_word: LastWord,
}

/// Who says the last word.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum LastWord {
    /// The server closes, with the status.
    Ours,
    /// The client closed; its close frame is to be answered.
    Theirs,
    /// Nobody is there to hear one.
    None,
}

impl Goodbye {
    fn ours(status: u16, reason: &str) -> Self {
        Self {
            status,
            reason: reason.to_owned(),
            last_word: LastWord::Ours,
        }
    }

    /// Idle for too long, open for too long, or the desk stops.
    pub(super) fn going_away() -> Self {
        Self::ours(1001, "Going away")
    }

    /// `DELETE @connections/{id}`.
    pub(super) fn by_server() -> Self {
        Self::ours(1000, "Connection Closed Normally")
    }

    /// The client closed.
    pub(super) fn by_client(frame: Option<CloseFrame>) -> Self {
        let (status, reason) = match frame {
            Some(frame) => (frame.code.into(), frame.reason.as_str().to_owned()),
            None => (1005, "Client-side close frame status not set".to_owned()),
        };
        Self {
            status,
            reason,
            last_word: LastWord::Theirs,
        }
    }

    /// The connection broke.
    pub(super) fn abnormal() -> Self {
        Self {
            status: 1006,
            reason: "Connection closed abnormally".to_owned(),
            last_word: LastWord::None,
        }
    }

    /// The library gave it up.
    pub(super) fn after(error: &Error) -> Self {
        match error {
            Error::Capacity(_) => Self::ours(1009, "Message too big"),
            Error::Utf8(_) => Self::ours(1007, "Invalid UTF-8"),
            Error::Protocol(
                tokio_tungstenite::tungstenite::error::ProtocolError::ResetWithoutClosingHandshake,
            ) => Self::abnormal(),
            Error::Protocol(_) => Self::ours(1002, "Protocol error"),
            _ => Self::abnormal(),
        }
    }
}
