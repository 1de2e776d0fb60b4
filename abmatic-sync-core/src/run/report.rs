//! What a run tells: its plan, its progress and its end.

use chrono::TimeDelta;
use serde::Serialize;

use crate::ids::{LocalId, RemoteId, RunId};
use crate::model::change::FieldChange;
use crate::model::resource::{Resource, Side};
use crate::steps::matching::Situation;
use crate::steps::plan::{Action, Planned};
use crate::store::state::{Counts, RunStatus};

/// How far a run is.
#[non_exhaustive]
#[derive(Clone, Debug)]
pub struct Progress {
    /// Which run; `None` in a preview.
    pub run: Option<RunId>,
    /// Which side is being read.
    pub reading: Side,
    /// What it came to so far.
    pub counts: Counts,
    /// How many records there are to read, where the CRM says so.
    pub total: Option<u64>,
    /// How long it has been at work, since it began or was resumed.
    pub elapsed: TimeDelta,
    /// How many records it has read meanwhile.
    pub read_since: u64,
}

impl Progress {
    /// Records a second; `None` until there is something to tell.
    pub fn per_second(&self) -> Option<f64> {
        let seconds = self.elapsed.as_seconds_f64();
        (seconds > 0.0 && self.read_since > 0).then(|| self.read_since as f64 / seconds)
    }

    /// How long it will still take at this rate, where the CRM says how much there is.
    pub fn time_left(&self) -> Option<TimeDelta> {
        let left = self.total?.saturating_sub(self.counts.read) as f64;
        let milliseconds = left / self.per_second()? * 1_000.0;
        TimeDelta::try_milliseconds(milliseconds as i64)
    }
}

/// What a run would do. Nothing is written yet.
#[non_exhaustive]
#[derive(Clone, Debug, Serialize)]
pub struct Plan {
    /// What is planned, such as `import`.
    pub operation: &'static str,
    /// Which resource.
    pub resource: Resource,
    /// How many of the CRM's records match the scope, where the CRM can say.
    pub matching: Option<u64>,
    /// Why a filter is evaluated here, reading every record, where it is.
    pub filtered_here: Option<String>,
    /// What the run would come to.
    pub counts: Counts,
    /// Record by record, up to the request's maximum.
    pub items: Vec<PlanItem>,
    /// How many records more there are than are shown.
    pub items_left_out: u64,
}

/// What would be done with one record.
#[non_exhaustive]
#[derive(Clone, Debug, Serialize)]
pub struct PlanItem {
    /// The host's record, where there is one.
    pub local_id: Option<LocalId>,
    /// The CRM's record, where there is one.
    pub remote_id: Option<RemoteId>,
    /// What matching found.
    pub situation: Situation,
    /// What would be done: `create`, `update`, `delete`, `skip`, `unlink`, `fail` or `unchanged`.
    pub action: &'static str,
    /// On which side a record would be created.
    pub creates_on: Option<Side>,
    /// On which side a record would be deleted.
    pub deletes_on: Option<Side>,
    /// Why it is left or fails.
    pub message: Option<String>,
    /// Field by field, with reasons; also what is not written, and why.
    pub changes: Vec<FieldChange>,
    /// What deserves a look.
    pub warnings: Vec<String>,
}

impl PlanItem {
    pub(crate) fn of(planned: Planned) -> Self {
        let (mut creates_on, mut deletes_on) = (None, None);
        let (action, message) = match planned.action {
            Action::Create(side) => {
                creates_on = Some(side);
                ("create", None)
            }
            Action::Delete(side) => {
                deletes_on = Some(side);
                ("delete", None)
            }
            Action::Fail(error) => ("fail", Some(error.to_string())),
            Action::Leave(reason) => ("skip", Some(reason)),
            Action::Unchanged => ("unchanged", None),
            Action::Unlink(reason) => ("unlink", Some(reason)),
            Action::Update => ("update", None),
        };
        let pair = planned.pair;
        Self {
            local_id: pair.local.map(|record| record.id),
            remote_id: pair.remote.map(|record| record.id),
            situation: pair.situation,
            action,
            creates_on,
            deletes_on,
            message,
            changes: planned.changes,
            warnings: pair.warnings,
        }
    }
}

/// How a run ended.
#[non_exhaustive]
#[derive(Clone, Debug, Serialize)]
pub struct RunReport {
    /// Which run.
    pub run: RunId,
    /// How it stands.
    pub status: RunStatus,
    /// What it did; in a run that needs confirmation, what it would do.
    pub counts: Counts,
    /// Requests that it sent to the CRM.
    pub calls: u64,
    /// Why a filter was evaluated here, reading every record, where it was.
    pub filtered_here: Option<String>,
}
