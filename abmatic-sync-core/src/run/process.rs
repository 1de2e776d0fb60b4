//! Takes one block through the steps: pair, plan, write, commit; again for records that moved on meanwhile.

use crate::connector::request::{Page, Undecodable};
use crate::error::{Error, ErrorCode, ErrorKind, Result};
use crate::ids::{LocalId, RemoteId};
use crate::model::record::{RecordId, RemoteRecord};
use crate::model::resource::Side;
use crate::run::commit::{Scribe, Tally, tally_of};
use crate::run::context::{EditTimes, RunContext};
use crate::run::intent::Announced;
use crate::run::local_id::local_id_of;
use crate::run::paired::{Concerns, Paired};
use crate::run::pairing::{PassOver, View, pair_local, pair_remote};
use crate::run::quarantine::{SetAside, vanished};
use crate::run::read::Block;
use crate::run::report::{Plan, PlanItem};
use crate::run::write::write_remote;
use crate::steps::matching::Situation;
use crate::steps::plan::{Action, Pair, Planned, plan_pair};
use crate::steps::references::ReferenceMap;
use crate::store::page::{PageCommit, PageItem};
use crate::store::records::LocalOutcome;
use crate::store::state::{Counts, Lease, RunRecord};

/// How often a record that the host edits at the same time is merged anew before it is left to the next run.
const MERGES_MAX: usize = 3;

/// What a block's commit moves along.
#[derive(Debug)]
pub(crate) struct Progressing<'a> {
    pub(crate) lease: &'a Lease,
    pub(crate) record: &'a mut RunRecord,
    pub(crate) cursors: Vec<(String, String)>,
    /// Where the run stands once the block is committed.
    pub(crate) checkpoint: Option<String>,
    /// Creates that were announced before, and are to keep their intents.
    pub(crate) announced: &'a mut Announced,
}

/// A plan in the making. It remembers, hashed, what it plans to write, since nothing in the stores will.
#[derive(Debug)]
pub(crate) struct Previewer<'a> {
    pub(crate) context: &'a RunContext,
    pub(crate) plan: &'a mut Plan,
    pub(crate) items_max: usize,
    /// What the phases before this one are about.
    pub(crate) earlier: Concerns,
    /// What this phase is about so far.
    pub(crate) current: Concerns,
    /// What failed so far: it is set aside then, and not tried again.
    pub(crate) failed: Concerns,
}

impl Previewer<'_> {
    /// Plans a block, and writes nothing.
    pub(crate) fn add(&mut self, paired: Paired, undecodable: &[Undecodable]) {
        let rules = self.context.rules();
        self.plan.counts.read += paired.unchanged + paired.left + undecodable.len() as u64;
        self.plan.counts.unchanged += paired.unchanged;
        self.plan.counts.skipped += paired.left;
        self.plan.counts.failed += undecodable.len() as u64;
        for pair in paired.pairs {
            let concerns = Concerns::of(&pair);
            let planned = plan_pair(pair, &paired.references, &rules);
            let planned = match tally_of(&planned) {
                Tally::Created | Tally::Deleted | Tally::Updated => self.without_repeats(planned, concerns),
                Tally::Failed => self.without_failed(planned),
                Tally::Skipped | Tally::Unchanged => planned,
            };
            self.count(planned);
        }
    }

    /// The next phase meets the records of this one again.
    pub(crate) fn end_phase(&mut self) {
        self.earlier.absorb(std::mem::take(&mut self.current));
    }

    /// A pair that an earlier phase planned is equal by then; one whose key this phase planned already is the same record.
    fn without_repeats(&mut self, planned: Planned, concerns: Concerns) -> Planned {
        if self.earlier.meet(&concerns) {
            return Planned::bare(planned.pair, Action::Unchanged);
        }
        if self.current.meet(&concerns) {
            let reason = "another record of this run has the same key or counterpart".to_owned();
            return Planned::bare(planned.pair, Action::Leave(reason));
        }
        self.current.absorb(concerns);
        planned
    }

    /// A pair that failed before in this run is set aside by then.
    fn without_failed(&mut self, planned: Planned) -> Planned {
        let ids = Concerns::of_ids(&planned.pair);
        if self.failed.meet(&ids) {
            return Planned::bare(planned.pair, Action::Leave("it failed before in this run".to_owned()));
        }
        self.failed.absorb(ids);
        planned
    }

    fn count(&mut self, planned: Planned) {
        let tally = tally_of(&planned);
        tally.count(&mut self.plan.counts);
        self.plan.counts.cleared_fields += planned.cleared_fields();
        match tally {
            Tally::Unchanged => {}
            Tally::Created | Tally::Deleted | Tally::Failed | Tally::Skipped | Tally::Updated => {
                if self.plan.items.len() < self.items_max {
                    self.plan.items.push(PlanItem::of(planned));
                } else {
                    self.plan.items_left_out += 1;
                }
            }
        }
    }
}

/// A block whose records were planned.
#[derive(Debug)]
pub(crate) struct Prepared {
    /// What else was read with them.
    pub(crate) block: Block,
    planned: Vec<Planned>,
    /// How many records are as their base knows them.
    unchanged: u64,
    /// How many are left, since they failed before and are not due.
    left: u64,
    set_aside: SetAside,
    /// What was set aside and is not there any more.
    gone: Vec<RecordId>,
}

impl Prepared {
    /// Plans a block whose records were paired.
    pub(crate) async fn of(context: &RunContext, mut paired: Paired, mut block: Block) -> Result<Self> {
        block.undecodable.append(&mut paired.undecodable);
        block.void.append(&mut paired.void);
        let gone = vanished(std::mem::take(&mut block.retried), &paired, &block.undecodable);
        let set_aside = SetAside::sift(context, &mut paired, &mut block.undecodable).await?;
        let (unchanged, left) = (paired.unchanged, paired.left);
        let planned = plan(context, paired).await?;
        Ok(Self { block, planned, unchanged, left, set_aside, gone })
    }

    /// The block as it was read, and what pairing said of those records that it does not hold any more.
    pub(crate) fn into_read(self) -> (Block, Paired) {
        let pairs = self.planned.into_iter().map(|planned| planned.pair).collect();
        let paired = Paired { pairs, unchanged: self.unchanged, left: self.left, ..Paired::default() };
        (self.block, paired)
    }
}

/// Writes and commits a block whose records were planned.
pub(crate) async fn carry_out(context: &RunContext, prepared: Prepared, mut progress: Progressing<'_>) -> Result<()> {
    let run = progress.record.id.clone();
    let Prepared { block, mut planned, unchanged, left, set_aside, gone } = prepared;
    let scribe = Scribe { context, run: &run, now: context.clock.now(), set_aside: &set_aside };
    let mut counts = Counts { read: unchanged + left, unchanged, skipped: left, ..Counts::default() };
    let mut extra = Vec::with_capacity(block.undecodable.len());
    for lost in &block.undecodable {
        Tally::Failed.count(&mut counts);
        extra.push(scribe.unreadable(lost));
    }
    if !gone.is_empty() {
        extra.push(PageItem { released: gone, ..PageItem::default() });
    }
    extra.extend(block.void.into_iter().map(|ends| PageItem { unlink: Some(ends), ..PageItem::default() }));
    for _ in 0..MERGES_MAX {
        let refused = commit_round(&scribe, planned, std::mem::take(&mut extra), &mut counts, &mut progress).await?;
        if refused.is_empty() {
            return Ok(());
        }
        planned = pair_again(context, refused).await?;
    }
    let given_up = planned.into_iter().map(|planned| Planned::bare(planned.pair, Action::Fail(moved_on()))).collect();
    commit_round(&scribe, given_up, extra, &mut counts, &mut progress).await.map(|_| ())
}

/// A record whose local write was refused: the side that it was read from, and its ids.
struct Refused {
    source: Side,
    local_id: LocalId,
    remote_id: Option<RemoteId>,
}

/// Pairs and plans refused records anew, each from the side that it was read from.
async fn pair_again(context: &RunContext, refused: Vec<Refused>) -> Result<Vec<Planned>> {
    let (from_remote, from_local): (Vec<_>, Vec<_>) = refused.into_iter().partition(|one| one.source == Side::Remote);
    let remote_ids: Vec<RemoteId> = from_remote.into_iter().filter_map(|one| one.remote_id).collect();
    let local_ids: Vec<LocalId> = from_local.into_iter().map(|one| one.local_id).collect();
    let remote = context.read_remote(&remote_ids, EditTimes::NotWanted).await?;
    let mut paired = pair_remote(context, remote, PassOver::None, View::Truth).await?;
    adopt(context, &mut paired).await?;
    let mut planned = plan(context, paired).await?;
    let local = context.read_local(&local_ids).await?;
    planned.extend(plan(context, pair_local(context, local, PassOver::None).await?).await?);
    Ok(planned)
}

/// A new record that was made already, by a run that could not keep its link, is its remote record's counterpart; one that
/// was made and deleted holds its id for ever.
async fn adopt(context: &RunContext, paired: &mut Paired) -> Result<()> {
    let made = |pair: &Pair| {
        let is_new = pair.situation == Situation::New && pair.local.is_none();
        pair.remote.as_ref().filter(|_| is_new).map(|remote| local_id_of(&context.scope, remote, pair.replaces))
    };
    loop {
        let ids: Vec<LocalId> = paired.pairs.iter().filter_map(made).collect();
        let held = context.read_local(&ids).await?;
        if held.is_empty() {
            return Ok(());
        }
        for pair in &mut paired.pairs {
            let Some(id) = made(pair) else { continue };
            match held.iter().find(|record| record.id == id) {
                Some(record) if record.deleted => pair.replaces = Some(record.version),
                Some(record) => (pair.situation, pair.local) = (Situation::Matched, Some(record.clone())),
                None => {}
            }
        }
    }
}

/// Plans pairs. What was read from an index is read again before anything is written on its behalf, with the edit times
/// of the fields where a conflict asks for them.
async fn plan(context: &RunContext, paired: Paired) -> Result<Vec<Planned>> {
    let references = paired.references;
    let rules = context.rules();
    let mut planned: Vec<Planned> = paired.pairs.into_iter().map(|pair| plan_pair(pair, &references, &rules)).collect();
    let stale = |planned: &Planned| {
        let writes_there = !planned.to_remote.is_empty() || matches!(planned.action, Action::Delete(Side::Remote));
        let is_indexed = planned.pair.source == Side::Remote || planned.pair.link.is_none();
        let from_index = is_indexed && writes_there;
        planned.pair.remote.is_some() && (from_index || planned.has_timed_conflict())
    };
    let places: Vec<usize> = (0..planned.len()).filter(|&place| stale(&planned[place])).collect();
    if places.is_empty() {
        return Ok(planned);
    }
    let ids: Vec<_> =
        places.iter().filter_map(|&place| planned[place].pair.remote.as_ref().map(|r| r.id.clone())).collect();
    let wanted = if places.iter().any(|&place| planned[place].has_timed_conflict()) {
        EditTimes::Wanted
    } else {
        EditTimes::NotWanted
    };
    let mut fresh = context.read_remote_whole(&ids, wanted).await?;
    for place in places {
        replan(context, &mut planned[place], &mut fresh, &references);
    }
    Ok(planned)
}

fn replan(context: &RunContext, planned: &mut Planned, fresh: &mut Page, references: &ReferenceMap) {
    let Some(old) = planned.pair.remote.take() else { return };
    let is_it = |record: &RemoteRecord| record.id == old.id || record.merged_ids.contains(&old.id);
    let mut pair: Pair = planned.pair.clone();
    if let Some(place) = fresh.records.iter().position(is_it) {
        pair.remote = Some(fresh.records.swap_remove(place));
    } else if let Some(lost) = fresh.undecodable.iter().find(|lost| lost.id.as_ref() == Some(&old.id)) {
        pair.remote = Some(old);
        *planned = Planned::bare(pair, Action::Fail(lost.error.restated()));
        return;
    } else {
        pair.situation = if pair.link.is_some() { Situation::RemoteGone } else { pair.situation };
        pair.refused = pair.link.is_none().then(|| "it was deleted in the CRM meanwhile".to_owned());
        pair.remote = Some(old);
    }
    *planned = plan_pair(pair, references, &context.rules());
}

/// Writes and commits planned pairs; gives the local records that had moved on and are to be merged anew.
async fn commit_round(
    scribe: &Scribe<'_>,
    mut planned: Vec<Planned>,
    extra: Vec<PageItem>,
    counts: &mut Counts,
    progress: &mut Progressing<'_>,
) -> Result<Vec<Refused>> {
    let context = scribe.context;
    let sent = write_remote(context, progress, &mut planned).await?;
    let mut page = PageCommit::new(Vec::with_capacity(planned.len() + extra.len()), progress.record.clone());
    let mut parts = Vec::with_capacity(planned.len());
    for (planned, sent) in planned.into_iter().zip(sent) {
        let cleared_fields = planned.cleared_fields();
        let source = planned.pair.source;
        let remote_id = planned.pair.remote.as_ref().map(|record| record.id.clone());
        let (item, tally) = scribe.item(planned, sent);
        let mut part = Counts { cleared_fields, ..Counts::default() };
        tally.count(&mut part);
        let local_id = item.writes().cloned();
        parts.push((part, local_id.map(|local_id| Refused { source, local_id, remote_id })));
        page.items.push(item);
    }
    page.items.extend(extra);
    if !context.store.takes_births() {
        page.items = page.items.into_iter().map(PageItem::unfolded).collect();
    }
    if page.items.iter().any(|item| item.set_aside.is_some()) {
        context.quarantine.note();
    }
    page.cursors.clone_from(&progress.cursors);
    page.run.counts.add(counts);
    parts.iter().for_each(|(part, _)| page.run.counts.add(part));
    page.run.calls = context.connection.calls.total();
    page.run.checkpoint.clone_from(&progress.checkpoint);
    page.run_if_refused = Some(progress.record.clone());
    let after = page.run.clone();
    let outcomes = context.store.commit_page(&context.scope, &context.extended(progress.lease), page).await?;
    let mut refused = Vec::new();
    for ((part, if_refused), outcome) in parts.into_iter().zip(outcomes) {
        match (outcome, if_refused) {
            (Some(LocalOutcome::Refused), Some(one)) => refused.push(one),
            (Some(_) | None, _) => counts.add(&part),
        }
    }
    if refused.is_empty() {
        *progress.record = after;
    }
    Ok(refused)
}

/// The record changed here again and again while it was being written.
fn moved_on() -> Error {
    Error::new(
        ErrorKind::Conflict,
        ErrorCode::ConcurrentChange,
        "the record changed here whenever it was about to be written",
    )
}
