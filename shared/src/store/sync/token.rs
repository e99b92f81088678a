//! Sync tokens: how far a client is in sync.

use std::collections::BTreeMap;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};

use crate::App;
use crate::auth::cursor;
use crate::domain::ids::{ConversationId, UserId};
use crate::domain::time::Timestamp;
use crate::error::{Error, Result};

/// How many conversations, and how many readers, a token can list. If more changed within the margin, the rest is
/// synced twice. API Gateway accepts 10,240 bytes of URL and headers, which leaves more than 5,000 for the bearer token
/// and the rest.
const MOST_NAMED: usize = 100;
/// How far a client is in sync.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Token {
    pub(super) since: Timestamp,
    /// The last synced entry of each conversation with events since then; 0 is the opening.
    pub(super) seqs: BTreeMap<Name, u64>,
    /// The last synced position of each read mark that moved since then.
    pub(super) read_seqs: BTreeMap<Name, u64>,
}

/// The hash of a conversation, or of a reader in one. A token holds a few hundred of 2^64 values, so collisions are
/// practically impossible.
pub(super) type Name = [u8; 8];

pub(super) fn name(conversation: ConversationId, reader: Option<UserId>) -> Name {
    let mut hash = Sha256::new_with_prefix(conversation.uuid().as_bytes());
    if let Some(reader) = reader {
        hash.update(reader.uuid().as_bytes());
    }
    let mut name = Name::default();
    name.iter_mut()
        .zip(hash.finalize())
        .for_each(|(byte, hash)| *byte = hash);
    name
}

/// The signed content of a token: the hashes with their numbers, 13 bytes each, in URL-safe base64.
#[derive(Serialize, Deserialize)]
struct Wire {
    t: i64,
    e: String,
    r: String,
}

/// The bytes of a number of the log, which has at most 12 digits.
const NUMBER_BYTES: usize = 5;

fn pack(numbers: &BTreeMap<Name, u64>) -> String {
    let bytes = numbers.iter().flat_map(|(name, number)| {
        let number = number
            .to_be_bytes()
            .into_iter()
            .skip(size_of::<u64>() - NUMBER_BYTES);
        name.iter().copied().chain(number)
    });
    URL_SAFE_NO_PAD.encode(bytes.collect::<Vec<u8>>())
}

fn unpack(text: &str) -> Result<BTreeMap<Name, u64>> {
    let bytes = URL_SAFE_NO_PAD.decode(text).map_err(|_| Error::InvalidCursor)?;
    let entry = |bytes: &[u8]| {
        let (name, number) = bytes.split_first_chunk::<{ size_of::<Name>() }>()?;
        Some((
            *name,
            number
                .iter()
                .fold(0, |number, byte| number << 8 | u64::from(*byte)),
        ))
    };
    let entries = bytes.chunks(size_of::<Name>() + NUMBER_BYTES).map(entry);
    entries.collect::<Option<_>>().ok_or(Error::InvalidCursor)
}

impl Token {
    /// The token for "everything up to this moment is known, and nothing after it".
    pub fn of_moment(moment: Timestamp) -> Self {
        Self {
            since: moment,
            ..Self::default()
        }
    }

    /// The token for everything from a moment on. Like every token it repeats a little from before the moment.
    pub fn since(moment: Timestamp) -> Self {
        Self::of_moment(moment.minus(super::COMMIT_MARGIN))
    }

    /// Seals the token as an opaque text for its user.
    pub fn seal(&self, app: &App, user: UserId) -> Result<String> {
        let wire = Wire {
            t: self.since.milliseconds(),
            e: pack(&shortened(&self.seqs)),
            r: pack(&shortened(&self.read_seqs)),
        };
        cursor::seal(app.config().cursor_secret()?, user, "sync", &wire)
    }

    /// Opens a sealed token of this user.
    pub fn open(app: &App, user: UserId, sealed: &str) -> Result<Self> {
        let wire: Wire = cursor::open(app.config().cursor_secret()?, user, "sync", sealed)?;
        Ok(Self {
            since: Timestamp::from_milliseconds(wire.t),
            seqs: unpack(&wire.e)?,
            read_seqs: unpack(&wire.r)?,
        })
    }
}

/// As many as fit into a URL. Those left out are synced twice rather than not at all.
fn shortened(numbers: &BTreeMap<Name, u64>) -> BTreeMap<Name, u64> {
    numbers
        .iter()
        .take(MOST_NAMED)
        .map(|(name, number)| (*name, *number))
        .collect()
}
