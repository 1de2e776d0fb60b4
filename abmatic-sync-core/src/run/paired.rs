//! A block's records with what matching found for each, and what the block is about.

use std::collections::{HashMap, HashSet};
use std::hash::{BuildHasherDefault, Hasher};

use crate::connector::request::Undecodable;
use crate::ids::{LocalId, RemoteId};
use crate::model::record::{LocalRecord, RemoteRecord};
use crate::model::resource::Side;
use crate::run::local_id::hash;
use crate::steps::matching::Situation;
use crate::steps::plan::Pair;
use crate::steps::references::ReferenceMap;

/// A block's records with what matching found.
#[derive(Debug, Default)]
pub(crate) struct Paired {
    pub(crate) pairs: Vec<Pair>,
    /// Records that are as their base knows them: nothing has to be looked up for them.
    pub(crate) unchanged: u64,
    /// Records that failed before, are as they were, and are not due to be tried again.
    pub(crate) left: u64,
    /// Counterparts that came in a form that cannot be read: not gone, and nothing can be said of their pairs.
    pub(crate) undecodable: Vec<Undecodable>,
    /// Links of local records that were announced and never made: whatever comes of their remote records now, these end.
    pub(crate) void: Vec<(LocalId, RemoteId)>,
    pub(crate) references: ReferenceMap,
}

/// The ids and keys that a block is about, hashed. Two blocks that share none cannot change what the other's lookups
/// find; two that seem to share one are paired one after the other.
#[derive(Clone, Debug, Default)]
pub(crate) struct Concerns(HashSet<u64, BuildHasherDefault<AsItIs>>);

/// What is hashed already is not hashed again.
#[derive(Clone, Copy, Debug, Default)]
struct AsItIs(u64);

impl Hasher for AsItIs {
    fn finish(&self) -> u64 {
        self.0
    }

    fn write(&mut self, bytes: &[u8]) {
        self.0 = hash(self.0, [bytes]);
    }

    fn write_u64(&mut self, number: u64) {
        self.0 = number;
    }
}

impl Concerns {
    /// Whether the other block is about something that this one is about.
    pub(crate) fn meet(&self, other: &Self) -> bool {
        self.0.iter().any(|name| other.0.contains(name))
    }

    /// What a pair is about.
    pub(crate) fn of(pair: &Pair) -> Self {
        let mut concerns = Self::default();
        concerns.add_pair(pair);
        concerns
    }

    /// The records of a pair, whatever their key.
    pub(crate) fn of_ids(pair: &Pair) -> Self {
        let mut concerns = Self::default();
        concerns.add_ids(pair);
        concerns
    }

    /// Takes in what others are about.
    pub(crate) fn absorb(&mut self, other: Self) {
        self.0.extend(other.0);
    }

    fn add_pair(&mut self, pair: &Pair) {
        pair.key.iter().for_each(|key| self.add(key));
        self.add_ids(pair);
    }

    fn add_ids(&mut self, pair: &Pair) {
        if let Some(record) = &pair.local {
            self.add(record.id.as_str());
        }
        if let Some(record) = &pair.remote {
            self.add(record.id.as_str());
            record.merged_ids.iter().for_each(|id| self.add(id.as_str()));
        }
    }

    fn add(&mut self, name: &str) {
        self.0.insert(hash(0, [name.as_bytes()]));
    }
}

impl Paired {
    /// What the block is about, on both sides.
    pub(crate) fn concerns(&self) -> Concerns {
        const NAMES_OF_A_PAIR: usize = 3;
        let mut concerns = Concerns::default();
        concerns.0.reserve(self.pairs.len() * NAMES_OF_A_PAIR);
        self.pairs.iter().for_each(|pair| concerns.add_pair(pair));
        concerns
    }

    /// Takes in another part of the same block.
    pub(crate) fn absorb(&mut self, other: Self) {
        self.pairs.extend(other.pairs);
        self.unchanged += other.unchanged;
        self.left += other.left;
        self.undecodable.extend(other.undecodable);
        self.void.extend(other.void);
        self.references.absorb(other.references);
    }

    /// The records that were read, to be paired anew.
    pub(crate) fn into_records(self) -> (Vec<RemoteRecord>, Vec<LocalRecord>) {
        let mut remote = Vec::new();
        let mut local = Vec::new();
        for pair in self.pairs {
            match pair.source {
                Side::Remote => remote.extend(pair.remote),
                Side::Local => local.extend(pair.local),
            }
        }
        (remote, local)
    }
}

/// A pair without a link, as it comes from `source`.
pub(crate) fn new_pair(
    source: Side,
    situation: Situation,
    local: Option<LocalRecord>,
    remote: Option<RemoteRecord>,
) -> Pair {
    Pair { local, remote, ..Pair::new(source, situation) }
}

/// Each record once, as it came last.
pub(crate) fn newest_of_each(records: Vec<RemoteRecord>) -> Vec<RemoteRecord> {
    let mut seen = HashSet::with_capacity(records.len());
    if records.iter().all(|record| seen.insert(record.id.clone())) {
        return records;
    }
    let mut places: HashMap<RemoteId, usize> = HashMap::new();
    let mut kept: Vec<RemoteRecord> = Vec::new();
    for record in records {
        match places.get(&record.id) {
            Some(&place) => kept[place] = record,
            None => {
                places.insert(record.id.clone(), kept.len());
                kept.push(record);
            }
        }
    }
    kept
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use proptest::prelude::{Strategy, prop_assert, prop_assert_eq, proptest};

    use super::{Paired, new_pair, newest_of_each};
    use crate::model::fields::Fields;
    use crate::model::record::RemoteRecord;
    use crate::model::resource::Side;
    use crate::model::value::Value;
    use crate::steps::matching::Situation;

    fn block() -> impl Strategy<Value = (Paired, BTreeSet<String>)> {
        let pair = ("[0-9]", proptest::option::of("[0-9]"), proptest::option::of("[a-f]"));
        proptest::collection::vec(pair, 0..3).prop_map(|all| {
            let (mut paired, mut names) = (Paired::default(), BTreeSet::new());
            for (id, merged, key) in all {
                let mut record = RemoteRecord::new(id.as_str(), Fields::new());
                record.merged_ids.extend(merged.iter().map(|id| id.as_str().into()));
                names.extend([Some(id), merged, key.clone()].into_iter().flatten());
                let mut pair = new_pair(Side::Remote, Situation::New, None, Some(record));
                pair.key = key;
                paired.pairs.push(pair);
            }
            (paired, names)
        })
    }

    proptest! {
        /// A block of joined pages holds a record once, as it came last, where it came first.
        #[test]
        fn of_each_record_the_newest_is_kept(ids in proptest::collection::vec("[a-d]", 0..8)) {
            let came = |(number, id): (usize, &String)| {
                RemoteRecord::new(id.as_str(), Fields::from_iter([("at", Value::text(number.to_string()))]))
            };
            let kept = newest_of_each(ids.iter().enumerate().map(came).collect());
            let mut expected: Vec<&String> = Vec::new();
            ids.iter().for_each(|id| if !expected.contains(&id) { expected.push(id) });
            prop_assert_eq!(kept.iter().map(|record| record.id.as_str()).collect::<Vec<_>>(), expected);
            for record in &kept {
                let last = ids.iter().rposition(|id| id == record.id.as_str()).unwrap();
                prop_assert_eq!(record.fields.get("at"), Some(&Value::text(last.to_string())));
            }
        }

        /// Blocks that share an id or a key are never taken for strangers.
        #[test]
        fn blocks_meet_where_they_share_a_name((a, names_of_a) in block(), (b, names_of_b) in block()) {
            let (about_a, about_b) = (a.concerns(), b.concerns());
            prop_assert_eq!(about_a.meet(&about_b), !names_of_a.is_disjoint(&names_of_b));
            prop_assert_eq!(about_a.meet(&about_b), about_b.meet(&about_a));
            prop_assert!(names_of_a.is_empty() || about_a.meet(&about_a));
        }
    }
}
