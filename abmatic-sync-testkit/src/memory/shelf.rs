//! What a CRM in memory holds, and what a write makes of it.

use std::collections::{BTreeMap, BTreeSet};

use abmatic_sync_core::connector::request::{Write, WriteOutcome, Written};
use abmatic_sync_core::error::{Error, ErrorCode, ErrorKind};
use abmatic_sync_core::ids::{IntentId, RemoteId};
use abmatic_sync_core::model::fields::Fields;
use abmatic_sync_core::model::record::RemoteRecord;
use abmatic_sync_core::model::resource::Resource;
use abmatic_sync_core::model::value::Value;
use chrono::{DateTime, Utc};

/// Longer texts are cut without a word, as some CRMs do.
pub(crate) const TEXT_MAX: usize = 80;

/// The records of one CRM, and what its admins did to them.
#[derive(Debug, Default)]
pub(crate) struct Shelf {
    pub(crate) records: BTreeMap<Resource, BTreeMap<u64, RemoteRecord>>,
    pub(crate) intents: BTreeMap<IntentId, RemoteId>,
    pub(crate) last_id: u64,
    /// When records were deleted that are in the recycle bin.
    pub(crate) deleted_at: BTreeMap<RemoteId, DateTime<Utc>>,
    /// Texts that no write may hold.
    pub(crate) refused: BTreeSet<(Resource, String)>,
    /// Records that no answer shows in a readable form.
    pub(crate) garbled: BTreeSet<RemoteId>,
    /// Records that come in no readable form when they are asked for by id.
    pub(crate) garbled_by_id: BTreeSet<RemoteId>,
    pub(crate) writes: u64,
}

impl Shelf {
    pub(crate) fn record_mut(&mut self, resource: Resource, id: &RemoteId) -> Option<&mut RemoteRecord> {
        self.records.get_mut(&resource)?.values_mut().find(|record| record.id == *id)
    }

    /// The same, unless it is in the recycle bin.
    pub(crate) fn live_mut(&mut self, resource: Resource, id: &RemoteId) -> Option<&mut RemoteRecord> {
        self.record_mut(resource, id).filter(|record| !record.deleted)
    }

    /// Moves a record to the recycle bin.
    pub(crate) fn delete(&mut self, resource: Resource, id: &RemoteId, now: DateTime<Utc>) -> Option<RemoteRecord> {
        let record = self.live_mut(resource, id)?;
        record.deleted = true;
        let record = record.clone();
        self.deleted_at.insert(id.clone(), now);
        Some(record)
    }

    /// Lets `loser`, with all that it took in before, live on in `survivor`.
    pub(crate) fn merge(&mut self, resource: Resource, survivor: &RemoteId, loser: &RemoteId, now: DateTime<Utc>) {
        let Some(lost) = self.delete(resource, loser, now) else { return };
        if let Some(record) = self.record_mut(resource, survivor) {
            record.merged_ids.extend(lost.merged_ids.into_iter().chain([lost.id]));
            record.modified_at = Some(now);
        }
    }

    /// Takes a record out of the recycle bin. That counts as a change. One that was merged cannot be had back.
    pub(crate) fn restore(&mut self, resource: Resource, id: &RemoteId, now: DateTime<Utc>) {
        let held = self.records.get(&resource).into_iter().flat_map(BTreeMap::values);
        if held.into_iter().any(|record| record.merged_ids.contains(id)) {
            return;
        }
        self.deleted_at.remove(id);
        if let Some(record) = self.record_mut(resource, id) {
            (record.deleted, record.modified_at) = (false, Some(now));
        }
    }

    pub(crate) fn insert(&mut self, resource: Resource, fields: Fields, now: DateTime<Utc>) -> RemoteRecord {
        self.last_id += 1;
        let mut record = RemoteRecord::new(self.last_id.to_string(), Fields::new());
        record.created_at = Some(now);
        change(&mut record, &fields, now);
        self.records.entry(resource).or_default().insert(self.last_id, record.clone());
        record
    }

    pub(crate) fn refuses(&self, resource: Resource, fields: &Fields) -> bool {
        let texts = fields.iter().filter_map(|(_, value)| value.as_text());
        texts.into_iter().any(|text| self.refused.contains(&(resource, text.to_owned())))
    }

    pub(crate) fn holder_of_email(
        &self,
        resource: Resource,
        fields: &Fields,
        except: Option<&RemoteId>,
    ) -> Option<RemoteId> {
        let email = fields.get("email").and_then(Value::as_text).filter(|_| resource.is_person())?;
        let held = |record: &&RemoteRecord| {
            let other = record.fields.get("email").and_then(Value::as_text);
            let is_other = !record.deleted && Some(&record.id) != except;
            is_other && other.is_some_and(|other| other.eq_ignore_ascii_case(email))
        };
        self.records.get(&resource)?.values().find(held).map(|record| record.id.clone())
    }

    pub(crate) fn write(&mut self, resource: Resource, write: Write, now: DateTime<Utc>) -> WriteOutcome {
        if write.fields().is_some_and(|fields| self.refuses(resource, fields)) {
            return WriteOutcome::Failed(Error::invalid(ErrorCode::InvalidField, "the CRM does not take this value"));
        }
        let except = if let Write::Update { id, .. } = &write { Some(id) } else { None };
        let own = if let Write::Create { intent, .. } = &write { self.intents.get(intent) } else { except };
        if let Some(id) = write.fields().and_then(|fields| self.holder_of_email(resource, fields, own)) {
            let error = Error::new(ErrorKind::Duplicate, ErrorCode::DuplicateValue, "the email exists already");
            return WriteOutcome::Failed(error.with_existing_id(id));
        }
        let record = match write {
            Write::Create { intent, fields } => match self.intents.get(&intent).cloned() {
                Some(id) => self.record_mut(resource, &id).map(|record| record.clone()),
                None => {
                    let record = self.insert(resource, fields, now);
                    self.intents.insert(intent, record.id.clone());
                    Some(record)
                }
            },
            Write::Update { id, fields, .. } => self.live_mut(resource, &id).map(|record| {
                change(record, &fields, now);
                record.clone()
            }),
            Write::Archive { id } => self.delete(resource, &id, now),
            _ => None,
        };
        self.writes += 1;
        match record {
            Some(record) => {
                let mut written = Written::new(record.id);
                written.fields = record.fields;
                written.modified_at = record.modified_at;
                WriteOutcome::Written(written)
            }
            None => {
                WriteOutcome::Failed(Error::new(ErrorKind::NotFound, ErrorCode::RecordGone, "there is no such record"))
            }
        }
    }
}

/// Sets fields, cut as this CRM cuts them.
pub(crate) fn change(record: &mut RemoteRecord, fields: &Fields, now: DateTime<Utc>) {
    for (name, value) in fields.iter() {
        let stored = match value {
            Value::Text(text) => Value::text(text.chars().take(TEXT_MAX).collect::<String>()),
            other => other.clone(),
        };
        record.edited_at.insert(name.clone(), now);
        record.fields.insert(name.clone(), stored);
    }
    record.modified_at = Some(now);
}
