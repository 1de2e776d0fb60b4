//! Calls per second: a rolling window for each account and lane, fed by known limits and by the CRM's headers.

use std::collections::{BTreeMap, VecDeque};
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use chrono::{DateTime, Utc};

/// How many requests fit into any stretch of time.
#[non_exhaustive]
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limit {
    /// So many requests.
    pub requests: u32,
    /// In any stretch of this length.
    pub per: Duration,
    /// Whether they are spread evenly over it. A CRM that allows few a second counts any second, also one in which a longer
    /// stretch's requests come together.
    pub even: bool,
}

impl Limit {
    /// `requests` in any stretch of `per`.
    pub const fn new(requests: u32, per: Duration) -> Self {
        Self { requests, per, even: false }
    }

    /// `requests` in any stretch of `per`, one after the other.
    pub const fn even(requests: u32, per: Duration) -> Self {
        Self { requests, per, even: true }
    }
}

/// What an answer's headers say about the limit.
#[non_exhaustive]
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Allowance {
    /// The limit.
    pub limit: Limit,
    /// How many requests of it are left now, other programs' included.
    pub remaining: u32,
}

impl Allowance {
    /// `remaining` requests are left of `limit`.
    pub const fn new(limit: Limit, remaining: u32) -> Self {
        Self { limit, remaining }
    }
}

/// Which window a request counts in.
#[non_exhaustive]
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Lane {
    /// Whose limit it is: a portal, an organisation, or else the connection.
    pub account: String,
    /// Which of its limits.
    pub name: &'static str,
}

impl Lane {
    /// The lane `name` of `account`.
    pub fn new(account: impl Into<String>, name: &'static str) -> Self {
        Self { account: account.into(), name }
    }
}

/// Keeps every lane within its limit. Holds no clock: whoever asks says what time it is, and waits.
#[derive(Debug, Default)]
pub struct Pacer {
    windows: Mutex<BTreeMap<Lane, Window>>,
}

/// Below so many remaining requests each one waits longer; of a small limit, below half of it.
const REMAINING_LOW: u32 = 10;
/// One request in so many is left to other programs, and to clocks that differ.
const SPARED_SHARE: u32 = 20;
/// No window remembers more requests than this.
const SENT_MAX: usize = 1024;

#[derive(Debug, Default)]
struct Window {
    /// When the last requests were (or will be) sent, oldest first.
    sent: VecDeque<DateTime<Utc>>,
    /// The limit by the server's own words.
    told: Option<Limit>,
    /// It was nearly used up once, so it is enforced.
    enforced: bool,
    /// No request goes before this.
    not_before: Option<DateTime<Utc>>,
}

impl Pacer {
    /// Takes a place in `lane` and says how long to wait for it. `known` is the documented limit, `None` where only the
    /// server's headers shall slow things down.
    pub fn reserve(&self, lane: &Lane, known: Option<Limit>, now: DateTime<Utc>) -> Duration {
        let mut windows = self.windows.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(window) = windows.get_mut(lane) {
            return window.reserve(known, now);
        }
        windows.entry(lane.clone()).or_default().reserve(known, now)
    }

    /// Learns from an answer's headers.
    pub fn observe(&self, lane: &Lane, allowance: Allowance, now: DateTime<Utc>) {
        let mut windows = self.windows.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(window) = windows.get_mut(lane) {
            window.observe(allowance, now);
        }
    }
}

impl Window {
    fn reserve(&mut self, known: Option<Limit>, now: DateTime<Utc>) -> Duration {
        let mut at = self.not_before.map_or(now, |bound| bound.max(now));
        let told = self.told.filter(|_| self.enforced || known.is_some());
        if let Some(limit) = told.or(known) {
            if let (true, Some(last)) = (limit.even, self.sent.back()) {
                at = at.max(*last + limit.per / limit.requests.max(1));
            }
            // The place in the window of the request that has to be out of it before this one may go.
            let oldest = self.sent.len().checked_sub(usize::try_from(limit.requests.max(1)).unwrap_or(SENT_MAX));
            if let Some(blocking) = oldest.and_then(|position| self.sent.get(position)) {
                at = at.max(*blocking + limit.per);
            }
        }
        if self.sent.len() == SENT_MAX {
            self.sent.pop_front();
        }
        self.sent.push_back(at);
        (at - now).to_std().unwrap_or(Duration::ZERO)
    }

    fn observe(&mut self, allowance: Allowance, now: DateTime<Utc>) {
        let Limit { requests, per, .. } = allowance.limit;
        self.told = Some(if requests < SPARED_SHARE {
            Limit::even(requests * (SPARED_SHARE - 1), per * SPARED_SHARE)
        } else {
            Limit::new(requests - requests / SPARED_SHARE, per)
        });
        let low = REMAINING_LOW.min(requests / 2);
        if allowance.remaining >= low {
            return;
        }
        self.enforced = true;
        // What is used by us alone is kept within the limit by the window itself.
        let own = self.sent.iter().filter(|sent| **sent <= now && **sent + per > now).count();
        if usize::try_from(requests.saturating_sub(allowance.remaining)).is_ok_and(|used| used <= own) {
            return;
        }
        let share = allowance.limit.per / allowance.limit.requests.max(1);
        self.not_before = Some(now + share * (low - allowance.remaining));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(milliseconds: i64) -> DateTime<Utc> {
        DateTime::from_timestamp_millis(milliseconds).unwrap()
    }

    #[test]
    fn a_known_limit_holds_in_any_stretch() {
        let (pacer, lane) = (Pacer::default(), Lane::new("portal-1", "search"));
        let limit = Some(Limit::new(4, Duration::from_secs(1)));
        let waits: Vec<u128> = (0..9).map(|_| pacer.reserve(&lane, limit, at(0)).as_millis()).collect();
        assert_eq!(waits, [0, 0, 0, 0, 1000, 1000, 1000, 1000, 2000]);
        assert_eq!(pacer.reserve(&Lane::new("portal-2", "search"), limit, at(0)), Duration::ZERO);
    }

    #[test]
    fn without_a_limit_nothing_waits_until_headers_say_little_is_left() {
        let (pacer, lane) = (Pacer::default(), Lane::new("portal-1", "all"));
        for _ in 0..500 {
            assert_eq!(pacer.reserve(&lane, None, at(0)), Duration::ZERO);
        }
        let limit = Limit::new(100, Duration::from_secs(10));
        pacer.observe(&lane, Allowance::new(limit, 60), at(0));
        assert_eq!(pacer.reserve(&lane, None, at(0)), Duration::ZERO);
        pacer.observe(&lane, Allowance::new(limit, 5), at(20_000));
        assert_eq!(pacer.reserve(&lane, None, at(20_000)), Duration::from_millis(500));
    }

    #[test]
    fn little_is_less_where_the_limit_is_small() {
        let (pacer, lane) = (Pacer::default(), Lane::new("portal-1", "all"));
        let limit = Limit::new(4, Duration::from_secs(1));
        for (remaining, wait_ms) in [(3, 0), (2, 0), (1, 263), (0, 500)] {
            let now = at(10_000 * i64::from(4 - remaining));
            pacer.reserve(&lane, None, now);
            pacer.observe(&lane, Allowance::new(limit, remaining), now);
            assert_eq!(pacer.reserve(&lane, None, now).as_millis(), wait_ms, "{remaining} are left");
        }
    }

    #[test]
    fn an_even_limit_keeps_its_requests_apart() {
        let (pacer, lane) = (Pacer::default(), Lane::new("portal-1", "search"));
        let limit = Some(Limit::even(19, Duration::from_secs(4)));
        let sent: Vec<i64> = (0..200)
            .scan(at(0), |now, _| {
                *now += pacer.reserve(&lane, limit, *now);
                Some(now.timestamp_millis())
            })
            .collect();
        assert!(sent.windows(6).all(|six| six[5] - six[0] >= 1_000), "never more than five in a second: {sent:?}");
        assert!(sent[199] <= 200 * 1_000 * 20 / 19 / 5, "95 % of five a second: {}", sent[199]);
        let idle = at(sent[199] + 10_000);
        assert_eq!(pacer.reserve(&lane, limit, idle), Duration::ZERO);
    }

    #[test]
    fn what_we_used_ourselves_slows_nothing_down_beyond_the_limit() {
        let (pacer, lane) = (Pacer::default(), Lane::new("portal-1", "all"));
        let limit = Limit::new(20, Duration::from_secs(2));
        let mut now = at(0);
        for used in 1..=40 {
            now += pacer.reserve(&lane, Some(limit), now);
            let in_window = (used - 1) % 19 + 1;
            pacer.observe(&lane, Allowance::new(limit, 20 - in_window), now);
        }
        assert_eq!(now, at(4_000), "19 in each two seconds");
        let foreign = at(20_000);
        pacer.reserve(&lane, Some(limit), foreign);
        pacer.observe(&lane, Allowance::new(limit, 8), foreign);
        assert_eq!(pacer.reserve(&lane, Some(limit), foreign), Duration::from_millis(200));
    }

    #[test]
    fn the_servers_words_replace_the_documented_limit() {
        let (pacer, lane) = (Pacer::default(), Lane::new("portal-1", "all"));
        let documented = Some(Limit::new(2, Duration::from_secs(10)));
        assert_eq!(pacer.reserve(&lane, documented, at(0)), Duration::ZERO);
        pacer.observe(&lane, Allowance::new(Limit::new(40, Duration::from_secs(10)), 39), at(0));
        let free = (0..60).take_while(|_| pacer.reserve(&lane, documented, at(0)).is_zero()).count();
        assert_eq!(free, 37);
    }
}
