//! A simulated CRM with habits of its own: slow searches, cut texts, whole seconds, small batches, lost answers.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use abmatic_sync_core::connector::capabilities::{Descriptor, ResourceCapabilities};
use abmatic_sync_core::connector::contract::CrmConnector;
use abmatic_sync_core::connector::request::{
    FindRequest, Page, PageCursor, Pushdown, Read, ReadRequest, VerifyRequest, Write, WriteOutcome, Written,
};
use abmatic_sync_core::engine::Engine;
use abmatic_sync_core::error::{Error, ErrorCode, ErrorKind, Result};
use abmatic_sync_core::filter::expr::Expr;
use abmatic_sync_core::ids::{IntentId, RemoteId};
use abmatic_sync_core::model::connection::{Connection, Credentials};
use abmatic_sync_core::model::fields::Fields;
use abmatic_sync_core::model::mapping::{FieldMapping, Mapping};
use abmatic_sync_core::model::record::RemoteRecord;
use abmatic_sync_core::model::resource::Resource;
use abmatic_sync_core::model::schema::Schema;
use abmatic_sync_core::model::value::Value;
use async_trait::async_trait;
use chrono::{DateTime, Duration, SubsecRound, Utc};

use crate::simulator::account::Fault;
use crate::simulator::fields::{FieldKind, crm_name, fields_of, host_name, remote_schema};
use crate::simulator::gate::turn;
use crate::simulator::journal::{Author, Event, EventKind, Journal};
use crate::simulator::sabotage::Sabotage;
use crate::simulator::script::CrmHabits;
use crate::simulator::side::{CONNECTORS, CrmSide};

/// The relation of which some CRMs keep one.
const CONTACTS: &str = "contacts";

/// A simulated CRM. Clones share it.
#[derive(Clone, Debug)]
pub(crate) struct SimulatedCrm {
    number: usize,
    habits: Arc<CrmHabits>,
    descriptor: Arc<Descriptor>,
    journal: Journal,
    sabotage: Option<Sabotage>,
    state: Arc<Mutex<State>>,
}

#[derive(Debug, Default)]
struct State {
    records: HashMap<Resource, BTreeMap<u64, Held>>,
    intents: HashMap<IntentId, RemoteId>,
    last_id: u64,
    /// Calls of this run so far.
    calls: u64,
    faults: Vec<(u64, Fault)>,
    page_before: HashMap<Resource, Vec<RemoteRecord>>,
}

/// A record and how it came to be what it is.
#[derive(Debug)]
struct Held {
    now: RemoteRecord,
    /// What searches show, from when on.
    shown: Vec<(DateTime<Utc>, RemoteRecord)>,
    /// The events before the engine last read it.
    read_at: usize,
    /// The event by which a person last changed it.
    touched_at: Option<usize>,
}

impl SimulatedCrm {
    pub(crate) fn new(number: usize, habits: CrmHabits, journal: Journal, sabotage: Option<Sabotage>) -> Self {
        let name = CONNECTORS[number.min(2)];
        let offers =
            [Resource::Account, Resource::Contact, Resource::Opportunity].map(|resource| offer(resource, &habits));
        let mut descriptor = Descriptor::new(name, name, offers.into());
        descriptor.visibility_lag_seconds = if sabotage == Some(Sabotage::OverlapWindow) {
            0
        } else {
            habits.lag_seconds + u32::from(habits.whole_seconds)
        };
        Self {
            number,
            habits: Arc::new(habits),
            descriptor: Arc::new(descriptor),
            journal,
            sabotage,
            state: Arc::default(),
        }
    }

    /// What points to a deleted record does so no more; that counts as no change of its own.
    fn forget_references(&self, target: Resource, id: &RemoteId) {
        for (resource, held) in &mut self.state().records {
            for relation in resource.relations().iter().filter(|relation| relation.target == target) {
                for held in held.values_mut() {
                    let Some(value) = held.now.fields.get(relation.field) else { continue };
                    let ids: BTreeSet<String> =
                        value.ids().filter(|other| *other != id.as_str()).map(str::to_owned).collect();
                    held.now
                        .fields
                        .insert(relation.field, if ids.is_empty() { Value::Null } else { Value::Reference(ids) });
                }
            }
        }
    }

    fn read_now(&self, resource: Resource, id: &RemoteId) -> Option<RemoteRecord> {
        Some(self.state().records.get(&resource)?.get(&number_of(id)?)?.now.clone())
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Its own clock.
    fn time(&self) -> DateTime<Utc> {
        let time = self.journal.time() + Duration::seconds(self.habits.skew_seconds);
        if self.habits.whole_seconds { time.trunc_subsecs(0) } else { time }
    }

    fn insert(&self, resource: Resource, fields: &Fields, author: Author) -> RemoteRecord {
        let id = {
            let mut state = self.state();
            state.last_id += 1;
            let number = state.last_id;
            let mut record = RemoteRecord::new(number.to_string(), Fields::new());
            record.created_at = Some(self.time());
            let held = Held { now: record.clone(), shown: Vec::new(), read_at: 0, touched_at: None };
            state.records.entry(resource).or_default().insert(number, held);
            record.id
        };
        self.write(resource, &id, fields, EventKind::Create, author)
    }

    fn change(&self, resource: Resource, id: &RemoteId, fields: &Fields, author: Author) -> RemoteRecord {
        self.write(resource, id, fields, EventKind::Update, author)
    }

    fn write(
        &self,
        resource: Resource,
        id: &RemoteId,
        fields: &Fields,
        kind: EventKind,
        author: Author,
    ) -> RemoteRecord {
        let mut changes = Vec::new();
        let time = self.time();
        self.check_needed(resource, id, fields, kind, author);
        self.touch_with(resource, id, kind, author, |record| {
            for (name, value) in fields.iter() {
                let kept = self.kept(resource, record, name.as_str(), value);
                let before = record.fields.insert(name.clone(), kept.clone()).unwrap_or_default();
                if before != kept {
                    record.edited_at.insert(name.clone(), time);
                }
                changes.push((host_name(resource, name.as_str()).to_owned(), before, kept));
            }
            changes
        })
    }

    /// An engine has no business to send what the record was seen to hold.
    fn check_needed(&self, resource: Resource, id: &RemoteId, fields: &Fields, kind: EventKind, author: Author) {
        if author == Author::Person || kind != EventKind::Update {
            return;
        }
        let state = self.state();
        let held = number_of(id).and_then(|number| state.records.get(&resource)?.get(&number));
        let Some(held) = held.filter(|held| held.touched_at.is_none_or(|touched| touched < held.read_at)) else {
            return;
        };
        let idle = fields
            .iter()
            .find(|(name, value)| held.now.fields.get(name.as_str()).unwrap_or(&Value::Null).same_as(value));
        if let Some((name, value)) = idle {
            self.journal.breach(format!("I8: {resource} {id} is sent {name} = {value}, which it holds"));
        }
    }

    /// What it keeps of a value.
    fn kept(&self, resource: Resource, record: &RemoteRecord, name: &str, value: &Value) -> Value {
        let kind = fields_of(resource).iter().find(|field| field.remote == name).map(|field| field.kind);
        match (value, kind) {
            (Value::Text(text), Some(kind)) => {
                let cut: String = text.chars().take(self.text_max(name)).collect();
                let lower = kind == FieldKind::Email && self.habits.lowercases_email;
                Value::text(if lower { cut.to_lowercase() } else { cut })
            }
            (Value::Integer(number), _) => Value::Decimal((*number).into()),
            (Value::Reference(ids), _) if name == CONTACTS && self.habits.single_contact => {
                // The one that it has, where that may stay.
                let held = record.fields.get(name).into_iter().flat_map(Value::ids).find(|id| ids.contains(*id));
                held.or(ids.first().map(String::as_str)).map_or(Value::Null, Value::reference)
            }
            (other, _) => other.clone(),
        }
    }

    fn text_max(&self, name: &str) -> usize {
        if matches!(name, "FullName" | "Name" | "Note__c") { self.habits.spelling.text_max } else { usize::MAX }
    }

    fn touch(
        &self,
        resource: Resource,
        id: &RemoteId,
        kind: EventKind,
        author: Author,
        change: impl FnOnce(&mut RemoteRecord),
    ) {
        self.touch_with(resource, id, kind, author, |record| {
            change(record);
            Vec::new()
        });
    }

    fn touch_with(
        &self,
        resource: Resource,
        id: &RemoteId,
        kind: EventKind,
        author: Author,
        change: impl FnOnce(&mut RemoteRecord) -> Vec<(String, Value, Value)>,
    ) -> RemoteRecord {
        let time = self.time();
        let mut state = self.state();
        let number = number_of(id).unwrap_or_default();
        let Some(held) = state.records.entry(resource).or_default().get_mut(&number) else {
            return RemoteRecord::new(id.clone(), Fields::new());
        };
        let changes = change(&mut held.now);
        held.now.modified_at = Some(time);
        // Later changes of one record show no earlier than earlier ones.
        let lag = i64::from(self.habits.lag_seconds);
        let delay = if lag == 0 {
            0
        } else {
            (i64::try_from(number).unwrap_or(0) * 7 + self.journal.len() as i64 * 13) % (lag + 1)
        };
        let seen_from = self.journal.time() + Duration::seconds(delay);
        let seen_from = held.shown.last().map_or(seen_from, |(before, _)| seen_from.max(*before));
        held.shown.push((seen_from, held.now.clone()));
        let raced = held.touched_at.is_some_and(|touched| touched >= held.read_at);
        if author == Author::Person {
            held.touched_at = Some(self.journal.len());
        }
        let event = Event {
            side: self.number + 1,
            resource,
            id: id.to_string(),
            kind,
            author,
            at: self.journal.time(),
            changes,
            raced,
            imports: false,
        };
        self.journal.write(event);
        held.now.clone()
    }

    /// Counts a call, and fails it where a fault is due.
    async fn enter(&self, on: &Connection) -> Result<Option<Fault>> {
        turn().await;
        on.calls.count_one();
        if self.habits.tells_time {
            let now = self.journal.time();
            let told = now + Duration::seconds(self.habits.skew_seconds);
            on.server_clock.observe(told.trunc_subsecs(0), now, now);
        }
        let fault = {
            let mut state = self.state();
            state.calls += 1;
            let number = state.calls - 1;
            let place = state.faults.iter().position(|(at, _)| *at == number);
            place.map(|place| state.faults.remove(place).1)
        };
        match fault {
            Some(Fault::LostRequest) => Err(lost()),
            Some(Fault::RateLimited) => {
                let error = Error::new(ErrorKind::RateLimited, ErrorCode::RequestLimitExceeded, "too many calls");
                Err(error.with_retry_after(std::time::Duration::from_secs(10)))
            }
            Some(Fault::Unauthorized) => {
                Err(Error::new(ErrorKind::Unauthorized, ErrorCode::InvalidSession, "the token expired"))
            }
            Some(Fault::Unavailable) => {
                Err(Error::new(ErrorKind::Unavailable, ErrorCode::ServerUnavailable, "the CRM is down"))
            }
            Some(Fault::LostAnswer | Fault::HalfDone | Fault::RepeatedPage) | None => Ok(fault),
        }
    }

    fn carry_out(&self, resource: Resource, write: Write) -> WriteOutcome {
        let author = self.journal.engine();
        match write {
            Write::Create { intent, fields } => {
                let known = self.state().intents.get(&intent).cloned();
                if let Some(record) = known.and_then(|id| self.read_now(resource, &id)) {
                    return written(record);
                }
                if let Some(refused) = self.refusal(resource, &fields, None) {
                    return refused;
                }
                let record = self.insert(resource, &fields, author);
                if self.habits.own_key && self.sabotage != Some(Sabotage::Intent) {
                    self.state().intents.insert(intent, record.id.clone());
                }
                written(record)
            }
            Write::Update { id, fields, .. } => match self.read_now(resource, &id).filter(|record| !record.deleted) {
                None => gone(),
                Some(_) => match self.refusal(resource, &fields, Some(&id)) {
                    Some(refused) => refused,
                    None => written(self.change(resource, &id, &fields, author)),
                },
            },
            Write::Archive { id } => match self.read_now(resource, &id).filter(|record| !record.deleted) {
                None => gone(),
                Some(record) => {
                    self.touch(resource, &id, EventKind::Delete, author, |record| record.deleted = true);
                    self.forget_references(resource, &id);
                    written(record)
                }
            },
            _ => gone(),
        }
    }

    fn refusal(&self, resource: Resource, fields: &Fields, except: Option<&RemoteId>) -> Option<WriteOutcome> {
        let state = self.state();
        for relation in resource.relations() {
            let held = state.records.get(&relation.target);
            let is_there = |id: &str| {
                number_of(&id.into()).is_some_and(|number| {
                    held.is_some_and(|held| held.get(&number).is_some_and(|held| !held.now.deleted))
                })
            };
            if fields.get(relation.field).is_some_and(|value| !value.ids().all(is_there)) {
                let message = format!("{} names no record", relation.field);
                return Some(WriteOutcome::Failed(Error::invalid(ErrorCode::InvalidReference, message)));
            }
        }
        let existing = state.duplicate_of(resource, fields, except, &self.habits)?;
        let error = Error::new(ErrorKind::Duplicate, ErrorCode::DuplicateValue, "the email exists already");
        Some(WriteOutcome::Failed(error.with_existing_id(existing)))
    }

    /// What the connector hands out of a record; from then on it counts as read.
    fn show(
        &self,
        state: &mut State,
        resource: Resource,
        record: &RemoteRecord,
        request: &ReadRequest,
    ) -> RemoteRecord {
        if let Some(held) = number_of(&record.id).and_then(|number| state.records.get_mut(&resource)?.get_mut(&number))
        {
            held.read_at = self.journal.len();
        }
        let mut shown = record.clone();
        let names = request.fields.iter().chain(&request.relations);
        shown.fields =
            names.map(|name| (name.clone(), record.fields.get(name.as_str()).cloned().unwrap_or_default())).collect();
        if !(request.edit_times && self.habits.field_times) {
            shown.edited_at.clear();
        }
        shown
    }

    fn page(&self, request: &ReadRequest) -> (Vec<RemoteRecord>, Option<PageCursor>) {
        let state = self.state();
        let held = state.records.get(&request.resource).into_iter().flat_map(BTreeMap::iter);
        let now = self.journal.time();
        let after = request.cursor.as_ref().map(PageCursor::as_str);
        match &request.read {
            Read::Changed { since, until, .. } => {
                let shown = held.filter_map(|(number, held)| Some((*number, shown_at(held, now)?)));
                let in_window = |record: &RemoteRecord| {
                    !record.deleted && record.modified_at.is_some_and(|time| time >= *since && time <= *until)
                };
                let mut found: Vec<(i64, u64, RemoteRecord)> = shown
                    .filter(|(_, record)| in_window(record))
                    .map(|(number, record)| {
                        (record.modified_at.unwrap_or_default().timestamp_micros(), number, record.clone())
                    })
                    .collect();
                found.sort_by_key(|(time, number, _)| (*time, *number));
                let place = |(time, number, _): &(i64, u64, RemoteRecord)| format!("{time:020}:{number:020}");
                found.retain(|one| after.is_none_or(|after| place(one).as_str() > after));
                let next = found
                    .get(self.habits.page_max)
                    .and_then(|_| found.get(self.habits.page_max - 1))
                    .map(|last| PageCursor::new(place(last)));
                found.truncate(self.habits.page_max);
                (found.into_iter().map(|(_, _, record)| record).collect(), next)
            }
            Read::Ids(ids) => {
                let is_asked = |record: &RemoteRecord| {
                    !record.deleted && std::iter::once(&record.id).chain(&record.merged_ids).any(|id| ids.contains(id))
                };
                (held.map(|(_, held)| &held.now).filter(|record| is_asked(record)).cloned().collect(), None)
            }
            read => {
                // Only those deleted since, where the question says since when.
                let (archived, since) = match read {
                    Read::Archived { since } => (true, *since),
                    _ => (false, None),
                };
                let is_asked = |record: &RemoteRecord| {
                    record.deleted == archived
                        && since.is_none_or(|since| record.modified_at.is_some_and(|at| at >= since))
                };
                let after: u64 = after.and_then(|after| after.parse().ok()).unwrap_or(0);
                let live = held.filter(|(number, held)| **number > after && is_asked(&held.now));
                let mut found: Vec<&RemoteRecord> =
                    live.map(|(_, held)| &held.now).take(self.habits.page_max + 1).collect();
                let more = found.len() > self.habits.page_max;
                found.truncate(self.habits.page_max);
                let next = found.last().filter(|_| more).map(|last| PageCursor::new(last.id.as_str()));
                (found.into_iter().cloned().collect(), next)
            }
        }
    }
}

impl CrmSide for SimulatedCrm {
    fn add_to(&self, engine: Engine) -> Engine {
        engine.with_connector(self.clone())
    }

    fn connection(&self) -> Connection {
        Connection::new("", "", self.descriptor.name, Credentials::token("secret-token"))
    }

    fn mapping(&self, resource: Resource) -> Mapping {
        mapping(resource)
    }

    fn expect_faults(&self, faults: &[(u64, Fault)]) {
        let mut state = self.state();
        (state.calls, state.faults) = (0, faults.to_vec());
    }

    fn records(&self, resource: Resource) -> Vec<RemoteRecord> {
        let state = self.state();
        let held = state.records.get(&resource).into_iter().flat_map(BTreeMap::values);
        held.map(|held| named_by_host(resource, held.now.clone())).collect()
    }

    fn create(&self, resource: Resource, fields: &Fields) {
        let fields = named_by_crm(resource, fields);
        if self.state().duplicate_of(resource, &fields, None, &self.habits).is_none() {
            self.insert(resource, &fields, Author::Person);
        }
    }

    fn edit(&self, resource: Resource, id: &RemoteId, fields: &Fields) {
        let fields = named_by_crm(resource, fields);
        if self.state().duplicate_of(resource, &fields, Some(id), &self.habits).is_none() {
            self.change(resource, id, &fields, Author::Person);
        }
    }

    fn mark(&self, resource: Resource, id: &RemoteId, deleted: bool) {
        let kind = if deleted { EventKind::Delete } else { EventKind::Restore };
        self.touch(resource, id, kind, Author::Person, |record| record.deleted = deleted);
        if deleted {
            self.forget_references(resource, id);
        }
    }

    fn merge(&self, resource: Resource, survivor: &RemoteId, loser: &RemoteId) {
        let mut old_ids = self.read_now(resource, loser).map(|record| record.merged_ids).unwrap_or_default();
        old_ids.push(loser.clone());
        self.touch(resource, loser, EventKind::Merge, Author::Person, |record| record.deleted = true);
        self.touch(resource, survivor, EventKind::Update, Author::Person, |record| record.merged_ids.extend(old_ids));
        self.forget_references(resource, loser);
        let mut state = self.state();
        if let Some(number) = number_of(loser) {
            state.records.entry(resource).or_default().remove(&number);
        }
    }
}

fn named_by_crm(resource: Resource, fields: &Fields) -> Fields {
    fields.iter().map(|(name, value)| (crm_name(resource, name.as_str()), value.clone())).collect()
}

fn named_by_host(resource: Resource, mut record: RemoteRecord) -> RemoteRecord {
    record.fields =
        record.fields.iter().map(|(name, value)| (host_name(resource, name.as_str()), value.clone())).collect();
    record
}

impl State {
    fn duplicate_of(
        &self,
        resource: Resource,
        fields: &Fields,
        except: Option<&RemoteId>,
        habits: &CrmHabits,
    ) -> Option<RemoteId> {
        let email =
            fields.get("Email").and_then(Value::as_text).filter(|_| habits.unique_email && resource.is_person())?;
        let is_held = |held: &&Held| {
            let other = held.now.fields.get("Email").and_then(Value::as_text);
            !held.now.deleted
                && other.is_some_and(|other| other.eq_ignore_ascii_case(email))
                && Some(&held.now.id) != except
        };
        self.records.get(&resource)?.values().find(is_held).map(|held| held.now.id.clone())
    }
}

fn shown_at(held: &Held, now: DateTime<Utc>) -> Option<&RemoteRecord> {
    held.shown.iter().rev().find(|(from, _)| *from <= now).map(|(_, record)| record)
}

fn number_of(id: &RemoteId) -> Option<u64> {
    id.as_str().parse().ok()
}

fn lost() -> Error {
    Error::new(ErrorKind::Ambiguous, ErrorCode::ConnectionLost, "the connection was cut off")
}

fn gone() -> WriteOutcome {
    WriteOutcome::Failed(Error::new(ErrorKind::NotFound, ErrorCode::RecordGone, "there is no such record"))
}

fn written(record: RemoteRecord) -> WriteOutcome {
    let mut written = Written::new(record.id);
    written.fields = record.fields;
    written.modified_at = record.modified_at;
    WriteOutcome::Written(written)
}

fn mapping(resource: Resource) -> Mapping {
    Mapping::new(fields_of(resource).iter().map(|field| FieldMapping::new(field.name, field.remote)).collect())
}

fn offer(resource: Resource, habits: &CrmHabits) -> ResourceCapabilities {
    let mut offer = ResourceCapabilities::new(resource, "records", mapping(resource));
    offer.key_field = match resource {
        Resource::Account => Some("Domain"),
        Resource::Contact => Some("Email"),
        _ => None,
    };
    offer.page_max = habits.page_max;
    offer.batch_max = habits.batch_max;
    offer.find_max = habits.find_max;
    offer.incremental = true;
    offer.archived = habits.tombstones;
    if resource == Resource::Opportunity && habits.single_contact {
        offer.single_relations = &[CONTACTS];
    }
    offer.relations = match resource {
        Resource::Contact => &["account"],
        Resource::Opportunity => &["account", "contacts"],
        _ => &[],
    };
    offer
}

#[async_trait]
impl CrmConnector for SimulatedCrm {
    fn descriptor(&self) -> &Descriptor {
        &self.descriptor
    }

    async fn prepare(&self, _: &Connection, _: Resource) -> Result<()> {
        Ok(())
    }

    async fn describe(&self, on: &Connection, resource: Resource) -> Result<Schema> {
        on.calls.count_one();
        Ok(remote_schema(resource, self.habits.unique_email))
    }

    async fn read(&self, on: &Connection, request: ReadRequest) -> Result<Page> {
        let fault = self.enter(on).await?;
        if matches!(fault, Some(Fault::LostAnswer | Fault::HalfDone)) {
            return Err(Error::new(ErrorKind::Unavailable, ErrorCode::ConnectionLost, "the page was cut off"));
        }
        let (mut found, next) = self.page(&request);
        // What is asked for by id has no page before it.
        if fault == Some(Fault::RepeatedPage) && !matches!(request.read, Read::Ids(_)) {
            found.splice(0..0, self.state().page_before.get(&request.resource).cloned().unwrap_or_default());
        }
        let mut state = self.state();
        let records: Vec<RemoteRecord> =
            found.iter().map(|record| self.show(&mut state, request.resource, record, &request)).collect();
        if !matches!(request.read, Read::Ids(_)) {
            state.page_before.insert(request.resource, found);
        }
        Ok(Page::new(records, next))
    }

    async fn find(&self, on: &Connection, request: FindRequest) -> Result<Vec<RemoteRecord>> {
        self.enter(on).await?;
        if request.keys.len() > self.habits.find_max {
            self.journal.breach(format!("I8: {} keys in one look-up of {}", request.keys.len(), self.habits.find_max));
        }
        let key = if request.resource.is_person() { "Email" } else { "Domain" };
        let now = self.journal.time();
        let mut state = self.state();
        let held = state.records.get(&request.resource).into_iter().flat_map(BTreeMap::values);
        let is_asked = |record: &&RemoteRecord| {
            let value = record.fields.get(key).and_then(Value::as_text).map(str::to_lowercase);
            !record.deleted && value.is_some_and(|value| request.keys.iter().any(|key| value.contains(key.as_str())))
        };
        let found: Vec<RemoteRecord> = held.filter_map(|held| shown_at(held, now)).filter(is_asked).cloned().collect();
        let asked = ReadRequest::new(request.resource, Read::All)
            .with_fields(request.fields.iter().cloned())
            .with_relations(request.relations.iter().cloned());
        Ok(found.iter().map(|record| self.show(&mut state, request.resource, record, &asked)).collect())
    }

    async fn write(&self, on: &Connection, resource: Resource, writes: Vec<Write>) -> Result<Vec<WriteOutcome>> {
        let fault = self.enter(on).await?;
        if writes.len() > self.habits.batch_max {
            self.journal.breach(format!("I8: a batch of {} where {} are allowed", writes.len(), self.habits.batch_max));
        }
        let done = if fault == Some(Fault::HalfDone) { writes.len() / 2 } else { writes.len() };
        let outcomes = writes.into_iter().take(done).map(|write| self.carry_out(resource, write)).collect();
        turn().await;
        match fault {
            Some(Fault::LostAnswer | Fault::HalfDone) => Err(lost()),
            Some(_) | None => Ok(outcomes),
        }
    }

    async fn verify(&self, on: &Connection, request: VerifyRequest) -> Result<Vec<Option<RemoteRecord>>> {
        self.enter(on).await?;
        let state = self.state();
        let empty = BTreeMap::new();
        let held = state.records.get(&request.resource).unwrap_or(&empty);
        let mut claimed = BTreeSet::new();
        let found = request.creates.iter().map(|create| {
            let record = if self.sabotage == Some(Sabotage::Intent) {
                None
            } else if self.habits.own_key {
                let id = state.intents.get(&create.intent)?;
                held.values().find(|held| held.now.id == *id)
            } else {
                // Without a key of one's own a record is told by what it holds and by its age.
                let since = create.announced_at + Duration::seconds(self.habits.skew_seconds) - Duration::seconds(1);
                let tag = create.fields.get("Tag__c");
                held.values().find(|held| {
                    held.now.created_at.is_some_and(|at| at >= since)
                        && held.now.fields.get("Tag__c") == tag
                        && !claimed.contains(&held.now.id)
                })
            };
            let record = record?.now.clone();
            claimed.insert(record.id.clone());
            Some(record)
        });
        Ok(found.collect())
    }

    fn pushdown(&self, _: Resource, _: &Expr, _: &Schema) -> Pushdown {
        Pushdown::Server
    }
}
