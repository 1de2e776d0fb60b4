//! All records of one kind, deleted ones among them, by id and by time of change.

use std::collections::{BTreeMap, BTreeSet};

use crate::fake::packed::FieldId;
use crate::fake::pipedrive::catalogue::Catalogue;
use crate::fake::pipedrive::record::Record;

/// How long a deleted record can be seen.
const BIN_MS: i64 = 30 * 86_400_000;

/// The records of one kind.
#[derive(Clone, Debug)]
pub(crate) struct Shelf {
    pub(crate) catalogue: Catalogue,
    records: BTreeMap<u64, Record>,
    /// Time of change and id; those without a time come first.
    updates: BTreeSet<(Option<i64>, u64)>,
    /// Time of deletion and id.
    bin: BTreeSet<(i64, u64)>,
    next: u64,
}

impl Shelf {
    pub(crate) fn new(catalogue: Catalogue) -> Self {
        Self { catalogue, records: BTreeMap::new(), updates: BTreeSet::new(), bin: BTreeSet::new(), next: 1 }
    }

    /// Takes a new record, and answers its id.
    pub(crate) fn insert(&mut self, record: Record) -> u64 {
        let id = self.next;
        self.next += 1;
        self.put(id, record);
        id
    }

    pub(crate) fn put(&mut self, id: u64, record: Record) {
        self.remove(id);
        self.updates.insert((record.updated, id));
        if record.deleted {
            self.bin.insert((record.updated.unwrap_or(0), id));
        }
        self.records.insert(id, record);
    }

    pub(crate) fn remove(&mut self, id: u64) -> Option<Record> {
        let record = self.records.remove(&id)?;
        self.updates.remove(&(record.updated, id));
        self.bin.remove(&(record.updated.unwrap_or(0), id));
        Some(record)
    }

    /// Removes for good what was deleted thirty days ago.
    pub(crate) fn purge(&mut self, now: i64) {
        while let Some(&(deleted, id)) = self.bin.first().filter(|(deleted, _)| deleted + BIN_MS <= now) {
            self.bin.remove(&(deleted, id));
            self.remove(id);
        }
    }

    /// Sets values and the time of change; false where there is no such record.
    pub(crate) fn change(&mut self, id: u64, changes: &[(FieldId, Option<String>)], now: i64) -> bool {
        let Some(mut record) = self.records.get(&id).cloned() else { return false };
        record.values = record.values.with(changes);
        record.updated = Some(now);
        self.put(id, record);
        true
    }

    /// Marks a record as deleted, or as there again.
    pub(crate) fn set_deleted(&mut self, id: u64, deleted: bool, now: i64) -> bool {
        let Some(mut record) = self.records.get(&id).filter(|record| record.deleted != deleted).cloned() else {
            return false;
        };
        record.deleted = deleted;
        record.updated = Some(now);
        self.put(id, record);
        true
    }

    pub(crate) fn get(&self, id: u64) -> Option<&Record> {
        self.records.get(&id)
    }

    /// A record that is not deleted.
    pub(crate) fn live(&self, id: u64) -> Option<&Record> {
        self.get(id).filter(|record| !record.deleted)
    }

    /// All records, by id.
    pub(crate) fn iter(&self) -> impl Iterator<Item = (u64, &Record)> {
        self.records.iter().map(|(id, record)| (*id, record))
    }

    pub(crate) fn iter_live(&self) -> impl Iterator<Item = (u64, &Record)> {
        self.iter().filter(|(_, record)| !record.deleted)
    }

    /// Ids in their order, on from `from`.
    pub(crate) fn ids_from(&self, from: u64) -> impl DoubleEndedIterator<Item = u64> {
        self.records.range(from..).map(|(id, _)| *id)
    }

    /// Ids in their order, up to `to`.
    pub(crate) fn ids_to(&self, to: u64) -> impl DoubleEndedIterator<Item = u64> {
        self.records.range(..=to).map(|(id, _)| *id)
    }

    /// Ids in the order of their time of change, on from that place.
    pub(crate) fn updates_from(&self, from: (Option<i64>, u64)) -> impl DoubleEndedIterator<Item = u64> {
        self.updates.range(from..).map(|(_, id)| *id)
    }

    /// Ids in the order of their time of change, up to that place.
    pub(crate) fn updates_to(&self, to: (Option<i64>, u64)) -> impl DoubleEndedIterator<Item = u64> {
        self.updates.range(..=to).map(|(_, id)| *id)
    }

    pub(crate) fn live_count(&self) -> usize {
        self.records.len() - self.bin.len()
    }

    pub(crate) fn deleted_count(&self) -> usize {
        self.bin.len()
    }
}
