//! Writes out: actions to batches of the CRM's size, outcomes back to their records.

use std::collections::{BTreeSet, VecDeque};

use crate::connector::request::{Write, WriteOutcome, Written};
use crate::error::{Error, ErrorCode, ErrorKind, Result};
use crate::ids::{FieldName, IntentId, RemoteId};
use crate::model::change::Direction;
use crate::model::record::RemoteRecord;
use crate::model::resource::Side;
use crate::run::commit::departing;
use crate::run::context::{EditTimes, RunContext};
use crate::run::intent::{announce, verify, written_as_found};
use crate::run::pairing::{pair_existing, references_of_pair};
use crate::run::process::Progressing;
use crate::steps::form::is_form_of;
use crate::steps::plan::{Action, Planned, plan_pair};
use crate::store::page::StateCommit;
use crate::store::state::Intent;

/// How often a record that somebody edits in the CRM at the same time is merged anew before it is left to the next run.
const MERGES_MAX: usize = 3;

/// What the CRM made of one planned record.
#[derive(Debug, Default)]
pub(crate) struct Sent {
    pub(crate) outcome: SentOutcome,
    /// The intent that has its outcome now.
    pub(crate) closed_intent: Option<IntentId>,
}

/// What the CRM made of one planned record.
#[derive(Debug, Default)]
pub(crate) enum SentOutcome {
    Failed(Error),
    #[default]
    NotNeeded,
    Written(Written),
}

impl SentOutcome {
    fn written_id(&self) -> Option<&RemoteId> {
        match self {
            Self::Written(written) => Some(&written.id),
            Self::Failed(_) | Self::NotNeeded => None,
        }
    }
}

/// Writes what the plans say for the CRM. A plan whose create turns out to be a duplicate is planned anew against the
/// record that exists.
pub(crate) async fn write_remote(
    context: &RunContext,
    progress: &mut Progressing<'_>,
    planned: &mut [Planned],
) -> Result<Vec<Sent>> {
    let mut sent: Vec<Sent> = planned.iter().map(|_| Sent::default()).collect();
    let creates = places(planned, |planned| matches!(planned.action, Action::Create(Side::Remote)));
    for chunk in creates.chunks(context.batch_of(creates.len())) {
        create(context, progress, planned, chunk, &mut sent).await?;
    }
    let mut updates = places(planned, is_update);
    let deletes = places(planned, |planned| matches!(planned.action, Action::Delete(Side::Remote)));
    let mut merges = 0;
    while !updates.is_empty() {
        update(context, progress, planned, &updates, &mut sent).await?;
        if merges == MERGES_MAX {
            break;
        }
        updates = merge_again(context, planned, &updates, &mut sent).await?;
        merges += 1;
    }
    for chunk in deletes.chunks(context.capabilities.batch_max.max(1)) {
        change(context, planned, chunk, &mut sent).await?;
    }
    for &place in &deletes {
        // Somebody else was faster.
        if matches!(&sent[place].outcome, SentOutcome::Failed(error) if error.kind() == ErrorKind::NotFound) {
            sent[place].outcome = SentOutcome::NotNeeded;
        }
    }
    Ok(sent)
}

fn places(planned: &[Planned], wanted: impl Fn(&Planned) -> bool) -> Vec<usize> {
    (0..planned.len()).filter(|&place| wanted(&planned[place])).collect()
}

async fn create(
    context: &RunContext,
    progress: &mut Progressing<'_>,
    planned: &mut [Planned],
    chunk: &[usize],
    sent: &mut [Sent],
) -> Result<()> {
    let plans: Vec<&Planned> = chunk.iter().map(|&place| &planned[place]).collect();
    let intents = announce(context, progress.lease, progress.announced, &plans).await?;
    // What was made or matched for another record of this very block has no link yet.
    let mut others: BTreeSet<RemoteId> = sent.iter().filter_map(|sent| sent.outcome.written_id()).cloned().collect();
    others.extend(planned.iter().filter_map(|planned| Some(planned.pair.remote.as_ref()?.id.clone())));
    let outcomes = send_creates(context, &intents, &others).await?;
    others.extend(made_by(&outcomes));
    for ((&place, intent), outcome) in chunk.iter().zip(intents).zip(outcomes) {
        match outcome {
            WriteOutcome::Written(written) => {
                sent[place] = Sent { outcome: SentOutcome::Written(written), closed_intent: Some(intent.id) };
            }
            WriteOutcome::Failed(error) => {
                let surely_not_created = error.kind() != ErrorKind::Ambiguous;
                sent[place].closed_intent = surely_not_created.then_some(intent.id);
                let recovered = recover(context, &planned[place], &error).await?;
                let is_free =
                    |again: &Planned| again.pair.remote.as_ref().is_none_or(|remote| !others.contains(&remote.id));
                match recovered.filter(is_free) {
                    Some(again) => {
                        others.extend(again.pair.remote.as_ref().map(|remote| remote.id.clone()));
                        planned[place] = again;
                    }
                    None => sent[place].outcome = SentOutcome::Failed(error),
                }
            }
        }
    }
    Ok(())
}

/// Sends creates; those in doubt are looked for, and sent once more when they surely did not happen.
async fn send_creates(
    context: &RunContext,
    intents: &[Intent],
    others: &BTreeSet<RemoteId>,
) -> Result<Vec<WriteOutcome>> {
    let mut outcomes = send(context, intents.iter().map(create_of).collect()).await?;
    let in_doubt: Vec<usize> = (0..outcomes.len()).filter(|&place| is_ambiguous(&outcomes[place])).collect();
    if in_doubt.is_empty() {
        return Ok(outcomes);
    }
    let doubted: Vec<Intent> = in_doubt.iter().map(|&place| intents[place].clone()).collect();
    let others = others.iter().cloned().chain(made_by(&outcomes)).collect();
    let mut again = Vec::new();
    for (&place, found) in in_doubt.iter().zip(verify(context, &doubted, others).await?) {
        match found {
            Some(record) => {
                outcomes[place] = WriteOutcome::Written(written_as_found(&record, &intents[place].fields));
            }
            None => again.push(place),
        }
    }
    let resent = send(context, again.iter().map(|&place| create_of(&intents[place])).collect()).await?;
    for (place, outcome) in again.into_iter().zip(resent) {
        outcomes[place] = outcome;
    }
    Ok(outcomes)
}

/// The records that were written.
fn made_by(outcomes: &[WriteOutcome]) -> impl Iterator<Item = RemoteId> {
    outcomes.iter().filter_map(|outcome| match outcome {
        WriteOutcome::Written(written) => Some(written.id.clone()),
        WriteOutcome::Failed(_) => None,
    })
}

fn create_of(intent: &Intent) -> Write {
    Write::Create { intent: intent.id.clone(), fields: intent.fields.clone() }
}

fn is_ambiguous(outcome: &WriteOutcome) -> bool {
    matches!(outcome, WriteOutcome::Failed(error) if error.kind() == ErrorKind::Ambiguous)
}

/// A create that the CRM refuses as a duplicate is planned anew, as a match with the record that exists.
async fn recover(context: &RunContext, planned: &Planned, error: &Error) -> Result<Option<Planned>> {
    let (ErrorKind::Duplicate, Some(id), Some(local)) = (error.kind(), error.existing_id(), &planned.pair.local) else {
        return Ok(None);
    };
    let Some(remote) = context.read_remote(std::slice::from_ref(id), EditTimes::NotWanted).await?.into_iter().next()
    else {
        return Ok(None);
    };
    let mut paired = pair_existing(context, local.clone(), remote).await?;
    let Some(mut pair) = paired.pairs.pop() else { return Ok(None) };
    pair.warnings.push(format!("the CRM had it already as {}: linked to that", id));
    Ok(Some(plan_pair(pair, &paired.references, &context.rules())))
}

fn is_update(planned: &Planned) -> bool {
    matches!(planned.action, Action::Update) && !planned.to_remote.is_empty()
}

/// Announces what is about to travel, and sends it.
async fn update(
    context: &RunContext,
    progress: &Progressing<'_>,
    planned: &[Planned],
    updates: &[usize],
    sent: &mut [Sent],
) -> Result<()> {
    let mut announced = StateCommit::new(progress.record.clone());
    announced.links =
        updates.iter().filter_map(|&place| departing(context, &planned[place], None, Direction::FromAbmatic)).collect();
    context.store.state().commit(&context.scope, &context.extended(progress.lease), &announced).await?;
    for chunk in updates.chunks(context.batch_of(updates.len())) {
        change(context, planned, chunk, sent).await?;
    }
    Ok(())
}

/// Plans those updates anew that the CRM refused since the record had moved on, and gives those that are to be sent (I3).
/// What is gone by now, or cannot be decoded, stays refused.
async fn merge_again(
    context: &RunContext,
    planned: &mut [Planned],
    updates: &[usize],
    sent: &mut [Sent],
) -> Result<Vec<usize>> {
    let has_moved_on = |place: &usize| matches!(&sent[*place].outcome, SentOutcome::Failed(error) if error.code() == ErrorCode::ConcurrentChange);
    let moved: Vec<usize> = updates.iter().copied().filter(has_moved_on).collect();
    let ids: Vec<RemoteId> =
        moved.iter().filter_map(|&place| planned[place].pair.remote.as_ref()).map(|r| r.id.clone()).collect();
    if ids.is_empty() {
        return Ok(Vec::new());
    }
    let mut fresh = context.read_remote(&ids, EditTimes::Wanted).await?;
    let mut again = Vec::new();
    for place in moved {
        let mut pair = planned[place].pair.clone();
        let is_it = |record: &RemoteRecord| pair.remote.as_ref().is_some_and(|old| old.id == record.id);
        let Some(at) = fresh.iter().position(is_it) else { continue };
        pair.remote = Some(fresh.swap_remove(at));
        let references = references_of_pair(context, &pair).await?;
        planned[place] = plan_pair(pair, &references, &context.rules());
        sent[place] = Sent::default();
        if is_update(&planned[place]) {
            again.push(place);
        }
    }
    Ok(again)
}

/// Sends updates or deletions of records that exist.
async fn change(context: &RunContext, planned: &[Planned], chunk: &[usize], sent: &mut [Sent]) -> Result<()> {
    let write_of = |place: usize| {
        let planned: &Planned = &planned[place];
        let id = planned.pair.remote.as_ref().map(|record| record.id.clone())?;
        if matches!(planned.action, Action::Delete(_)) {
            return Some(Write::Archive { id });
        }
        let references_before = planned.references_before.clone();
        let unmodified_since = planned.pair.remote.as_ref().and_then(|record| record.modified_at);
        Some(Write::Update { id, fields: planned.to_remote.clone(), references_before, unmodified_since })
    };
    let mut outcomes = send(context, chunk.iter().filter_map(|&place| write_of(place)).collect()).await?;
    let again = undone(context, planned, chunk, &mut outcomes).await?;
    let resent = send(context, again.iter().filter_map(|&place| write_of(chunk[place])).collect()).await?;
    for (place, outcome) in again.into_iter().zip(resent) {
        outcomes[place] = outcome;
    }
    for (&place, outcome) in chunk.iter().zip(outcomes) {
        sent[place].outcome = match outcome {
            WriteOutcome::Written(written) => SentOutcome::Written(written),
            WriteOutcome::Failed(error) => SentOutcome::Failed(error),
        };
    }
    Ok(())
}

/// Looks at the updates of which nobody knows whether they happened, and gives those to send again: their records are as
/// they were read. A record that holds what was sent was written; one that somebody edited meanwhile stays in doubt, and is
/// merged anew by the next run (I3).
async fn undone(
    context: &RunContext,
    planned: &[Planned],
    chunk: &[usize],
    outcomes: &mut [WriteOutcome],
) -> Result<Vec<usize>> {
    let doubted: Vec<usize> = (0..outcomes.len()).filter(|&place| is_ambiguous(&outcomes[place])).collect();
    let ids: Vec<RemoteId> =
        doubted.iter().filter_map(|&place| planned[chunk[place]].pair.remote.as_ref()).map(|r| r.id.clone()).collect();
    if ids.is_empty() {
        return Ok(Vec::new());
    }
    let held = context.read_remote_whole(&ids, EditTimes::NotWanted).await?;
    let mut again = Vec::new();
    for place in doubted {
        let planned = &planned[chunk[place]];
        let Some(before) = &planned.pair.remote else { continue };
        if held.undecodable.iter().any(|lost| lost.id.as_ref() == Some(&before.id)) {
            continue;
        }
        let now = held.records.iter().find(|record| record.id == before.id);
        if matches!(planned.action, Action::Delete(_)) {
            match now {
                Some(_) => again.push(place),
                None => outcomes[place] = WriteOutcome::Written(Written::new(before.id.clone())),
            }
            continue;
        }
        let Some(now) = now else { continue };
        let value =
            |record: &RemoteRecord, name: &FieldName| record.fields.get(name.as_str()).cloned().unwrap_or_default();
        let mut names = planned.to_remote.iter().map(|(name, _)| name);
        if names.all(|name| value(before, name).same_as(&value(now, name))) {
            again.push(place);
        } else if planned.to_remote.iter().all(|(name, sent)| is_form_of(&value(now, name), sent)) {
            let mut written = Written::new(now.id.clone());
            written.fields = now.fields.clone();
            written.modified_at = now.modified_at;
            outcomes[place] = WriteOutcome::Written(written);
        }
    }
    Ok(again)
}

/// Sends a batch. What fails as a whole fails for each record, unless the run cannot go on.
async fn send(context: &RunContext, writes: Vec<Write>) -> Result<Vec<WriteOutcome>> {
    if writes.is_empty() {
        return Ok(Vec::new());
    }
    let asked = writes.len();
    let answer = context.connector.write(&context.connection, context.remote_resource(), writes).await;
    let mut outcomes: VecDeque<WriteOutcome> = match answer {
        Ok(outcomes) => outcomes.into(),
        Err(error) if error.stops_run() => return Err(error),
        Err(error) => (0..asked).map(|_| WriteOutcome::Failed(error.restated())).collect(),
    };
    Ok((0..asked).map(|_| outcomes.pop_front().unwrap_or_else(unanswered)).collect())
}

fn unanswered() -> WriteOutcome {
    let message = "the connector gave fewer outcomes than it was given writes";
    WriteOutcome::Failed(Error::new(ErrorKind::Ambiguous, ErrorCode::InvalidAnswer, message))
}
