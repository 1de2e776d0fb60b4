//! How often a resource is synced: as a host writes it down, and when that is next.

use std::str::FromStr as _;

use chrono::{DateTime, Duration, Utc};
use croner::Cron;
use serde::{Deserialize, Serialize};

use crate::error::{Error, ErrorCode, Result};

/// The longest interval, in seconds: a year.
const INTERVAL_SECONDS_MAX: u32 = 366 * 24 * 3_600;

/// How often a resource is synced.
///
/// Times are UTC. Whatever was missed while nothing ran is made up for by one run, not by many.
///
/// ```
/// use abmatic_sync_core::schedule::rhythm::Rhythm;
/// let weekdays = Rhythm::cron("0 6 * * MON-FRI")?;
/// let saturday = "2026-11-28T10:00:00Z".parse().unwrap();
/// assert_eq!(weekdays.next(saturday, 0)?.unwrap().to_rfc3339(), "2026-11-30T06:00:00+00:00");
/// # Ok::<(), abmatic_sync_core::error::Error>(())
/// ```
#[non_exhaustive]
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Rhythm {
    /// At the times of a cron expression.
    Cron {
        /// Five fields, or six with seconds in front.
        expression: String,
        /// Spread over so many seconds after each time, so that not everybody begins at once.
        jitter_seconds: u32,
    },
    /// So many seconds after the last one began.
    Every {
        /// The interval.
        seconds: u32,
    },
    /// Only when it is asked for.
    #[default]
    Manual,
    /// When webhooks tell of changes, and now and then for what they missed.
    Realtime {
        /// The interval of the poll that reconciles.
        poll_seconds: u32,
    },
}

impl Rhythm {
    /// At the times of a cron expression, spread over a minute.
    ///
    /// # Errors
    /// [`ErrorCode::InvalidSettings`] with what is wrong with it.
    pub fn cron(expression: impl Into<String>) -> Result<Self> {
        let rhythm = Self::Cron { expression: expression.into(), jitter_seconds: 60 };
        rhythm.check()?;
        Ok(rhythm)
    }

    /// Every so many seconds.
    ///
    /// # Errors
    /// [`ErrorCode::InvalidSettings`] for none, or for more than a year.
    pub fn every(seconds: u32) -> Result<Self> {
        let rhythm = Self::Every { seconds };
        rhythm.check()?;
        Ok(rhythm)
    }

    /// Refuses what could never run, or would run without a pause.
    ///
    /// # Errors
    /// [`ErrorCode::InvalidSettings`] with what is wrong.
    pub fn check(&self) -> Result<()> {
        match self {
            Self::Cron { expression, jitter_seconds } => {
                in_bounds(*jitter_seconds, 0)?;
                parse(expression).map(|_| ())
            }
            Self::Every { seconds } | Self::Realtime { poll_seconds: seconds } => in_bounds(*seconds, 1),
            Self::Manual => Ok(()),
        }
    }

    /// The first time of a new schedule: intervals begin at once, cron at its next time.
    ///
    /// # Errors
    /// As [`Rhythm::check`].
    pub fn first(&self, now: DateTime<Utc>, spread: u64) -> Result<Option<DateTime<Utc>>> {
        match self {
            Self::Cron { .. } | Self::Manual => self.next(now, spread),
            Self::Every { .. } | Self::Realtime { .. } => self.check().map(|()| Some(now)),
        }
    }

    /// The first time after `now`; `None` where it does not run by itself. `spread` is any number that is always the same for
    /// one schedule: it chooses its place within the jitter.
    ///
    /// # Errors
    /// As [`Rhythm::check`].
    pub fn next(&self, now: DateTime<Utc>, spread: u64) -> Result<Option<DateTime<Utc>>> {
        match self {
            Self::Cron { expression, jitter_seconds } => {
                let jitter = Duration::seconds((spread % (u64::from(*jitter_seconds) + 1)).cast_signed());
                // The time after which the tick plus its jitter still lies ahead.
                let next = parse(expression)?.find_next_occurrence(&(now - jitter), false);
                next.map(|time| Some(time + jitter)).map_err(|error| refused(expression, &error.to_string()))
            }
            Self::Every { seconds } | Self::Realtime { poll_seconds: seconds } => {
                Ok(Some(now + Duration::seconds(i64::from(*seconds).max(1))))
            }
            Self::Manual => Ok(None),
        }
    }
}

fn in_bounds(seconds: u32, min: u32) -> Result<()> {
    if (min..=INTERVAL_SECONDS_MAX).contains(&seconds) {
        return Ok(());
    }
    let message = format!("a schedule's seconds have to be {min} to {INTERVAL_SECONDS_MAX}, not {seconds}");
    Err(Error::invalid(ErrorCode::InvalidSettings, message))
}

fn parse(expression: &str) -> Result<Cron> {
    let cron = Cron::from_str(expression).map_err(|error| refused(expression, &error.to_string()))?;
    // An expression that parses may still name no day that exists.
    let never = |error: croner::errors::CronError| refused(expression, &error.to_string());
    cron.find_next_occurrence(&DateTime::UNIX_EPOCH, false).map_err(never)?;
    Ok(cron)
}

fn refused(expression: &str, why: &str) -> Error {
    let message = format!("the schedule \"{expression}\" is no cron expression that ever comes: {why}");
    Error::invalid(ErrorCode::InvalidSettings, message)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn time(text: &str) -> DateTime<Utc> {
        text.parse().unwrap()
    }

    #[test]
    fn a_tick_that_is_jittered_comes_once() {
        let hourly = Rhythm::Cron { expression: "0 * * * *".into(), jitter_seconds: 600 };
        for spread in [0, 1, 599, 600, 601, u64::MAX] {
            let mut at = time("2026-11-25T10:00:00Z");
            let first = hourly.next(at, spread).unwrap().unwrap();
            assert!(first > at && first <= at + Duration::seconds(3_600), "{spread}");
            for _ in 0..5 {
                let next = hourly.next(at, spread).unwrap().unwrap();
                assert!(next > at && next - at <= Duration::seconds(3_600));
                at = next;
            }
            assert_eq!(at - first, Duration::hours(4), "one tick an hour, always at the same place in it");
        }
    }

    #[test]
    fn what_was_missed_is_made_up_for_once() {
        let every = Rhythm::every(600).unwrap();
        let (late, next) = (time("2026-11-25T10:07:00Z"), time("2026-11-25T10:17:00Z"));
        assert_eq!(every.next(late, 3).unwrap(), Some(next));
        assert_eq!(Rhythm::Manual.next(late, 3).unwrap(), None);
    }

    #[test]
    fn what_can_never_run_is_refused() {
        for expression in ["", "every day", "61 * * * *", "* * * *", "0 0 30 2 *"] {
            let error = Rhythm::cron(expression).unwrap_err();
            assert_eq!(error.code(), ErrorCode::InvalidSettings, "{expression}");
        }
        assert!(Rhythm::every(0).is_err() && Rhythm::every(u32::MAX).is_err());
        assert!(Rhythm::cron("*/15 8-17 * * MON-FRI").is_ok());
    }
}
