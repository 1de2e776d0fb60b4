//! The company's daily tokens: what is left is read from each answer, what a call costs is known, and a reserve stays.

use std::collections::BTreeMap;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use abmatic_sync_core::error::{Error, ErrorCode, ErrorKind, Result};
use abmatic_sync_core::model::quota::Quota;
use chrono::{DateTime, TimeDelta, Utc};
use http::HeaderMap;

/// The day's tokens of the company, and what is left of them (seen by several clients, in no documentation).
const LIMIT: &str = "x-daily-ratelimit-token-limit";
const REMAINING: &str = "x-daily-ratelimit-token-remaining";
/// The budget is renewed at midnight of an unnamed zone ("Rate limiting"), so one call looks again every hour.
pub(crate) const LOOK_AGAIN: Duration = Duration::from_secs(3_600);

/// Tokens of today.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Tokens {
    limit: u64,
    remaining: u64,
    seen: DateTime<Utc>,
}

/// Keeps each company within its share. Holds no clock.
#[derive(Debug)]
pub(crate) struct Budget {
    share_percent: u8,
    known: Mutex<BTreeMap<String, Tokens>>,
}

impl Budget {
    /// Stops where more than `share_percent` of the day's tokens are spent, by whomever.
    pub(crate) fn new(share_percent: u8) -> Self {
        Self { share_percent, known: Mutex::default() }
    }

    /// Takes `cost` tokens, or refuses a call that would eat into what is left to others.
    ///
    /// # Errors
    /// [`ErrorCode::RequestLimitExceeded`] with the time after which one may look again.
    pub(crate) fn take(&self, account: &str, cost: u64, now: DateTime<Utc>) -> Result<()> {
        let mut known = self.known.lock().unwrap_or_else(PoisonError::into_inner);
        let Some(tokens) = known.get_mut(account) else { return Ok(()) };
        let reserve = tokens.limit.saturating_mul(100_u64.saturating_sub(self.share_percent.into())) / 100;
        let wait = (tokens.seen + TimeDelta::from_std(LOOK_AGAIN).unwrap_or(TimeDelta::MAX) - now).to_std();
        let wait = wait.unwrap_or_default();
        if !wait.is_zero() && tokens.remaining < reserve.saturating_add(cost) {
            let message = format!(
                "{} of the company's {} tokens a day are left, and {reserve} are kept for others",
                tokens.remaining, tokens.limit
            );
            let error = Error::new(ErrorKind::RateLimited, ErrorCode::RequestLimitExceeded, message);
            return Err(error.with_retry_after(wait));
        }
        tokens.remaining = tokens.remaining.saturating_sub(cost);
        Ok(())
    }

    /// What is known to be left.
    pub(crate) fn quota(&self, account: &str) -> Option<Quota> {
        let known = self.known.lock().unwrap_or_else(PoisonError::into_inner);
        known.get(account).map(|tokens| Quota::new(tokens.limit, tokens.remaining, tokens.seen))
    }

    /// Learns from an answer's headers, which may be missing.
    pub(crate) fn observe(&self, account: &str, headers: &HeaderMap, now: DateTime<Utc>) {
        let number = |name| headers.get(name)?.to_str().ok()?.trim().parse::<u64>().ok();
        let (Some(limit), Some(remaining)) = (number(LIMIT), number(REMAINING)) else { return };
        let mut known = self.known.lock().unwrap_or_else(PoisonError::into_inner);
        known.insert(account.to_owned(), Tokens { limit, remaining, seen: now });
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(seconds: i64) -> DateTime<Utc> {
        DateTime::from_timestamp(seconds, 0).unwrap()
    }

    #[test]
    fn a_reserve_stays_and_calls_count_before_their_answer() {
        let budget = Budget::new(90);
        assert!(budget.take("a", 40, at(0)).is_ok(), "nothing is known yet");
        let mut headers = HeaderMap::new();
        headers.insert(LIMIT, "1000".parse().unwrap());
        headers.insert(REMAINING, "115".parse().unwrap());
        budget.observe("a", &headers, at(0));
        assert!(budget.take("a", 10, at(10)).is_ok());
        let error = budget.take("a", 10, at(600)).unwrap_err();
        assert_eq!((error.kind(), error.retry_after()), (ErrorKind::RateLimited, Some(Duration::from_secs(3_000))));
        assert!(budget.take("a", 5, at(600)).is_ok(), "a cheaper call still fits");
        assert!(budget.take("b", 10, at(600)).is_ok());
        assert!(budget.take("a", 10, at(3_600)).is_ok(), "after an hour one may look again");
    }
}
