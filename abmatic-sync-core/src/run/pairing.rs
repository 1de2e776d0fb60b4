//! Gives each record of a block its link, its counterpart and its situation, with one lookup of each kind a block.

use std::collections::hash_map::DefaultHasher;
use std::collections::{BTreeSet, HashMap, HashSet};
use std::hash::{Hash, Hasher};

use crate::error::Result;
use crate::ids::{LocalId, RemoteId};
use crate::model::fields::Fields;
use crate::model::link::{Awaited, Link};
use crate::model::record::{LocalRecord, RemoteRecord};
use crate::model::resource::{Resource, Side};
use crate::run::context::{EditTimes, RunContext};
use crate::steps::matching::{Candidate, KeyMatch, KeyedAge, Situation, choose, fold_same_keys};
use crate::steps::plan::Pair;
use crate::steps::references::ReferenceMap;
use crate::store::state::LinkEnds;

/// A block's records with what matching found.
#[derive(Debug, Default)]
pub(crate) struct Paired {
    pub(crate) pairs: Vec<Pair>,
    /// Records that are as their base knows them: nothing has to be looked up for them.
    pub(crate) unchanged: u64,
    /// Records that failed before, are as they were, and are not due to be tried again.
    pub(crate) left: u64,
    pub(crate) references: ReferenceMap,
}

/// The ids and keys that a block is about, hashed. Two blocks that share none cannot change what the other's lookups
/// find; two that seem to share one are paired one after the other.
#[derive(Clone, Debug, Default)]
pub(crate) struct Concerns(HashSet<u64>);

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
        let mut hasher = DefaultHasher::new();
        name.hash(&mut hasher);
        self.0.insert(hasher.finish());
    }
}

impl Paired {
    /// What the block is about, on both sides.
    pub(crate) fn concerns(&self) -> Concerns {
        let mut concerns = Concerns::default();
        self.pairs.iter().for_each(|pair| concerns.add_pair(pair));
        concerns
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

/// Which linked records may be passed over without a look at their counterparts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum PassOver {
    /// All of them: only new records are meant.
    Linked,
    /// None.
    None,
    /// Those that equal their base.
    Unchanged,
}

/// Pairs records that were read from the CRM.
pub(crate) async fn pair_remote(context: &RunContext, records: Vec<RemoteRecord>, rule: PassOver) -> Result<Paired> {
    let records = newest_of_each(records);
    let mut paired = Paired::default();
    let wanted = references_of(context, Side::Remote, records.iter().map(|record| &record.fields));
    load_references(context, wanted, &mut paired.references).await?;
    let mut links = links_by_remote(context, &records).await?;
    let mut linked = Vec::new();
    let mut fresh = Vec::new();
    for record in records {
        match take_link(&mut links, &record) {
            Some(link) if rule == PassOver::Unchanged && is_as_base(context, &record, &link, &paired.references) => {
                paired.unchanged += 1;
            }
            Some(link) => linked.push((record, link)),
            None => fresh.push(record),
        }
    }
    pair_linked_remote(context, linked, &mut paired).await?;
    pair_fresh_remote(context, fresh, &mut paired).await?;
    let locals = paired.pairs.iter().filter_map(|pair| pair.local.as_ref());
    let wanted = references_of(context, Side::Local, locals.map(|record| &record.fields));
    load_references(context, wanted, &mut paired.references).await?;
    Ok(paired)
}

/// Pairs records that were read from the host.
pub(crate) async fn pair_local(context: &RunContext, records: Vec<LocalRecord>, rule: PassOver) -> Result<Paired> {
    let mut paired = Paired::default();
    let ends = LinkEnds::Local(records.iter().map(|record| record.id.clone()).collect());
    let mut links: HashMap<LocalId, Link> =
        context.links(&ends).await?.into_iter().map(|link| (link.local_id.clone(), link)).collect();
    let mut linked = Vec::new();
    let mut fresh = Vec::new();
    for record in records {
        match links.remove(&record.id) {
            Some(_) if rule == PassOver::Linked => {}
            Some(link) if rule == PassOver::Unchanged && link.local_version == Some(record.version) => {
                paired.unchanged += 1;
            }
            Some(link) => linked.push((record, link)),
            None if record.deleted => {}
            None => fresh.push(record),
        }
    }
    let records = linked.iter().map(|(record, _)| record).chain(&fresh);
    let wanted = references_of(context, Side::Local, records.map(|record| &record.fields));
    load_references(context, wanted, &mut paired.references).await?;
    pair_linked_local(context, linked, &mut paired).await?;
    pair_fresh_local(context, fresh, &mut paired).await?;
    let remotes = paired.pairs.iter().filter_map(|pair| pair.remote.as_ref());
    let wanted = references_of(context, Side::Remote, remotes.map(|record| &record.fields));
    load_references(context, wanted, &mut paired.references).await?;
    Ok(paired)
}

/// One pair of a local record and the remote record that the CRM says it duplicates.
pub(crate) async fn pair_existing(context: &RunContext, local: LocalRecord, remote: RemoteRecord) -> Result<Paired> {
    let mut paired = Paired::default();
    for (side, fields) in [(Side::Local, &local.fields), (Side::Remote, &remote.fields)] {
        let wanted = references_of(context, side, std::iter::once(fields));
        load_references(context, wanted, &mut paired.references).await?;
    }
    let holder = context.links(&LinkEnds::Remote(vec![remote.id.clone()])).await?.into_iter().next();
    let mut pair = new_pair(Side::Local, Situation::Matched, Some(local), Some(remote));
    pair.refused =
        holder.map(|link| format!("the CRM holds it as {}, which is linked with {}", link.remote_id, link.local_id));
    paired.pairs.push(pair);
    Ok(paired)
}

fn newest_of_each(records: Vec<RemoteRecord>) -> Vec<RemoteRecord> {
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

async fn links_by_remote(context: &RunContext, records: &[RemoteRecord]) -> Result<HashMap<RemoteId, Link>> {
    let ids =
        records.iter().flat_map(|record| std::iter::once(&record.id).chain(&record.merged_ids)).cloned().collect();
    let links = context.links(&LinkEnds::Remote(ids)).await?;
    Ok(links.into_iter().map(|link| (link.remote_id.clone(), link)).collect())
}

/// The record's link, or that of a record that was merged into it: the link follows to the survivor.
fn take_link(links: &mut HashMap<RemoteId, Link>, record: &RemoteRecord) -> Option<Link> {
    if links.is_empty() {
        return None;
    }
    links.remove(&record.id).or_else(|| record.merged_ids.iter().find_map(|id| links.remove(id)))
}

fn is_as_base(context: &RunContext, record: &RemoteRecord, link: &Link, references: &ReferenceMap) -> bool {
    if record.deleted || link.remote_id != record.id || link.waiting_for.contains(&Awaited::AnotherLook) {
        return false;
    }
    context.mapping.fields.iter().all(|field| {
        let Some(value) = record.fields.get(field.remote.as_str()) else { return field.relation.is_some() };
        let base = link.base.remote(field.local.as_str());
        match field.relation {
            None => matches!((field.to_local(value), base), (Ok(mapped), Some(base)) if field.same(&mapped, base)),
            Some(relation) => {
                let translated = references.to_local(relation.target, value);
                let known =
                    |id: &String| link.waiting_for.contains(&Awaited::Remote(relation.target, id.as_str().into()));
                let waits = !translated.waiting.is_empty();
                let is_judged = !waits || (relation.many && !translated.ids.is_empty());
                let is_same = base.is_some_and(|base| field.same(&translated.value(), base));
                translated.waiting.iter().all(known) && (!is_judged || is_same)
            }
        }
    })
}

async fn pair_linked_remote(
    context: &RunContext,
    linked: Vec<(RemoteRecord, Link)>,
    paired: &mut Paired,
) -> Result<()> {
    let ids: Vec<LocalId> = linked.iter().map(|(_, link)| link.local_id.clone()).collect();
    let mut locals: HashMap<LocalId, LocalRecord> =
        context.read_local(&ids).await?.into_iter().map(|record| (record.id.clone(), record)).collect();
    for (remote, link) in linked {
        let local = locals.remove(&link.local_id).filter(|record| !record.deleted);
        let situation = match (&local, remote.deleted) {
            (_, true) => Situation::RemoteGone,
            (None, false) => Situation::LocalGone,
            (Some(_), false) => Situation::Linked,
        };
        let mut pair = new_pair(Side::Remote, situation, local, Some(remote));
        pair.link = Some(link);
        paired.pairs.push(pair);
    }
    Ok(())
}

/// The match keys of a block's records without a link.
struct FreshKeys {
    keys: Vec<Option<String>>,
    /// For each record the id of the one that stands for its key, `None` where that is itself.
    doubles: Vec<Option<String>>,
}

impl FreshKeys {
    fn of(page: Vec<KeyedAge<'_>>) -> Self {
        let stands_for = fold_same_keys(&page);
        let double = |(place, &first): (usize, &usize)| (first != place).then(|| page[first].2.to_owned());
        let doubles = stands_for.iter().enumerate().map(double).collect();
        Self { doubles, keys: page.into_iter().map(|(key, ..)| key).collect() }
    }

    /// Each key once.
    fn distinct(&self) -> Vec<String> {
        self.keys.iter().flatten().collect::<BTreeSet<_>>().into_iter().cloned().collect()
    }

    /// Settles a pair by its record's key, and gives its counterpart where one was found.
    fn settle<R>(&mut self, place: usize, pair: &mut Pair, found: &mut ByKey<R>, context: &RunContext) -> Option<R> {
        let key = self.keys[place].take()?;
        let counterpart = match &self.doubles[place] {
            Some(first) => {
                pair.situation = Situation::Ambiguous;
                pair.refused = Some(format!("it has the same key {key} as {first}, which stands for both"));
                None
            }
            None => {
                let (candidates, mut records) = found.remove(&key).unwrap_or_default();
                choose_among(pair, &key, &candidates, context).map(|chosen| records.swap_remove(chosen))
            }
        };
        pair.key = Some(key);
        counterpart
    }
}

async fn pair_fresh_remote(context: &RunContext, fresh: Vec<RemoteRecord>, paired: &mut Paired) -> Result<()> {
    let page = fresh.iter().map(|record| (context.remote_key(record), record.created_at, record.id.as_str()));
    let mut keys = FreshKeys::of(page.collect());
    let mut found = find_local(context, &keys.distinct()).await?;
    for (place, remote) in fresh.into_iter().enumerate() {
        let mut pair = new_pair(Side::Remote, Situation::New, None, Some(remote));
        pair.local = keys.settle(place, &mut pair, &mut found, context);
        paired.pairs.push(pair);
    }
    Ok(())
}

type ByKey<R> = HashMap<String, (Vec<Candidate>, Vec<R>)>;

async fn find_local(context: &RunContext, keys: &[String]) -> Result<ByKey<LocalRecord>> {
    let mut found: ByKey<LocalRecord> = HashMap::new();
    if keys.is_empty() {
        return Ok(found);
    }
    let records = context.store.records().find(&context.scope.tenant, context.scope.resource, keys).await?;
    let ids = records.iter().map(|keyed| keyed.record.id.clone()).collect();
    let taken: HashMap<LocalId, Link> =
        context.links(&LinkEnds::Local(ids)).await?.into_iter().map(|link| (link.local_id.clone(), link)).collect();
    for keyed in records {
        let (candidates, records) = found.entry(keyed.key).or_default();
        candidates.push(Candidate {
            id: keyed.record.id.to_string(),
            created_at: Some(keyed.record.created_at),
            taken_by: taken.get(&keyed.record.id).map(|link| link.remote_id.to_string()),
        });
        records.push(keyed.record);
    }
    Ok(found)
}

async fn pair_linked_local(context: &RunContext, linked: Vec<(LocalRecord, Link)>, paired: &mut Paired) -> Result<()> {
    let (gone, live): (Vec<_>, Vec<_>) = linked.into_iter().partition(|(record, _)| record.deleted);
    for (local, link) in gone {
        let mut pair = new_pair(Side::Local, Situation::LocalGone, Some(local), None);
        pair.link = Some(link);
        paired.pairs.push(pair);
    }
    let ids: Vec<RemoteId> = live.iter().map(|(_, link)| link.remote_id.clone()).collect();
    let mut remotes: HashMap<RemoteId, RemoteRecord> = HashMap::new();
    for record in context.read_remote(&ids, EditTimes::NotWanted).await? {
        // A merged record comes under its survivor's id; the link is looked up by the old one.
        for old in &record.merged_ids {
            remotes.entry(old.clone()).or_insert_with(|| record.clone());
        }
        remotes.insert(record.id.clone(), record);
    }
    let mut holders = holders_of_survivors(context, &live, &remotes).await?;
    for (local, link) in live {
        let remote = remotes.remove(&link.remote_id).filter(|record| !record.deleted);
        let situation = if remote.is_some() { Situation::Linked } else { Situation::RemoteGone };
        let survivor = remote.as_ref().map(|record| record.id.clone()).filter(|id| *id != link.remote_id);
        let mut pair = new_pair(Side::Local, situation, Some(local), remote);
        if let Some(id) = survivor {
            let holder = holders.entry(id.clone()).or_insert_with(|| link.local_id.clone());
            pair.refused = (*holder != link.local_id)
                .then(|| format!("{} was merged in the CRM into {id}, which is linked with {holder}", link.remote_id));
        }
        pair.link = Some(link);
        paired.pairs.push(pair);
    }
    Ok(())
}

/// Who is linked already with the records that others were merged into: a link follows a merge only to a free survivor.
async fn holders_of_survivors(
    context: &RunContext,
    live: &[(LocalRecord, Link)],
    remotes: &HashMap<RemoteId, RemoteRecord>,
) -> Result<HashMap<RemoteId, LocalId>> {
    let survivor =
        |link: &Link| remotes.get(&link.remote_id).map(|record| &record.id).filter(|id| **id != link.remote_id);
    let ids: BTreeSet<RemoteId> = live.iter().filter_map(|(_, link)| survivor(link).cloned()).collect();
    let held = context.links(&LinkEnds::Remote(ids.into_iter().collect())).await?;
    Ok(held.into_iter().map(|link| (link.remote_id, link.local_id)).collect())
}

async fn pair_fresh_local(context: &RunContext, fresh: Vec<LocalRecord>, paired: &mut Paired) -> Result<()> {
    let page = fresh.iter().map(|record| (context.local_key(record), Some(record.created_at), record.id.as_str()));
    let mut keys = FreshKeys::of(page.collect());
    let wanted = keys.distinct();
    let mut found = find_remote(context, &wanted).await?;
    let siblings = linked_siblings(context, wanted.iter().filter(|key| !found.contains_key(*key))).await?;
    for (place, local) in fresh.into_iter().enumerate() {
        let mut pair = new_pair(Side::Local, Situation::New, Some(local), None);
        pair.remote = keys.settle(place, &mut pair, &mut found, context);
        if let (None, Some((key, sibling))) =
            (&pair.refused, pair.key.as_ref().and_then(|key| siblings.get_key_value(key)))
        {
            pair.situation = Situation::Ambiguous;
            pair.refused = Some(format!("it has the same key {key} as {sibling}, which is linked already"));
        }
        paired.pairs.push(pair);
    }
    Ok(())
}

/// Linked local records by key. A CRM's index can be slow to show what an earlier page created: the host's own records
/// know (I4).
async fn linked_siblings(context: &RunContext, keys: impl Iterator<Item = &String>) -> Result<HashMap<String, String>> {
    let keys: Vec<String> = keys.cloned().collect();
    let found = find_local(context, &keys).await?;
    let linked = found.into_iter().filter_map(|(key, (candidates, _))| {
        let linked = candidates.into_iter().find(|candidate| candidate.taken_by.is_some())?;
        Some((key, linked.id))
    });
    Ok(linked.collect())
}

async fn find_remote(context: &RunContext, keys: &[String]) -> Result<ByKey<RemoteRecord>> {
    let mut found: ByKey<RemoteRecord> = HashMap::new();
    if keys.is_empty() {
        return Ok(found);
    }
    let records = newest_of_each(context.find_remote(keys).await?);
    let ids = records.iter().map(|record| record.id.clone()).collect();
    let taken: HashMap<RemoteId, Link> =
        context.links(&LinkEnds::Remote(ids)).await?.into_iter().map(|link| (link.remote_id.clone(), link)).collect();
    for record in records {
        let Some(key) = context.remote_key(&record) else { continue };
        let (candidates, records) = found.entry(key).or_default();
        candidates.push(Candidate {
            id: record.id.to_string(),
            created_at: record.created_at,
            taken_by: taken.get(&record.id).map(|link| link.local_id.to_string()),
        });
        records.push(record);
    }
    Ok(found)
}

/// Sets the situation that the candidates come to, and says which of them is the counterpart.
fn choose_among(pair: &mut Pair, key: &str, candidates: &[Candidate], context: &RunContext) -> Option<usize> {
    match choose(key, candidates, context.policy.ambiguous) {
        KeyMatch::Found(place, warning) => {
            pair.situation = if warning.is_some() { Situation::Ambiguous } else { Situation::Matched };
            pair.warnings.extend(warning);
            Some(place)
        }
        KeyMatch::None => None,
        KeyMatch::Refused(reason) => {
            pair.situation = Situation::Ambiguous;
            pair.refused = Some(reason);
            None
        }
    }
}

fn new_pair(source: Side, situation: Situation, local: Option<LocalRecord>, remote: Option<RemoteRecord>) -> Pair {
    Pair { source, situation, local, remote, link: None, key: None, warnings: Vec::new(), refused: None }
}

/// The links that these records' references need, by the ends that `side` knows.
fn references_of<'a>(
    context: &RunContext,
    side: Side,
    records: impl Iterator<Item = &'a Fields> + Clone,
) -> Vec<(Resource, LinkEnds)> {
    let relations = context.scope.resource.relations().iter();
    let ends = relations.map(|relation| {
        let values = records.clone().filter_map(|fields| fields.get(relation.field));
        let ids: BTreeSet<&str> = values.flat_map(|value| value.ids()).collect();
        let ends = match side {
            Side::Local => LinkEnds::Local(ids.into_iter().map(LocalId::from).collect()),
            Side::Remote => LinkEnds::Remote(ids.into_iter().map(RemoteId::from).collect()),
        };
        (relation.target, ends)
    });
    ends.collect()
}

async fn load_references(
    context: &RunContext,
    wanted: Vec<(Resource, LinkEnds)>,
    map: &mut ReferenceMap,
) -> Result<()> {
    for (resource, ends) in wanted {
        for link in context.links_of(resource, &ends).await? {
            map.insert(resource, link.local_id.as_str(), link.remote_id.as_str());
        }
    }
    Ok(())
}
