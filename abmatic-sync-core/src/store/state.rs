//! The engine's own memory: links with their bases, cursors, intents, runs, the lease and the log.

use std::fmt;

use async_trait::async_trait;
use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

use crate::error::{ErrorCode, Result};
use crate::ids::{ConnectionId, IntentId, LocalId, RemoteId, RunId, TenantId};
use crate::model::change::Direction;
use crate::model::fields::Fields;
use crate::model::journal::{LogEntry, Status};
use crate::model::link::{Link, LinkScope};
use crate::model::quarantine::Quarantined;
use crate::model::record::RecordId;
use crate::model::resource::{Resource, Side};
use crate::store::page::StateCommit;

/// The engine's own memory.
///
/// # Contract
/// - Nothing of one tenant is ever given to another.
/// - A commit is one transaction: all of it or nothing.
/// - [`StateStore::commit`] first checks that the run's lease token is still the connection's own, and refuses with
///   [`crate::error::ErrorCode::LeaseHeld`] when it is not (I6).
#[async_trait]
pub trait StateStore: fmt::Debug + Send + Sync + 'static {
    /// Links by either end, in one query.
    async fn links(&self, scope: &LinkScope, ends: &LinkEnds) -> Result<Vec<Link>>;

    /// Records that were set aside, in one query, each once.
    async fn quarantine(&self, scope: &LinkScope, query: &QuarantineQuery) -> Result<Vec<Quarantined>>;

    /// Makes records that were set aside due at `at`, those that were due before left as they are, and says how many of
    /// them there are. Needs no lease: a host may ask for it at any time.
    async fn retry_now(&self, scope: &LinkScope, which: &Retried, at: DateTime<Utc>) -> Result<u64>;

    /// How many links there are, those with a [`Link::gone`] among them.
    async fn link_count(&self, scope: &LinkScope) -> Result<u64>;

    /// The settings kept for a connection and resource, as the engine wrote them down.
    async fn settings(&self, scope: &LinkScope) -> Result<Option<String>>;

    /// Keeps settings in place of those before.
    async fn save_settings(&self, scope: &LinkScope, settings: &str) -> Result<()>;

    /// The value kept under a cursor's name.
    async fn cursor(&self, scope: &LinkScope, name: &str) -> Result<Option<String>>;

    /// Creates that were announced and have no outcome yet.
    async fn open_intents(&self, scope: &LinkScope) -> Result<Vec<Intent>>;

    /// Commits intents before they are sent. Checks the lease as [`StateStore::commit`] does.
    async fn announce(&self, scope: &LinkScope, lease: &Lease, intents: &[Intent]) -> Result<()>;

    /// Commits what one page came to.
    async fn commit(&self, scope: &LinkScope, lease: &Lease, commit: &StateCommit) -> Result<()>;

    /// Takes the connection for a run, if no other holds it, or if its holder's time is over. Raises the token.
    async fn acquire(
        &self,
        tenant: &TenantId,
        connection: &ConnectionId,
        holder: &RunId,
        now: DateTime<Utc>,
        until: DateTime<Utc>,
    ) -> Result<Lease>;

    /// Extends a lease to its [`Lease::until`], as [`StateStore::commit`] does by the way. It never ends earlier for it.
    ///
    /// # Errors
    /// [`crate::error::ErrorCode::LeaseHeld`] when it is not the connection's own any more.
    async fn extend(&self, lease: &Lease) -> Result<()>;

    /// Gives the connection back. A lease that was lost meanwhile is no error.
    async fn release(&self, lease: &Lease) -> Result<()>;

    /// Notes a run's start or its newest state.
    async fn save_run(&self, run: &RunRecord) -> Result<()>;

    /// A run by id.
    async fn run(&self, tenant: &TenantId, id: &RunId) -> Result<Option<RunRecord>>;

    /// Runs of a connection, newest first.
    async fn runs(&self, tenant: &TenantId, connection: &ConnectionId, limit: usize) -> Result<Vec<RunRecord>>;

    /// Log entries, newest first.
    async fn log(&self, query: &LogQuery) -> Result<Vec<LogEntry>>;
}

/// The ends by which links are looked up.
#[non_exhaustive]
#[derive(Clone, Debug, PartialEq)]
pub enum LinkEnds {
    /// All of them, in the order of their local ids.
    All {
        /// Only beyond this one.
        after: Option<LocalId>,
        /// How many at the most.
        limit: usize,
    },
    /// By the host's ids.
    Local(Vec<LocalId>),
    /// By the CRM's ids.
    Remote(Vec<RemoteId>),
    /// Those with a [`Link::waiting_for`], in the order of their local ids.
    Waiting {
        /// Only beyond this one.
        after: Option<LocalId>,
        /// How many at the most.
        limit: usize,
    },
}

impl LinkEnds {
    /// Whether none is named.
    pub fn is_empty(&self) -> bool {
        match self {
            Self::Local(ids) => ids.is_empty(),
            Self::Remote(ids) => ids.is_empty(),
            Self::All { limit, .. } | Self::Waiting { limit, .. } => *limit == 0,
        }
    }
}

/// Which of the records that were set aside to look up.
#[non_exhaustive]
#[derive(Clone, Debug, PartialEq)]
pub enum QuarantineQuery {
    /// All of them, in the order of their [`RecordId`]s.
    All {
        /// Only beyond this one.
        after: Option<RecordId>,
        /// How many at the most.
        limit: usize,
    },
    /// Those of one side whose time has come, in the order of that time, then of their ids.
    Due {
        /// Whose.
        side: Side,
        /// The time until which they had to wait.
        at: DateTime<Utc>,
        /// Only beyond the one with this time and id.
        after: Option<(DateTime<Utc>, String)>,
        /// How many at the most.
        limit: usize,
    },
    /// These records.
    Of(Vec<RecordId>),
}

/// Which of the records that were set aside are to be tried again at once.
#[non_exhaustive]
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Retried {
    /// All of them.
    All,
    /// These.
    Of(Vec<RecordId>),
}

/// A create that is announced before it is sent.
#[non_exhaustive]
#[derive(Clone, Debug, PartialEq)]
pub struct Intent {
    /// The key under which the CRM can be asked.
    pub id: IntentId,
    /// The host's record that gets a counterpart.
    pub local_id: LocalId,
    /// When it was announced.
    pub announced_at: DateTime<Utc>,
    /// What is sent, in the CRM's vocabulary.
    pub fields: Fields,
}

impl Intent {
    /// An intent to create the counterpart of `local_id`.
    pub fn new(id: IntentId, local_id: LocalId, announced_at: DateTime<Utc>, fields: Fields) -> Self {
        Self { id, local_id, announced_at, fields }
    }
}

/// The right of one run to work on a connection. `token` only ever grows: who holds an older one is refused.
#[non_exhaustive]
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Lease {
    /// Whose.
    pub tenant: TenantId,
    /// On which connection.
    pub connection: ConnectionId,
    /// Which run.
    pub holder: RunId,
    /// The fencing token.
    pub token: i64,
    /// Until when, unless extended.
    pub until: DateTime<Utc>,
}

impl Lease {
    /// A lease as a store gives it out.
    pub fn new(tenant: TenantId, connection: ConnectionId, holder: RunId, token: i64, until: DateTime<Utc>) -> Self {
        Self { tenant, connection, holder, token, until }
    }
}

/// How a run stands.
#[non_exhaustive]
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum RunStatus {
    /// It reached its end.
    Completed,
    /// It stopped with an error and can be resumed.
    Failed,
    /// It would exceed a cap and wrote nothing: it goes on when confirmed.
    NeedsConfirmation,
    /// It runs, or was killed.
    Running,
}

/// What a run did so far. Every record read ends as exactly one of the six (I5); nothing is deleted unless
/// [`crate::policy::GoneRule::Propagate`] says so.
#[non_exhaustive]
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Counts {
    /// Records read and worked on.
    pub read: u64,
    /// Counterparts created.
    pub created: u64,
    /// Records with a field written.
    pub updated: u64,
    /// Records that were equal already.
    pub unchanged: u64,
    /// Records left by a setting.
    pub skipped: u64,
    /// Records that could not be written.
    pub failed: u64,
    /// Records deleted because their counterparts were.
    #[serde(default)]
    pub deleted: u64,
    /// Fields emptied.
    pub cleared_fields: u64,
}

impl Counts {
    /// Whether every record read is accounted for.
    pub fn add_up(&self) -> bool {
        self.read == self.created + self.updated + self.unchanged + self.skipped + self.failed + self.deleted
    }

    /// Adds another part of the same run.
    pub fn add(&mut self, other: &Self) {
        self.read += other.read;
        self.created += other.created;
        self.updated += other.updated;
        self.unchanged += other.unchanged;
        self.skipped += other.skipped;
        self.failed += other.failed;
        self.deleted += other.deleted;
        self.cleared_fields += other.cleared_fields;
    }
}

/// A run as the store remembers it.
#[non_exhaustive]
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct RunRecord {
    /// Its id.
    pub id: RunId,
    /// Whose.
    pub tenant: TenantId,
    /// On which connection.
    pub connection: ConnectionId,
    /// Which resource.
    pub resource: Resource,
    /// What it was asked for, as the engine wrote it down: enough to resume it.
    pub request: String,
    /// How it stands.
    pub status: RunStatus,
    /// When it began.
    pub started_at: DateTime<Utc>,
    /// When it ended, if it did.
    pub finished_at: Option<DateTime<Utc>>,
    /// What it did so far.
    pub counts: Counts,
    /// Where it stands, as the engine wrote it down.
    pub checkpoint: Option<String>,
    /// Calls to the CRM so far.
    pub calls: u64,
    /// Why it stopped, if it failed.
    pub error: Option<String>,
    /// The same in a word.
    #[serde(default)]
    pub error_code: Option<ErrorCode>,
}

impl RunRecord {
    /// A run that begins now.
    pub fn new(
        id: RunId,
        tenant: TenantId,
        connection: ConnectionId,
        resource: Resource,
        request: String,
        started_at: DateTime<Utc>,
    ) -> Self {
        Self {
            id,
            tenant,
            connection,
            resource,
            request,
            status: RunStatus::Running,
            started_at,
            finished_at: None,
            counts: Counts::default(),
            checkpoint: None,
            calls: 0,
            error: None,
            error_code: None,
        }
    }
}

/// Which log entries to show. Everything unset is not asked about.
#[non_exhaustive]
#[derive(Clone, Debug)]
pub struct LogQuery {
    /// Whose.
    pub tenant: TenantId,
    /// Of which connection.
    pub connection: Option<ConnectionId>,
    /// Of which run.
    pub run: Option<RunId>,
    /// Of which resource.
    pub resource: Option<Resource>,
    /// With which status.
    pub status: Option<Status>,
    /// With which error code.
    pub code: Option<ErrorCode>,
    /// Which way.
    pub direction: Option<Direction>,
    /// Of which local record.
    pub local_id: Option<LocalId>,
    /// Of which remote record.
    pub remote_id: Option<RemoteId>,
    /// Not before.
    pub since: Option<DateTime<Utc>>,
    /// Before.
    pub until: Option<DateTime<Utc>>,
    /// How many at the most.
    pub limit: usize,
    /// How many of the newest to pass over.
    pub offset: usize,
}

impl LogQuery {
    /// Everything of a tenant, the newest hundred.
    pub fn new(tenant: impl Into<TenantId>) -> Self {
        Self {
            tenant: tenant.into(),
            connection: None,
            run: None,
            resource: None,
            status: None,
            code: None,
            direction: None,
            local_id: None,
            remote_id: None,
            since: None,
            until: None,
            limit: 100,
            offset: 0,
        }
    }

    /// Only this run's.
    #[must_use]
    pub fn of_run(mut self, run: RunId) -> Self {
        self.run = Some(run);
        self
    }

    /// Only this status.
    #[must_use]
    pub fn with_status(mut self, status: Status) -> Self {
        self.status = Some(status);
        self
    }

    /// At the most so many.
    #[must_use]
    pub fn with_limit(mut self, limit: usize) -> Self {
        self.limit = limit;
        self
    }
}
