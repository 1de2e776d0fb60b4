//! The host's stores, with a turn for the world before and after whatever is done to them.

use std::collections::BTreeMap;
use std::sync::Arc;

use abmatic_sync_core::error::Result;
use abmatic_sync_core::ids::{ConnectionId, LocalId, RunId, TenantId};
use abmatic_sync_core::model::fields::Fields;
use abmatic_sync_core::model::journal::LogEntry;
use abmatic_sync_core::model::link::{Base, Link, LinkScope};
use abmatic_sync_core::model::quarantine::Quarantined;
use abmatic_sync_core::model::record::{LocalRecord, Version};
use abmatic_sync_core::model::resource::Resource;
use abmatic_sync_core::model::schema::Schema;
use abmatic_sync_core::model::value::Value;
use abmatic_sync_core::store::contract::{SeparateStores, Store};
use abmatic_sync_core::store::page::{PageCommit, StateCommit};
use abmatic_sync_core::store::records::{KeyedRecord, LocalOutcome, LocalWrite, RecordStore};
use abmatic_sync_core::store::state::{
    Intent, Lease, LinkEnds, LogQuery, QuarantineQuery, Retried, RunRecord, StateStore,
};
use async_trait::async_trait;
use chrono::{DateTime, Utc};

use crate::memory::store::MemoryStore;
use crate::simulator::gate::turn;
use crate::simulator::journal::{Author, Event, EventKind, Journal};
use crate::simulator::sabotage::Sabotage;

/// The host's stores. Clones share them.
#[derive(Clone, Debug)]
pub(crate) struct SimulatedStore {
    inner: MemoryStore,
    journal: Journal,
    sabotage: Option<Sabotage>,
    /// Whether the host keeps the times of single fields' edits.
    field_times: bool,
    tenant: TenantId,
}

impl SimulatedStore {
    pub(crate) fn new(
        inner: MemoryStore,
        journal: Journal,
        sabotage: Option<Sabotage>,
        field_times: bool,
        tenant: TenantId,
    ) -> Self {
        Self { inner, journal, sabotage, field_times, tenant }
    }

    /// As one database, or as two.
    pub(crate) fn as_store(&self, separate: bool) -> Arc<dyn Store> {
        match separate {
            true => Arc::new(SeparateStores::new(Arc::new(self.clone()), Arc::new(self.clone()))),
            false => Arc::new(self.clone()),
        }
    }

    pub(crate) fn inner(&self) -> &MemoryStore {
        &self.inner
    }

    pub(crate) fn records_of(&self, resource: Resource) -> Vec<LocalRecord> {
        self.inner.records_of(&self.tenant, resource)
    }

    /// A person makes a record.
    pub(crate) fn create(&self, resource: Resource, fields: Fields) {
        let before = self.snapshot(resource);
        self.inner.create(&self.tenant, resource, fields, self.journal.time());
        self.note(resource, &before, Author::Person);
    }

    /// A person edits a record.
    pub(crate) fn edit(&self, resource: Resource, id: &LocalId, fields: Fields) {
        let before = self.snapshot(resource);
        self.inner.edit(&self.tenant, resource, id, fields, self.journal.time());
        self.note(resource, &before, Author::Person);
    }

    /// A person deletes or restores a record.
    pub(crate) fn mark(&self, resource: Resource, id: &LocalId, deleted: bool) {
        let before = self.snapshot(resource);
        match deleted {
            true => self.inner.delete(&self.tenant, resource, id, self.journal.time()),
            false => self.inner.restore(&self.tenant, resource, id, self.journal.time()),
        };
        self.note(resource, &before, Author::Person);
    }

    fn snapshot(&self, resource: Resource) -> BTreeMap<LocalId, LocalRecord> {
        self.records_of(resource).into_iter().map(|record| (record.id.clone(), record)).collect()
    }

    /// Writes down what became different.
    fn note(&self, resource: Resource, before: &BTreeMap<LocalId, LocalRecord>, author: Author) {
        for record in self.records_of(resource) {
            let old = before.get(&record.id);
            if old.is_some_and(|old| old.version == record.version) {
                continue;
            }
            let kind = match old {
                None => EventKind::Create,
                Some(old) if old.deleted != record.deleted && record.deleted => EventKind::Delete,
                Some(old) if old.deleted != record.deleted => EventKind::Restore,
                Some(_) => EventKind::Update,
            };
            let changes = record.fields.iter().filter_map(|(name, new)| {
                let old = old.and_then(|old| old.fields.get(name.as_str())).cloned().unwrap_or_default();
                (old != *new).then(|| (name.to_string(), old, new.clone()))
            });
            self.journal.write(Event {
                side: 0,
                resource,
                id: record.id.to_string(),
                kind,
                author,
                at: self.journal.time(),
                changes: changes.collect(),
                raced: false,
                imports: false,
            });
        }
    }

    /// Notes writes that change nothing: an engine has no business with them.
    fn note_idle(&self, resource: Resource, before: &BTreeMap<LocalId, LocalRecord>, writes: &[LocalWrite]) {
        for write in writes {
            let Some(old) = before.get(&write.id) else { continue };
            if let Some((name, value)) = write
                .fields
                .iter()
                .find(|(name, value)| old.fields.get(name.as_str()).unwrap_or(&Value::Null) == *value)
            {
                let is_current = write.expected == Some(old.version);
                if is_current {
                    self.journal
                        .breach(format!("I8: {resource} {}: {name} was {value} and is written as that", write.id));
                }
            }
        }
    }

    /// Sabotaged, a write is of whatever state the record is in.
    fn loosened(&self, mut write: LocalWrite, held: &BTreeMap<LocalId, LocalRecord>) -> LocalWrite {
        if let (Some(Sabotage::OptimisticLocalWrite), Some(_)) = (self.sabotage, write.expected) {
            write.expected = held.get(&write.id).map(|record| record.version).or(write.expected);
        }
        write
    }

    /// Sabotaged, the place where a run stands is kept some time before its page.
    async fn hasten(
        &self,
        scope: &LinkScope,
        lease: &Lease,
        run: &RunRecord,
        cursors: &[(String, String)],
    ) -> Result<()> {
        if self.sabotage != Some(Sabotage::Checkpoint) {
            return Ok(());
        }
        let mut early = StateCommit::new(run.clone());
        early.cursors = cursors.to_vec();
        self.inner.commit(scope, &self.fenced(lease), &early).await?;
        // Long enough for a crash to fall in between.
        for _ in 0..8 {
            turn().await;
        }
        Ok(())
    }

    fn shown(&self, mut record: LocalRecord) -> LocalRecord {
        if !self.field_times {
            record.edited_at.clear();
        }
        record
    }

    fn fenced(&self, lease: &Lease) -> Lease {
        match (self.sabotage, self.inner.lease_of(&lease.tenant, &lease.connection)) {
            (Some(Sabotage::Lease), Some(held)) => held,
            (Some(_) | None, _) => lease.clone(),
        }
    }
}

#[async_trait]
impl RecordStore for SimulatedStore {
    fn schema(&self, resource: Resource) -> Schema {
        self.inner.schema(resource)
    }

    async fn read(&self, tenant: &TenantId, resource: Resource, ids: &[LocalId]) -> Result<Vec<LocalRecord>> {
        turn().await;
        let records = self.inner.read(tenant, resource, ids).await?;
        Ok(records.into_iter().map(|record| self.shown(record)).collect())
    }

    async fn find(&self, tenant: &TenantId, resource: Resource, keys: &[String]) -> Result<Vec<KeyedRecord>> {
        turn().await;
        let found = self.inner.find(tenant, resource, keys).await?;
        Ok(found.into_iter().map(|found| KeyedRecord::new(found.key, self.shown(found.record))).collect())
    }

    async fn changed_since(
        &self,
        tenant: &TenantId,
        resource: Resource,
        after: Option<Version>,
        limit: usize,
    ) -> Result<Vec<LocalRecord>> {
        turn().await;
        let changed = self.inner.changed_since(tenant, resource, after, limit).await?;
        Ok(changed.into_iter().map(|record| self.shown(record)).collect())
    }

    async fn count(&self, tenant: &TenantId, resource: Resource) -> Result<u64> {
        turn().await;
        self.inner.count(tenant, resource).await
    }

    async fn upsert(&self, tenant: &TenantId, resource: Resource, writes: &[LocalWrite]) -> Result<Vec<LocalOutcome>> {
        turn().await;
        let before = self.snapshot(resource);
        self.note_idle(resource, &before, writes);
        let writes: Vec<LocalWrite> = writes.iter().cloned().map(|write| self.loosened(write, &before)).collect();
        let outcomes = self.inner.upsert(tenant, resource, &writes).await?;
        self.note(resource, &before, self.journal.engine());
        turn().await;
        Ok(outcomes)
    }
}

#[async_trait]
impl StateStore for SimulatedStore {
    async fn links(&self, scope: &LinkScope, ends: &LinkEnds) -> Result<Vec<Link>> {
        turn().await;
        let mut links = self.inner.links(scope, ends).await?;
        if self.sabotage == Some(Sabotage::Base) {
            links.iter_mut().for_each(|link| link.base = Base::new());
        }
        Ok(links)
    }

    async fn link_count(&self, scope: &LinkScope) -> Result<u64> {
        self.inner.link_count(scope).await
    }

    async fn settings(&self, scope: &LinkScope) -> Result<Option<String>> {
        self.inner.settings(scope).await
    }

    async fn save_settings(&self, scope: &LinkScope, settings: &str) -> Result<()> {
        self.inner.save_settings(scope, settings).await
    }

    async fn cursor(&self, scope: &LinkScope, name: &str) -> Result<Option<String>> {
        turn().await;
        self.inner.cursor(scope, name).await
    }

    async fn open_intents(&self, scope: &LinkScope) -> Result<Vec<Intent>> {
        turn().await;
        self.inner.open_intents(scope).await
    }

    async fn quarantine(&self, scope: &LinkScope, query: &QuarantineQuery) -> Result<Vec<Quarantined>> {
        turn().await;
        self.inner.quarantine(scope, query).await
    }

    async fn retry_now(&self, scope: &LinkScope, which: &Retried, now: DateTime<Utc>) -> Result<u64> {
        self.inner.retry_now(scope, which, now).await
    }

    async fn announce(&self, scope: &LinkScope, lease: &Lease, intents: &[Intent]) -> Result<()> {
        turn().await;
        let intents = if self.sabotage == Some(Sabotage::Intent) { &[] } else { intents };
        self.inner.announce(scope, &self.fenced(lease), intents).await?;
        turn().await;
        Ok(())
    }

    async fn commit(&self, scope: &LinkScope, lease: &Lease, commit: &StateCommit) -> Result<()> {
        turn().await;
        self.hasten(scope, lease, &commit.run, &commit.cursors).await?;
        self.inner.commit(scope, &self.fenced(lease), commit).await?;
        turn().await;
        Ok(())
    }

    async fn acquire(
        &self,
        tenant: &TenantId,
        connection: &ConnectionId,
        holder: &RunId,
        now: DateTime<Utc>,
        until: DateTime<Utc>,
    ) -> Result<Lease> {
        turn().await;
        let now = if self.sabotage == Some(Sabotage::Lease) { DateTime::<Utc>::MAX_UTC } else { now };
        let lease = self.inner.acquire(tenant, connection, holder, now, until).await?;
        turn().await;
        Ok(lease)
    }

    async fn extend(&self, lease: &Lease) -> Result<()> {
        self.inner.extend(&self.fenced(lease)).await
    }

    async fn release(&self, lease: &Lease) -> Result<()> {
        turn().await;
        self.inner.release(lease).await
    }

    async fn save_run(&self, run: &RunRecord) -> Result<()> {
        turn().await;
        self.inner.save_run(run).await
    }

    async fn run(&self, tenant: &TenantId, id: &RunId) -> Result<Option<RunRecord>> {
        turn().await;
        self.inner.run(tenant, id).await
    }

    async fn runs(&self, tenant: &TenantId, connection: &ConnectionId, limit: usize) -> Result<Vec<RunRecord>> {
        turn().await;
        self.inner.runs(tenant, connection, limit).await
    }

    async fn log(&self, query: &LogQuery) -> Result<Vec<LogEntry>> {
        self.inner.log(query).await
    }
}

#[async_trait]
impl Store for SimulatedStore {
    fn records(&self) -> &dyn RecordStore {
        self
    }

    fn state(&self) -> &dyn StateStore {
        self
    }

    async fn commit_page(
        &self,
        scope: &LinkScope,
        lease: &Lease,
        mut page: PageCommit,
    ) -> Result<Vec<Option<LocalOutcome>>> {
        turn().await;
        self.hasten(scope, lease, &page.run, &page.cursors).await?;
        let before = self.snapshot(scope.resource);
        let writes: Vec<LocalWrite> = page.items.iter().filter_map(|item| item.local_write.clone()).collect();
        self.note_idle(scope.resource, &before, &writes);
        for item in &mut page.items {
            item.local_write = item.local_write.take().map(|write| self.loosened(write, &before));
        }
        let outcomes = self.inner.commit_page(scope, &self.fenced(lease), page).await?;
        self.note(scope.resource, &before, self.journal.engine());
        turn().await;
        Ok(outcomes)
    }
}
