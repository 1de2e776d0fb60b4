//! What a check is given: one resource of the subject, and short ways to make, read and change its records.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use abmatic_sync_core::connector::request::{FindRequest, Read, ReadRequest, Write, WriteOutcome, Written};
use abmatic_sync_core::error::Error;
use abmatic_sync_core::ids::{FieldName, IntentId, RemoteId};
use abmatic_sync_core::model::fields::Fields;
use abmatic_sync_core::model::record::RemoteRecord;
use abmatic_sync_core::model::resource::{Relation, Resource};
use abmatic_sync_core::model::schema::{Field, FieldType};
use abmatic_sync_core::model::value::Value;

use crate::conformance::check::{Finding, Judgement, ensure, fault, not_applicable};
use crate::conformance::sample::{is_exercised, key_field, key_value, sample};
use crate::conformance::stand::{Offer, Stand};
use crate::conformance::subject::Subject;

/// More pages than this are taken for a paging that never ends.
const PAGES_MAX: usize = 100_000;
/// How often a change is looked for that an index may show late.
const LOOKS: u32 = 8;

/// One resource of the subject.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Probe<'a> {
    pub(crate) stand: &'a Stand,
    pub(crate) offer: &'a Offer,
}

/// A record that the suite made.
#[derive(Clone, Debug)]
pub(crate) struct Made {
    pub(crate) id: RemoteId,
    /// What was sent.
    pub(crate) fields: Fields,
    /// What of it the CRM is said not to hold.
    pub(crate) unwritten: BTreeSet<FieldName>,
}

impl<'a> Probe<'a> {
    pub(crate) fn subject(self) -> &'a Subject {
        &self.stand.subject
    }

    pub(crate) fn resource(self) -> Resource {
        self.offer.capabilities.resource
    }

    /// The same for another resource.
    pub(crate) fn of(self, resource: Resource) -> Judgement<Self> {
        match self.stand.offers.get(&resource) {
            Some(offer) => Ok(Self { offer, ..self }),
            None => not_applicable(format!("no {resource} is offered")),
        }
    }

    /// A record that is not there yet, and its tag.
    pub(crate) fn sample(self) -> (Fields, String) {
        let number = self.stand.number();
        let tag = self.stand.tag(number);
        (sample(self.subject(), &self.offer.capabilities, &self.offer.schema, &tag, number), tag)
    }

    /// The same, with the parents that the CRM wants.
    pub(crate) async fn full_sample(self) -> Judgement<Fields> {
        let (mut fields, _) = self.sample();
        for relation in self.resource().relations() {
            let wanted = (self.resource(), FieldName::from(relation.field));
            if self.subject().sample_relations.contains(&wanted) {
                let parent = Box::pin(self.of(relation.target)?.make()).await?;
                fields.insert(relation.field, Value::reference(parent.id.as_str()));
            }
        }
        Ok(fields)
    }

    /// The fields that the suite may write.
    pub(crate) fn exercised(self) -> impl Iterator<Item = &'a Field> {
        let fields = self.offer.schema.fields.iter();
        fields.filter(move |field| is_exercised(self.subject(), &self.offer.capabilities, field))
    }

    /// A field of one of these types whose value no check relies on: the least bound one.
    pub(crate) fn field_of(self, types: &[FieldType]) -> Judgement<&'a Field> {
        let free = self.exercised().filter(|field| types.contains(&field.field_type) && self.is_free(field));
        match free.min_by_key(|field| (field.unique, field.required_on_create)) {
            Some(field) => Ok(field),
            None => not_applicable(format!("no field of type {} is mapped", types[0].as_str())),
        }
    }

    /// Whether no check relies on a field's value.
    pub(crate) fn is_free(self, field: &Field) -> bool {
        let is_fixed = self.subject().values.contains_key(&(self.resource(), field.name.clone()));
        self.key().as_ref() != Some(&field.name) && !is_fixed
    }

    /// The text field that records are told apart by.
    pub(crate) fn text_field(self) -> Judgement<&'a Field> {
        self.field_of(&[FieldType::Text])
    }

    pub(crate) fn key(self) -> Option<FieldName> {
        key_field(&self.offer.capabilities, &self.offer.schema)
    }

    /// The field of the match key.
    pub(crate) fn key_field(self) -> Judgement<&'a Field> {
        let described = self.key().and_then(|key| self.offer.schema.field(key.as_str()));
        described.map_or_else(|| not_applicable("records have no key"), Ok)
    }

    pub(crate) fn key_value(self, tag: &str) -> Value {
        key_value(&self.offer.capabilities, tag)
    }

    pub(crate) fn relation(self, name: &str) -> Judgement<Relation> {
        let offered = self.offer.capabilities.relations.contains(&name);
        match self.resource().relations().iter().find(|relation| offered && relation.field == name) {
            Some(relation) => Ok(*relation),
            None => not_applicable(format!("the relation {name} is not offered")),
        }
    }

    pub(crate) fn create(self, fields: Fields) -> Write {
        Write::Create { intent: self.intent(), fields }
    }

    /// An intent that nobody had.
    pub(crate) fn intent(self) -> IntentId {
        IntentId::new(format!("conformance-{}", self.stand.tag(self.stand.number())))
    }

    /// Writes, and notes what has to be deleted in the end.
    pub(crate) async fn write(self, writes: Vec<Write>) -> Judgement<Vec<WriteOutcome>> {
        let creates: Vec<bool> = writes.iter().map(|write| matches!(write, Write::Create { .. })).collect();
        let count = writes.len();
        let outcomes = self.subject().connector.write(&self.subject().on, self.resource(), writes).await?;
        for (outcome, created) in outcomes.iter().zip(creates) {
            if let (WriteOutcome::Written(written), true) = (outcome, created) {
                self.stand.note_made(self.resource(), written.id.clone());
            }
        }
        ensure!(outcomes.len() == count, "{count} writes had {} outcomes", outcomes.len());
        Ok(outcomes)
    }

    /// Makes one write.
    pub(crate) async fn write_one(self, write: Write) -> Judgement<WriteOutcome> {
        let outcome = self.write(vec![write]).await?.pop();
        outcome.map_or_else(|| fault("the write had no outcome"), Ok)
    }

    /// Makes one record.
    pub(crate) async fn make(self) -> Judgement<Made> {
        let fields = self.full_sample().await?;
        self.make_with(fields).await
    }

    /// Makes a record with these fields.
    pub(crate) async fn make_with(self, fields: Fields) -> Judgement<Made> {
        let outcome = self.write_one(self.create(fields.clone())).await?;
        Ok(made(written(outcome)?, fields))
    }

    /// Makes as many as that, in as few writes as that takes.
    pub(crate) async fn make_many(self, count: usize) -> Judgement<Vec<Made>> {
        let mut all = Vec::new();
        let mut drafts = Vec::new();
        for _ in 0..count {
            drafts.push(self.full_sample().await?);
        }
        for batch in drafts.chunks(self.offer.capabilities.batch_max.max(1)) {
            let writes = batch.iter().map(|fields| self.create(fields.clone())).collect();
            for (outcome, fields) in self.write(writes).await?.into_iter().zip(batch) {
                all.push(made(written(outcome)?, fields.clone()));
            }
        }
        Ok(all)
    }

    async fn make_ids(self, count: usize) -> Judgement<Vec<RemoteId>> {
        Ok(self.make_many(count).await?.into_iter().map(|made| made.id).collect())
    }

    /// More records than a page holds.
    pub(crate) async fn crowd(self) -> Judgement<&'a Vec<RemoteId>> {
        let (page_max, records_max) = (self.offer.capabilities.page_max, self.subject().records_max);
        let count = page_max + 3;
        if count > records_max {
            return not_applicable(format!("a page holds {page_max}, and no more than {records_max} may be made"));
        }
        self.offer.crowd.get_or_try_init(|| self.make_ids(count)).await
    }

    /// Changes one field of one record.
    pub(crate) async fn set(self, id: &RemoteId, field: &FieldName, value: Value) -> Judgement<Written> {
        written(self.write_one(update(id, [(field.clone(), value)])).await?)
    }

    /// Deletes one record.
    pub(crate) async fn delete(self, id: &RemoteId) -> Judgement {
        written(self.write_one(Write::Archive { id: id.clone() }).await?).map(|_| ())
    }

    /// A read of all that the suite may write.
    pub(crate) fn request(self, read: Read) -> ReadRequest {
        let fields = self.exercised().map(|field| field.name.clone());
        ReadRequest::new(self.resource(), read).with_fields(fields)
    }

    /// Every page of a read.
    pub(crate) async fn read(self, request: ReadRequest) -> Judgement<Vec<RemoteRecord>> {
        let (mut records, mut cursor) = (Vec::new(), None);
        for _ in 0..PAGES_MAX {
            let page = self.subject().connector.read(&self.subject().on, request.clone().at(cursor)).await?;
            if let Some(bad) = page.undecodable.first() {
                return fault(format!("a record could not be decoded: {}", bad.error));
            }
            records.extend(page.records);
            cursor = page.next;
            if cursor.is_none() {
                return Ok(records);
            }
        }
        fault(format!("the read did not end after {PAGES_MAX} pages"))
    }

    /// Every record of a read.
    pub(crate) async fn read_all(self, read: Read) -> Judgement<Vec<RemoteRecord>> {
        self.read(self.request(read)).await
    }

    /// A record by its id, unless it is gone.
    pub(crate) async fn one(self, id: &RemoteId) -> Judgement<Option<RemoteRecord>> {
        Ok(self.read_all(Read::Ids(vec![id.clone()])).await?.into_iter().find(|record| record.id == *id))
    }

    /// A record that has to be there, by its id.
    pub(crate) async fn held(self, id: &RemoteId) -> Judgement<RemoteRecord> {
        self.one(id).await?.map_or_else(|| fault(format!("record {id} cannot be read by its id")), Ok)
    }

    /// The references of a record under one relation.
    pub(crate) async fn references(self, id: &RemoteId, relation: &str) -> Judgement<BTreeSet<String>> {
        let request = self.request(Read::Ids(vec![id.clone()])).with_relations([FieldName::from(relation)]);
        let records = self.read(request).await?;
        let Some(record) = records.iter().find(|record| record.id == *id) else {
            return fault(format!("record {id} cannot be read by its id"));
        };
        Ok(record.fields.get(relation).into_iter().flat_map(Value::ids).map(str::to_owned).collect())
    }

    /// Live records by key.
    pub(crate) async fn find(self, keys: Vec<String>) -> Judgement<Vec<RemoteRecord>> {
        let mut request = FindRequest::new(self.resource(), keys);
        request.fields = self.exercised().map(|field| field.name.clone()).collect();
        Ok(self.subject().connector.find(&self.subject().on, request).await?)
    }

    /// Whether to look again, after a while. A connector says how long a change may stay unseen.
    pub(crate) async fn looks_again(self, seen: &Judgement, looks: u32) -> bool {
        let may_change = matches!(seen, Err(Finding::Fault(_))) && looks < LOOKS;
        if may_change {
            let lag = Duration::from_secs(self.subject().connector.descriptor().visibility_lag_seconds.into());
            self.subject().clock.sleep(lag / LOOKS).await;
        }
        may_change
    }
}

/// Looks until it is as wanted, for as long as the connector says that a change may stay unseen.
macro_rules! eventually {
    ($probe:expr, $look:block) => {{
        let mut looks = 0;
        loop {
            let seen: $crate::conformance::check::Judgement = async { $look }.await;
            if !$probe.looks_again(&seen, looks).await {
                break seen;
            }
            looks += 1;
        }
    }};
}
pub(crate) use eventually;

fn made(written: Written, fields: Fields) -> Made {
    Made { id: written.id, fields, unwritten: written.unwritten }
}

/// What was written, where it was.
pub(crate) fn written(outcome: WriteOutcome) -> Judgement<Written> {
    match outcome {
        WriteOutcome::Written(written) => Ok(written),
        WriteOutcome::Failed(error) => fault(format!("the write failed: {error}")),
        other => fault(format!("the outcome is {other:?}")),
    }
}

/// Why a write failed, where it did.
pub(crate) fn failed(outcome: WriteOutcome, expected: &str) -> Judgement<Error> {
    match outcome {
        WriteOutcome::Failed(error) => Ok(error),
        other => fault(format!("{expected} was expected to fail, and came to {other:?}")),
    }
}

/// A change of a record, with no references before it.
pub(crate) fn update(id: &RemoteId, fields: impl IntoIterator<Item = (FieldName, Value)>) -> Write {
    Write::Update {
        id: id.clone(),
        fields: fields.into_iter().collect(),
        references_before: Fields::new(),
        unmodified_since: None,
    }
}

/// Records by id.
pub(crate) fn by_id(records: &[RemoteRecord]) -> BTreeMap<&str, &RemoteRecord> {
    records.iter().map(|record| (record.id.as_str(), record)).collect()
}

/// A value of a record as the CRM holds it; null where it has none.
pub(crate) fn value<'r>(record: &'r RemoteRecord, field: &FieldName) -> &'r Value {
    static NULL: Value = Value::Null;
    record.fields.get(field.as_str()).unwrap_or(&NULL)
}
