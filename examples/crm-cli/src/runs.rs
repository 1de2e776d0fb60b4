//! The runs that the file remembers, and which of them wait to be resumed.

use abmatic_sync_core::ids::RunId;
use abmatic_sync_core::model::connection::Connection;
use abmatic_sync_core::model::resource::Resource;
use abmatic_sync_core::store::contract::Store;
use abmatic_sync_core::store::state::{RunRecord, RunStatus};
use abmatic_sync_examples::show;
use anyhow::bail;

use crate::args::RunsArgs;
use crate::host::look_up;

/// How far back the newest run of a resource is looked for, among the runs of all.
const LOOKED_AT: usize = 200;

pub(crate) async fn show(args: RunsArgs) -> anyhow::Result<u64> {
    let host = look_up(&args.known).await?;
    let on = &host.connection;
    let mut runs = host.engine.store().state().runs(&on.tenant, &on.id, args.limit).await?;
    runs.retain(|run| args.resource.is_none_or(|resource| run.resource == resource) && (is_open(run) || !args.open));
    if !args.known.store.json {
        println!("{}", show::runs_table(&runs));
        return Ok(0);
    }
    for run in &runs {
        println!("{}", json_of(run));
    }
    let open = runs.iter().filter(|run| is_open(run)).count();
    println!("{}", serde_json::json!({ "runs": runs.len(), "open": open }));
    Ok(0)
}

/// The newest run of a resource, which has to be one that can be resumed: an older one was overtaken.
pub(crate) async fn newest_open(store: &dyn Store, on: &Connection, resource: Resource) -> anyhow::Result<RunId> {
    let runs = store.state().runs(&on.tenant, &on.id, LOOKED_AT).await?;
    match runs.into_iter().find(|run| run.resource == resource) {
        Some(run) if is_open(&run) => Ok(run.id),
        Some(run) if run.status == RunStatus::NeedsConfirmation => {
            bail!("the run {} waits to be confirmed: name it with --run to let it go on", run.id)
        }
        Some(run) => bail!("nothing to resume: the newest run of {resource} records, {}, reached its end", run.id),
        None => bail!("nothing to resume: there was no run of {resource} records"),
    }
}

/// Whether it stopped with an error, or was killed; or is at work.
fn is_open(run: &RunRecord) -> bool {
    matches!(run.status, RunStatus::Failed | RunStatus::Running)
}

fn json_of(run: &RunRecord) -> serde_json::Value {
    serde_json::json!({
        "run": run.id,
        "resource": run.resource,
        "status": run.status,
        "started_at": run.started_at,
        "finished_at": run.finished_at,
        "counts": run.counts,
        "calls": run.calls,
        "error": run.error,
    })
}
