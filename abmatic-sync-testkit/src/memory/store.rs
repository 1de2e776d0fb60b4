//! Records and state in memory, one transaction a page: for tests of hosts, of connectors and of the engine.

use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use abmatic_sync_core::error::{Error, ErrorCode, ErrorKind, Result};
use abmatic_sync_core::ids::{ConnectionId, IntentId, LocalId, RemoteId, RunId, TenantId};
use abmatic_sync_core::model::fields::Fields;
use abmatic_sync_core::model::journal::LogEntry;
use abmatic_sync_core::model::link::{Link, LinkScope};
use abmatic_sync_core::model::quarantine::Quarantined;
use abmatic_sync_core::model::record::{LocalRecord, RecordId, Version};
use abmatic_sync_core::model::resource::Resource;
use abmatic_sync_core::model::schema::Schema;
use abmatic_sync_core::steps::normalize::match_key;
use abmatic_sync_core::store::contract::{Store, split_by_outcome};
use abmatic_sync_core::store::page::{PageCommit, StateCommit};
use abmatic_sync_core::store::records::{KeyedRecord, LocalOutcome, LocalWrite, RecordStore};
use abmatic_sync_core::store::state::{
    Intent, Lease, LinkEnds, LogQuery, QuarantineQuery, Retried, RunRecord, StateStore,
};
use async_trait::async_trait;
use chrono::{DateTime, Utc};

/// Records and state in memory. Clones share them.
///
/// ```
/// use abmatic_sync_core::model::resource::Resource;
/// use abmatic_sync_core::model::schema::{Field, FieldType, Schema};
/// use abmatic_sync_testkit::memory::store::MemoryStore;
///
/// let contact = Schema::new(vec![Field::new("work_email", FieldType::Email)]).with_key_field("work_email");
/// let store = MemoryStore::new([(Resource::Contact, contact)]);
/// assert!(store.records_of(&"tenant".into(), Resource::Contact).is_empty());
/// ```
#[derive(Clone, Debug)]
pub struct MemoryStore {
    schemas: Arc<HashMap<Resource, Schema>>,
    held: Arc<Mutex<Held>>,
}

#[derive(Debug, Default)]
struct Held {
    last_version: i64,
    last_id: u64,
    records: BTreeMap<(TenantId, Resource), BTreeMap<LocalId, LocalRecord>>,
    scopes: HashMap<LinkScope, Kept>,
    leases: HashMap<(TenantId, ConnectionId), Lease>,
    /// The newest token of each connection, also once it was given back.
    tokens: HashMap<ConnectionId, i64>,
    runs: Vec<RunRecord>,
    log: Vec<(TenantId, LogEntry)>,
}

/// What is kept for one connection and resource.
#[derive(Debug, Default)]
struct Kept {
    links: BTreeMap<LocalId, Link>,
    cursors: HashMap<String, String>,
    intents: BTreeMap<IntentId, Intent>,
    quarantine: BTreeMap<RecordId, Quarantined>,
    settings: Option<String>,
}

impl MemoryStore {
    /// An empty store whose records have these fields.
    pub fn new(schemas: impl IntoIterator<Item = (Resource, Schema)>) -> Self {
        Self { schemas: Arc::new(schemas.into_iter().collect()), held: Arc::default() }
    }

    /// A record that the host makes. Each field counts as edited at `at`.
    pub fn create(&self, tenant: &TenantId, resource: Resource, fields: Fields, at: DateTime<Utc>) -> LocalId {
        let mut held = self.held();
        held.last_id += 1;
        let id = LocalId::from(format!("host-{}", held.last_id));
        held.write(tenant, resource, &LocalWrite::create(id.clone(), fields, at));
        id
    }

    /// An edit that the host makes, whatever state the record is in; false when there is no such live record.
    pub fn edit(&self, tenant: &TenantId, resource: Resource, id: &LocalId, fields: Fields, at: DateTime<Utc>) -> bool {
        let mut held = self.held();
        let Some(version) = held.live(tenant, resource, id).map(|record| record.version) else { return false };
        held.write(tenant, resource, &LocalWrite::update(id.clone(), fields, version, at));
        true
    }

    /// Marks a record as deleted; false when there is no such live record.
    pub fn delete(&self, tenant: &TenantId, resource: Resource, id: &LocalId, at: DateTime<Utc>) -> bool {
        self.mark(tenant, resource, id, at, true)
    }

    /// Takes a deletion back; false when there is no such deleted record.
    pub fn restore(&self, tenant: &TenantId, resource: Resource, id: &LocalId, at: DateTime<Utc>) -> bool {
        self.mark(tenant, resource, id, at, false)
    }

    fn mark(&self, tenant: &TenantId, resource: Resource, id: &LocalId, at: DateTime<Utc>, deleted: bool) -> bool {
        let mut held = self.held();
        let version = held.next_version();
        let record = held.shelf(tenant, resource).get_mut(id).filter(|record| record.deleted != deleted);
        record.is_some_and(|record| {
            (record.deleted, record.version, record.modified_at) = (deleted, version, at);
            true
        })
    }

    /// All records, deleted ones too, in the order of their ids.
    pub fn records_of(&self, tenant: &TenantId, resource: Resource) -> Vec<LocalRecord> {
        self.held().shelf(tenant, resource).values().cloned().collect()
    }

    /// All links, in the order of their local ids.
    pub fn links_of(&self, scope: &LinkScope) -> Vec<Link> {
        self.held().scopes.get(scope).map(|kept| kept.links.values().cloned().collect()).unwrap_or_default()
    }

    /// Who holds a connection.
    pub fn lease_of(&self, tenant: &TenantId, connection: &ConnectionId) -> Option<Lease> {
        self.held().leases.get(&(tenant.clone(), connection.clone())).cloned()
    }

    fn held(&self) -> MutexGuard<'_, Held> {
        self.held.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn key_of(&self, resource: Resource, fields: &Fields) -> Option<String> {
        let key_field = self.schemas.get(&resource)?.key_field.as_ref()?;
        match_key(resource, fields.get(key_field.as_str())?.as_text()?)
    }
}

impl Held {
    fn next_version(&mut self) -> Version {
        self.last_version += 1;
        Version::new(self.last_version)
    }

    fn shelf(&mut self, tenant: &TenantId, resource: Resource) -> &mut BTreeMap<LocalId, LocalRecord> {
        self.records.entry((tenant.clone(), resource)).or_default()
    }

    fn live(&mut self, tenant: &TenantId, resource: Resource, id: &LocalId) -> Option<&LocalRecord> {
        self.shelf(tenant, resource).get(id).filter(|record| !record.deleted)
    }

    fn write(&mut self, tenant: &TenantId, resource: Resource, write: &LocalWrite) -> LocalOutcome {
        let version = self.next_version();
        let shelf = self.shelf(tenant, resource);
        let record = match (write.expected, shelf.get_mut(&write.id)) {
            (None, None) => {
                let record = LocalRecord::new(write.id.clone(), Fields::new(), version, write.at);
                shelf.entry(write.id.clone()).or_insert(record)
            }
            (Some(expected), Some(record)) if record.version == expected && !record.deleted => record,
            (None, Some(_)) | (Some(_), _) => return LocalOutcome::Refused,
        };
        for (name, value) in write.fields.iter() {
            if record.fields.get(name.as_str()) != Some(value) {
                let edited = write.edited_at.iter().find(|(edited, _)| edited == name).map_or(write.at, |(_, at)| *at);
                record.edited_at.insert(name.clone(), edited);
                record.fields.insert(name.clone(), value.clone());
            }
        }
        (record.version, record.modified_at, record.deleted) = (version, write.at, write.delete);
        LocalOutcome::Written(version)
    }

    fn check(&mut self, lease: &Lease) -> Result<()> {
        match self.leases.get_mut(&(lease.tenant.clone(), lease.connection.clone())) {
            Some(held) if held.token == lease.token && held.holder == lease.holder => {
                held.until = held.until.max(lease.until);
                Ok(())
            }
            Some(_) | None => Err(lease_held(format!("run {} no longer holds its connection", lease.holder))),
        }
    }

    fn apply(&mut self, scope: &LinkScope, commit: &StateCommit) {
        self.save_run(&commit.run);
        self.log.extend(commit.log.iter().map(|entry| (scope.tenant.clone(), entry.clone())));
        let kept = self.scopes.entry(scope.clone()).or_default();
        for (local_id, remote_id) in &commit.unlinks {
            kept.links.retain(|id, link| id != local_id || link.remote_id != *remote_id);
        }
        // One record of the CRM has one link: the last that was said.
        let said: HashMap<&RemoteId, &LocalId> =
            commit.links.iter().map(|link| (&link.remote_id, &link.local_id)).collect();
        kept.links.retain(|_, held| !said.contains_key(&held.remote_id));
        let last = commit.links.iter().filter(|link| said.get(&link.remote_id) == Some(&&link.local_id));
        kept.links.extend(last.map(|link| (link.local_id.clone(), link.clone())));
        commit.closed_intents.iter().for_each(|id| drop(kept.intents.remove(id)));
        commit.released.iter().for_each(|record| drop(kept.quarantine.remove(record)));
        kept.quarantine.extend(commit.set_aside.iter().map(|held| (held.record.clone(), held.clone())));
        kept.cursors.extend(commit.cursors.iter().cloned());
    }

    fn save_run(&mut self, run: &RunRecord) {
        match self.runs.iter_mut().find(|held| held.id == run.id) {
            Some(held) => *held = run.clone(),
            None => self.runs.push(run.clone()),
        }
    }
}

fn lease_held(message: String) -> Error {
    Error::new(ErrorKind::Conflict, ErrorCode::LeaseHeld, message)
}

#[async_trait]
impl RecordStore for MemoryStore {
    fn schema(&self, resource: Resource) -> Schema {
        self.schemas.get(&resource).cloned().unwrap_or_default()
    }

    async fn read(&self, tenant: &TenantId, resource: Resource, ids: &[LocalId]) -> Result<Vec<LocalRecord>> {
        let mut held = self.held();
        let shelf = held.shelf(tenant, resource);
        let distinct: BTreeSet<&LocalId> = ids.iter().collect();
        Ok(distinct.into_iter().filter_map(|id| shelf.get(id).cloned()).collect())
    }

    async fn find(&self, tenant: &TenantId, resource: Resource, keys: &[String]) -> Result<Vec<KeyedRecord>> {
        let keys: HashSet<&String> = keys.iter().collect();
        let mut held = self.held();
        let live = held.shelf(tenant, resource).values().filter(|record| !record.deleted);
        let keyed = live.filter_map(|record| {
            let key = self.key_of(resource, &record.fields).filter(|key| keys.contains(&key))?;
            Some(KeyedRecord::new(key, record.clone()))
        });
        let mut found: Vec<KeyedRecord> = keyed.collect();
        found.sort_by(|a, b| a.record.created_at.cmp(&b.record.created_at).then_with(|| a.record.id.cmp(&b.record.id)));
        Ok(found)
    }

    async fn changed_since(
        &self,
        tenant: &TenantId,
        resource: Resource,
        after: Option<Version>,
        limit: usize,
    ) -> Result<Vec<LocalRecord>> {
        let mut held = self.held();
        let newer = held.shelf(tenant, resource).values().filter(|record| after.is_none_or(|v| record.version > v));
        let mut changed: Vec<LocalRecord> = newer.cloned().collect();
        changed.sort_by_key(|record| record.version);
        changed.truncate(limit);
        Ok(changed)
    }

    async fn count(&self, tenant: &TenantId, resource: Resource) -> Result<u64> {
        Ok(self.held().shelf(tenant, resource).values().filter(|record| !record.deleted).count() as u64)
    }

    async fn upsert(&self, tenant: &TenantId, resource: Resource, writes: &[LocalWrite]) -> Result<Vec<LocalOutcome>> {
        let mut held = self.held();
        Ok(writes.iter().map(|write| held.write(tenant, resource, write)).collect())
    }
}

#[async_trait]
impl StateStore for MemoryStore {
    async fn links(&self, scope: &LinkScope, ends: &LinkEnds) -> Result<Vec<Link>> {
        let held = self.held();
        let links = held.scopes.get(scope).into_iter().flat_map(|kept| kept.links.values());
        Ok(match ends {
            LinkEnds::Local(ids) => {
                let ids: HashSet<&LocalId> = ids.iter().collect();
                links.filter(|link| ids.contains(&link.local_id)).cloned().collect()
            }
            LinkEnds::Remote(ids) => {
                let ids: HashSet<&RemoteId> = ids.iter().collect();
                links.filter(|link| ids.contains(&link.remote_id)).cloned().collect()
            }
            LinkEnds::All { after, limit } => {
                links.filter(|link| after.as_ref().is_none_or(|id| link.local_id > *id)).take(*limit).cloned().collect()
            }
            LinkEnds::Waiting { after, limit } => links
                .filter(|link| !link.waiting_for.is_empty() && after.as_ref().is_none_or(|id| link.local_id > *id))
                .take(*limit)
                .cloned()
                .collect(),
            // Ends that a later core may know.
            _ => Vec::new(),
        })
    }

    async fn quarantine(&self, scope: &LinkScope, query: &QuarantineQuery) -> Result<Vec<Quarantined>> {
        let held = self.held();
        let records = held.scopes.get(scope).into_iter().flat_map(|kept| kept.quarantine.values());
        Ok(match query {
            QuarantineQuery::All { after, limit } => {
                let beyond = |held: &&Quarantined| after.as_ref().is_none_or(|after| held.record > *after);
                records.filter(beyond).take(*limit).cloned().collect()
            }
            QuarantineQuery::Due { side, at, after, limit } => {
                let place = |held: &Quarantined| (held.retry_at, held.record.as_str().to_owned());
                let is_due = |held: &&Quarantined| held.record.side() == *side && held.retry_at <= *at;
                let beyond = |held: &&Quarantined| after.as_ref().is_none_or(|after| place(held) > *after);
                let mut due: Vec<Quarantined> = records.filter(is_due).filter(beyond).cloned().collect();
                due.sort_by_key(place);
                due.truncate(*limit);
                due
            }
            QuarantineQuery::Of(ids) => records.filter(|held| ids.contains(&held.record)).cloned().collect(),
            // Queries that a later core may know.
            _ => Vec::new(),
        })
    }

    async fn retry_now(&self, scope: &LinkScope, which: &Retried, at: DateTime<Utc>) -> Result<u64> {
        let mut held = self.held();
        let is_meant = |record: &RecordId| match which {
            Retried::All => true,
            Retried::Of(records) => records.contains(record),
            // Choices that a later core may know.
            _ => false,
        };
        let records = held.scopes.get_mut(scope).into_iter().flat_map(|kept| kept.quarantine.values_mut());
        let meant = records.filter(|held| is_meant(&held.record));
        Ok(meant.map(|held| held.retry_at = held.retry_at.min(at)).count() as u64)
    }

    async fn link_count(&self, scope: &LinkScope) -> Result<u64> {
        Ok(self.links_of(scope).len() as u64)
    }

    async fn settings(&self, scope: &LinkScope) -> Result<Option<String>> {
        Ok(self.held().scopes.get(scope).and_then(|kept| kept.settings.clone()))
    }

    async fn save_settings(&self, scope: &LinkScope, settings: &str) -> Result<()> {
        self.held().scopes.entry(scope.clone()).or_default().settings = Some(settings.to_owned());
        Ok(())
    }

    async fn cursor(&self, scope: &LinkScope, name: &str) -> Result<Option<String>> {
        Ok(self.held().scopes.get(scope).and_then(|kept| kept.cursors.get(name).cloned()))
    }

    async fn open_intents(&self, scope: &LinkScope) -> Result<Vec<Intent>> {
        Ok(self.held().scopes.get(scope).map(|kept| kept.intents.values().cloned().collect()).unwrap_or_default())
    }

    async fn announce(&self, scope: &LinkScope, lease: &Lease, intents: &[Intent]) -> Result<()> {
        let mut held = self.held();
        held.check(lease)?;
        let kept = held.scopes.entry(scope.clone()).or_default();
        kept.intents.extend(intents.iter().map(|intent| (intent.id.clone(), intent.clone())));
        Ok(())
    }

    async fn commit(&self, scope: &LinkScope, lease: &Lease, commit: &StateCommit) -> Result<()> {
        let mut held = self.held();
        held.check(lease)?;
        held.apply(scope, commit);
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
        let mut held = self.held();
        let place = (tenant.clone(), connection.clone());
        if let Some(other) = held.leases.get(&place).filter(|lease| lease.holder != *holder && lease.until > now) {
            let message =
                format!("run {} works on connection {connection}, until {} at least", other.holder, other.until);
            return Err(lease_held(message));
        }
        let token = held.tokens.entry(connection.clone()).or_default();
        *token += 1;
        let lease = Lease::new(tenant.clone(), connection.clone(), holder.clone(), *token, until);
        held.leases.insert(place, lease.clone());
        Ok(lease)
    }

    async fn extend(&self, lease: &Lease) -> Result<()> {
        self.held().check(lease)
    }

    async fn release(&self, lease: &Lease) -> Result<()> {
        let is_same = |held: &Lease| held.token == lease.token && held.holder == lease.holder;
        self.held().leases.retain(|_, held| !is_same(held));
        Ok(())
    }

    async fn save_run(&self, run: &RunRecord) -> Result<()> {
        self.held().save_run(run);
        Ok(())
    }

    async fn run(&self, tenant: &TenantId, id: &RunId) -> Result<Option<RunRecord>> {
        Ok(self.held().runs.iter().find(|run| run.tenant == *tenant && run.id == *id).cloned())
    }

    async fn runs(&self, tenant: &TenantId, connection: &ConnectionId, limit: usize) -> Result<Vec<RunRecord>> {
        let held = self.held();
        let of_connection = held.runs.iter().rev().filter(|run| run.tenant == *tenant && run.connection == *connection);
        Ok(of_connection.take(limit).cloned().collect())
    }

    async fn log(&self, query: &LogQuery) -> Result<Vec<LogEntry>> {
        let held = self.held();
        let is_asked = |tenant: &TenantId, entry: &LogEntry| {
            *tenant == query.tenant
                && query.connection.as_ref().is_none_or(|connection| entry.connection == *connection)
                && query.run.as_ref().is_none_or(|run| entry.run == *run)
                && query.resource.is_none_or(|resource| entry.resource == resource)
                && query.status.is_none_or(|status| entry.status == status)
                && query.code.is_none_or(|code| entry.code == Some(code))
                && query.direction.is_none_or(|direction| entry.direction == direction)
                && query.local_id.as_ref().is_none_or(|id| entry.local_id.as_ref() == Some(id))
                && query.remote_id.as_ref().is_none_or(|id| entry.remote_id.as_ref() == Some(id))
                && query.since.is_none_or(|since| entry.at >= since)
                && query.until.is_none_or(|until| entry.at < until)
        };
        let found = held.log.iter().rev().filter(|(tenant, entry)| is_asked(tenant, entry));
        Ok(found.skip(query.offset).take(query.limit).map(|(_, entry)| entry.clone()).collect())
    }
}

#[async_trait]
impl Store for MemoryStore {
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
        page: PageCommit,
    ) -> Result<Vec<Option<LocalOutcome>>> {
        let mut held = self.held();
        held.check(lease)?;
        let writes = page.items.iter().filter_map(|item| item.local_write.as_ref());
        let outcomes = writes.map(|write| held.write(&scope.tenant, scope.resource, write)).collect();
        let (commit, by_item) = split_by_outcome(page, outcomes);
        held.apply(scope, &commit);
        Ok(by_item)
    }
}
