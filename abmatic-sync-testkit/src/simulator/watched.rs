//! An account under test and its connector: whatever happens to the account is seen and written into the journal.

use std::collections::{BTreeMap, HashMap};
use std::future::{Future, poll_fn};
use std::pin::pin;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use abmatic_sync_core::connector::capabilities::Descriptor;
use abmatic_sync_core::connector::contract::CrmConnector;
use abmatic_sync_core::connector::request::{
    FindRequest, Page, Pushdown, Read, ReadRequest, VerifyRequest, Write, WriteOutcome,
};
use abmatic_sync_core::engine::Engine;
use abmatic_sync_core::error::Result;
use abmatic_sync_core::filter::expr::Expr;
use abmatic_sync_core::ids::{FieldName, RemoteId};
use abmatic_sync_core::model::connection::Connection;
use abmatic_sync_core::model::fields::Fields;
use abmatic_sync_core::model::mapping::Mapping;
use abmatic_sync_core::model::quota::Quota;
use abmatic_sync_core::model::record::RemoteRecord;
use abmatic_sync_core::model::resource::Resource;
use abmatic_sync_core::model::schema::{Field, Schema};
use abmatic_sync_core::model::value::Value;
use async_trait::async_trait;
use chrono::TimeDelta;

use crate::simulator::account::{Account, Fault, Opening, Stage};
use crate::simulator::journal::{Author, Event, EventKind, Journal};
use crate::simulator::sabotage::Sabotage;
use crate::simulator::script::CrmHabits;
use crate::simulator::side::{CONNECTORS, CrmSide};

/// An account under test. Clones share it.
#[derive(Clone, Debug)]
pub(crate) struct Watched {
    number: usize,
    account: Arc<dyn Account>,
    connector: Arc<dyn CrmConnector>,
    descriptor: Arc<Descriptor>,
    resources: &'static [Resource],
    journal: Journal,
    sabotage: Option<Sabotage>,
    seen: Arc<Mutex<HashMap<Resource, Records>>>,
}

/// The records of a resource, by their ids as numbers where they are numbers: oldest first.
type Records = BTreeMap<(usize, RemoteId), Held>;

/// A record as it was last seen.
#[derive(Debug)]
struct Held {
    now: RemoteRecord,
    /// The events before the engine last read it.
    read_at: usize,
    /// The event by which a person last changed it.
    touched_at: Option<usize>,
}

impl Watched {
    pub(crate) fn new(
        number: usize,
        stage: &dyn Stage,
        habits: &CrmHabits,
        journal: Journal,
        sabotage: Option<Sabotage>,
    ) -> Self {
        let skew = TimeDelta::seconds(habits.skew_seconds);
        let account: Arc<dyn Account> = {
            let clock = Arc::new(journal.clone());
            stage.open(Opening { clock, skew, own_key: habits.own_key }).into()
        };
        let connector = account.connector();
        let mut descriptor = connector.descriptor().clone();
        descriptor.name = CONNECTORS[number.min(2)];
        if sabotage == Some(Sabotage::OverlapWindow) {
            descriptor.visibility_lag_seconds = 0;
        }
        // Batches as small as the script says, so that a block is many.
        for offered in &mut descriptor.resources {
            offered.batch_max = offered.batch_max.min(habits.batch_max);
            offered.find_max = offered.find_max.min(habits.find_max);
        }
        let resources = stage.resources();
        let watched = Self {
            number,
            account,
            connector,
            descriptor: Arc::new(descriptor),
            resources,
            journal,
            sabotage,
            seen: Arc::default(),
        };
        watched.take_down(Author::Person);
        watched
    }

    fn seen(&self) -> MutexGuard<'_, HashMap<Resource, Records>> {
        self.seen.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Writes down what became different since somebody last looked.
    fn take_down(&self, author: Author) {
        let mut seen = self.seen();
        for &resource in self.resources {
            let records = seen.entry(resource).or_default();
            let now: BTreeMap<_, _> =
                self.account.records(resource).into_iter().map(|record| (place(&record.id), record)).collect();
            for (place, held) in
                records.iter_mut().filter(|(place, held)| !held.now.deleted && !now.contains_key(*place))
            {
                held.now.deleted = true;
                self.write(resource, &place.1, held, EventKind::Delete, author, Vec::new());
            }
            for (place, record) in now {
                let id = record.id.clone();
                let new = !records.contains_key(&place);
                let held = records.entry(place).or_insert_with(|| Held {
                    now: RemoteRecord::new(id.clone(), Fields::new()),
                    read_at: 0,
                    touched_at: None,
                });
                let changes = changes(&held.now.fields, &record.fields);
                let kind = match (new, held.now.deleted) {
                    (true, _) => EventKind::Create,
                    (false, true) => EventKind::Restore,
                    (false, false) if changes.is_empty() => continue,
                    (false, false) => EventKind::Update,
                };
                held.now = record;
                self.write(resource, &id, held, kind, author, changes);
            }
        }
    }

    fn write(
        &self,
        resource: Resource,
        id: &RemoteId,
        held: &mut Held,
        kind: EventKind,
        author: Author,
        changes: Vec<(String, Value, Value)>,
    ) {
        let raced = held.touched_at.is_some_and(|touched| touched >= held.read_at);
        if author == Author::Person {
            held.touched_at = Some(self.journal.len());
        }
        let (side, id, at) = (self.number + 1, id.to_string(), self.journal.time());
        self.journal.write(Event { side, resource, id, kind, author, at, changes, raced, imports: false });
    }

    /// Lets the connector work, and sees after each of its steps what it did.
    async fn watch<T>(&self, work: impl Future<Output = T> + Send) -> T {
        let mut work = pin!(work);
        poll_fn(|context| {
            let polled = work.as_mut().poll(context);
            self.take_down(self.journal.engine());
            polled
        })
        .await
    }

    /// What the connector hands out counts as read since the connector began to read it.
    fn show<'a>(&self, resource: Resource, since: usize, records: impl IntoIterator<Item = &'a RemoteRecord>) {
        let mut seen = self.seen();
        let held = seen.entry(resource).or_default();
        for record in records {
            if let Some(held) = held.get_mut(&place(&record.id)) {
                held.read_at = held.read_at.max(since);
            }
        }
    }

    /// An engine has no business to send what the record was seen to hold.
    fn check_needed(&self, resource: Resource, writes: &[Write]) {
        let mapping = self.account.mapping(resource);
        let seen = self.seen();
        for write in writes {
            let Write::Update { id, fields, .. } = write else { continue };
            let held = seen.get(&resource).and_then(|held| held.get(&place(id)));
            let Some(held) = held.filter(|held| held.touched_at.is_none_or(|touched| touched < held.read_at)) else {
                continue;
            };
            for (name, value) in fields.iter() {
                let host = mapping.fields.iter().find(|field| field.remote == *name).map_or(name, |field| &field.local);
                if held.now.fields.get(host.as_str()).unwrap_or(&Value::Null).same_as(value) {
                    self.journal.breach(format!("I8: {resource} {id} is sent {name} = {value}, which it holds"));
                }
            }
        }
    }
}

fn place(id: &RemoteId) -> (usize, RemoteId) {
    (id.as_str().len(), id.clone())
}

/// What became different, by the host's names of the fields.
fn changes(before: &Fields, now: &Fields) -> Vec<(String, Value, Value)> {
    let names = now.iter().map(|(name, _)| name);
    let gone = before.iter().map(|(name, _)| name).filter(|name| now.get(name.as_str()).is_none());
    let value = |fields: &Fields, name: &FieldName| fields.get(name.as_str()).cloned().unwrap_or_default();
    let changed = names.chain(gone).map(|name| (name.to_string(), value(before, name), value(now, name)));
    changed.filter(|(_, old, new)| old != new).collect()
}

impl CrmSide for Watched {
    fn add_to(&self, engine: Engine) -> Engine {
        engine.with_connector(self.clone())
    }

    fn connection(&self) -> Connection {
        self.account.connection()
    }

    fn mapping(&self, resource: Resource) -> Mapping {
        self.account.mapping(resource)
    }

    fn constants(&self, resource: Resource) -> Vec<(Field, Value)> {
        self.account.constants(resource)
    }

    fn amend(&self, habits: &mut CrmHabits) {
        habits.spelling = self.account.spelling();
        habits.field_times = false;
        habits.single_contact = self.descriptor.resources.iter().any(|offered| !offered.single_relations.is_empty());
        habits.tells_of_restored = self.account.tells_of_restored();
        habits.recognises_creates = self.account.recognises_creates();
        habits.tombstones = self.descriptor.resources.iter().all(|offered| offered.archived);
    }

    fn idle_calls(&self, resource: Resource) -> u64 {
        self.account.idle_calls(resource)
    }

    fn expect_faults(&self, faults: &[(u64, Fault)]) {
        self.account.expect_faults(faults);
    }

    fn look(&self) {
        self.take_down(Author::Engine(self.number));
    }

    fn records(&self, resource: Resource) -> Vec<RemoteRecord> {
        self.seen().get(&resource).into_iter().flat_map(BTreeMap::values).map(|held| held.now.clone()).collect()
    }

    fn create(&self, resource: Resource, fields: &Fields) {
        self.account.create(resource, fields);
        self.take_down(Author::Person);
    }

    fn edit(&self, resource: Resource, id: &RemoteId, fields: &Fields) {
        self.account.edit(resource, id, fields);
        self.take_down(Author::Person);
    }

    fn mark(&self, resource: Resource, id: &RemoteId, deleted: bool) {
        if deleted {
            self.account.delete(resource, id);
        } else {
            self.account.restore(resource, id);
        }
        self.take_down(Author::Person);
    }

    fn merge(&self, resource: Resource, survivor: &RemoteId, loser: &RemoteId) {
        self.account.merge(resource, survivor, loser);
        let live: Vec<RemoteId> = self.account.records(resource).into_iter().map(|record| record.id).collect();
        // Some CRMs give the survivor a new id: then two records live on in a third.
        for id in [loser, survivor].into_iter().filter(|id| !live.contains(id)) {
            let held = self.seen().entry(resource).or_default().remove(&place(id));
            if let Some(mut held) = held {
                self.write(resource, id, &mut held, EventKind::Merge, Author::Person, Vec::new());
            }
        }
        self.take_down(Author::Person);
    }
}

#[deny(clippy::missing_trait_methods)]
#[async_trait]
impl CrmConnector for Watched {
    fn descriptor(&self) -> &Descriptor {
        &self.descriptor
    }

    async fn prepare(&self, on: &Connection, resource: Resource) -> Result<()> {
        self.watch(self.connector.prepare(on, resource)).await
    }

    async fn describe(&self, on: &Connection, resource: Resource) -> Result<Schema> {
        self.connector.describe(on, resource).await
    }

    async fn read(&self, on: &Connection, request: ReadRequest) -> Result<Page> {
        let (resource, since) = (request.resource, self.journal.len());
        let page = self.connector.read(on, request).await?;
        self.show(resource, since, &page.records);
        Ok(page)
    }

    async fn find(&self, on: &Connection, request: FindRequest) -> Result<Vec<RemoteRecord>> {
        let (resource, since) = (request.resource, self.journal.len());
        let found = self.connector.find(on, request).await?;
        self.show(resource, since, &found);
        Ok(found)
    }

    async fn write(&self, on: &Connection, resource: Resource, writes: Vec<Write>) -> Result<Vec<WriteOutcome>> {
        self.check_needed(resource, &writes);
        self.watch(self.connector.write(on, resource, writes)).await
    }

    async fn verify(&self, on: &Connection, request: VerifyRequest) -> Result<Vec<Option<RemoteRecord>>> {
        let creates = request.creates.len();
        let found = self.watch(self.connector.verify(on, request)).await?;
        Ok(if self.sabotage == Some(Sabotage::Intent) { vec![None; creates] } else { found })
    }

    fn pushdown(&self, resource: Resource, filter: &Expr, schema: &Schema) -> Pushdown {
        self.connector.pushdown(resource, filter, schema)
    }

    async fn count(&self, on: &Connection, resource: Resource, read: &Read) -> Result<Option<u64>> {
        self.connector.count(on, resource, read).await
    }

    async fn may_write(&self, on: &Connection, resource: Resource) -> Result<()> {
        self.connector.may_write(on, resource).await
    }

    fn quota(&self, on: &Connection) -> Option<Quota> {
        self.connector.quota(on)
    }
}
