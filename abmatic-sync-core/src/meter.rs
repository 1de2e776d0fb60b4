//! Counters and histograms of runs, for hosts that switch the `metrics` feature on.

use crate::run::context::RunContext;
use crate::store::state::{Counts, RunRecord};

/// Counts a run that ended, well or not, beyond what was counted of it `before` it was resumed.
#[cfg(feature = "metrics")]
pub(crate) fn run_ended(context: &RunContext, record: &RunRecord, before: &Counts) {
    use metrics::{Label, counter, histogram};

    let resource = Label::new("resource", context.scope.resource.as_str());
    let labels = [Label::new("connector", context.connection.connector.clone()), resource];
    let with = |more: &[(&'static str, &'static str)]| {
        labels.iter().cloned().chain(more.iter().map(|(name, value)| Label::new(*name, *value))).collect::<Vec<_>>()
    };
    let operation = ("operation", context.operation.as_str());
    let status = record.error_code.map_or("COMPLETED", crate::error::ErrorCode::as_str);
    counter!("abmatic_sync_runs_total", with(&[operation, ("status", status)])).increment(1);
    let outcomes = |counts: &Counts| {
        [
            ("created", counts.created),
            ("deleted", counts.deleted),
            ("failed", counts.failed),
            ("skipped", counts.skipped),
            ("unchanged", counts.unchanged),
            ("updated", counts.updated),
        ]
    };
    for ((outcome, now), (_, before)) in outcomes(&record.counts).into_iter().zip(outcomes(before)) {
        counter!("abmatic_sync_records_total", with(&[("outcome", outcome)])).increment(now.saturating_sub(before));
    }
    if let Some(took) = record.finished_at.map(|ended| ended - record.started_at) {
        histogram!("abmatic_sync_run_seconds", with(&[operation])).record(took.as_seconds_f64());
    }
}

/// Nothing is counted without the feature.
#[cfg(not(feature = "metrics"))]
pub(crate) fn run_ended(_: &RunContext, _: &RunRecord, _: &Counts) {}
