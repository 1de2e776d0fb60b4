//! Whether the token may do what a sync needs.

use abmatic_sync_core::engine::health::Access;
use serde_json::json;

use crate::args::CheckArgs;
use crate::host::reach;

/// Shows what stands in the way, and counts the resources that something does.
pub(crate) async fn check(args: CheckArgs) -> anyhow::Result<u64> {
    let host = reach(&args.store, &args.crm).await?;
    let found = host.engine.check(&host.connection).await?;
    for access in &found {
        if args.store.json {
            println!("{}", line(access));
        } else {
            println!("{} ({}): {}", access.resource, access.remote_name, words(access));
        }
    }
    let stopped = found.iter().filter(|access| access.reading.is_some() || access.writing.is_some()).count();
    if args.store.json {
        println!("{}", json!({"checked": found.len(), "stopped": stopped}));
    }
    Ok(stopped as u64)
}

fn words(access: &Access) -> String {
    let said = |what: &str, error: &abmatic_sync_core::error::Error| format!("{what}: {error}; {}", error.solution());
    match (&access.reading, &access.writing) {
        (Some(error), _) => said("cannot be read", error),
        (None, Some(error)) => said("can be read only", error),
        (None, None) => "may be synced".to_owned(),
    }
}

fn line(access: &Access) -> serde_json::Value {
    let shown = |error: &Option<abmatic_sync_core::error::Error>| {
        error.as_ref().map(|error| json!({"error": error.code().as_str(), "message": error.to_string()}))
    };
    json!({
        "resource": access.resource.as_str(), "remote_name": access.remote_name, "reading": shown(&access.reading),
        "writing": shown(&access.writing),
    })
}
