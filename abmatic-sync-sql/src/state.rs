//! The engine's memory in SQL: each call one transaction, and each commit fenced by the lease.

use abmatic_sync_core::error::Result;
use abmatic_sync_core::ids::{ConnectionId, RunId, TenantId};
use abmatic_sync_core::model::change::Direction;
use abmatic_sync_core::model::journal::LogEntry;
use abmatic_sync_core::model::link::{Link, LinkScope};
use abmatic_sync_core::model::quarantine::Quarantined;
use abmatic_sync_core::store::page::StateCommit;
use abmatic_sync_core::store::state::{
    Intent, Lease, LinkEnds, LogQuery, QuarantineQuery, Retried, RunRecord, StateStore,
};
use async_trait::async_trait;
use chrono::{DateTime, Utc};
use sqlx::SqliteConnection;
use sqlx::pool::PoolConnection;

use crate::batch::Batch;
use crate::dialect::sqlite::Durability;
use crate::failure::failed;
use crate::lease::hold_lease;
use crate::links::LinkScopes;
use crate::log::{self, Lines, LogScopes, Order};
use crate::scopes::ScopeKey;
use crate::store::SqliteStore;
use crate::{intents, links, quarantine, runs};

static CURSORS: Batch = Batch::new("INSERT OR REPLACE INTO abmatic_cursor (scope, name, value) VALUES ", "(?,?,?)", "");

/// Writes the state's part of a page within a transaction.
pub(crate) async fn write(
    connection: &mut SqliteConnection,
    scopes: LinkScopes,
    log_scopes: &LogScopes,
    commit: &StateCommit,
) -> Result<()> {
    let scope = scopes.links;
    let run = runs::save(connection, &commit.run).await?;
    links::forget(connection, scopes, &commit.unlinks).await?;
    links::keep(connection, scopes, &commit.links).await?;
    intents::close(connection, scope, &commit.closed_intents).await?;
    quarantine::release(connection, scope, &commit.released).await?;
    quarantine::set_aside(connection, scope, &commit.set_aside).await?;
    CURSORS
        .execute(
            connection,
            |_| {},
            commit.cursors.iter(),
            |binds, (name, value)| {
                binds.push(scope);
                binds.push(name.as_str());
                binds.push(value.as_str());
            },
        )
        .await
        .map_err(failed("move cursors"))?;
    let lines = Lines::new(&commit.run.tenant, log_scopes, &commit.run.id, run);
    log::write(connection, &lines, &commit.log).await
}

/// Whether an entry tells of a write to the CRM: that cannot be had again by reading.
pub(crate) fn went_out(entry: &LogEntry) -> bool {
    entry.direction == Direction::FromAbmatic
}

impl SqliteStore {
    /// A connection and a scope's number on it; none where nothing was ever stored in the scope.
    async fn reading(&self, scope: &LinkScope) -> Result<Option<(PoolConnection<sqlx::Sqlite>, i64)>> {
        let mut connection = self.page_reader().await?;
        let found = self.scopes().find(&mut *connection, &ScopeKey::links(scope)).await?;
        Ok(found.map(|id| (connection, id)))
    }

    /// A connection and the scopes of links on it; none where nothing was ever stored there.
    async fn reading_links(&self, scope: &LinkScope) -> Result<Option<(PoolConnection<sqlx::Sqlite>, LinkScopes)>> {
        let Some((mut connection, links)) = self.reading(scope).await? else { return Ok(None) };
        let records = ScopeKey::records(&scope.tenant, scope.resource);
        let records = self.scopes().find(&mut *connection, &records).await?;
        Ok(Some((connection, LinkScopes { links, records })))
    }

    pub(crate) async fn writing_links(&self, scope: &LinkScope) -> Result<LinkScopes> {
        let links = self.writing_scope(&ScopeKey::links(scope)).await?;
        let records = self.writing_scope(&ScopeKey::records(&scope.tenant, scope.resource)).await?;
        Ok(LinkScopes { links, records: Some(records) })
    }
}

#[async_trait]
impl StateStore for SqliteStore {
    async fn links(&self, scope: &LinkScope, ends: &LinkEnds) -> Result<Vec<Link>> {
        if ends.is_empty() {
            return Ok(Vec::new());
        }
        let Some((mut connection, scopes)) = self.reading_links(scope).await? else { return Ok(Vec::new()) };
        links::find(&mut connection, scopes, ends).await
    }

    async fn quarantine(&self, scope: &LinkScope, query: &QuarantineQuery) -> Result<Vec<Quarantined>> {
        let Some((mut connection, id)) = self.reading(scope).await? else { return Ok(Vec::new()) };
        quarantine::find(&mut connection, id, query).await
    }

    async fn retry_now(&self, scope: &LinkScope, which: &Retried, at: DateTime<Utc>) -> Result<u64> {
        let id = self.writing_scope(&ScopeKey::links(scope)).await?;
        let mut transaction = self.begin(Durability::Flushed).await?;
        let due = quarantine::retry_now(&mut transaction, id, which, at).await?;
        transaction.commit().await.map_err(failed("make records due"))?;
        Ok(due)
    }

    async fn link_count(&self, scope: &LinkScope) -> Result<u64> {
        let Some((mut connection, scopes)) = self.reading_links(scope).await? else { return Ok(0) };
        links::count(&mut connection, scopes).await
    }

    async fn settings(&self, scope: &LinkScope) -> Result<Option<String>> {
        let Some((mut connection, id)) = self.reading(scope).await? else { return Ok(None) };
        let query = sqlx::query_scalar("SELECT settings FROM abmatic_settings WHERE scope = ?1").bind(id);
        query.fetch_optional(&mut *connection).await.map_err(failed("read settings"))
    }

    async fn save_settings(&self, scope: &LinkScope, settings: &str) -> Result<()> {
        let id = self.writing_scope(&ScopeKey::links(scope)).await?;
        let mut transaction = self.begin(Durability::Flushed).await?;
        sqlx::query("INSERT OR REPLACE INTO abmatic_settings (scope, settings) VALUES (?1, ?2)")
            .bind(id)
            .bind(settings)
            .execute(&mut *transaction)
            .await
            .map_err(failed("save settings"))?;
        transaction.commit().await.map_err(failed("save settings"))
    }

    async fn cursor(&self, scope: &LinkScope, name: &str) -> Result<Option<String>> {
        let Some((mut connection, id)) = self.reading(scope).await? else { return Ok(None) };
        let query = sqlx::query_scalar("SELECT value FROM abmatic_cursor WHERE scope = ?1 AND name = ?2");
        query.bind(id).bind(name).fetch_optional(&mut *connection).await.map_err(failed("read a cursor"))
    }

    async fn open_intents(&self, scope: &LinkScope) -> Result<Vec<Intent>> {
        let Some((mut connection, id)) = self.reading(scope).await? else { return Ok(Vec::new()) };
        intents::open(&mut connection, id).await
    }

    async fn announce(&self, scope: &LinkScope, lease: &Lease, intents: &[Intent]) -> Result<()> {
        let id = self.writing_scope(&ScopeKey::links(scope)).await?;
        let mut transaction = self.begin(Durability::Flushed).await?;
        hold_lease(&mut transaction, lease).await?;
        intents::announce(&mut transaction, id, intents).await?;
        transaction.commit().await.map_err(failed("announce creates"))
    }

    async fn commit(&self, scope: &LinkScope, lease: &Lease, commit: &StateCommit) -> Result<()> {
        let scopes = self.writing_links(scope).await?;
        let log_scopes = self.log_scopes(&scope.tenant, commit.log.iter()).await?;
        let told = !commit.closed_intents.is_empty() || commit.log.iter().any(went_out);
        let mut transaction = self.begin(Durability::of_page(told)).await?;
        hold_lease(&mut transaction, lease).await?;
        write(&mut transaction, scopes, &log_scopes, commit).await?;
        transaction.commit().await.map_err(failed("commit a page"))
    }

    async fn acquire(
        &self,
        tenant: &TenantId,
        connection: &ConnectionId,
        holder: &RunId,
        now: DateTime<Utc>,
        until: DateTime<Utc>,
    ) -> Result<Lease> {
        self.acquire_lease(tenant, connection, holder, now, until).await
    }

    async fn extend(&self, lease: &Lease) -> Result<()> {
        let mut transaction = self.begin(Durability::of_page(false)).await?;
        hold_lease(&mut transaction, lease).await?;
        transaction.commit().await.map_err(failed("extend the lease"))
    }

    async fn release(&self, lease: &Lease) -> Result<()> {
        self.release_lease(lease).await
    }

    async fn save_run(&self, run: &RunRecord) -> Result<()> {
        let mut transaction = self.begin(Durability::Flushed).await?;
        runs::save(&mut transaction, run).await?;
        transaction.commit().await.map_err(failed("save the run"))
    }

    async fn run(&self, tenant: &TenantId, id: &RunId) -> Result<Option<RunRecord>> {
        runs::find(&mut *self.reader().await?, tenant, id).await
    }

    async fn runs(&self, tenant: &TenantId, connection: &ConnectionId, limit: usize) -> Result<Vec<RunRecord>> {
        runs::list(&mut *self.reader().await?, tenant, connection, limit).await
    }

    async fn log(&self, query: &LogQuery) -> Result<Vec<LogEntry>> {
        let mut connection = self.reader().await?;
        let found = log::find(&mut connection, query, Order::Newest { offset: query.offset }, query.limit).await?;
        Ok(found.into_iter().map(|(_, entry)| entry).collect())
    }
}
