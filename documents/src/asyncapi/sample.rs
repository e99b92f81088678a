//! The people and the time in all sample frames.

use shared::domain::ids::UserId;
use shared::domain::time::Timestamp;
use uuid::uuid;

pub(super) const ADA: UserId = UserId::from_uuid(uuid!("11111111-1111-4111-8111-111111111111"));
pub(super) const BOB: UserId = UserId::from_uuid(uuid!("22222222-2222-4222-8222-222222222222"));

/// This many seconds after the time of all examples, 2026-01-15T10:30:00.000Z.
pub(super) fn moment(seconds: i64) -> Timestamp {
    Timestamp::from_milliseconds(1_768_473_000_000 + seconds * 1000)
}
