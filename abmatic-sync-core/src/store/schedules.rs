//! What is due: rhythms, and what webhooks and the host told in between. The truth from which any scheduler works.

use std::fmt;

use async_trait::async_trait;
use chrono::{DateTime, Utc};

use crate::error::Result;
use crate::ids::{ConnectionId, RemoteId, TenantId};
use crate::model::resource::Resource;
use crate::policy::Scope;
use crate::schedule::rhythm::Rhythm;

/// Which resource of which connection.
#[non_exhaustive]
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ScheduleKey {
    /// Whose.
    pub tenant: TenantId,
    /// On which connection.
    pub connection: ConnectionId,
    /// Which resource.
    pub resource: Resource,
}

impl ScheduleKey {
    /// `resource` of a connection.
    pub fn new(tenant: impl Into<TenantId>, connection: impl Into<ConnectionId>, resource: Resource) -> Self {
        Self { tenant: tenant.into(), connection: connection.into(), resource }
    }

    /// Its own place within any jitter: the same on every machine and in every version (FNV-1a).
    pub(crate) fn spread(&self) -> u64 {
        let words = [self.tenant.as_str(), self.connection.as_str(), self.resource.as_str()];
        let bytes = words.iter().flat_map(|word| word.bytes().chain([0]));
        bytes.fold(0xcbf2_9ce4_8422_2325, |hash, byte| (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3))
    }
}

/// When a resource of a connection is synced.
#[non_exhaustive]
#[derive(Clone, Debug, PartialEq)]
pub struct Schedule {
    /// Which.
    pub key: ScheduleKey,
    /// How often.
    pub rhythm: Rhythm,
    /// Which of the CRM's records take part.
    pub scope: Scope,
    /// When it is synced next.
    pub next_at: Option<DateTime<Utc>>,
    /// Since when records are marked ([`ScheduleStore::mark`]) that no run has looked at.
    pub marked_at: Option<DateTime<Utc>>,
    /// When the host's new records are pushed.
    pub push_at: Option<DateTime<Utc>>,
    /// Nothing of it is due before, after a failure.
    pub retry_at: Option<DateTime<Utc>>,
    /// How often in a row it failed.
    pub failures: u32,
    /// Why it failed the last time, if it did.
    pub error: Option<String>,
    /// How often in a row it began and came to no end: the program was killed, or worse.
    pub starts: u32,
}

impl Schedule {
    /// A schedule whose first time is still to be set: [`crate::schedule::scheduler::SchedulerHandle::schedule`] does so.
    pub fn new(key: ScheduleKey, rhythm: Rhythm) -> Self {
        Self {
            key,
            rhythm,
            scope: Scope::All,
            next_at: None,
            marked_at: None,
            push_at: None,
            retry_at: None,
            failures: 0,
            error: None,
            starts: 0,
        }
    }

    /// Which of the CRM's records take part.
    #[must_use]
    pub fn with_scope(mut self, scope: Scope) -> Self {
        self.scope = scope;
        self
    }

    /// When something of it is due first, if ever.
    pub fn due_at(&self) -> Option<DateTime<Utc>> {
        let first = [self.next_at, self.marked_at, self.push_at].into_iter().flatten().min()?;
        Some(self.retry_at.map_or(first, |retry_at| retry_at.max(first)))
    }
}

/// How a turn of a schedule ended.
#[non_exhaustive]
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TurnEnd {
    /// When it is synced next.
    pub next_at: Option<DateTime<Utc>>,
    /// Pushes that were asked for until then are done.
    pub pushed_until: Option<DateTime<Utc>>,
    /// Nothing of it is due before, after a failure.
    pub retry_at: Option<DateTime<Utc>>,
    /// How often in a row it failed, this time included.
    pub failures: u32,
    /// Why it failed, if it did.
    pub error: Option<String>,
}

impl TurnEnd {
    /// A turn that went well.
    pub fn well(next_at: Option<DateTime<Utc>>) -> Self {
        Self { next_at, pushed_until: None, retry_at: None, failures: 0, error: None }
    }
}

/// A record that somebody said has changed.
#[non_exhaustive]
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Mark {
    /// Which.
    pub id: RemoteId,
    /// When it was marked last.
    pub at: DateTime<Utc>,
}

impl Mark {
    /// A record that was marked at that time.
    pub fn new(id: RemoteId, at: DateTime<Utc>) -> Self {
        Self { id, at }
    }
}

/// Keeps schedules, and what is marked between their times.
///
/// # Contract
/// - A mark is one row however often it comes.
/// - What was marked while a run looked at it stays marked: [`ScheduleStore::unmark`] only takes marks as old as it names.
/// - [`ScheduleStore::due`] is fair: no tenant comes a second time before every other that has something due came once.
#[async_trait]
pub trait ScheduleStore: fmt::Debug + Send + Sync + 'static {
    /// Those of a connection.
    async fn schedules(&self, tenant: &TenantId, connection: &ConnectionId) -> Result<Vec<Schedule>>;

    /// Keeps a schedule's rhythm, scope and [`Schedule::next_at`] in place of those of its key, and lets it wait no longer
    /// after a failure. Marks and pushes that were asked for stay.
    async fn keep_schedule(&self, schedule: &Schedule) -> Result<()>;

    /// Counts a start, and says how many there are now without an end.
    async fn began(&self, key: &ScheduleKey) -> Result<u32>;

    /// Notes how a turn ended; its start counts no more.
    async fn ended(&self, key: &ScheduleKey, end: &TurnEnd) -> Result<()>;

    /// What is due at `now` on connections that may run then
    /// ([`crate::store::connections::ConnectionStatus::lets_run`]), whoever waits longest first.
    async fn due(&self, now: DateTime<Utc>, limit: usize) -> Result<Vec<Schedule>>;

    /// When something is due first after `now`, on a connection that may run by then.
    async fn next_due(&self, now: DateTime<Utc>) -> Result<Option<DateTime<Utc>>>;

    /// Marks records that may have changed. Where no schedule is kept under the key nothing is.
    async fn mark(&self, key: &ScheduleKey, ids: &[RemoteId], at: DateTime<Utc>) -> Result<()>;

    /// The marks of a key, the oldest first.
    async fn marks(&self, key: &ScheduleKey, limit: usize) -> Result<Vec<Mark>>;

    /// Takes marks away that were not set again since, and with the last one [`Schedule::marked_at`].
    async fn unmark(&self, key: &ScheduleKey, marks: &[Mark]) -> Result<()>;

    /// Asks for a push of the host's new records at `at`. An earlier time that was asked for stays.
    async fn ask_push(&self, key: &ScheduleKey, at: DateTime<Utc>) -> Result<()>;
}
