//! Everything that was written on any side, by whom, in its order: what the invariants are judged by.

use std::sync::atomic::{AtomicBool, AtomicI64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use abmatic_sync_core::clock::Clock;
use abmatic_sync_core::ids::IdSource;
use abmatic_sync_core::model::resource::Resource;
use abmatic_sync_core::model::value::Value;
use async_trait::async_trait;
use chrono::{DateTime, Utc};

use crate::simulator::gate::turn;

/// Who wrote.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Author {
    /// A run over the connection to CRM `0`….
    Engine(usize),
    Person,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum EventKind {
    Create,
    Delete,
    /// The record lives on in another.
    Merge,
    Restore,
    Update,
}

/// One record written on one side: 0 is the host, `n` the CRM `n - 1`.
#[derive(Clone, Debug)]
pub(crate) struct Event {
    pub(crate) side: usize,
    pub(crate) resource: Resource,
    pub(crate) id: String,
    pub(crate) kind: EventKind,
    pub(crate) author: Author,
    pub(crate) at: DateTime<Utc>,
    /// The host's names of the fields, with the values before and after.
    pub(crate) changes: Vec<(String, Value, Value)>,
    /// A person edited the record after the run had last read it: no client can see that on a CRM.
    pub(crate) raced: bool,
    /// An import may have done it: what exists is treated by the duplicate handling.
    pub(crate) imports: bool,
}

/// The simulated world's time, ids and record of events. Clones share them.
#[derive(Clone, Debug, Default)]
pub(crate) struct Journal {
    millis: Arc<AtomicI64>,
    ids: Arc<AtomicI64>,
    events: Arc<Mutex<Vec<Event>>>,
    /// Breaches that a side sees by itself.
    breaches: Arc<Mutex<Vec<String>>>,
    /// The connection that is worked on.
    working: Arc<AtomicI64>,
    imports: Arc<AtomicBool>,
}

impl Journal {
    pub(crate) fn new() -> Self {
        let journal = Self::default();
        journal.millis.store(1_700_000_000_000, Ordering::Relaxed);
        journal
    }

    pub(crate) fn time(&self) -> DateTime<Utc> {
        DateTime::from_timestamp_millis(self.millis.load(Ordering::Relaxed)).unwrap_or_default()
    }

    pub(crate) fn advance_millis(&self, millis: i64) {
        self.millis.fetch_add(millis, Ordering::Relaxed);
    }

    /// Says on whose behalf the next writes are.
    pub(crate) fn work_on(&self, crm: usize, imports: bool) {
        self.imports.store(imports, Ordering::Relaxed);
        self.working.store(i64::try_from(crm).unwrap_or(0), Ordering::Relaxed);
    }

    /// The author of what a run writes now.
    pub(crate) fn engine(&self) -> Author {
        Author::Engine(usize::try_from(self.working.load(Ordering::Relaxed)).unwrap_or(0))
    }

    pub(crate) fn write(&self, mut event: Event) {
        event.imports = event.author != Author::Person && self.imports.load(Ordering::Relaxed);
        self.events().push(event);
    }

    /// The events since `from`.
    pub(crate) fn since(&self, from: usize) -> Vec<Event> {
        self.events().get(from..).map(<[Event]>::to_vec).unwrap_or_default()
    }

    pub(crate) fn len(&self) -> usize {
        self.events().len()
    }

    pub(crate) fn breach(&self, what: String) {
        self.breaches.lock().unwrap_or_else(PoisonError::into_inner).push(what);
    }

    pub(crate) fn first_breach(&self) -> Option<String> {
        self.breaches.lock().unwrap_or_else(PoisonError::into_inner).first().cloned()
    }

    fn events(&self) -> MutexGuard<'_, Vec<Event>> {
        self.events.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[async_trait]
impl Clock for Journal {
    fn now(&self) -> DateTime<Utc> {
        self.time()
    }

    async fn sleep(&self, duration: Duration) {
        self.advance_millis(i64::try_from(duration.as_millis()).unwrap_or(i64::MAX));
        turn().await;
    }
}

impl IdSource for Journal {
    fn next_id(&self, _: DateTime<Utc>) -> uuid::Uuid {
        uuid::Uuid::from_u128(self.ids.fetch_add(1, Ordering::Relaxed).unsigned_abs().into())
    }
}
