//! The records that failed and are set aside: shown, and released. Nothing is asked of the CRM.

use abmatic_sync_core::model::quarantine::Quarantined;
use abmatic_sync_core::model::record::RecordId;
use abmatic_sync_core::model::resource::{Resource, Side};
use abmatic_sync_core::store::state::Retried;
use abmatic_sync_examples::show;

use crate::args::{HeldArgs, Quarantine, ReleaseArgs};
use crate::host::{Host, look_up};

/// How many are read at once.
const PAGE: usize = 500;

pub(crate) async fn carry_out(what: Quarantine) -> anyhow::Result<u64> {
    match what {
        Quarantine::List(args) => list(args).await,
        Quarantine::Release(args) => release(args).await,
    }
}

async fn list(args: HeldArgs) -> anyhow::Result<u64> {
    let host = look_up(&args.known).await?;
    let held = all(&host, args.resource).await?;
    if !args.known.store.json {
        println!("{}", show::quarantine_table(&held));
        return Ok(0);
    }
    for one in &held {
        println!("{}", json_of(one));
    }
    println!("{}", serde_json::json!({ "held": held.len() }));
    Ok(0)
}

async fn all(host: &Host, resource: Resource) -> anyhow::Result<Vec<Quarantined>> {
    let mut all: Vec<Quarantined> = Vec::new();
    loop {
        let after = all.last().map(|held| held.record.clone());
        let page = host.engine.quarantine(&host.connection, resource, after.as_ref(), PAGE).await?;
        let is_last = page.len() < PAGE;
        all.extend(page);
        if is_last {
            return Ok(all);
        }
    }
}

async fn release(args: ReleaseArgs) -> anyhow::Result<u64> {
    let host = look_up(&args.held.known).await?;
    let on = |side: Side| move |id: &String| RecordId::on(side, id);
    let named = args.local.iter().map(on(Side::Local)).chain(args.remote.iter().map(on(Side::Remote)));
    let named: Vec<RecordId> = named.collect();
    let which = if named.is_empty() { Retried::All } else { Retried::Of(named) };
    let released = host.engine.release(&host.connection, args.held.resource, &which).await?;
    if args.held.known.store.json {
        println!("{}", serde_json::json!({ "released": released }));
    } else {
        println!("{released} records are tried again by the next run");
    }
    Ok(0)
}

fn json_of(held: &Quarantined) -> serde_json::Value {
    serde_json::json!({
        "side": held.record.side(),
        "record": held.record.as_str(),
        "code": held.code.as_str(),
        "message": held.message,
        "attempts": held.attempts,
        "failed_at": held.failed_at,
        "retry_at": held.retry_at,
    })
}
