//! Calls per ten seconds, per day and, for searches, per second: counted always, enforced when switched on.

use std::collections::VecDeque;

use crate::fake::hubspot::errors::{self, Refusal};
use crate::fake::moment::DAY_MS;

/// Counters of one account.
#[derive(Clone, Debug)]
pub(crate) struct Limits {
    enforced: bool,
    /// When the calls of the last ten seconds came; kept only when enforced.
    burst: VecDeque<i64>,
    searches: VecDeque<i64>,
    day: i64,
    pub(crate) today: u64,
}

/// What the rate-limit headers say.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Allowance {
    pub(crate) daily: u64,
    pub(crate) daily_remaining: u64,
    pub(crate) burst: u64,
    pub(crate) burst_remaining: u64,
}

const BURST_MS: i64 = 10_000;
const SECOND_MS: i64 = 1000;
const SEARCHES_PER_SECOND: usize = 5;
/// A private app of a Professional account.
const BURST_MAX: u64 = 190;
pub(crate) const DAILY_MAX: u64 = 625_000;
/// What is announced when nothing is enforced, so that a client that paces itself is not slowed down.
const GENEROUS: u64 = 1_000_000_000;

impl Limits {
    pub(crate) fn new(enforced: bool) -> Self {
        Self { enforced, burst: VecDeque::new(), searches: VecDeque::new(), day: 0, today: 0 }
    }

    /// Counts a call; a search has a bucket of its own and is exempt from the burst.
    pub(crate) fn admit(&mut self, now: i64, is_search: bool, portal_id: u64) -> Result<(), Refusal> {
        let day = now.div_euclid(DAY_MS);
        if day != self.day {
            (self.day, self.today) = (day, 0);
        }
        self.today += 1;
        if !self.enforced {
            return Ok(());
        }
        if self.today > DAILY_MAX {
            return Err(errors::rate_limited("DAILY", portal_id));
        }
        let (calls, window_ms, allowed, policy) = if is_search {
            (&mut self.searches, SECOND_MS, SEARCHES_PER_SECOND, "SECONDLY")
        } else {
            (&mut self.burst, BURST_MS, usize::try_from(BURST_MAX).unwrap_or(usize::MAX), "TEN_SECONDLY_ROLLING")
        };
        while calls.front().is_some_and(|oldest| oldest + window_ms <= now) {
            calls.pop_front();
        }
        if calls.len() >= allowed {
            return Err(errors::rate_limited(policy, portal_id));
        }
        calls.push_back(now);
        Ok(())
    }

    /// What is left.
    pub(crate) fn allowance(&self) -> Allowance {
        let (daily, burst) = if self.enforced { (DAILY_MAX, BURST_MAX) } else { (GENEROUS, GENEROUS) };
        Allowance {
            daily,
            daily_remaining: daily.saturating_sub(self.today),
            burst,
            burst_remaining: burst.saturating_sub(self.burst.len() as u64),
        }
    }
}
