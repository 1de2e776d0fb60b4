//! Gives each record of a block its link, its counterpart and its situation, with one lookup of each kind a block.

use std::collections::{BTreeSet, HashMap, HashSet};

use crate::error::Result;
use crate::ids::{LocalId, RemoteId};
use crate::model::fields::Fields;
use crate::model::link::{Awaited, Link};
use crate::model::record::{LocalRecord, RemoteRecord};
use crate::model::resource::{Resource, Side};
use crate::policy::GoneRule;
use crate::run::context::{EditTimes, RunContext};
use crate::run::keyed::{pair_fresh_local, pair_fresh_remote};
use crate::run::paired::{Paired, new_pair, newest_of_each};
use crate::steps::matching::Situation;
use crate::steps::plan::Pair;
use crate::steps::references::ReferenceMap;
use crate::store::state::LinkEnds;

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

/// Whether records come as the CRM holds them, or from an index that may still show what they were before.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum View {
    Index,
    Truth,
}

/// How a record that was read stands to what its link knows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Age {
    Newer,
    /// It is shown as it was before what the link knows.
    Older,
    /// Of the same second, or of a time that the CRM does not tell.
    Unknown,
}

fn age(record: &RemoteRecord, link: &Link) -> Age {
    match (record.modified_at, link.remote_modified_at) {
        (Some(shown), Some(known)) if shown > known => Age::Newer,
        (Some(shown), Some(known)) if shown < known => Age::Older,
        (Some(_) | None, _) => Age::Unknown,
    }
}

/// Remote records, by the ids that they were asked for.
struct ReadById {
    held: HashMap<RemoteId, RemoteRecord>,
    /// What came but cannot be decoded: that is not gone.
    unreadable: HashSet<RemoteId>,
}

impl ReadById {
    async fn read(context: &RunContext, ids: &[RemoteId], paired: &mut Paired) -> Result<Self> {
        let page = context.read_remote_whole(ids, EditTimes::NotWanted).await?;
        let unreadable = page.undecodable.iter().filter_map(|lost| lost.id.clone()).collect();
        paired.undecodable.extend(page.undecodable);
        let mut held: HashMap<RemoteId, RemoteRecord> = HashMap::new();
        for record in page.records {
            // A merged record comes under its survivor's id; the link is looked up by the old one.
            for old in &record.merged_ids {
                held.entry(old.clone()).or_insert_with(|| record.clone());
            }
            held.insert(record.id.clone(), record);
        }
        Ok(Self { held, unreadable })
    }
}

/// Records that an index may show as they were before: read again by id, where the CRM tells what it holds (I3).
async fn seen_anew(
    context: &RunContext,
    doubtful: Vec<(RemoteRecord, Link)>,
    paired: &mut Paired,
) -> Result<Vec<(RemoteRecord, Link)>> {
    let ids: Vec<RemoteId> = doubtful.iter().map(|(record, _)| record.id.clone()).collect();
    let ReadById { mut held, unreadable } = ReadById::read(context, &ids, paired).await?;
    let readable = doubtful.into_iter().filter(|(record, _)| !unreadable.contains(&record.id));
    let anew = readable.map(|(mut record, link)| match held.remove(&record.id) {
        Some(fresh) => (fresh, link),
        None => {
            record.deleted = true;
            (record, link)
        }
    });
    Ok(anew.collect())
}

/// Pairs records that were read from the CRM.
pub(crate) async fn pair_remote(
    context: &RunContext,
    records: Vec<RemoteRecord>,
    rule: PassOver,
    view: View,
) -> Result<Paired> {
    let records = newest_of_each(records);
    let mut paired = Paired::default();
    let wanted = references_of(context, Side::Remote, records.iter().map(|record| &record.fields));
    load_references(context, wanted, &mut paired.references).await?;
    let mut links = links_by_remote(context, &records).await?;
    let merged: HashSet<RemoteId> = merged_away(&records);
    let mut linked = Vec::new();
    let mut doubtful = Vec::new();
    let mut fresh = Vec::new();
    let mut losers = Vec::new();
    for record in records {
        let Some(link) = take_link(&mut links, &record, &merged) else {
            fresh.extend((!record.deleted).then_some(record));
            continue;
        };
        losers.extend(take_losers(&mut links, &record, &link, &merged));
        let is_as_base = is_as_base(context, &record, &link, &paired.references);
        let is_live = !record.deleted;
        match (rule, view, age(&record, &link)) {
            (PassOver::Unchanged, _, _) if is_as_base => paired.unchanged += 1,
            // What the CRM holds by now comes with a later read.
            (PassOver::Unchanged, View::Index, Age::Older) if is_live => paired.unchanged += 1,
            (_, View::Index, Age::Older | Age::Unknown) if is_live && !is_as_base => doubtful.push((record, link)),
            (_, View::Index | View::Truth, _) => linked.push((record, link)),
        }
    }
    linked.extend(seen_anew(context, doubtful, &mut paired).await?);
    fresh.extend(pair_linked_remote(context, linked, &mut paired).await?);
    pair_losers(context, losers, &mut paired).await?;
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
            // Known, and nothing can come of it until it is restored.
            Some(link) if record.deleted && link.gone.is_some() => {}
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
    fresh.extend(pair_linked_local(context, linked, &mut paired).await?);
    pair_fresh_local(context, fresh, &mut paired).await?;
    let remotes = paired.pairs.iter().filter_map(|pair| pair.remote.as_ref());
    let wanted = references_of(context, Side::Remote, remotes.map(|record| &record.fields));
    load_references(context, wanted, &mut paired.references).await?;
    Ok(paired)
}

/// One pair of a local record and the remote record that the CRM says it duplicates.
pub(crate) async fn pair_existing(context: &RunContext, local: LocalRecord, remote: RemoteRecord) -> Result<Paired> {
    let mut paired = Paired::default();
    let holders = context.links(&LinkEnds::Remote(vec![remote.id.clone()])).await?;
    let holder = holders.into_iter().find(|link| context.holds(link));
    let mut pair = new_pair(Side::Local, Situation::Matched, Some(local), Some(remote));
    paired.references = references_of_pair(context, &pair).await?;
    pair.refused =
        holder.map(|link| format!("the CRM holds it as {}, which is linked with {}", link.remote_id, link.local_id));
    paired.pairs.push(pair);
    Ok(paired)
}

/// The links that the references of one pair need.
pub(crate) async fn references_of_pair(context: &RunContext, pair: &Pair) -> Result<ReferenceMap> {
    let mut map = ReferenceMap::default();
    let local = pair.local.as_ref().map(|record| (Side::Local, &record.fields));
    let remote = pair.remote.as_ref().map(|record| (Side::Remote, &record.fields));
    for (side, fields) in local.into_iter().chain(remote) {
        load_references(context, references_of(context, side, std::iter::once(fields)), &mut map).await?;
    }
    Ok(map)
}

async fn links_by_remote(context: &RunContext, records: &[RemoteRecord]) -> Result<HashMap<RemoteId, Link>> {
    let ids =
        records.iter().flat_map(|record| std::iter::once(&record.id).chain(&record.merged_ids)).cloned().collect();
    let links = context.links(&LinkEnds::Remote(ids)).await?;
    Ok(links.into_iter().map(|link| (link.remote_id.clone(), link)).collect())
}

/// The ids that records of a block took in, unless they came themselves: what is there was not merged away, whatever
/// another says.
fn merged_away(records: &[RemoteRecord]) -> HashSet<RemoteId> {
    let mut merged: HashSet<RemoteId> = records.iter().flat_map(|record| record.merged_ids.iter().cloned()).collect();
    if !merged.is_empty() {
        for record in records {
            merged.remove(&record.id);
        }
    }
    merged
}

/// The record's link, or that of a record that was merged into it: the link follows to the survivor, unless that has a
/// counterpart of its own.
fn take_link(links: &mut HashMap<RemoteId, Link>, record: &RemoteRecord, merged: &HashSet<RemoteId>) -> Option<Link> {
    if links.is_empty() {
        return None;
    }
    let names = || std::iter::once(&record.id).chain(record.merged_ids.iter().filter(|id| merged.contains(*id)));
    let is_live = |id: &&RemoteId| links.get(*id).is_some_and(|link| link.gone.is_none());
    let chosen = names().find(is_live).or_else(|| names().find(|id| links.contains_key(*id)))?;
    links.remove(chosen)
}

/// A link whose record of the CRM was merged into one that has a link already, and why it ends.
type Loser = (Link, String);

fn take_losers(
    links: &mut HashMap<RemoteId, Link>,
    survivor: &RemoteRecord,
    holder: &Link,
    merged: &HashSet<RemoteId>,
) -> Vec<Loser> {
    let lost = survivor.merged_ids.iter().filter(|id| merged.contains(*id)).filter_map(|id| links.remove(id));
    let lost = lost.filter(|link| link.gone.is_none());
    let loser = |link: Link| {
        let why = reason_of_loser(&link, &survivor.id, &holder.local_id);
        (link, why)
    };
    lost.map(loser).collect()
}

fn reason_of_loser(link: &Link, survivor: &RemoteId, holder: &LocalId) -> String {
    format!("{} was merged in the CRM into {survivor}, which is linked with {holder}", link.remote_id)
}

/// The host's records whose counterparts were merged into others': reported, and linked no more.
async fn pair_losers(context: &RunContext, losers: Vec<Loser>, paired: &mut Paired) -> Result<()> {
    let ids: Vec<LocalId> = losers.iter().map(|(link, _)| link.local_id.clone()).collect();
    let mut locals: HashMap<LocalId, LocalRecord> =
        context.read_local(&ids).await?.into_iter().map(|record| (record.id.clone(), record)).collect();
    for (link, why) in losers {
        let mut pair = new_pair(Side::Remote, Situation::RemoteGone, locals.remove(&link.local_id), None);
        pair.link = Some(link);
        pair.refused = Some(why);
        paired.pairs.push(pair);
    }
    Ok(())
}

fn is_as_base(context: &RunContext, record: &RemoteRecord, link: &Link, references: &ReferenceMap) -> bool {
    let is_known = link.remote_id == record.id && link.gone.is_none();
    let is_looked_for = [Awaited::AnotherLook, Awaited::LocalRecord].iter().any(|one| link.waiting_for.contains(one));
    if record.deleted || !is_known || is_looked_for {
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

/// Pairs linked records of the CRM, and gives those back that are to have new counterparts.
async fn pair_linked_remote(
    context: &RunContext,
    linked: Vec<(RemoteRecord, Link)>,
    paired: &mut Paired,
) -> Result<Vec<RemoteRecord>> {
    let names_it = context.operation.names_records();
    let ids: Vec<LocalId> = linked.iter().map(|(_, link)| link.local_id.clone()).collect();
    let mut locals: HashMap<LocalId, LocalRecord> =
        context.read_local(&ids).await?.into_iter().map(|record| (record.id.clone(), record)).collect();
    let mut anew = Vec::new();
    for (remote, link) in linked {
        let local = locals.remove(&link.local_id);
        if local.is_none() && link.waiting_for.contains(&Awaited::LocalRecord) {
            paired.void.push((link.local_id, link.remote_id));
            anew.push(remote);
            continue;
        }
        let is_live = local.as_ref().is_some_and(|record| !record.deleted);
        let situation = match (is_live, remote.deleted) {
            (_, true) => Situation::RemoteGone,
            (false, false) if names_it && link.gone == Some(Side::Local) => {
                anew.push(remote);
                continue;
            }
            (false, false) => Situation::LocalGone,
            (true, false) => Situation::Linked,
        };
        let mut pair = new_pair(Side::Remote, situation, local, Some(remote));
        pair.link = Some(link);
        paired.pairs.push(pair);
    }
    Ok(anew)
}

/// Pairs linked records of the host, and gives those back that are to have new counterparts.
async fn pair_linked_local(
    context: &RunContext,
    linked: Vec<(LocalRecord, Link)>,
    paired: &mut Paired,
) -> Result<Vec<LocalRecord>> {
    let (gone, live): (Vec<_>, Vec<_>) = linked.into_iter().partition(|(record, _)| record.deleted);
    // What is to be deleted there is looked at first.
    let deletes = context.policy.gone == GoneRule::Propagate && context.writes(Side::Remote).update;
    let looked_at = live.iter().chain(gone.iter().filter(|_| deletes));
    let ids: Vec<RemoteId> = looked_at.map(|(_, link)| link.remote_id.clone()).collect();
    let ReadById { held: mut remotes, unreadable } = ReadById::read(context, &ids, paired).await?;
    for (local, link) in gone {
        if unreadable.contains(&link.remote_id) {
            continue;
        }
        let mut pair = new_pair(Side::Local, Situation::LocalGone, Some(local), remotes.remove(&link.remote_id));
        pair.link = Some(link);
        paired.pairs.push(pair);
    }
    let names_it = context.operation.names_records();
    let mut holders = holders_of_survivors(context, &live, &remotes).await?;
    let mut anew = Vec::new();
    for (local, link) in live {
        if unreadable.contains(&link.remote_id) {
            continue;
        }
        let Some(remote) = remotes.remove(&link.remote_id).filter(|record| !record.deleted) else {
            if names_it && link.gone == Some(Side::Remote) {
                anew.push(local);
                continue;
            }
            let mut pair = new_pair(Side::Local, Situation::RemoteGone, Some(local), None);
            pair.link = Some(link);
            paired.pairs.push(pair);
            continue;
        };
        let mut pair = new_pair(Side::Local, Situation::Linked, Some(local), None);
        if remote.id != link.remote_id {
            let holder = holders.entry(remote.id.clone()).or_insert_with(|| link.local_id.clone());
            if *holder != link.local_id {
                pair.situation = Situation::RemoteGone;
                pair.refused = Some(reason_of_loser(&link, &remote.id, holder));
            }
        }
        pair.remote = Some(remote).filter(|_| pair.refused.is_none());
        pair.link = Some(link);
        paired.pairs.push(pair);
    }
    Ok(anew)
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
    let live = held.into_iter().filter(|link| link.gone.is_none());
    Ok(live.map(|link| (link.remote_id, link.local_id)).collect())
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
