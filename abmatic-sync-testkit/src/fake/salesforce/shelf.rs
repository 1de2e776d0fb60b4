//! All records of one object, with the indexes that keep searches over a million of them quick.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use crate::fake::packed::FieldId;
use crate::fake::salesforce::catalogue::Catalogue;
use crate::fake::salesforce::id::{self, FIRST_NUMBER};
use crate::fake::salesforce::kind::Kind;
use crate::fake::salesforce::record::Record;

/// The records of one object, deleted ones among them.
#[derive(Clone, Debug)]
pub(crate) struct Shelf {
    pub(crate) kind: Kind,
    pub(crate) catalogue: Catalogue,
    records: BTreeMap<u64, Record>,
    /// Field → hash of the value without its case, and record. Hits are candidates: hashes may collide.
    equal: HashMap<FieldId, BTreeSet<(u64, u64)>>,
    /// `SystemModstamp` and record.
    stamps: BTreeSet<(i64, u64)>,
    indexed: Vec<FieldId>,
    live: usize,
    next: u64,
}

impl Shelf {
    pub(crate) fn new(kind: Kind, catalogue: Catalogue) -> Self {
        let indexed = catalogue.indexed().collect();
        Self {
            kind,
            catalogue,
            records: BTreeMap::new(),
            equal: HashMap::new(),
            stamps: BTreeSet::new(),
            indexed,
            live: 0,
            next: FIRST_NUMBER,
        }
    }

    /// A number for a new record.
    pub(crate) fn take_number(&mut self) -> u64 {
        let number = self.next;
        self.next += 1;
        number
    }

    pub(crate) fn get(&self, number: u64) -> Option<&Record> {
        self.records.get(&number)
    }

    /// A record that is not in the recycle bin.
    pub(crate) fn live(&self, number: u64) -> Option<&Record> {
        self.get(number).filter(|record| record.is_live())
    }

    /// Records in the order of their ids.
    pub(crate) fn iter(&self) -> impl Iterator<Item = (u64, &Record)> {
        self.records.iter().map(|(number, record)| (*number, record))
    }

    /// Records whose id lies behind `after`, in the order of their ids.
    pub(crate) fn iter_from(&self, from: u64) -> impl Iterator<Item = u64> {
        self.records.range(from..).map(|(number, _)| *number)
    }

    /// Records by `SystemModstamp` and id, from that stamp on.
    pub(crate) fn iter_stamped(&self, from: i64) -> impl Iterator<Item = u64> {
        self.stamps.range((from, 0)..).map(|(_, number)| *number)
    }

    pub(crate) fn live_count(&self) -> usize {
        self.live
    }

    pub(crate) fn deleted_count(&self) -> usize {
        self.records.len() - self.live
    }

    pub(crate) fn is_indexed(&self, field: FieldId) -> bool {
        self.indexed.contains(&field)
    }

    /// Records that may have that value in an indexed field, by id.
    pub(crate) fn candidates(&self, field: FieldId, value: &str) -> impl Iterator<Item = u64> {
        let hash = hash(value);
        let found = self.equal.get(&field).map(|entries| entries.range((hash, 0)..=(hash, u64::MAX)));
        found.into_iter().flatten().map(|(_, number)| *number)
    }

    /// Live records with that value in an indexed field; case counts where the field says so.
    pub(crate) fn with_value(&self, field: FieldId, value: &str) -> Vec<u64> {
        let exact = self.catalogue.get(field).is_some_and(|field| field.case_sensitive);
        let same = |stored: &str| if exact { stored == value } else { folded(stored) == folded(value) };
        let hits = self.candidates(field, value);
        hits.filter(|number| self.live(*number).and_then(|record| record.values.get(field)).is_some_and(same)).collect()
    }

    /// Puts a record in its place, or takes it away; answers what was there.
    pub(crate) fn put(&mut self, number: u64, record: Option<Record>) -> Option<Record> {
        let before = self.records.remove(&number);
        if let Some(before) = &before {
            self.unindex(number, before);
        }
        if let Some(record) = record {
            self.index(number, &record);
            self.records.insert(number, record);
        }
        before
    }

    /// Puts many new records in their places, which is quicker than one by one.
    pub(crate) fn put_all(&mut self, records: Vec<(u64, Record)>) {
        self.live += records.iter().filter(|(_, record)| record.is_live()).count();
        let mut stamps: BTreeSet<(i64, u64)> = records.iter().map(|(number, record)| (record.stamp, *number)).collect();
        self.stamps.append(&mut stamps);
        for field in &self.indexed {
            let entry = |(number, record): &(u64, Record)| Some((hash(record.values.get(*field)?), *number));
            let mut entries: BTreeSet<(u64, u64)> = records.iter().filter_map(entry).collect();
            self.equal.entry(*field).or_default().append(&mut entries);
        }
        self.records.append(&mut records.into_iter().collect());
    }

    fn index(&mut self, number: u64, record: &Record) {
        self.live += usize::from(record.is_live());
        self.stamps.insert((record.stamp, number));
        for field in &self.indexed {
            if let Some(value) = record.values.get(*field) {
                self.equal.entry(*field).or_default().insert((hash(value), number));
            }
        }
    }

    fn unindex(&mut self, number: u64, record: &Record) {
        self.live -= usize::from(record.is_live());
        self.stamps.remove(&(record.stamp, number));
        for field in &self.indexed {
            if let (Some(value), Some(entries)) = (record.values.get(*field), self.equal.get_mut(field)) {
                entries.remove(&(hash(value), number));
            }
        }
    }

    pub(crate) fn id(&self, number: u64) -> String {
        id::text(self.kind.prefix(), number)
    }
}

/// A text as comparisons see it.
pub(crate) fn folded(text: &str) -> String {
    text.to_lowercase()
}

/// FNV-1a over the text without its case.
fn hash(value: &str) -> u64 {
    let folded = value.chars().flat_map(char::to_lowercase);
    folded.fold(0xCBF2_9CE4_8422_2325, |hash, character| {
        (hash ^ u64::from(u32::from(character))).wrapping_mul(0x0100_0000_01B3)
    })
}
