//! A host with a scheduler, all of it in memory, on a clock that only moves when told: nothing here waits for real.

use std::sync::{Arc, Mutex};
use std::task::{Poll, Waker};
use std::time::Duration;

use abmatic_sync_core::clock::Clock;
use abmatic_sync_core::engine::Engine;
use abmatic_sync_core::error::Result;
use abmatic_sync_core::ids::{ConnectionId, IdSource, TenantId};
use abmatic_sync_core::model::connection::{Connection, Credentials};
use abmatic_sync_core::model::resource::Resource;
use abmatic_sync_core::model::schema::{Field, FieldType, Schema};
use abmatic_sync_core::schedule::rhythm::Rhythm;
use abmatic_sync_core::schedule::scheduler::{Opener, Scheduler, SchedulerHandle};
use abmatic_sync_core::store::connections::{ConnectionStatus, ConnectionStore, KeptConnection};
use abmatic_sync_core::store::schedules::{Schedule, ScheduleKey, ScheduleStore};
use abmatic_sync_core::store::state::{RunRecord, StateStore};
use abmatic_sync_testkit::memory::connections::MemoryConnections;
use abmatic_sync_testkit::memory::crm::MemoryCrm;
use abmatic_sync_testkit::memory::store::MemoryStore;
use async_trait::async_trait;
use chrono::{DateTime, TimeDelta, Utc};
use tokio::task::JoinHandle;

/// Stands still until it is moved; whoever sleeps wakes when their time has come.
#[derive(Debug, Default)]
pub(crate) struct HandClock(Mutex<(TimeDelta, Vec<Waker>)>);

impl HandClock {
    pub(crate) fn advance(&self, seconds: i64) {
        let mut state = self.0.lock().unwrap();
        state.0 += TimeDelta::seconds(seconds);
        state.1.drain(..).for_each(Waker::wake);
    }
}

#[async_trait]
impl Clock for HandClock {
    fn now(&self) -> DateTime<Utc> {
        "2026-11-25T08:00:00Z".parse::<DateTime<Utc>>().unwrap() + self.0.lock().unwrap().0
    }

    async fn sleep(&self, duration: Duration) {
        let until = self.now() + TimeDelta::from_std(duration).unwrap();
        std::future::poll_fn(|context| {
            if self.now() >= until {
                return Poll::Ready(());
            }
            self.0.lock().unwrap().1.push(context.waker().clone());
            Poll::Pending
        })
        .await;
    }
}

#[derive(Debug, Default)]
struct CountedIds(Mutex<u128>);

impl IdSource for CountedIds {
    fn next_id(&self, _: DateTime<Utc>) -> uuid::Uuid {
        let mut last = self.0.lock().unwrap();
        *last += 1;
        uuid::Uuid::from_u128(*last)
    }
}

#[derive(Debug)]
struct Plain;

#[async_trait]
impl Opener for Plain {
    async fn open(&self, kept: &KeptConnection) -> Result<Connection> {
        Ok(kept.with_credentials(Credentials::token("secret-token")))
    }
}

pub(crate) struct Desk {
    pub(crate) clock: Arc<HandClock>,
    pub(crate) crm: MemoryCrm,
    pub(crate) store: MemoryStore,
    pub(crate) kept: MemoryConnections,
    pub(crate) handle: SchedulerHandle,
    pub(crate) key: ScheduleKey,
    pub(crate) running: JoinHandle<()>,
}

impl Desk {
    /// A scheduler at work, with one connection that is not scheduled yet.
    #[expect(clippy::disallowed_methods, reason = "a host spawns its scheduler")]
    pub(crate) async fn new() -> Self {
        let clock = Arc::new(HandClock::default());
        let crm = MemoryCrm::new(Arc::clone(&clock) as Arc<dyn Clock>);
        let field = |name: &str, kind| Field::new(name, kind);
        let fields = vec![
            field("name", FieldType::Text),
            field("website", FieldType::Text),
            field("employee_count", FieldType::Integer),
        ];
        let store = MemoryStore::new([(Resource::Account, Schema::new(fields).with_key_field("website"))]);
        let kept = MemoryConnections::default();
        kept.keep_connection(&KeptConnection::new("tenant", "tenant/memory", "memory")).await.unwrap();
        let engine = Engine::new(Arc::new(store.clone()), Arc::clone(&clock) as _, Arc::new(CountedIds::default()))
            .with_connector(crm.clone());
        let (connections, schedules) = (Arc::new(kept.clone()), Arc::new(kept.clone()));
        let scheduler = Scheduler::new(engine, Arc::clone(&clock) as _, connections, schedules, Arc::new(Plain));
        let handle = scheduler.handle();
        let running = tokio::spawn(scheduler.run());
        let key = ScheduleKey::new("tenant", "tenant/memory", Resource::Account);
        Self { clock, crm, store, kept, handle, key, running }
    }

    pub(crate) async fn schedule(&self, rhythm: Rhythm) {
        self.handle.schedule(Schedule::new(self.key.clone(), rhythm)).await.unwrap();
        self.settle().await;
    }

    /// Lets everything happen that can happen without the time going on.
    pub(crate) async fn settle(&self) {
        for _ in 0..2_000 {
            tokio::task::yield_now().await;
        }
    }

    pub(crate) async fn pass(&self, seconds: i64) {
        self.clock.advance(seconds);
        self.settle().await;
    }

    /// All runs so far, the oldest first.
    pub(crate) async fn runs(&self) -> Vec<RunRecord> {
        let mut runs = self.store.runs(&self.tenant(), &self.key.connection, 1_000).await.unwrap();
        runs.reverse();
        runs
    }

    pub(crate) async fn status(&self) -> ConnectionStatus {
        self.kept.connection(&self.tenant(), &self.key.connection).await.unwrap().unwrap().status
    }

    pub(crate) async fn kept_schedule(&self) -> Schedule {
        let connection: &ConnectionId = &self.key.connection;
        self.kept.schedules(&self.tenant(), connection).await.unwrap().remove(0)
    }

    pub(crate) fn tenant(&self) -> TenantId {
        self.key.tenant.clone()
    }
}
