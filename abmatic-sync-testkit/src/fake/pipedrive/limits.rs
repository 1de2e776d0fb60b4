//! The day's token budget and the calls of two seconds: counted always, enforced when switched on.

use std::collections::VecDeque;

use crate::fake::exchange::Response;
use crate::fake::moment::DAY_MS;
use crate::fake::pipedrive::errors::{self, Refusal};

const WINDOW_MS: i64 = 2000;
/// Searches in two seconds, on every plan.
const SEARCHES: usize = 10;
/// What the headers say while nothing is enforced.
const GENEROUS: u64 = 1_000_000;

/// Counters of the company and of its one token.
#[derive(Clone, Debug)]
pub(crate) struct Limits {
    enforced: bool,
    daily: u64,
    burst: u64,
    calls: VecDeque<i64>,
    searches: VecDeque<i64>,
    day: i64,
    used: u64,
}

impl Limits {
    pub(crate) fn new(enforced: bool, daily: u64, burst: u64) -> Self {
        let (calls, searches) = (VecDeque::new(), VecDeque::new());
        Self { enforced, daily, burst, calls, searches, day: 0, used: 0 }
    }

    /// Lets a call in that costs so many tokens, or says why not.
    pub(crate) fn admit(&mut self, now: i64, cost: u64, is_search: bool) -> Result<(), Refusal> {
        self.turn_day(now);
        for calls in [&mut self.calls, &mut self.searches] {
            while calls.front().is_some_and(|oldest| oldest + WINDOW_MS <= now) {
                calls.pop_front();
            }
        }
        if self.enforced {
            let full = self.calls.len() as u64 >= self.burst || (is_search && self.searches.len() >= SEARCHES);
            if full {
                return Err(errors::burst());
            }
            if self.used.saturating_add(cost) > self.daily {
                return Err(errors::budget());
            }
            self.calls.push_back(now);
            if is_search {
                self.searches.push_back(now);
            }
        }
        self.used = self.used.saturating_add(cost);
        Ok(())
    }

    fn turn_day(&mut self, now: i64) {
        let day = now.div_euclid(DAY_MS);
        if day != self.day {
            (self.day, self.used) = (day, 0);
        }
    }

    /// Tokens that others have spent today.
    pub(crate) fn spend(&mut self, now: i64, tokens: u64) {
        self.turn_day(now);
        self.used = self.used.saturating_add(tokens);
    }

    pub(crate) fn used(&self) -> u64 {
        self.used
    }

    /// Tells what is left.
    pub(crate) fn tell(&self, response: &mut Response, now: i64) {
        let (burst, daily) = if self.enforced { (self.burst, self.daily) } else { (GENEROUS, GENEROUS) };
        let reset_ms = self.calls.front().map_or(WINDOW_MS, |oldest| oldest + WINDOW_MS - now);
        let reset = (reset_ms.clamp(0, WINDOW_MS) + 999) / 1000;
        response.set("x-ratelimit-limit", burst.to_string());
        response.set("x-ratelimit-remaining", burst.saturating_sub(self.calls.len() as u64).to_string());
        response.set("x-ratelimit-reset", reset.to_string());
        response.set("x-daily-ratelimit-token-limit", daily.to_string());
        response.set("x-daily-ratelimit-token-remaining", daily.saturating_sub(self.used).to_string());
        let spent = self.enforced && self.used.saturating_add(1) > self.daily;
        if response.status == 429 && (spent || response.text().contains("daily")) {
            response.set("retry-after", ((DAY_MS - now.rem_euclid(DAY_MS)) / 1000).to_string());
        }
    }
}
