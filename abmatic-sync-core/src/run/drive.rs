//! One run, block by block: read → steps → write → commit. The only loop of the engine.
//!
//! The next block is read while this one is worked on; each commit is a checkpoint from which the run can be resumed.

use std::sync::Arc;

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use tracing::Instrument as _;

use crate::error::{Error, ErrorCode, ErrorKind, Result};
use crate::ids::RunId;
use crate::model::resource::Side;
use crate::policy::Writes;
use crate::run::context::RunContext;
use crate::run::intent::Announced;
use crate::run::paired::{Concerns, Paired};
use crate::run::pairing::{PassOver, View, pair_local, pair_remote};
use crate::run::process::{Prepared, Previewer, Progressing, carry_out};
use crate::run::quarantine::SetAside;
use crate::run::read::{Block, Phase, Reader, repeated_page};
use crate::run::report::{Plan, Progress};
use crate::run::request::{Operation, RunRequest};
use crate::run::settle::settle_open_intents;
use crate::store::state::{Counts, Lease, RunRecord};

/// Where a run stands: kept with each block, read when it is resumed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Checkpoint {
    phase: usize,
    at: Option<String>,
}

/// Carries out a run from its checkpoint to its end.
pub(crate) async fn drive(
    context: &Arc<RunContext>,
    request: &RunRequest,
    lease: &Lease,
    record: &mut RunRecord,
) -> Result<()> {
    let teller = Teller::new(context, request, record.counts.read);
    settle_open_intents(context, lease, record).await?;
    let phases = Phase::of(&context.operation);
    let start = read_checkpoint(record)?;
    for (place, &phase) in phases.iter().enumerate().skip(start.phase) {
        let from = (place == start.phase).then(|| start.at.clone()).flatten();
        let stage = Stage { context, reader: Reader::of(Arc::clone(context), phase).await?, phase, place };
        let mut ready = stage.prepare(from.as_deref()).await?;
        loop {
            let next = ready.block().next.clone();
            let total = ready.block().total;
            let concerns = std::mem::take(&mut ready.concerns);
            // The next block is asked for before this one is worked on, and its records are looked up while this one is
            // written and committed. Where the CRM is not written to, they are planned as well.
            let ahead = stage.prepare_ahead(next.as_deref().filter(|_| phase.reads_ahead()));
            let span = tracing::debug_span!("block", side = phase.side().name(), read = record.counts.read);
            let work = stage.work(ready, Work { lease, record: &mut *record }).instrument(span);
            let (following, done) = futures::join!(ahead, work);
            done?;
            teller.tell(phase, Some(&record.id), record.counts, total);
            ready = match (following?, next) {
                (Some(following), _) => stage.up_to_date(following, &concerns).await?,
                // What is read of the CRM for the host's records is read right before it is written.
                (None, Some(next)) => stage.prepare(Some(&next)).await?,
                (None, None) => break,
            };
        }
    }
    Ok(())
}

/// Plans a run from its beginning to its end.
pub(crate) async fn dry_run(context: &Arc<RunContext>, request: &RunRequest, plan: &mut Plan) -> Result<()> {
    let teller = Teller::new(context, request, 0);
    let mut previewer = Previewer {
        context,
        plan,
        items_max: request.plan_items_max,
        earlier: Concerns::default(),
        current: Concerns::default(),
        failed: Concerns::default(),
    };
    for (place, &phase) in Phase::of(&context.operation).iter().enumerate() {
        let stage = Stage { context, reader: Reader::of(Arc::clone(context), phase).await?, phase, place };
        let mut at: Option<String> = None;
        loop {
            let (mut block, mut paired) = stage.read(at.as_deref()).await?;
            block.undecodable.append(&mut paired.undecodable);
            SetAside::sift(context, &mut paired, &mut block.undecodable).await?;
            previewer.add(paired, &block.undecodable);
            teller.tell(phase, None, previewer.plan.counts, block.total);
            match block.next {
                Some(next) => at = Some(next),
                None => break,
            }
        }
        previewer.end_phase();
    }
    Ok(())
}

struct Work<'a> {
    lease: &'a Lease,
    record: &'a mut RunRecord,
}

/// A block that is ready to be worked on, and what it is about.
struct Ready {
    state: State,
    concerns: Concerns,
}

enum State {
    Paired(Block, Paired),
    Planned(Prepared),
}

impl Ready {
    fn block(&self) -> &Block {
        match &self.state {
            State::Paired(block, _) => block,
            State::Planned(prepared) => &prepared.block,
        }
    }
}

/// One phase of a run, and its two halves: prepare a block, work on it.
struct Stage<'a> {
    context: &'a Arc<RunContext>,
    reader: Reader,
    phase: Phase,
    place: usize,
}

impl Stage<'_> {
    async fn prepare(&self, at: Option<&str>) -> Result<Ready> {
        let (block, paired) = self.read(at).await?;
        self.ready(block, paired).await
    }

    async fn read(&self, at: Option<&str>) -> Result<(Block, Paired)> {
        let mut block = self.reader.block(at).await?;
        if block.next.is_some() && block.next.as_deref() == at {
            return Err(repeated_page(self.context.capabilities.remote_name));
        }
        let paired = self.pair(&mut block).await?;
        Ok((block, paired))
    }

    /// Plans a block as early as that may be: what is to be written in the CRM is planned right before.
    async fn ready(&self, block: Block, paired: Paired) -> Result<Ready> {
        let concerns = paired.concerns();
        let state = if self.phase.reads_ahead() && self.context.writes(Side::Remote) == Writes::NONE {
            State::Planned(Prepared::of(self.context, paired, block).await?)
        } else {
            State::Paired(block, paired)
        };
        Ok(Ready { state, concerns })
    }

    async fn pair(&self, block: &mut Block) -> Result<Paired> {
        let rule = rule_of(self.context, self.phase);
        let view = if self.phase == Phase::Remote { View::Index } else { View::Truth };
        let mut paired = pair_remote(self.context, std::mem::take(&mut block.remote), rule, view).await?;
        if !block.local.is_empty() {
            paired.absorb(pair_local(self.context, std::mem::take(&mut block.local), rule).await?);
        }
        Ok(paired)
    }

    async fn prepare_ahead(&self, next: Option<&str>) -> Result<Option<Ready>> {
        match next {
            Some(next) => self.prepare(Some(next)).await.map(Some),
            None => Ok(None),
        }
    }

    /// A block that was looked up before the one before it was committed. Where both are about the same record or key, it
    /// is looked up again.
    async fn up_to_date(&self, ready: Ready, before: &Concerns) -> Result<Ready> {
        if !ready.concerns.meet(before) {
            return Ok(ready);
        }
        let (mut block, mut paired) = match ready.state {
            State::Paired(block, paired) => (block, paired),
            State::Planned(prepared) => prepared.into_read(),
        };
        let (unchanged, left) = (paired.unchanged, paired.left);
        block.undecodable.append(&mut paired.undecodable);
        (block.remote, block.local) = paired.into_records();
        let mut paired = self.pair(&mut block).await?;
        paired.unchanged += unchanged;
        paired.left += left;
        self.ready(block, paired).await
    }

    async fn work(&self, ready: Ready, work: Work<'_>) -> Result<()> {
        let prepared = match ready.state {
            State::Paired(block, paired) => Prepared::of(self.context, paired, block).await?,
            State::Planned(prepared) => prepared,
        };
        let checkpoint = match &prepared.block.next {
            Some(next) => Checkpoint { phase: self.place, at: Some(next.clone()) },
            None => Checkpoint { phase: self.place + 1, at: None },
        };
        let progress = Progressing {
            lease: work.lease,
            record: work.record,
            cursors: prepared.block.cursors.clone(),
            checkpoint: Some(write_checkpoint(&checkpoint)?),
            announced: &mut Announced::new(),
        };
        carry_out(self.context, prepared, progress).await
    }
}

/// Only a sync may pass over what equals its base: the other operations treat existing records by rules of their own.
fn rule_of(context: &RunContext, phase: Phase) -> PassOver {
    match (&context.operation, phase) {
        (Operation::Sync(_), Phase::Remote | Phase::Local) => PassOver::Unchanged,
        (Operation::AutoPush, Phase::Local) => PassOver::Linked,
        (
            Operation::AutoPush,
            Phase::Archived | Phase::Linked | Phase::Named | Phase::Remote | Phase::Retry(_) | Phase::Waiting,
        )
        | (Operation::Sync(_), Phase::Archived | Phase::Linked | Phase::Named | Phase::Retry(_) | Phase::Waiting)
        | (Operation::Import(_) | Operation::Push(_) | Operation::Sweep | Operation::Targeted { .. }, _) => {
            PassOver::None
        }
    }
}

/// Tells whoever watches how far a run is.
struct Teller<'a> {
    context: &'a RunContext,
    request: &'a RunRequest,
    began: DateTime<Utc>,
    /// What was read before it was resumed.
    read_before: u64,
}

impl<'a> Teller<'a> {
    fn new(context: &'a RunContext, request: &'a RunRequest, read_before: u64) -> Self {
        Self { context, request, began: context.clock.now(), read_before }
    }

    fn tell(&self, phase: Phase, run: Option<&RunId>, counts: Counts, total: Option<u64>) {
        let Some(observer) = &self.request.observer else { return };
        let elapsed = self.context.clock.now() - self.began;
        let read_since = counts.read.saturating_sub(self.read_before);
        observer(&Progress { run: run.cloned(), reading: phase.side(), counts, total, elapsed, read_since });
    }
}

fn read_checkpoint(record: &RunRecord) -> Result<Checkpoint> {
    match &record.checkpoint {
        Some(text) => {
            serde_json::from_str(text).map_err(|error| checkpoint_error("the run's checkpoint cannot be read", error))
        }
        None => Ok(Checkpoint { phase: 0, at: None }),
    }
}

fn write_checkpoint(checkpoint: &Checkpoint) -> Result<String> {
    serde_json::to_string(checkpoint).map_err(|error| checkpoint_error("the run's checkpoint cannot be written", error))
}

fn checkpoint_error(what: &str, error: serde_json::Error) -> Error {
    Error::new(ErrorKind::Store, ErrorCode::StoreFailed, what).caused_by(error)
}
