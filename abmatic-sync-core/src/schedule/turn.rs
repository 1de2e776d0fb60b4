//! One turn of a schedule: everything that is due of it, and what its end means for the connection.

use std::sync::Arc;
use std::time::Duration;

use chrono::{DateTime, TimeDelta, Utc};

use crate::clock::Clock;
use crate::engine::Engine;
use crate::error::{Error, ErrorCode, ErrorKind, Result};
use crate::ids::RemoteId;
use crate::model::connection::Connection;
use crate::run::request::RunRequest;
use crate::schedule::scheduler::Opener;
use crate::store::connections::{ConnectionStatus, ConnectionStore};
use crate::store::schedules::{Mark, Schedule, ScheduleStore, TurnEnd};

/// How many marked records one targeted run looks at.
const MARKS_MAX: usize = 1_000;
/// How many marks that could not be looked at are given up once a sync has passed.
const SEEN_MAX: usize = 10_000;
/// How many starts without an end are taken for chance.
const STARTS_MAX: u32 = 3;
/// How long a connection rests whose runs come to no end.
const REST_SECONDS: i64 = 3_600;
/// How long it waits where another run holds the connection.
const HELD_SECONDS: i64 = 15;
/// The first wait after a failure; it doubles with each.
const BACKOFF_SECONDS: i64 = 30;
/// The longest wait after a failure.
const BACKOFF_SECONDS_MAX: i64 = 3_600;
/// How long a limit is taken to last where the CRM does not say.
const LIMIT_WAIT: Duration = Duration::from_secs(900);

/// What a turn works with.
pub(crate) struct Workshop {
    pub(crate) engine: Engine,
    pub(crate) connections: Arc<dyn ConnectionStore>,
    pub(crate) schedules: Arc<dyn ScheduleStore>,
    pub(crate) opener: Arc<dyn Opener>,
    pub(crate) clock: Arc<dyn Clock>,
}

impl Workshop {
    /// Takes a turn. Its failure is an end like any other; only the stores' own failures come out.
    pub(crate) async fn take_turn(&self, schedule: &Schedule) -> Result<()> {
        let key = &schedule.key;
        let starts = self.schedules.began(key).await?;
        let now = self.clock.now();
        if starts > STARTS_MAX {
            let until = now + TimeDelta::seconds(REST_SECONDS);
            let reason = format!("{STARTS_MAX} runs of {} in a row began and came to no end", key.resource);
            self.set_status(schedule, ConnectionStatus::Paused { until, reason }).await?;
            return self.schedules.ended(key, &kept(schedule)).await;
        }
        let mut end = kept(schedule);
        let outcome = self.work(schedule, now, &mut end).await;
        match outcome {
            Ok(()) => end.failures = 0,
            Err(error) => {
                end.error = Some(error.to_string());
                self.fail(schedule, &error, &mut end).await?;
            }
        }
        self.schedules.ended(key, &end).await
    }

    /// What is due, one after the other; `end` says how far it came.
    async fn work(&self, schedule: &Schedule, now: DateTime<Utc>, end: &mut TurnEnd) -> Result<()> {
        let key = &schedule.key;
        let Some(kept) = self.connections.connection(&key.tenant, &key.connection).await? else {
            end.next_at = None;
            end.pushed_until = Some(now);
            return Ok(());
        };
        let on = self.opener.open(&kept).await?;
        let is_due = |at: Option<DateTime<Utc>>| at.is_some_and(|at| at <= now);
        if is_due(schedule.push_at) {
            self.run(&on, RunRequest::auto_push(key.resource)).await?;
            end.pushed_until = Some(now);
        }
        let looked = if is_due(schedule.marked_at) { self.look_at_marks(&on, schedule).await } else { Ok(()) };
        if is_due(schedule.next_at) {
            // Marks that stand in the way of a run for them do not stand in the way of the sync, which sees what they told of.
            let marks = if looked.is_err() { self.schedules.marks(key, SEEN_MAX).await? } else { Vec::new() };
            self.run(&on, RunRequest::sync(key.resource, schedule.scope.clone())).await?;
            end.next_at = schedule.rhythm.next(now, key.spread())?;
            if let Err(error) = looked {
                tracing::warn!(connection = %key.connection, resource = %key.resource, "marks were left to a sync: {error}");
                self.schedules.unmark(key, &marks).await?;
            }
        } else {
            looked?;
        }
        if matches!(kept.status, ConnectionStatus::Paused { .. }) {
            self.set_status(schedule, ConnectionStatus::Active).await?;
        }
        Ok(())
    }

    /// Runs, or goes on with what a run for the same left undone.
    async fn run(&self, on: &Connection, request: RunRequest) -> Result<()> {
        match self.engine.open_run(on, &request).await? {
            Some(open) => self.engine.resume(on, &open).await.map(|_| ()),
            None => self.engine.run(on, &request).await.map(|_| ()),
        }
    }

    async fn look_at_marks(&self, on: &Connection, schedule: &Schedule) -> Result<()> {
        loop {
            let marks: Vec<Mark> = self.schedules.marks(&schedule.key, MARKS_MAX).await?;
            let ids: Vec<RemoteId> = marks.iter().map(|mark| mark.id.clone()).collect();
            if !ids.is_empty() {
                let request = RunRequest::targeted(schedule.key.resource, schedule.scope.clone(), ids);
                self.engine.run(on, &request).await?;
            }
            self.schedules.unmark(&schedule.key, &marks).await?;
            if marks.len() < MARKS_MAX {
                return Ok(());
            }
        }
    }

    async fn fail(&self, schedule: &Schedule, error: &Error, end: &mut TurnEnd) -> Result<()> {
        let now = self.clock.now();
        let key = &schedule.key;
        tracing::warn!(connection = %key.connection, resource = %key.resource, code = error.code().as_str(), "a scheduled run failed");
        if error.code() == ErrorCode::LeaseHeld {
            end.retry_at = Some(now + TimeDelta::seconds(HELD_SECONDS));
            return Ok(());
        }
        end.failures = schedule.failures.saturating_add(1);
        match error.kind() {
            ErrorKind::Unauthorized => {
                let reason = error.to_string();
                self.set_status(schedule, ConnectionStatus::NeedsReauthorisation { reason }).await
            }
            ErrorKind::RateLimited => {
                let wait = TimeDelta::from_std(error.retry_after().unwrap_or(LIMIT_WAIT)).unwrap_or(TimeDelta::MAX);
                let until = now.checked_add_signed(wait).unwrap_or(DateTime::<Utc>::MAX_UTC);
                let reason = error.to_string();
                self.set_status(schedule, ConnectionStatus::Paused { until, reason }).await
            }
            _ => {
                let doubled = BACKOFF_SECONDS.saturating_mul(1 << end.failures.saturating_sub(1).min(16));
                end.retry_at = Some(now + TimeDelta::seconds(doubled.min(BACKOFF_SECONDS_MAX)));
                Ok(())
            }
        }
    }

    async fn set_status(&self, schedule: &Schedule, status: ConnectionStatus) -> Result<()> {
        self.connections.set_status(&schedule.key.tenant, &schedule.key.connection, &status).await
    }
}

/// An end that changes nothing.
fn kept(schedule: &Schedule) -> TurnEnd {
    TurnEnd { failures: schedule.failures, ..TurnEnd::well(schedule.next_at) }
}
