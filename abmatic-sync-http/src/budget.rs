//! What an account may use of its day: told by answers, counted meanwhile, and never used beyond the share that the host allows.

use std::collections::BTreeMap;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use abmatic_sync_core::error::{Error, ErrorCode, ErrorKind, Result};
use abmatic_sync_core::model::quota::Quota;
use chrono::{DateTime, TimeDelta, Utc};
use http::HeaderMap;

/// Keeps each account within its share of the day. Holds no clock: whoever asks says what time it is.
///
/// What other programs use counts as well, since the CRM's answers tell what is left to all.
///
/// ```
/// use abmatic_sync_core::model::quota::Quota;
/// use abmatic_sync_http::budget::Budget;
/// let budget = Budget::new("calls", 60, std::time::Duration::from_secs(3_600));
/// let now = chrono::DateTime::UNIX_EPOCH;
/// budget.observe("acme", Quota::new(100_000, 40_001, now));
/// assert!(budget.take("acme", 1, now).is_ok());
/// assert!(budget.take("acme", 1, now).is_err(), "40 % are left to others");
/// ```
#[derive(Debug)]
pub struct Budget {
    unit: &'static str,
    share_percent: u8,
    look_again: Duration,
    known: Mutex<BTreeMap<String, Quota>>,
}

impl Budget {
    /// Stops where more than `share_percent` of the day's `unit`s are used, by whomever. What was told longer ago than
    /// `look_again` counts no more.
    pub fn new(unit: &'static str, share_percent: u8, look_again: Duration) -> Self {
        Self { unit, share_percent, look_again, known: Mutex::default() }
    }

    /// Takes `cost` units, or refuses a call that would eat into what is left to others. Of an account that nothing is known
    /// of yet, anything may be taken.
    ///
    /// # Errors
    /// [`ErrorCode::RequestLimitExceeded`] with the time after which one may look again.
    pub fn take(&self, account: &str, cost: u64, now: DateTime<Utc>) -> Result<()> {
        let mut known = self.known.lock().unwrap_or_else(PoisonError::into_inner);
        let Some(quota) = known.get_mut(account) else { return Ok(()) };
        let reserve = quota.limit.saturating_mul(100_u64.saturating_sub(self.share_percent.into())) / 100;
        let look_again = TimeDelta::from_std(self.look_again).unwrap_or(TimeDelta::MAX);
        let look_at = quota.seen.checked_add_signed(look_again).unwrap_or(DateTime::<Utc>::MAX_UTC);
        let wait = (look_at - now).to_std().unwrap_or_default();
        if wait.is_zero() {
            // What was known is too old to go by. Not every answer tells, so that not only one call may look.
            known.remove(account);
            return Ok(());
        }
        if quota.remaining < reserve.saturating_add(cost) {
            let message = format!(
                "{} of the account's {} {} a day are left, and {reserve} are kept for others",
                quota.remaining, quota.limit, self.unit
            );
            let error = Error::new(ErrorKind::RateLimited, ErrorCode::RequestLimitExceeded, message);
            return Err(error.with_retry_after(wait));
        }
        quota.remaining = quota.remaining.saturating_sub(cost);
        Ok(())
    }

    /// Learns what an answer told.
    pub fn observe(&self, account: &str, quota: Quota) {
        self.known.lock().unwrap_or_else(PoisonError::into_inner).insert(account.to_owned(), quota);
    }

    /// Learns from the headers of an answer that name the day's limit and what remains of it; they may be missing.
    pub fn observe_headers(
        &self,
        account: &str,
        headers: &HeaderMap,
        (limit, remaining): (&str, &str),
        now: DateTime<Utc>,
    ) {
        let number = |name| headers.get(name)?.to_str().ok()?.trim().parse::<u64>().ok();
        if let (Some(limit), Some(remaining)) = (number(limit), number(remaining)) {
            self.observe(account, Quota::new(limit, remaining, now));
        }
    }

    /// What is known to be left.
    pub fn quota(&self, account: &str) -> Option<Quota> {
        self.known.lock().unwrap_or_else(PoisonError::into_inner).get(account).copied()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const HEADERS: (&str, &str) = ("x-limit", "x-remaining");

    fn at(seconds: i64) -> DateTime<Utc> {
        DateTime::from_timestamp(seconds, 0).unwrap()
    }

    #[test]
    fn a_reserve_stays_and_calls_count_before_their_answer() {
        let budget = Budget::new("tokens", 90, Duration::from_secs(3_600));
        assert!(budget.take("a", 40, at(0)).is_ok(), "nothing is known yet");
        let mut headers = HeaderMap::new();
        headers.insert("x-limit", "1000".parse().unwrap());
        budget.observe_headers("a", &headers, HEADERS, at(0));
        assert_eq!(budget.quota("a"), None, "half of it says nothing");
        headers.insert("x-remaining", "115".parse().unwrap());
        budget.observe_headers("a", &headers, HEADERS, at(0));
        assert!(budget.take("a", 10, at(10)).is_ok());
        let error = budget.take("a", 10, at(600)).unwrap_err();
        assert_eq!((error.kind(), error.retry_after()), (ErrorKind::RateLimited, Some(Duration::from_secs(3_000))));
        assert!(error.message().contains("105 of the account's 1000 tokens a day are left, and 100 are kept"));
        assert!(budget.take("a", 5, at(600)).is_ok(), "a cheaper call still fits");
        assert!(budget.take("b", 10, at(600)).is_ok());
        assert!(budget.take("a", 10, at(3_600)).is_ok(), "after an hour one may look again");
        assert_eq!(budget.quota("a"), None, "and what was known is too old to tell");
        let forever = Budget::new("calls", 0, Duration::MAX);
        forever.observe("a", Quota::new(10, 5, at(0)));
        assert!(forever.take("a", 1, at(1)).is_err());
    }
}
