//! A small CRM in memory: accounts by domain, people by unique email, opportunities; with failures on demand.

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use abmatic_sync_core::clock::Clock;
use abmatic_sync_core::connector::capabilities::{Descriptor, ResourceCapabilities};
use abmatic_sync_core::connector::contract::CrmConnector;
use abmatic_sync_core::connector::request::{
    FindRequest, Page, PageCursor, Pushdown, Read, ReadRequest, Undecodable, VerifyRequest, Write, WriteOutcome,
};
use abmatic_sync_core::error::{Error, ErrorCode, ErrorKind, Result};
use abmatic_sync_core::filter::eval::holds;
use abmatic_sync_core::filter::expr::Expr;
use abmatic_sync_core::ids::{FieldName, RemoteId};
use abmatic_sync_core::model::connection::Connection;
use abmatic_sync_core::model::fields::Fields;
use abmatic_sync_core::model::mapping::{FieldMapping, Mapping};
use abmatic_sync_core::model::record::RemoteRecord;
use abmatic_sync_core::model::resource::Resource;
use abmatic_sync_core::model::schema::{Field, FieldType, Schema};
use abmatic_sync_core::model::value::Value;
use async_trait::async_trait;
use chrono::{DateTime, TimeDelta, Utc};

use crate::memory::shelf::{self, Shelf, change};

/// Longer texts are cut without a word, as some CRMs do.
pub const TEXT_MAX: usize = shelf::TEXT_MAX;

/// How long the day's limit lasts.
pub const LIMIT_WAIT: Duration = Duration::from_secs(600);

/// Which call fails.
#[non_exhaustive]
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Call {
    /// A lookup by key.
    Find,
    /// A page or a read by id.
    Read,
    /// A batch of writes.
    Write,
}

/// How it fails.
#[non_exhaustive]
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Failure {
    /// The day's calls are used up: none for [`LIMIT_WAIT`].
    LimitReached,
    /// It is done, and the answer is lost.
    LostAnswer,
    /// It never arrives, but nobody can tell.
    LostRequest,
    /// The token is refused.
    Unauthorized,
    /// The CRM says that it is down.
    Unavailable,
}

/// A CRM in memory. Clones share it.
///
/// It keeps texts cut to [`TEXT_MAX`] characters, so that what it stores can differ from what it was sent.
#[derive(Clone, Debug)]
pub struct MemoryCrm {
    descriptor: Arc<Descriptor>,
    clock: Arc<dyn Clock>,
    ahead: TimeDelta,
    shelf: Arc<Mutex<Shelf>>,
    failures: Arc<Mutex<VecDeque<(Call, Failure)>>>,
}

const PAGE_MAX: usize = 10;

impl MemoryCrm {
    /// An empty CRM on this clock.
    pub fn new(clock: Arc<dyn Clock>) -> Self {
        let offers = [
            offer(
                Resource::Account,
                &[("name", "name"), ("website", "domain"), ("employee_count", "size")],
                Some("domain"),
                &[],
            ),
            offer(Resource::Contact, &PERSON, Some("email"), &["account"]),
            offer(Resource::Lead, &PERSON, Some("email"), &[]),
            offer(Resource::Opportunity, &[("name", "title"), ("amount", "amount")], None, &["account", "contacts"]),
        ];
        let mut descriptor = Descriptor::new("memory", "Memory CRM", offers.into());
        descriptor.visibility_lag_seconds = 60;
        Self {
            descriptor: Arc::new(descriptor),
            clock,
            ahead: TimeDelta::zero(),
            shelf: Arc::default(),
            failures: Arc::default(),
        }
    }

    /// The same CRM, but its clock is ahead of the host's by so many seconds, or behind it. Its answers tell the time.
    #[must_use]
    pub fn with_clock_ahead(mut self, seconds: i64) -> Self {
        self.ahead = TimeDelta::seconds(seconds);
        self
    }

    /// The same CRM, but its opportunities have one contact each.
    #[must_use]
    pub fn with_one_contact(mut self) -> Self {
        for offered in &mut Arc::make_mut(&mut self.descriptor).resources {
            offered.single_relations = if offered.resource == Resource::Opportunity { &["contacts"] } else { &[] };
        }
        self
    }

    /// A record that somebody made in the CRM.
    pub fn create(&self, resource: Resource, fields: Fields) -> RemoteId {
        let now = self.now();
        self.shelf().insert(resource, fields, now).id
    }

    /// An edit that somebody made in the CRM.
    pub fn edit(&self, resource: Resource, id: &RemoteId, fields: &Fields) {
        let now = self.now();
        let mut shelf = self.shelf();
        shelf.garbled.remove(id);
        if let Some(record) = shelf.record_mut(resource, id) {
            change(record, fields, now);
        }
    }

    /// Lets every write fail that holds this text, until [`MemoryCrm::accept_all`].
    pub fn refuse(&self, resource: Resource, text: &str) {
        self.shelf().refused.insert((resource, text.to_owned()));
    }

    /// Takes every [`MemoryCrm::refuse`] back.
    pub fn accept_all(&self) {
        self.shelf().refused.clear();
    }

    /// Gives a record in a form that no connector can read, until its next [`MemoryCrm::edit`].
    pub fn garble(&self, resource: Resource, id: &RemoteId) {
        let now = self.now();
        let mut shelf = self.shelf();
        shelf.garbled.insert(id.clone());
        if let Some(record) = shelf.record_mut(resource, id) {
            record.modified_at = Some(now);
        }
    }

    /// Gives a record in a form that no connector can read, but only to those who ask for it by its id.
    pub fn garble_by_id(&self, id: &RemoteId) {
        self.shelf().garbled_by_id.insert(id.clone());
    }

    /// The same CRM, but it tells what was deleted.
    #[must_use]
    pub fn telling_deletions(mut self) -> Self {
        let mut descriptor = Descriptor::clone(&self.descriptor);
        descriptor.resources.iter_mut().for_each(|offered| offered.archived = true);
        self.descriptor = Arc::new(descriptor);
        self
    }

    /// A record that somebody deleted in the CRM. It is in the recycle bin then; who asks is told only by a CRM that is
    /// [`MemoryCrm::telling_deletions`].
    pub fn delete(&self, resource: Resource, id: &RemoteId) {
        let now = self.now();
        self.shelf().delete(resource, id, now);
    }

    /// A record that somebody took out of the recycle bin.
    pub fn restore(&self, resource: Resource, id: &RemoteId) {
        let now = self.now();
        self.shelf().restore(resource, id, now);
    }

    /// A merge that somebody made in the CRM: `loser` lives on in `survivor`.
    pub fn merge(&self, resource: Resource, survivor: &RemoteId, loser: &RemoteId) {
        let now = self.now();
        self.shelf().merge(resource, survivor, loser, now);
    }

    /// A record as the CRM holds it, also in the recycle bin.
    pub fn record(&self, resource: Resource, id: &RemoteId) -> Option<RemoteRecord> {
        self.shelf().record_mut(resource, id).cloned()
    }

    /// All live records of a resource, oldest first.
    pub fn records(&self, resource: Resource) -> Vec<RemoteRecord> {
        let mut shelf = self.shelf();
        shelf.records.entry(resource).or_default().values().filter(|record| !record.deleted).cloned().collect()
    }

    /// Lets the next call of that kind fail.
    pub fn fail_next(&self, call: Call, failure: Failure) {
        self.failures().push_back((call, failure));
    }

    /// How many records were written by the engine so far.
    pub fn writes(&self) -> u64 {
        self.shelf().writes
    }

    /// The time by the CRM's clock.
    fn now(&self) -> DateTime<Utc> {
        self.clock.now() + self.ahead
    }

    fn shelf(&self) -> MutexGuard<'_, Shelf> {
        self.shelf.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn failures(&self) -> MutexGuard<'_, VecDeque<(Call, Failure)>> {
        self.failures.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Counts a call whose answer tells the time.
    fn note_call(&self, on: &Connection) {
        on.calls.count_one();
        on.server_clock.observe(self.now(), self.clock.now(), self.clock.now());
    }

    /// Notes a call, and fails it where that was asked for. What is done although it fails comes back.
    fn enter(&self, on: &Connection, call: Call) -> Result<Option<Failure>> {
        self.note_call(on);
        let mut failures = self.failures();
        let Some(place) = failures.iter().position(|(failing, _)| *failing == call) else { return Ok(None) };
        let Some((_, failure)) = failures.remove(place) else { return Ok(None) };
        match failure {
            Failure::LostAnswer if call == Call::Write => Ok(Some(failure)),
            Failure::LostAnswer | Failure::Unavailable => {
                Err(Error::new(ErrorKind::Unavailable, ErrorCode::ServerUnavailable, "the CRM is down"))
            }
            Failure::LimitReached => {
                let error =
                    Error::new(ErrorKind::RateLimited, ErrorCode::RequestLimitExceeded, "no calls are left today");
                Err(error.with_retry_after(LIMIT_WAIT))
            }
            Failure::LostRequest => Err(lost()),
            Failure::Unauthorized => {
                Err(Error::new(ErrorKind::Unauthorized, ErrorCode::InvalidSession, "the token is refused"))
            }
        }
    }
}

const PERSON: [(&str, &str); 4] =
    [("work_email", "email"), ("first_name", "first"), ("last_name", "last"), ("job_title", "title")];

fn offer(
    resource: Resource,
    pairs: &[(&'static str, &'static str)],
    key: Option<&'static str>,
    relations: &'static [&'static str],
) -> ResourceCapabilities {
    let mapping = Mapping::new(pairs.iter().map(|(local, remote)| FieldMapping::new(*local, *remote)).collect());
    let mut offer = ResourceCapabilities::new(resource, "records", mapping);
    offer.key_field = key;
    offer.page_max = PAGE_MAX;
    offer.batch_max = 7;
    offer.find_max = 25;
    offer.incremental = true;
    offer.relations = relations;
    offer
}

fn lost() -> Error {
    Error::new(ErrorKind::Ambiguous, ErrorCode::ConnectionLost, "the connection was cut off")
}

#[async_trait]
impl CrmConnector for MemoryCrm {
    fn descriptor(&self) -> &Descriptor {
        &self.descriptor
    }

    async fn prepare(&self, _: &Connection, _: Resource) -> Result<()> {
        Ok(())
    }

    async fn describe(&self, on: &Connection, resource: Resource) -> Result<Schema> {
        self.note_call(on);
        let text = |name: &str| Field::new(name, FieldType::Text);
        Ok(match resource {
            Resource::Account => Schema::new(vec![
                text("name").required_on_create(),
                Field::new("domain", FieldType::Url),
                Field::new("size", FieldType::Integer),
            ]),
            Resource::Contact | Resource::Lead => Schema::new(vec![
                Field::new("email", FieldType::Email).unique(),
                text("first"),
                text("last"),
                text("title"),
            ])
            .with_recommended(&["email"]),
            Resource::Opportunity => {
                Schema::new(vec![text("title").required_on_create(), Field::new("amount", FieldType::Decimal)])
            }
            _ => Schema::default(),
        })
    }

    async fn read(&self, on: &Connection, request: ReadRequest) -> Result<Page> {
        self.enter(on, Call::Read)?;
        let after: u64 = request.cursor.as_ref().and_then(|cursor| cursor.as_str().parse().ok()).unwrap_or(0);
        let shelf = self.shelf();
        let wanted = |record: &&RemoteRecord| match &request.read {
            Read::All => !record.deleted,
            Read::Archived { since } => {
                let deleted_at = shelf.deleted_at.get(&record.id);
                record.deleted && since.is_none_or(|since| deleted_at.is_none_or(|at| *at >= since))
            }
            Read::Changed { since, until, filter } => {
                let in_window = record.modified_at.is_some_and(|time| time >= *since && time <= *until);
                !record.deleted && in_window && filter.as_ref().is_none_or(|filter| holds(filter, &record.fields))
            }
            Read::Filter(filter) => !record.deleted && holds(filter, &record.fields),
            Read::Ids(ids) => {
                !record.deleted && std::iter::once(&record.id).chain(&record.merged_ids).any(|id| ids.contains(id))
            }
            _ => false,
        };
        let held = shelf.records.get(&request.resource);
        let mut ids = Vec::new();
        let mut records = Vec::new();
        for (id, record) in held.into_iter().flat_map(|held| held.range(after + 1..)) {
            if wanted(&record) {
                ids.push(*id);
                records.push(shown(record, &request.fields, &request.relations, request.edit_times));
            }
            if records.len() == PAGE_MAX && !matches!(request.read, Read::Ids(_)) {
                break;
            }
        }
        let full = records.len() == PAGE_MAX && !matches!(request.read, Read::Ids(_));
        let next = ids.last().filter(|_| full).map(|id| PageCursor::new(id.to_string()));
        let by_id = matches!(request.read, Read::Ids(_));
        let is_garbled = |id: &RemoteId| shelf.garbled.contains(id) || (by_id && shelf.garbled_by_id.contains(id));
        let (garbled, records) = records.into_iter().partition(|record| is_garbled(&record.id));
        let mut page = Page::new(records, next);
        page.undecodable = garbled.into_iter().map(undecodable).collect();
        Ok(page)
    }

    async fn find(&self, on: &Connection, request: FindRequest) -> Result<Vec<RemoteRecord>> {
        self.enter(on, Call::Find)?;
        let key = if request.resource.is_person() { "email" } else { "domain" };
        let shelf = self.shelf();
        let held = shelf.records.get(&request.resource).into_iter().flat_map(BTreeMap::values);
        let found = held.filter(|record| {
            let value = record.fields.get(key).and_then(Value::as_text).map(str::to_lowercase);
            !record.deleted && value.is_some_and(|value| request.keys.iter().any(|key| value.ends_with(key.as_str())))
        });
        Ok(found.map(|record| shown(record, &request.fields, &request.relations, false)).collect())
    }

    async fn write(&self, on: &Connection, resource: Resource, writes: Vec<Write>) -> Result<Vec<WriteOutcome>> {
        let failure = self.enter(on, Call::Write)?;
        let now = self.now();
        let mut shelf = self.shelf();
        let outcomes = writes.into_iter().map(|write| shelf.write(resource, write, now)).collect();
        if failure == Some(Failure::LostAnswer) { Err(lost()) } else { Ok(outcomes) }
    }

    async fn verify(&self, on: &Connection, request: VerifyRequest) -> Result<Vec<Option<RemoteRecord>>> {
        self.enter(on, Call::Find)?;
        let shelf = self.shelf();
        let found = request.creates.iter().map(|create| {
            let id = shelf.intents.get(&create.intent)?;
            shelf.records.get(&request.resource)?.values().find(|record| record.id == *id).cloned()
        });
        Ok(found.collect())
    }

    fn pushdown(&self, _: Resource, _: &Expr, _: &Schema) -> Pushdown {
        Pushdown::Server
    }
}

fn undecodable(record: RemoteRecord) -> Undecodable {
    let error = Error::new(ErrorKind::Undocumented, ErrorCode::InvalidAnswer, "the record does not parse");
    Undecodable::new(Some(record.id), error)
}

fn shown(
    record: &RemoteRecord,
    fields: &BTreeSet<FieldName>,
    relations: &BTreeSet<FieldName>,
    times: bool,
) -> RemoteRecord {
    let mut shown = record.clone();
    shown.fields = fields
        .iter()
        .chain(relations)
        .map(|name| (name.clone(), record.fields.get(name.as_str()).cloned().unwrap_or_default()))
        .collect();
    if !times {
        shown.edited_at.clear();
    }
    shown
}
