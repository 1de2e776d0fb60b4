//! The scheduler that a host spawns: a loop over what its store says is due, and the handle to tell it more.

use std::collections::BTreeSet;
use std::fmt;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use async_trait::async_trait;
use chrono::{DateTime, TimeDelta, Utc};
use futures::future::select;
use futures::{FutureExt as _, pin_mut};

use crate::clock::Clock;
use crate::engine::Engine;
use crate::error::{Error, ErrorCode, Result};
use crate::ids::{ConnectionId, RemoteId};
use crate::model::connection::Connection;
use crate::schedule::turn::Workshop;
use crate::schedule::turns::Turns;
use crate::schedule::wake::Wake;
use crate::store::connections::{ConnectionStore, KeptConnection};
use crate::store::schedules::{Schedule, ScheduleKey, ScheduleStore};

/// How long it sleeps at the most: others may write to its store.
const SLEEP: Duration = Duration::from_secs(60);
/// How long it waits after its store failed.
const STORE_WAIT: Duration = Duration::from_secs(5);

/// Gives a kept connection its credentials.
#[async_trait]
pub trait Opener: fmt::Debug + Send + Sync + 'static {
    /// The connection as a run needs it.
    ///
    /// # Errors
    /// [`crate::error::ErrorKind::Unauthorized`] where there are none: the connection then needs to be authorised again.
    async fn open(&self, kept: &KeptConnection) -> Result<Connection>;
}

/// Runs what is due, for all connections of its store, until it is stopped.
///
/// It keeps nothing that its store does not: any number of them may work from one store, since each connection is held by one
/// run at a time.
pub struct Scheduler {
    workshop: Arc<Workshop>,
    shared: Arc<Shared>,
    runs_at_once: usize,
}

struct Shared {
    wake: Wake,
    stops: AtomicBool,
}

/// Tells a [`Scheduler`] of news. Clones speak to the same one.
#[derive(Clone)]
pub struct SchedulerHandle {
    schedules: Arc<dyn ScheduleStore>,
    clock: Arc<dyn Clock>,
    shared: Arc<Shared>,
    push_delay: Duration,
}

impl fmt::Debug for Scheduler {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Scheduler").field("runs_at_once", &self.runs_at_once).finish_non_exhaustive()
    }
}

impl fmt::Debug for SchedulerHandle {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SchedulerHandle").field("push_delay", &self.push_delay).finish_non_exhaustive()
    }
}

impl Scheduler {
    /// A scheduler of the engine's connectors, over what these stores keep. Four runs at once.
    pub fn new(
        engine: Engine,
        clock: Arc<dyn Clock>,
        connections: Arc<dyn ConnectionStore>,
        schedules: Arc<dyn ScheduleStore>,
        opener: Arc<dyn Opener>,
    ) -> Self {
        let shared = Arc::new(Shared { wake: Wake::default(), stops: AtomicBool::new(false) });
        let workshop = Arc::new(Workshop { engine, connections, schedules, opener, clock });
        Self { workshop, shared, runs_at_once: 4 }
    }

    /// Sets how many connections are worked on at once; at least one.
    #[must_use]
    pub fn with_runs_at_once(mut self, runs: usize) -> Self {
        self.runs_at_once = runs.max(1);
        self
    }

    /// The handle by which the host tells it of news.
    pub fn handle(&self) -> SchedulerHandle {
        SchedulerHandle {
            schedules: Arc::clone(&self.workshop.schedules),
            clock: Arc::clone(&self.workshop.clock),
            shared: Arc::clone(&self.shared),
            push_delay: Duration::from_secs(2),
        }
    }

    /// Runs what is due until [`SchedulerHandle::stop`]; then the runs at work come to their ends. Who cannot wait for that
    /// drops the future: a run that is cut off is resumed the next time.
    pub async fn run(self) {
        let mut turns = Turns::new();
        loop {
            let stops = self.shared.stops.load(Ordering::Acquire);
            if stops && turns.is_empty() {
                return;
            }
            let mut sleep = SLEEP;
            if !stops {
                let busy = turns.busy().clone();
                match turns.beside(self.look(&busy)).await {
                    Ok((due, next)) => {
                        for schedule in due {
                            turns.begin(schedule.key.connection.clone(), self.turn(schedule));
                        }
                        sleep = next;
                    }
                    Err(error) => sleep = store_failed(&error),
                }
            }
            if let Some(error) = turns.failure() {
                turns.beside(self.workshop.clock.sleep(store_failed(&error))).await;
            }
            let news = async {
                let (rung, slept) = (self.shared.wake.rung().fuse(), self.workshop.clock.sleep(sleep).fuse());
                pin_mut!(rung, slept);
                select(rung, slept).await;
            };
            turns.until_one_ends(news).await;
        }
    }

    /// What is due on connections that are not worked on, one schedule each, and how long it is until something else is.
    async fn look(&self, busy: &BTreeSet<ConnectionId>) -> Result<(Vec<Schedule>, Duration)> {
        let schedules = &self.workshop.schedules;
        let now = self.workshop.clock.now();
        let free = self.runs_at_once.saturating_sub(busy.len());
        let mut due = Vec::new();
        if free > 0 {
            // A busy connection may have all of its resources due.
            due = schedules.due(now, (free + busy.len()) * RESOURCES).await?;
            let mut taken = busy.clone();
            due.retain(|schedule| taken.insert(schedule.key.connection.clone()));
            due.truncate(free);
        }
        let next = schedules.next_due(now).await?;
        let next = next.map_or(SLEEP, |at| (at - now).to_std().unwrap_or(Duration::ZERO).min(SLEEP));
        Ok((due, next))
    }

    async fn turn(&self, schedule: Schedule) -> (ConnectionId, Result<()>) {
        let ended = self.workshop.take_turn(&schedule).await;
        (schedule.key.connection, ended)
    }
}

/// How many resources a connection may have schedules for.
const RESOURCES: usize = 5;

fn store_failed(error: &Error) -> Duration {
    tracing::error!(code = error.code().as_str(), "the scheduler's store failed: {error}");
    STORE_WAIT
}

impl SchedulerHandle {
    /// Sets how long new records of the host are gathered before they are pushed. 2 s unless told.
    #[must_use]
    pub fn with_push_delay(mut self, delay: Duration) -> Self {
        self.push_delay = delay;
        self
    }

    /// Keeps a schedule. Where its [`Schedule::next_at`] is not set, an interval begins at once and cron at its next time.
    ///
    /// # Errors
    /// As the store; [`ErrorCode::InvalidSettings`] for a rhythm that can never run.
    pub async fn schedule(&self, mut schedule: Schedule) -> Result<()> {
        if schedule.next_at.is_none() {
            schedule.next_at = schedule.rhythm.first(self.clock.now(), schedule.key.spread())?;
        }
        self.schedules.keep_schedule(&schedule).await?;
        self.shared.wake.ring();
        Ok(())
    }

    /// The host made records that are to be pushed: they go out together with those that come within the next moments.
    ///
    /// # Errors
    /// As the store; [`ErrorCode::InvalidSettings`] where no schedule is kept under the key.
    pub async fn created(&self, key: &ScheduleKey) -> Result<()> {
        self.known(key).await?;
        let delay = TimeDelta::from_std(self.push_delay).unwrap_or(TimeDelta::MAX);
        let at = self.clock.now().checked_add_signed(delay).unwrap_or(DateTime::<Utc>::MAX_UTC);
        self.schedules.ask_push(key, at).await?;
        self.shared.wake.ring();
        Ok(())
    }

    /// Syncs at once, whatever the rhythm.
    ///
    /// # Errors
    /// As the store; [`ErrorCode::InvalidSettings`] where no schedule is kept under the key.
    pub async fn sync_now(&self, key: &ScheduleKey) -> Result<()> {
        let mut schedule = self.known(key).await?;
        schedule.next_at = Some(self.clock.now());
        self.schedules.keep_schedule(&schedule).await?;
        self.shared.wake.ring();
        Ok(())
    }

    /// Somebody said that these of the CRM's records have changed: they are looked at at once.
    ///
    /// # Errors
    /// As the store.
    pub async fn changed(&self, key: &ScheduleKey, ids: &[RemoteId]) -> Result<()> {
        self.schedules.mark(key, ids, self.clock.now()).await?;
        self.shared.wake.ring();
        Ok(())
    }

    /// Schedules were changed in the store: it looks at them at once.
    pub fn look(&self) {
        self.shared.wake.ring();
    }

    /// Lets no further run begin; [`Scheduler::run`] returns once those at work have ended.
    pub fn stop(&self) {
        self.shared.stops.store(true, Ordering::Release);
        self.shared.wake.ring();
    }

    async fn known(&self, key: &ScheduleKey) -> Result<Schedule> {
        let kept = self.schedules.schedules(&key.tenant, &key.connection).await?;
        kept.into_iter().find(|schedule| schedule.key == *key).ok_or_else(|| {
            let message = format!("no schedule is kept for {} records of {}", key.resource, key.connection);
            Error::invalid(ErrorCode::InvalidSettings, message)
        })
    }
}
