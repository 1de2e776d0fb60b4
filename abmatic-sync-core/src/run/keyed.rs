//! Gives the records of a block that have no link their counterparts by match key, with one lookup a side.

use std::collections::{HashMap, HashSet};

use crate::error::Result;
use crate::ids::{LocalId, RemoteId};
use crate::model::link::Link;
use crate::model::record::{LocalRecord, RemoteRecord};
use crate::model::resource::Side;
use crate::run::context::RunContext;
use crate::run::paired::{Paired, new_pair, newest_of_each};
use crate::steps::matching::{Candidate, KeyMatch, KeyedAge, Situation, choose, fold_same_keys};
use crate::steps::plan::Pair;
use crate::store::state::LinkEnds;

/// The match keys of a block's records without a link.
struct FreshKeys {
    keys: Vec<Option<String>>,
    /// For each record the id of the one that stands for its key, `None` where that is itself.
    doubles: Vec<Option<String>>,
}

impl FreshKeys {
    fn of(page: Vec<KeyedAge<'_>>, context: &RunContext) -> Self {
        let stands_for = if context.folds_doubles { fold_same_keys(&page) } else { (0..page.len()).collect() };
        let double = |(place, &first): (usize, &usize)| (first != place).then(|| page[first].2.to_owned());
        let doubles = stands_for.iter().enumerate().map(double).collect();
        Self { doubles, keys: page.into_iter().map(|(key, ..)| key).collect() }
    }

    /// Each key once.
    fn distinct(&self) -> Vec<String> {
        let mut keys: Vec<&String> = self.keys.iter().flatten().collect();
        keys.sort_unstable();
        keys.dedup();
        keys.into_iter().cloned().collect()
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

/// Pairs records of the CRM that have no link.
pub(crate) async fn pair_fresh_remote(
    context: &RunContext,
    fresh: Vec<RemoteRecord>,
    paired: &mut Paired,
) -> Result<()> {
    let page = fresh.iter().map(|record| (context.remote_key(record), record.created_at, record.id.as_str()));
    let mut keys = FreshKeys::of(page.collect(), context);
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
    let records = context.find_local(keys).await?;
    let ids = records.iter().map(|keyed| keyed.record.id.clone()).collect();
    let links = context.links(&LinkEnds::Local(ids)).await?.into_iter().filter(|link| context.holds(link));
    let taken: HashMap<LocalId, Link> = links.map(|link| (link.local_id.clone(), link)).collect();
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

/// Pairs records of the host that have no link.
pub(crate) async fn pair_fresh_local(context: &RunContext, fresh: Vec<LocalRecord>, paired: &mut Paired) -> Result<()> {
    let page = fresh.iter().map(|record| (context.local_key(record), Some(record.created_at), record.id.as_str()));
    let mut keys = FreshKeys::of(page.collect(), context);
    let wanted = keys.distinct();
    let mut found = find_remote(context, &wanted).await?;
    let siblings = linked_siblings(context, wanted.iter().filter(|key| !found.contains_key(*key))).await?;
    // A link that follows a merge takes the survivor in this very block.
    let followed: HashMap<RemoteId, LocalId> = paired.pairs.iter().filter_map(ends_of).collect();
    for (place, local) in fresh.into_iter().enumerate() {
        let mut pair = new_pair(Side::Local, Situation::New, Some(local), None);
        pair.remote = keys.settle(place, &mut pair, &mut found, context);
        if let (None, Some((key, sibling))) =
            (&pair.refused, pair.key.as_ref().and_then(|key| siblings.get_key_value(key)))
        {
            pair.situation = Situation::Ambiguous;
            pair.refused = Some(format!("it has the same key {key} as {sibling}, which is linked already"));
        }
        let holder = pair.remote.as_ref().and_then(|remote| followed.get(&remote.id));
        if let (None, Some(holder)) = (&pair.refused, holder) {
            pair.situation = Situation::Ambiguous;
            pair.refused = Some(format!("its counterpart by key is linked with {holder} already"));
        }
        paired.pairs.push(pair);
    }
    Ok(())
}

fn ends_of(pair: &Pair) -> Option<(RemoteId, LocalId)> {
    Some((pair.remote.as_ref()?.id.clone(), pair.local.as_ref()?.id.clone()))
}

/// Linked local records by key. A CRM's index can be slow to show what an earlier page created: the host's own records
/// know (I4).
async fn linked_siblings(context: &RunContext, keys: impl Iterator<Item = &String>) -> Result<HashMap<String, String>> {
    let keys: Vec<String> = keys.cloned().collect();
    if keys.is_empty() {
        return Ok(HashMap::new());
    }
    let found = context.store.records().find(&context.scope.tenant, context.scope.resource, &keys).await?;
    let ids = found.iter().map(|keyed| keyed.record.id.clone()).collect();
    let links = context.links(&LinkEnds::Local(ids)).await?;
    let linked: HashSet<LocalId> =
        links.into_iter().filter(|link| link.gone.is_none()).map(|link| link.local_id).collect();
    let linked = found.into_iter().filter(|keyed| linked.contains(&keyed.record.id));
    Ok(linked.map(|keyed| (keyed.key, keyed.record.id.to_string())).collect())
}

async fn find_remote(context: &RunContext, keys: &[String]) -> Result<ByKey<RemoteRecord>> {
    let mut found: ByKey<RemoteRecord> = HashMap::new();
    if keys.is_empty() {
        return Ok(found);
    }
    let records = newest_of_each(context.find_remote(keys).await?);
    let ids = records.iter().map(|record| record.id.clone()).collect();
    let links = context.links(&LinkEnds::Remote(ids)).await?.into_iter().filter(|link| context.holds(link));
    let taken: HashMap<RemoteId, Link> = links.map(|link| (link.remote_id.clone(), link)).collect();
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
