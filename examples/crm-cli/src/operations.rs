//! The commands that talk to the CRM.

use std::time::Instant;

use abmatic_sync_core::filter::parse::parse;
use abmatic_sync_core::ids::{LocalId, RunId};
use abmatic_sync_core::policy::{Policy, Scope, Selection};
use abmatic_sync_core::run::report::RunReport;
use abmatic_sync_core::run::request::RunRequest;
use abmatic_sync_core::store::state::{Counts, LogQuery, RunStatus};
use abmatic_sync_examples::show;
use anyhow::bail;

use crate::args::{PreviewArgs, Previewed, PushArgs, ResumeArgs, RunArgs};
use crate::host::{Host, connect};
use crate::runs::newest_open;

pub(crate) async fn import(args: RunArgs) -> anyhow::Result<u64> {
    let request = RunRequest::import(args.resource, scope(&args)?);
    run(&args, request).await
}

pub(crate) async fn sync(args: RunArgs) -> anyhow::Result<u64> {
    let request = RunRequest::sync(args.resource, scope(&args)?);
    run(&args, request).await
}

pub(crate) async fn sweep(args: RunArgs) -> anyhow::Result<u64> {
    refuse_scope(&args)?;
    let request = RunRequest::sweep(args.resource);
    run(&args, request).await
}

pub(crate) async fn auto_push(args: RunArgs) -> anyhow::Result<u64> {
    refuse_scope(&args)?;
    let request = RunRequest::auto_push(args.resource);
    run(&args, request).await
}

pub(crate) async fn push(args: PushArgs) -> anyhow::Result<u64> {
    refuse_scope(&args.run)?;
    let request = RunRequest::push(args.run.resource, selection(&args.ids));
    run(&args.run, request).await
}

pub(crate) async fn resume(args: ResumeArgs) -> anyhow::Result<u64> {
    let started = now();
    let host = connect(&args.run).await?;
    let id = match &args.id {
        Some(id) => RunId::from(id.as_str()),
        None => newest_open(host.engine.store(), &host.connection, args.run.resource).await?,
    };
    let report = host.engine.resume(&host.connection, &id).await?;
    finish(&host, &args.run, &report, started).await
}

pub(crate) async fn preview(args: PreviewArgs) -> anyhow::Result<u64> {
    let started = now();
    let host = connect(&args.run).await?;
    let request = match args.operation {
        Previewed::AutoPush => RunRequest::auto_push(args.run.resource),
        Previewed::Import => RunRequest::import(args.run.resource, scope(&args.run)?),
        Previewed::Push => RunRequest::push(args.run.resource, Selection::All),
        Previewed::Sync => RunRequest::sync(args.run.resource, scope(&args.run)?),
    };
    let request = with_policy(&host, &args.run, request).await?.with_plan_items_max(args.limit);
    let plan = host.engine.preview(&host.connection, &request).await?;
    if args.run.store.json {
        for item in &plan.items {
            println!("{}", serde_json::to_string(item)?);
        }
        println!("{}", summary(None, &plan.counts, None, started, plan.matching));
        return Ok(plan.counts.failed);
    }
    println!("{}", show::plan_table(&plan, args.limit));
    if plan.items_left_out > 0 {
        println!("… and {} records more", plan.items_left_out);
    }
    if let Some(why) = &plan.filtered_here {
        println!("The filter is evaluated here, reading every record: {why}");
    }
    if let Some(matching) = plan.matching {
        println!("{matching} records match in the CRM");
    }
    println!("Nothing was written. It would be: {}", show::counts_line(&plan.counts));
    Ok(plan.counts.failed)
}

async fn run(args: &RunArgs, request: RunRequest) -> anyhow::Result<u64> {
    let started = now();
    let host = connect(args).await?;
    let mut request = with_policy(&host, args, request).await?;
    let bar = show::progress_bar(&format!("{} {}", request.operation.as_str(), args.resource));
    let moved = bar.clone();
    request = request.with_observer(move |progress| show::advance(&moved, progress));
    let outcome = host.engine.run(&host.connection, &request).await;
    bar.finish_and_clear();
    finish(&host, args, &outcome?, started).await
}

async fn with_policy(host: &Host, args: &RunArgs, request: RunRequest) -> anyhow::Result<RunRequest> {
    let kept = host.engine.settings(&host.connection, args.resource).await?.policy;
    let request = if args.confirm { request.confirmed() } else { request };
    Ok(request.with_policy(policy(args, kept)))
}

fn policy(args: &RunArgs, mut policy: Policy) -> Policy {
    if let Some(destination) = args.people_as {
        policy = policy.with_people_destination(destination);
    }
    if let Some(handling) = args.on_duplicate {
        policy = policy.with_duplicates(handling);
    }
    if args.max_creates.is_some() {
        policy.caps.creates_max = args.max_creates;
    }
    policy
}

async fn finish(host: &Host, args: &RunArgs, report: &RunReport, started: Instant) -> anyhow::Result<u64> {
    let needs_confirmation = report.status == RunStatus::NeedsConfirmation;
    if args.store.json {
        println!("{}", summary(Some(&report.run), &report.counts, Some(report.calls), started, None));
    } else {
        println!("{}", show::counts_line(&report.counts));
        println!("run {} · {} calls · {:.2} s", report.run, report.calls, started.elapsed().as_secs_f64());
        if let Some(why) = &report.filtered_here {
            println!("The filter was evaluated here, reading every record: {why}");
        }
        if report.counts.failed > 0 {
            let mut query = LogQuery::new(args.store.tenant.as_str()).of_run(report.run.clone()).with_limit(10);
            query.status = Some(abmatic_sync_core::model::journal::Status::Failed);
            println!("{}", show::log_table(&host.engine.log(&query).await?));
        }
    }
    if needs_confirmation {
        bail!("nothing was written: the run would exceed its cap; look at `preview`, then add --confirm");
    }
    Ok(report.counts.failed)
}

fn summary(
    run: Option<&RunId>,
    counts: &Counts,
    calls: Option<u64>,
    started: Instant,
    matching: Option<u64>,
) -> String {
    let mut summary = serde_json::json!({
        "run": run,
        "read": counts.read,
        "created": counts.created,
        "updated": counts.updated,
        "unchanged": counts.unchanged,
        "skipped": counts.skipped,
        "failed": counts.failed,
        "deleted": counts.deleted,
        "calls": calls,
        "seconds": (started.elapsed().as_secs_f64() * 1000.0).round() / 1000.0,
    });
    if let (Some(matching), Some(fields)) = (matching, summary.as_object_mut()) {
        fields.insert("matching".to_owned(), matching.into());
    }
    summary.to_string()
}

fn scope(args: &RunArgs) -> anyhow::Result<Scope> {
    match (&args.filter, &args.list) {
        (Some(text), _) => match parse(text) {
            Ok(filter) => Ok(Scope::Filter(filter)),
            Err(error) => {
                eprintln!("{}", error.snippet());
                Err(abmatic_sync_core::error::Error::from(error).into())
            }
        },
        (None, Some(list)) => Ok(Scope::List(list.clone())),
        (None, None) => Ok(Scope::All),
    }
}

fn refuse_scope(args: &RunArgs) -> anyhow::Result<()> {
    if args.filter.is_some() || args.list.is_some() {
        bail!(
            "--filter and --list choose the CRM's records: they go with import and sync; choose local records to push with --id"
        );
    }
    Ok(())
}

fn selection(ids: &[String]) -> Selection {
    if ids.is_empty() {
        Selection::All
    } else {
        Selection::Ids(ids.iter().map(|id| LocalId::from(id.as_str())).collect())
    }
}

#[expect(clippy::disallowed_methods, reason = "a host may look at the real clock: it only shows how long a run took")]
fn now() -> Instant {
    Instant::now()
}
