//! Fake time: it follows the real clock, or stands still until a test moves it.

use std::time::{SystemTime, UNIX_EPOCH};

/// The time of a fake, in milliseconds since 1970.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub enum FakeClock {
    /// The real time plus what was advanced.
    Following {
        /// How far ahead of the real time, in milliseconds.
        ahead_ms: i64,
    },
    /// A time that moves only by [`FakeClock::advance`].
    Simulated {
        /// The present, in milliseconds since 1970.
        now_ms: i64,
    },
}

impl FakeClock {
    /// The present, in milliseconds since 1970.
    #[must_use]
    pub fn now_ms(&self) -> i64 {
        match self {
            Self::Following { ahead_ms } => real_ms() + ahead_ms,
            Self::Simulated { now_ms } => *now_ms,
        }
    }

    /// Moves the present forward.
    pub fn advance(&mut self, by_ms: i64) {
        match self {
            Self::Following { ahead_ms } => *ahead_ms += by_ms,
            Self::Simulated { now_ms } => *now_ms += by_ms,
        }
    }
}

#[expect(clippy::disallowed_methods, reason = "the one place where a fake reads the real clock")]
fn real_ms() -> i64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    i64::try_from(since.as_millis()).unwrap_or(i64::MAX)
}
