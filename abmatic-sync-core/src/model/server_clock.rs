//! The CRM's clock beside the host's, as far as the CRM's answers tell it.

use std::fmt;
use std::sync::{Arc, Mutex, PoisonError};

use chrono::{DateTime, TimeDelta, Utc};

/// How finely answers tell the time: the `Date` of HTTP is cut to the second.
const PRECISION: TimeDelta = TimeDelta::seconds(1);

/// How far the CRM's clock is ahead of the host's, for whoever holds this value. Clones share what is learned.
///
/// Each answer gives two bounds: the CRM cannot have told a later time than its own, nor one before the request was sent.
/// The bounds of several answers narrow each other down.
///
/// ```
/// use abmatic_sync_core::model::server_clock::ServerClock;
/// let at = |second: &str| format!("2026-11-25T10:00:{second}Z").parse::<chrono::DateTime<chrono::Utc>>().unwrap();
/// let clock = ServerClock::default();
/// assert_eq!(clock.ahead(), None);
/// clock.observe(at("07"), at("02"), at("03"));
/// let ahead = clock.ahead().unwrap();
/// assert_eq!((ahead.earliest(at("10")), ahead.latest(at("10"))), (at("14"), at("16")));
/// ```
#[derive(Clone, Default)]
pub struct ServerClock(Arc<Mutex<Option<Ahead>>>);

/// How far the CRM's clock is ahead of the host's; below zero where it is behind.
#[non_exhaustive]
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Ahead {
    /// At the least.
    pub at_least: TimeDelta,
    /// At the most.
    pub at_most: TimeDelta,
}

impl Ahead {
    /// What the CRM's clock shows at the least when the host's shows `now`.
    pub fn earliest(&self, now: DateTime<Utc>) -> DateTime<Utc> {
        now.checked_add_signed(self.at_least).unwrap_or(now)
    }

    /// What the CRM's clock shows at the most when the host's shows `now`.
    pub fn latest(&self, now: DateTime<Utc>) -> DateTime<Utc> {
        now.checked_add_signed(self.at_most).unwrap_or(now)
    }

    /// A time of the CRM's by the host's clock.
    pub fn corrected(&self, time: DateTime<Utc>) -> DateTime<Utc> {
        time.checked_sub_signed(self.correction()).unwrap_or(time)
    }

    /// What surely has to be taken from a time of the CRM's to compare it with one of the host's: nothing as long as both
    /// clocks may be the same.
    pub fn correction(&self) -> TimeDelta {
        TimeDelta::zero().min(self.at_most).max(self.at_least)
    }
}

impl ServerClock {
    /// Notes what the CRM said the time was, in an answer to a request that was sent and received then by the host's clock.
    pub fn observe(&self, told: DateTime<Utc>, sent: DateTime<Utc>, received: DateTime<Utc>) {
        self.note(Ahead { at_least: told - received, at_most: told + PRECISION - sent });
    }

    /// Notes what was learned elsewhere. Bounds that exclude each other come of a clock that was set, and say nothing.
    pub fn note(&self, seen: Ahead) {
        if seen.at_least > seen.at_most {
            return;
        }
        let mut held = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let narrowed = held.map(|known| Ahead {
            at_least: known.at_least.max(seen.at_least),
            at_most: known.at_most.min(seen.at_most),
        });
        // Bounds that contradict each other tell that a clock was set: the newest count.
        *held = narrowed.filter(|ahead| ahead.at_least <= ahead.at_most).or(Some(seen));
    }

    /// How far it is ahead, `None` as long as the CRM did not say.
    pub fn ahead(&self) -> Option<Ahead> {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl fmt::Debug for ServerClock {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "ServerClock({:?})", self.ahead())
    }
}

#[cfg(test)]
mod tests {
    use chrono::{DateTime, TimeDelta, Utc};

    use super::{Ahead, ServerClock};

    fn at(millis: i64) -> DateTime<Utc> {
        DateTime::UNIX_EPOCH + TimeDelta::milliseconds(millis)
    }

    fn ahead(at_least: i64, at_most: i64) -> Ahead {
        Ahead { at_least: TimeDelta::milliseconds(at_least), at_most: TimeDelta::milliseconds(at_most) }
    }

    #[test]
    fn answers_narrow_each_other_down() {
        let clock = ServerClock::default();
        // Equal clocks, and an answer that takes ten seconds.
        clock.observe(at(5_000), at(0), at(10_000));
        assert_eq!(clock.ahead(), Some(ahead(-5_000, 6_000)));
        assert_eq!(clock.ahead().unwrap().correction(), TimeDelta::zero());
        clock.observe(at(20_000), at(20_300), at(20_400));
        assert_eq!(clock.ahead(), Some(ahead(-400, 700)));
        // The host's clock is set an hour back.
        clock.observe(at(3_630_000), at(30_000), at(30_100));
        assert_eq!(clock.ahead(), Some(ahead(3_599_900, 3_601_000)));
        assert_eq!(clock.ahead().unwrap().correction(), TimeDelta::milliseconds(3_599_900));
    }

    #[test]
    fn a_clock_that_is_behind_is_corrected_the_other_way() {
        let clock = ServerClock::default();
        clock.observe(at(0), at(60_000), at(60_100));
        assert_eq!(clock.ahead().unwrap().correction(), TimeDelta::milliseconds(-59_000));
        assert_eq!(clock.ahead().unwrap().earliest(at(70_000)), at(9_900));
    }
}
