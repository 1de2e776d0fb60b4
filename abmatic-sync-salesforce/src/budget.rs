//! The org's daily calls: read from each answer, and never used beyond the share that the host allows.

use std::collections::BTreeMap;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use abmatic_sync_core::error::{Error, ErrorCode, ErrorKind, Result};
use abmatic_sync_core::model::quota::Quota;
use chrono::{DateTime, TimeDelta, Utc};
use http::HeaderMap;

/// On every REST answer: `api-usage=25/5000; per-app-api-usage=17/250(appName=sample-app)`.
const LIMIT_INFO: &str = "sforce-limit-info";
/// The window rolls, and only an answer shows how far: after so long one call may look again.
const LOOK_AGAIN: Duration = Duration::from_secs(900);

/// Calls used and allowed in the last 24 hours.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Usage {
    used: u64,
    max: u64,
}

/// Keeps each org within its share. Holds no clock.
#[derive(Debug)]
pub(crate) struct Budget {
    share_percent: u8,
    seen: Mutex<BTreeMap<String, (Usage, DateTime<Utc>)>>,
}

impl Budget {
    /// Stops where more than `share_percent` of the calls are used, by whomever.
    pub(crate) fn new(share_percent: u8) -> Self {
        Self { share_percent, seen: Mutex::default() }
    }

    /// Refuses a call that would eat into what is left to others.
    ///
    /// # Errors
    /// [`ErrorCode::RequestLimitExceeded`] with the time after which usage may have fallen.
    pub(crate) fn ask(&self, account: &str, now: DateTime<Utc>) -> Result<()> {
        let seen = self.seen.lock().unwrap_or_else(PoisonError::into_inner);
        let Some((usage, at)) = seen.get(account) else { return Ok(()) };
        let wait = (*at + TimeDelta::from_std(LOOK_AGAIN).unwrap_or(TimeDelta::MAX) - now).to_std().unwrap_or_default();
        if wait.is_zero() || usage.used.saturating_mul(100) < usage.max.saturating_mul(self.share_percent.into()) {
            return Ok(());
        }
        let message = format!(
            "{} of the org's {} calls a day are used, and {} % are the most that this connection may use up",
            usage.used, usage.max, self.share_percent
        );
        let error = Error::new(ErrorKind::RateLimited, ErrorCode::RequestLimitExceeded, message);
        Err(error.with_retry_after(wait))
    }

    /// What is known to be left.
    pub(crate) fn quota(&self, account: &str) -> Option<Quota> {
        let seen = self.seen.lock().unwrap_or_else(PoisonError::into_inner);
        seen.get(account).map(|(usage, at)| Quota::new(usage.max, usage.max.saturating_sub(usage.used), *at))
    }

    /// Learns from an answer's headers.
    pub(crate) fn observe(&self, account: &str, headers: &HeaderMap, now: DateTime<Utc>) {
        let text = headers.get(LIMIT_INFO).and_then(|value| value.to_str().ok());
        let Some(usage) = text.and_then(fullest) else { return };
        let mut seen = self.seen.lock().unwrap_or_else(PoisonError::into_inner);
        seen.insert(account.to_owned(), (usage, now));
    }
}

/// The limit that is nearest to being used up.
fn fullest(text: &str) -> Option<Usage> {
    let usages = text.split(';').filter_map(|part| {
        let (used, rest) = part.split_once('=')?.1.split_once('/')?;
        let max: String = rest.trim().chars().take_while(char::is_ascii_digit).collect();
        Some(Usage { used: used.trim().parse().ok()?, max: max.parse().ok().filter(|max| *max > 0)? })
    });
    usages.max_by(|a, b| (a.used * b.max).cmp(&(b.used * a.max)))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(seconds: i64) -> DateTime<Utc> {
        DateTime::from_timestamp(seconds, 0).unwrap()
    }

    #[test]
    fn headers_say_what_is_used() {
        let table = [
            ("api-usage=10018/100000", Some((10_018, 100_000))),
            ("api-usage=25/5000; per-app-api-usage=17/250(appName=sample-app)", Some((17, 250))),
            ("api-usage=", None),
        ];
        for (text, expected) in table {
            assert_eq!(fullest(text).map(|usage| (usage.used, usage.max)), expected, "{text}");
        }
    }

    #[test]
    fn beyond_the_share_calls_pause_until_one_may_look_again() {
        let budget = Budget::new(80);
        let mut headers = HeaderMap::new();
        headers.insert(LIMIT_INFO, "api-usage=79/100".parse().unwrap());
        budget.observe("a", &headers, at(0));
        assert!(budget.ask("a", at(0)).is_ok());
        headers.insert(LIMIT_INFO, "api-usage=80/100".parse().unwrap());
        budget.observe("a", &headers, at(100));
        let error = budget.ask("a", at(200)).unwrap_err();
        assert_eq!((error.kind(), error.retry_after()), (ErrorKind::RateLimited, Some(Duration::from_secs(800))));
        assert!(budget.ask("b", at(200)).is_ok());
        assert!(budget.ask("a", at(1_000)).is_ok());
    }
}
