//! Opens the database and hands out its two sides: one connection writes, a few read.

use std::fmt;
use std::path::Path;
use std::sync::Arc;

use abmatic_sync_core::error::{Error, Result};
use abmatic_sync_core::ids::TenantId;
use abmatic_sync_core::model::journal::LogEntry;
use abmatic_sync_core::model::link::LinkScope;
use abmatic_sync_core::model::resource::Resource;
use abmatic_sync_core::store::contract::{Store, split_by_outcome};
use abmatic_sync_core::store::page::{Birth, PageCommit, PageItem};
use abmatic_sync_core::store::records::{LocalOutcome, LocalWrite, RecordStore};
use abmatic_sync_core::store::state::{Lease, StateStore};
use async_trait::async_trait;
use sqlx::pool::PoolConnection;
use sqlx::sqlite::SqliteConnectOptions;
use sqlx::{AssertSqlSafe, Sqlite, SqlitePool, Transaction};
use tokio::task::JoinSet;

use crate::dialect::sqlite::{self, Durability};
use crate::failure::failed;
use crate::keys::RecentKeys;
use crate::lease::hold_lease;
use crate::log::Lines;
use crate::scopes::{ScopeKey, Scopes};
use crate::{births, links, migrate, records, runs, state};

/// How a database is opened.
#[non_exhaustive]
#[derive(Clone, Debug)]
pub struct SqliteOptions {
    /// How many connections read beside the one that writes.
    pub readers: u32,
    /// How much of the database the writing connection keeps in memory, in KiB.
    pub cache_kibibytes: u32,
    /// How many of the newest records' match keys are remembered before they go to their index together: 32 bytes each.
    pub recent_keys_max: u32,
}

impl Default for SqliteOptions {
    fn default() -> Self {
        Self { readers: 2, cache_kibibytes: 4 * 1024, recent_keys_max: 65_536 }
    }
}

impl SqliteOptions {
    /// Two readers and a cache of 4 MiB: a larger one is filled by an import, and makes it no faster.
    pub fn new() -> Self {
        Self::default()
    }

    /// Sets the number of readers; at least one is opened.
    #[must_use]
    pub fn with_readers(mut self, readers: u32) -> Self {
        self.readers = readers;
        self
    }

    /// Sets the cache's size in KiB.
    #[must_use]
    pub fn with_cache_kibibytes(mut self, cache_kibibytes: u32) -> Self {
        self.cache_kibibytes = cache_kibibytes;
        self
    }

    /// Sets how many match keys are remembered.
    #[must_use]
    pub fn with_recent_keys_max(mut self, recent_keys_max: u32) -> Self {
        self.recent_keys_max = recent_keys_max;
        self
    }
}

/// Records and state in one SQLite file, for any number of tenants. Clones share the connections.
///
/// A page is one transaction. What was told to a CRM, announced to it, or edited by the host is on the disk before the call
/// returns; a page that was only read from a CRM may be forgotten by a power loss, whole, with its cursor, and is read again.
#[derive(Clone)]
pub struct SqliteStore {
    inner: Arc<Inner>,
}

struct Inner {
    writer: SqlitePool,
    readers: SqlitePool,
    scopes: Scopes,
    keys: RecentKeys,
}

impl SqliteStore {
    /// Opens the file at `path`, makes it if it is not there, and brings its tables to this version.
    ///
    /// # Errors
    /// [`abmatic_sync_core::error::ErrorCode::StoreFailed`] when the file cannot be opened, is no database, or was written by
    /// a later version.
    pub async fn open(path: impl AsRef<Path>) -> Result<Self> {
        Self::open_with(path, SqliteOptions::default()).await
    }

    /// Opens the file at `path` in another way than usual.
    ///
    /// # Errors
    /// As [`SqliteStore::open`].
    pub async fn open_with(path: impl AsRef<Path>, options: SqliteOptions) -> Result<Self> {
        let file = sqlite::file(path.as_ref());
        let writer = Self::migrated(&file, &options).await?;
        Ok(Self::of(writer, sqlite::readers(&file, options.readers.max(1)), &options))
    }

    /// A database that lives as long as this store and its clones.
    ///
    /// # Errors
    /// None that is known; memory may run out.
    pub async fn in_memory() -> Result<Self> {
        Self::in_memory_with(SqliteOptions::default()).await
    }

    /// A database in memory with other options; it has one connection whatever they say.
    ///
    /// # Errors
    /// As [`SqliteStore::in_memory`].
    pub async fn in_memory_with(options: SqliteOptions) -> Result<Self> {
        let writer = Self::migrated(&sqlite::memory(), &options).await?;
        Ok(Self::of(writer.clone(), writer, &options))
    }

    async fn migrated(connect: &SqliteConnectOptions, options: &SqliteOptions) -> Result<SqlitePool> {
        let writer = sqlite::writer(connect, options.cache_kibibytes);
        drop(writer.acquire().await.map_err(failed("open the database"))?);
        migrate::migrate(&writer).await?;
        Ok(writer)
    }

    fn of(writer: SqlitePool, readers: SqlitePool, options: &SqliteOptions) -> Self {
        Self {
            inner: Arc::new(Inner {
                writer,
                readers,
                scopes: Scopes::default(),
                keys: RecentKeys::new(options.recent_keys_max),
            }),
        }
    }

    /// Closes the connections once they are idle, and works the log in front of the file into it.
    pub async fn close(&self) {
        self.inner.readers.close().await;
        self.inner.writer.close().await;
    }

    pub(crate) fn keys(&self) -> &RecentKeys {
        &self.inner.keys
    }

    pub(crate) fn scopes(&self) -> &Scopes {
        &self.inner.scopes
    }

    /// A connection that sees every commit so far.
    pub(crate) async fn reader(&self) -> Result<PoolConnection<Sqlite>> {
        self.inner.readers.acquire().await.map_err(failed("read"))
    }

    /// The same for a page's look-ups: through the writer while it is idle, whose cache the page's commit uses again. A
    /// reader's cache is void after every commit.
    pub(crate) async fn page_reader(&self) -> Result<PoolConnection<Sqlite>> {
        match self.inner.writer.try_acquire() {
            Some(connection) => Ok(connection),
            None => self.reader().await,
        }
    }

    /// The number of a scope that is to be written to.
    pub(crate) async fn writing_scope(&self, key: &ScopeKey) -> Result<i64> {
        if let Some(id) = self.inner.scopes.remembered(key) {
            return Ok(id);
        }
        let mut connection = self.inner.writer.acquire().await.map_err(failed("write"))?;
        self.inner.scopes.find_or_add(&mut connection, key).await
    }

    /// The number of a scope whose records are to be written.
    pub(crate) async fn writing_records(&self, tenant: &TenantId, resource: Resource) -> Result<i64> {
        if self.keys().lag_behind() {
            self.keys().catch_up(&mut *self.reader().await?).await?;
        }
        self.writing_scope(&ScopeKey::records(tenant, resource)).await
    }

    pub(crate) async fn begin(&self, durability: Durability) -> Result<Transaction<'static, Sqlite>> {
        self.inner.writer.begin_with(AssertSqlSafe(durability.begin())).await.map_err(failed("begin to write"))
    }
}

impl fmt::Debug for SqliteStore {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SqliteStore").finish_non_exhaustive()
    }
}

#[async_trait]
impl Store for SqliteStore {
    fn records(&self) -> &dyn RecordStore {
        self
    }

    fn state(&self) -> &dyn StateStore {
        self
    }

    fn takes_births(&self) -> bool {
        true
    }

    async fn commit_page(
        &self,
        scope: &LinkScope,
        lease: &Lease,
        page: PageCommit,
    ) -> Result<Vec<Option<LocalOutcome>>> {
        // As a task of its own, since it is many short statements in a row: each would wait until whoever reads the next
        // page beside it lets the executor go on. It ends with its caller.
        let (store, scope, lease) = (self.clone(), scope.clone(), lease.clone());
        let mut task = JoinSet::new();
        task.spawn(async move { store.commit_whole(&scope, &lease, page).await });
        match task.join_next().await {
            Some(Ok(done)) => done,
            Some(Err(error)) => Err(Error::store("the commit of a page was broken off", error)),
            None => Err(Error::store("the commit of a page never began", "its task is missing")),
        }
    }
}

impl SqliteStore {
    async fn commit_whole(
        &self,
        scope: &LinkScope,
        lease: &Lease,
        mut page: PageCommit,
    ) -> Result<Vec<Option<LocalOutcome>>> {
        let record_scope = self.writing_records(&scope.tenant, scope.resource).await?;
        let scopes = self.writing_links(scope).await?;
        let log_scopes = self.log_scopes(&scope.tenant, page.items.iter().flat_map(entries)).await?;
        let mut transaction = self.begin(durability(&page)).await?;
        hold_lease(&mut transaction, lease).await?;
        let unlinks: Vec<_> = page.items.iter_mut().filter_map(|item| item.unlink.take()).collect();
        links::forget(&mut transaction, scopes, &unlinks).await?;
        let is_birth: Vec<bool> =
            page.items.iter().filter(|item| item.writes().is_some()).map(|item| item.birth.is_some()).collect();
        let births: Vec<&Birth> = page.items.iter().filter_map(|item| item.birth.as_ref()).collect();
        let run = runs::number(&mut transaction, &page.run.tenant, &page.run.id).await?;
        let lines = Lines::new(&page.run.tenant, &log_scopes, &page.run.id, run);
        let (of_births, new_keys) =
            births::write(&mut transaction, (scopes, scope.resource), &lines, &births, self.keys()).await?;
        let writes: Vec<&LocalWrite> = page.items.iter().filter_map(|item| item.local_write.as_ref()).collect();
        let (of_writes, keys) =
            records::write(&mut transaction, record_scope, scope.resource, &writes, self.keys()).await?;
        let (mut of_births, mut of_writes) = (of_births.into_iter(), of_writes.into_iter());
        let next = |is_birth: &bool| if *is_birth { of_births.next() } else { of_writes.next() };
        let outcomes = is_birth.iter().map_while(next).collect();
        let (commit, by_item) = split_by_outcome(page, outcomes);
        state::write(&mut transaction, scopes, &log_scopes, &commit).await?;
        transaction.commit().await.map_err(failed("commit a page"))?;
        self.keys().add(new_keys);
        self.keys().add(keys);
        Ok(by_item)
    }
}

/// The entries of the log that an item may leave.
fn entries(item: &PageItem) -> impl Iterator<Item = &LogEntry> {
    item.birth.iter().map(|birth| &birth.log).chain(&item.log).chain(&item.log_if_refused)
}

fn durability(page: &PageCommit) -> Durability {
    Durability::of_page(
        page.items.iter().any(|item| item.closed_intent.is_some() || item.log.iter().any(state::went_out)),
    )
}
