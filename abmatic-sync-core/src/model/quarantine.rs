//! A record that failed and is set aside, so that it stops neither its page nor the cursor (I7).

use chrono::{DateTime, Duration, Utc};
use serde::{Deserialize, Serialize};

use crate::error::ErrorCode;
use crate::model::record::{RecordId, Version};

/// How long a record is left alone after its first failure, in seconds. Each further failure doubles it.
pub const RETRY_FIRST_SECONDS: i64 = 60;
/// How long a record is left alone at the most, in seconds.
pub const RETRY_MAX_SECONDS: i64 = 86_400;

/// A record that failed: why, how often, and when it is tried again.
#[non_exhaustive]
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Quarantined {
    /// Which, on the side that it was read from.
    pub record: RecordId,
    /// What went wrong the last time.
    pub code: ErrorCode,
    /// The same in a sentence.
    pub message: String,
    /// How often it failed so far.
    pub attempts: u32,
    /// When it failed the last time.
    pub failed_at: DateTime<Utc>,
    /// From when on it is tried again although nothing changed.
    pub retry_at: DateTime<Utc>,
    /// What it was like when it failed: as soon as it is otherwise, it is tried at once.
    pub seen: Seen,
}

/// What a record and its counterpart were like: a change of either may mend what failed.
#[non_exhaustive]
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Seen {
    /// The state of the host's record, where there was one.
    pub local: Option<Version>,
    /// The time of the CRM's record, where there was one and the CRM says it.
    pub remote: Option<DateTime<Utc>>,
}

impl Seen {
    /// What both sides were like.
    pub fn new(local: Option<Version>, remote: Option<DateTime<Utc>>) -> Self {
        Self { local, remote }
    }
}

impl Quarantined {
    /// A record that failed for the `attempts`th time, to be tried again after [`retry_after`].
    pub fn new(
        record: RecordId,
        (code, message): (ErrorCode, String),
        attempts: u32,
        failed_at: DateTime<Utc>,
        seen: Seen,
    ) -> Self {
        Self { record, code, message, attempts, failed_at, retry_at: failed_at + retry_after(attempts), seen }
    }
}

/// How long a record is left alone that failed so often: a minute, doubled with each failure, a day at the most.
pub fn retry_after(attempts: u32) -> Duration {
    let doublings = attempts.saturating_sub(1).min(31);
    Duration::seconds((RETRY_FIRST_SECONDS << doublings).min(RETRY_MAX_SECONDS))
}

#[cfg(test)]
mod tests {
    use super::{RETRY_MAX_SECONDS, retry_after};

    #[test]
    fn each_failure_doubles_the_wait_up_to_a_day() {
        let seconds: Vec<i64> = [0, 1, 2, 3, 11, 12, u32::MAX].map(|n| retry_after(n).num_seconds()).into();
        assert_eq!(seconds, [60, 60, 120, 240, 61_440, RETRY_MAX_SECONDS, RETRY_MAX_SECONDS]);
    }
}
