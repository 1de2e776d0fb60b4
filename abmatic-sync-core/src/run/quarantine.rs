//! Leaves records alone that failed and are not due yet, and counts how often those fail that are tried (I7).

use std::collections::{HashMap, HashSet};
use std::sync::atomic::{AtomicBool, Ordering};

use chrono::{DateTime, Utc};

use crate::connector::request::Undecodable;
use crate::error::{Error, Result};
use crate::model::link::{Link, LinkScope};
use crate::model::quarantine::{Quarantined, Seen};
use crate::model::record::RecordId;
use crate::model::resource::Side;
use crate::run::context::RunContext;
use crate::run::paired::Paired;
use crate::steps::plan::Pair;
use crate::store::contract::Store;
use crate::store::state::QuarantineQuery;

/// What a run knows of the quarantine: whether there is anything in it, so that nothing is looked up where there is not.
#[derive(Debug)]
pub(crate) struct Quarantine {
    any: AtomicBool,
    /// Who had to wait until then is due in this run.
    pub(crate) due_at: DateTime<Utc>,
}

impl Quarantine {
    /// Asks the store whether anything is set aside.
    pub(crate) async fn of(store: &dyn Store, scope: &LinkScope, due_at: DateTime<Utc>) -> Result<Self> {
        let first = QuarantineQuery::All { after: None, limit: 1 };
        let any = !store.state().quarantine(scope, &first).await?.is_empty();
        Ok(Self { any: AtomicBool::new(any), due_at })
    }

    /// Whether anything may be set aside.
    pub(crate) fn any(&self) -> bool {
        self.any.load(Ordering::Relaxed)
    }

    /// Notes that something was set aside: only a run does that, and it alone holds the connection.
    pub(crate) fn note(&self) {
        self.any.store(true, Ordering::Relaxed);
    }
}

/// What was set aside of a block's records.
#[derive(Debug, Default)]
pub(crate) struct SetAside(HashMap<RecordId, Quarantined>);

impl SetAside {
    /// Takes those records out of a block that failed, are as they were then, and are not due; what is known of the
    /// others comes back. One query, and none where nothing is set aside.
    pub(crate) async fn sift(
        context: &RunContext,
        paired: &mut Paired,
        undecodable: &mut Vec<Undecodable>,
    ) -> Result<Self> {
        if !context.quarantine.any() {
            return Ok(Self::default());
        }
        let lost = undecodable.iter().filter_map(|lost| lost.id.clone()).map(RecordId::Remote);
        let ids: Vec<RecordId> = paired.pairs.iter().flat_map(names).chain(lost).collect();
        if ids.is_empty() {
            return Ok(Self::default());
        }
        let found = context.store.state().quarantine(&context.scope, &QuarantineQuery::Of(ids)).await?;
        let held = Self(found.into_iter().map(|held| (held.record.clone(), held)).collect());
        let due_at = context.quarantine.due_at;
        let before = paired.pairs.len() + undecodable.len();
        paired
            .pairs
            .retain(|pair| held.newest(pair).is_none_or(|known| known.retry_at <= due_at || known.seen != seen(pair)));
        // What an undecodable record is like cannot be told: only time lets it be tried again.
        undecodable.retain(|lost| {
            let known = lost.id.clone().and_then(|id| held.0.get(&RecordId::Remote(id)));
            known.is_none_or(|known| known.retry_at <= due_at || known.seen != Seen::default())
        });
        paired.left += (before - paired.pairs.len() - undecodable.len()) as u64;
        Ok(held)
    }

    /// What to keep of a pair that failed: one entry, whichever of its sides it is met from.
    pub(crate) fn after_failure(&self, pair: &Pair, error: &Error, now: DateTime<Utc>) -> Option<Quarantined> {
        let record = self.newest(pair).map(|known| known.record.clone()).or_else(|| source(pair))?;
        let attempts = self.of(pair).iter().map(|known| known.attempts).max().unwrap_or(0);
        let what = (error.code(), error.to_string());
        Some(Quarantined::new(record, what, attempts.saturating_add(1), now, seen(pair)))
    }

    /// What to keep of a record that could not even be read.
    pub(crate) fn after_loss(&self, lost: &Undecodable, now: DateTime<Utc>) -> Option<Quarantined> {
        let record = RecordId::Remote(lost.id.clone()?);
        let attempts = self.0.get(&record).map_or(0, |known| known.attempts);
        let what = (lost.error.code(), lost.error.to_string());
        Some(Quarantined::new(record, what, attempts.saturating_add(1), now, Seen::default()))
    }

    /// What is set aside of a pair, on either side.
    pub(crate) fn records_of(&self, pair: &Pair) -> Vec<RecordId> {
        self.of(pair).iter().map(|known| known.record.clone()).collect()
    }

    /// Each once, although a pair can go by one id in several of its places.
    fn of(&self, pair: &Pair) -> Vec<&Quarantined> {
        let names: HashSet<RecordId> = if self.0.is_empty() { HashSet::new() } else { names(pair).collect() };
        names.iter().filter_map(|name| self.0.get(name)).collect()
    }

    fn newest(&self, pair: &Pair) -> Option<&Quarantined> {
        self.of(pair).into_iter().max_by(|a, b| (a.failed_at, &a.record).cmp(&(b.failed_at, &b.record)))
    }
}

/// Of these links those of which no record is set aside: the others are tried again when they are due, or have changed.
pub(crate) async fn not_set_aside(context: &RunContext, links: Vec<Link>) -> Result<Vec<Link>> {
    if links.is_empty() || !context.quarantine.any() {
        return Ok(links);
    }
    let ends = |link: &Link| [RecordId::Local(link.local_id.clone()), RecordId::Remote(link.remote_id.clone())];
    let query = QuarantineQuery::Of(links.iter().flat_map(ends).collect());
    let held: HashSet<RecordId> =
        context.store.state().quarantine(&context.scope, &query).await?.into_iter().map(|held| held.record).collect();
    Ok(links.into_iter().filter(|link| !ends(link).iter().any(|end| held.contains(end))).collect())
}

/// Of the records that a block set out to try again those that are in none of its pairs: they are gone, or nobody's
/// business any more.
pub(crate) fn vanished(retried: Vec<RecordId>, paired: &Paired, undecodable: &[Undecodable]) -> Vec<RecordId> {
    if retried.is_empty() {
        return retried;
    }
    let lost = undecodable.iter().filter_map(|lost| lost.id.clone()).map(RecordId::Remote);
    let met: HashSet<RecordId> = paired.pairs.iter().flat_map(names).chain(lost).collect();
    retried.into_iter().filter(|record| !met.contains(record)).collect()
}

/// Every id under which a pair may have been set aside.
fn names(pair: &Pair) -> impl Iterator<Item = RecordId> {
    let local = pair.local.iter().map(|record| &record.id).chain(pair.link.iter().map(|link| &link.local_id));
    let remote = pair.remote.iter().flat_map(|record| std::iter::once(&record.id).chain(&record.merged_ids));
    let remote = remote.chain(pair.link.iter().map(|link| &link.remote_id));
    local.cloned().map(RecordId::Local).chain(remote.cloned().map(RecordId::Remote))
}

/// The record by which a pair is kept: the one that was read.
fn source(pair: &Pair) -> Option<RecordId> {
    match pair.source {
        Side::Local => pair.local.as_ref().map(|record| RecordId::Local(record.id.clone())),
        Side::Remote => pair.remote.as_ref().map(|record| RecordId::Remote(record.id.clone())),
    }
}

fn seen(pair: &Pair) -> Seen {
    let local = pair.local.as_ref().map(|record| record.version);
    Seen::new(local, pair.remote.as_ref().and_then(|record| record.modified_at))
}
