//! Plans, logs and counts as tables, and a run's progress as a bar.

use std::time::Duration;

use abmatic_sync_core::model::change::FieldChange;
use abmatic_sync_core::model::journal::LogEntry;
use abmatic_sync_core::model::quarantine::Quarantined;
use abmatic_sync_core::run::report::{Plan, Progress};
use abmatic_sync_core::store::state::{Counts, RunRecord};
use comfy_table::presets::UTF8_FULL_CONDENSED;
use comfy_table::{ContentArrangement, Table};
use indicatif::{ProgressBar, ProgressStyle};

/// The plan's records, a row for each field.
pub fn plan_table(plan: &Plan, rows_max: usize) -> String {
    let mut table = table(&["record", "situation", "action", "field", "was", "becomes", "reason"]);
    for item in plan.items.iter().take(rows_max) {
        let record = item.remote_id.as_ref().map(ToString::to_string);
        let record = record.or_else(|| item.local_id.as_ref().map(ToString::to_string)).unwrap_or_default();
        let situation = format!("{:?}", item.situation);
        if item.changes.is_empty() {
            let why = item.message.clone().unwrap_or_default();
            table.add_row([&record, &situation, item.action, "", "", "", &why]);
        }
        for change in &item.changes {
            table.add_row([
                &record,
                &situation,
                item.action,
                change.field.as_str(),
                &short(&change.old.to_string()),
                &short(&change.new.to_string()),
                change.reason.as_str(),
            ]);
        }
    }
    table.to_string()
}

/// The log, a row for each record.
pub fn log_table(entries: &[LogEntry]) -> String {
    let mut table = table(&["time", "resource", "status", "direction", "local", "remote", "changes", "message"]);
    for entry in entries {
        table.add_row([
            entry.at.format("%H:%M:%S").to_string(),
            entry.resource.to_string(),
            entry.status.to_string(),
            entry.direction.to_string(),
            entry.local_id.as_ref().map(|id| tail(id.as_str())).unwrap_or_default(),
            entry.remote_id.as_ref().map(ToString::to_string).unwrap_or_default(),
            entry.changes.iter().filter(|change| change.written).map(change_text).collect::<Vec<_>>().join("\n"),
            short(&entry.message),
        ]);
    }
    table.to_string()
}

/// The runs, a row for each.
pub fn runs_table(runs: &[RunRecord]) -> String {
    let mut table = table(&["started", "run", "resource", "status", "so far", "calls", "error"]);
    for run in runs {
        table.add_row([
            run.started_at.format("%Y-%m-%d %H:%M:%S").to_string(),
            run.id.to_string(),
            run.resource.to_string(),
            format!("{:?}", run.status),
            counts_line(&run.counts),
            run.calls.to_string(),
            short(run.error.as_deref().unwrap_or_default()),
        ]);
    }
    table.to_string()
}

/// The records that are set aside, a row for each.
pub fn quarantine_table(held: &[Quarantined]) -> String {
    let mut table = table(&["side", "record", "code", "attempts", "tried again", "message"]);
    for one in held {
        table.add_row([
            format!("{:?}", one.record.side()),
            one.record.as_str().to_owned(),
            one.code.as_str().to_owned(),
            one.attempts.to_string(),
            one.retry_at.format("%Y-%m-%d %H:%M:%S").to_string(),
            short(&one.message),
        ]);
    }
    table.to_string()
}

/// The counts in one line.
pub fn counts_line(counts: &Counts) -> String {
    let mut line = format!(
        "{} read = {} created + {} updated + {} unchanged + {} skipped + {} failed",
        counts.read, counts.created, counts.updated, counts.unchanged, counts.skipped, counts.failed
    );
    if counts.deleted > 0 {
        line.push_str(&format!(" + {} deleted", counts.deleted));
    }
    line
}

/// A bar for one run. It draws nothing where standard error is not a terminal.
pub fn progress_bar(what: &str) -> ProgressBar {
    let bar = ProgressBar::no_length().with_message(what.to_owned());
    bar.enable_steady_tick(Duration::from_millis(120));
    bar
}

/// Moves a bar along.
pub fn advance(bar: &ProgressBar, progress: &Progress) {
    if let (Some(total), None) = (progress.total, bar.length()) {
        bar.set_length(total);
        if let Ok(style) = ProgressStyle::with_template("{msg:24} [{bar:32}] {pos}/{len} {per_sec} {eta}") {
            bar.set_style(style.progress_chars("=> "));
        }
    }
    bar.set_position(progress.counts.read);
}

fn table(header: &[&str]) -> Table {
    let mut table = Table::new();
    table.load_style(UTF8_FULL_CONDENSED).set_content_arrangement(ContentArrangement::Dynamic);
    table.set_header(header.to_vec());
    table
}

fn change_text(change: &FieldChange) -> String {
    format!("{}: {} → {}", change.field, short(&change.old.to_string()), short(&change.new.to_string()))
}

fn short(text: &str) -> String {
    const SHOWN_MAX: usize = 60;
    if text.chars().count() <= SHOWN_MAX {
        return text.to_owned();
    }
    text.chars().take(SHOWN_MAX - 1).chain(['…']).collect()
}

/// The end of an id: the part in which two ids of one moment differ.
fn tail(id: &str) -> String {
    const SHOWN: usize = 8;
    id.chars().skip(id.chars().count().saturating_sub(SHOWN)).collect()
}
