//! The command line.

use std::path::PathBuf;

use abmatic_sync_core::model::resource::Resource;
use abmatic_sync_core::policy::DuplicateHandling;
use clap::{Args, Parser, Subcommand, ValueEnum};
use url::Url;

/// One sync operation between an SQLite file and a CRM, against any server.
#[derive(Debug, Parser)]
#[command(name = "crm-cli", version)]
pub(crate) struct Cli {
    #[command(subcommand)]
    pub(crate) command: Command,
}

/// What to do.
#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Add a local record.
    Add(EditArgs),
    /// Push the local records that came to be since the last automatic push.
    AutoPush(RunArgs),
    /// Say what the token may do, resource by resource, and which permission is missing; write nothing.
    Check(CheckArgs),
    /// Change a local record.
    Edit(EditArgs),
    /// Bring the CRM's records here.
    Import(RunArgs),
    /// Show what runs did.
    Log(LogArgs),
    /// Show what a run would do; write nothing.
    Preview(PreviewArgs),
    /// Bring local records to the CRM.
    Push(PushArgs),
    /// Records that failed and are set aside: list them, or let them be tried again.
    Quarantine(QuarantineArgs),
    /// Show the local records.
    Records(RecordsArgs),
    /// Go on with a run that was stopped or killed.
    Resume(ResumeArgs),
    /// Show the runs, newest first, and which of them can be resumed.
    Runs(RunsArgs),
    /// Look at every linked pair on both sides: deletions and merges that nobody told of come out.
    Sweep(RunArgs),
    /// Align both sides.
    Sync(RunArgs),
}

/// Which database, and how to print.
#[derive(Clone, Debug, Args)]
pub(crate) struct StoreArgs {
    /// The SQLite file; it is made when it is not there.
    #[arg(long, default_value = "abmatic-sync.db")]
    pub(crate) db: PathBuf,
    /// Print JSON; the last line on standard output is the summary.
    #[arg(long)]
    pub(crate) json: bool,
    /// The customer whose records are meant.
    #[arg(long, default_value = "default")]
    pub(crate) tenant: String,
    /// The name of the connection, where one customer has several.
    #[arg(long, default_value = "main")]
    pub(crate) connection: String,
}

/// Which CRM, and by whose token.
#[derive(Clone, Debug, Args)]
pub(crate) struct CrmArgs {
    /// The kind of CRM: activecampaign, hubspot, pipedrive or salesforce.
    #[arg(long, default_value = "hubspot")]
    pub(crate) connector: String,
    /// Where the CRM is, when not at its usual host; ActiveCampaign and Salesforce have none, there it is the account's API URL
    /// or the org's instance URL.
    #[arg(long, env = "CRM_BASE_URL")]
    pub(crate) base_url: Option<Url>,
    /// The token; better given by the environment.
    #[arg(long, env = "CRM_TOKEN", hide_env_values = true)]
    pub(crate) token: String,
}

/// Which connection is checked.
#[derive(Clone, Debug, Args)]
pub(crate) struct CheckArgs {
    #[command(flatten)]
    pub(crate) store: StoreArgs,
    #[command(flatten)]
    pub(crate) crm: CrmArgs,
}

/// Which CRM, which records, by which rules.
#[derive(Clone, Debug, Args)]
pub(crate) struct RunArgs {
    #[command(flatten)]
    pub(crate) store: StoreArgs,
    #[command(flatten)]
    pub(crate) crm: CrmArgs,
    /// accounts, contacts, leads or opportunities.
    #[arg(long, value_parser = resource)]
    pub(crate) resource: Resource,
    /// Only records for which this holds, such as: type = "PARTNER" AND numberofemployees > 100
    #[arg(long, conflicts_with = "list")]
    pub(crate) filter: Option<String>,
    /// Only the members of this list of the CRM.
    #[arg(long)]
    pub(crate) list: Option<String>,
    /// skip, overwrite-all or update-missing: what happens to records that exist already.
    #[arg(long, value_parser = duplicates)]
    pub(crate) on_duplicate: Option<DuplicateHandling>,
    /// contacts or leads: what people become in the CRM, where they are to be something else there.
    #[arg(long, value_parser = resource)]
    pub(crate) people_as: Option<Resource>,
    /// Map a further field: LOCAL=REMOTE. May be given several times.
    #[arg(long = "map", value_parser = pair)]
    pub(crate) map: Vec<(String, String)>,
    /// Stop before writing when more records would be created than this.
    #[arg(long)]
    pub(crate) max_creates: Option<u64>,
    /// Let a run over its cap go on.
    #[arg(long)]
    pub(crate) confirm: bool,
}

/// A preview of one of the operations.
#[derive(Debug, Args)]
pub(crate) struct PreviewArgs {
    #[command(flatten)]
    pub(crate) run: RunArgs,
    /// What to preview.
    #[arg(long, default_value = "import")]
    pub(crate) operation: Previewed,
    /// How many records to show one by one.
    #[arg(long, default_value_t = 20)]
    pub(crate) limit: usize,
}

/// The operations that can be previewed.
#[derive(Clone, Copy, Debug, ValueEnum)]
pub(crate) enum Previewed {
    AutoPush,
    Import,
    Push,
    Sync,
}

/// A push, of all local records or some.
#[derive(Debug, Args)]
pub(crate) struct PushArgs {
    #[command(flatten)]
    pub(crate) run: RunArgs,
    /// Only this record. May be given several times.
    #[arg(long = "id")]
    pub(crate) ids: Vec<String>,
}

/// Which run to go on with.
#[derive(Debug, Args)]
pub(crate) struct ResumeArgs {
    #[command(flatten)]
    pub(crate) run: RunArgs,
    /// The run's id, as its summary, `runs` and the log show it. Without it, the resource's newest run goes on, if it was
    /// stopped or killed; one that still works elsewhere is taken over.
    #[arg(long = "run")]
    pub(crate) id: Option<String>,
}

/// A connection as the file knows it: nothing is asked of the CRM.
#[derive(Clone, Debug, Args)]
pub(crate) struct KnownArgs {
    #[command(flatten)]
    pub(crate) store: StoreArgs,
    /// The kind of CRM: activecampaign, hubspot, pipedrive or salesforce.
    #[arg(long, default_value = "hubspot")]
    pub(crate) connector: String,
}

/// Which runs to show.
#[derive(Debug, Args)]
pub(crate) struct RunsArgs {
    #[command(flatten)]
    pub(crate) known: KnownArgs,
    /// Only of this resource.
    #[arg(long, value_parser = resource)]
    pub(crate) resource: Option<Resource>,
    /// Only those that can be resumed.
    #[arg(long)]
    pub(crate) open: bool,
    /// How many of the connection's newest runs to look at.
    #[arg(long, default_value_t = 50)]
    pub(crate) limit: usize,
}

/// What to do with the records that are set aside.
#[derive(Debug, Args)]
pub(crate) struct QuarantineArgs {
    #[command(subcommand)]
    pub(crate) what: Quarantine,
}

/// What to do with the records that are set aside.
#[derive(Debug, Subcommand)]
pub(crate) enum Quarantine {
    /// Show them, with why they failed, how often, and when they are tried again.
    List(HeldArgs),
    /// Let them be tried again by the next run, all of them or those that are named.
    Release(ReleaseArgs),
}

/// Of which resource.
#[derive(Debug, Args)]
pub(crate) struct HeldArgs {
    #[command(flatten)]
    pub(crate) known: KnownArgs,
    /// accounts, contacts, leads or opportunities.
    #[arg(long, value_parser = resource)]
    pub(crate) resource: Resource,
}

/// Which records to release.
#[derive(Debug, Args)]
pub(crate) struct ReleaseArgs {
    #[command(flatten)]
    pub(crate) held: HeldArgs,
    /// Only this local record. May be given several times.
    #[arg(long = "local")]
    pub(crate) local: Vec<String>,
    /// Only this record of the CRM. May be given several times.
    #[arg(long = "remote")]
    pub(crate) remote: Vec<String>,
}

/// Which lines of the log to show.
#[derive(Debug, Args)]
pub(crate) struct LogArgs {
    #[command(flatten)]
    pub(crate) store: StoreArgs,
    /// Only of this run.
    #[arg(long = "run")]
    pub(crate) run: Option<String>,
    /// Only of this resource.
    #[arg(long, value_parser = resource)]
    pub(crate) resource: Option<Resource>,
    /// Created, Deleted, Failed, Skipped or Updated.
    #[arg(long)]
    pub(crate) status: Option<String>,
    /// Only of this local record.
    #[arg(long)]
    pub(crate) id: Option<String>,
    /// How many at the most in the table, newest first; --json and --csv give all, oldest first.
    #[arg(long, default_value_t = 50)]
    pub(crate) limit: usize,
    /// Print CSV.
    #[arg(long, conflicts_with = "json")]
    pub(crate) csv: bool,
}

/// Which local records to show.
#[derive(Debug, Args)]
pub(crate) struct RecordsArgs {
    #[command(flatten)]
    pub(crate) store: StoreArgs,
    /// accounts, contacts, leads or opportunities.
    #[arg(long, value_parser = resource)]
    pub(crate) resource: Resource,
    /// How many at the most.
    #[arg(long, default_value_t = 50)]
    pub(crate) limit: usize,
}

/// A local record to add or change.
#[derive(Debug, Args)]
pub(crate) struct EditArgs {
    #[command(flatten)]
    pub(crate) store: StoreArgs,
    /// accounts, contacts, leads or opportunities.
    #[arg(long, value_parser = resource)]
    pub(crate) resource: Resource,
    /// The record to change; none when adding.
    #[arg(long)]
    pub(crate) id: Option<String>,
    /// FIELD=VALUE; an empty value clears. May be given several times.
    #[arg(long = "set", value_parser = pair, required = true)]
    pub(crate) set: Vec<(String, String)>,
}

fn resource(text: &str) -> Result<Resource, String> {
    Resource::parse(text).ok_or_else(|| "expected accounts, contacts, leads or opportunities".to_owned())
}

fn duplicates(text: &str) -> Result<DuplicateHandling, String> {
    DuplicateHandling::parse(text).ok_or_else(|| "expected skip, overwrite-all or update-missing".to_owned())
}

fn pair(text: &str) -> Result<(String, String), String> {
    let (left, right) = text.split_once('=').ok_or_else(|| "expected LEFT=RIGHT".to_owned())?;
    Ok((left.trim().to_owned(), right.trim().to_owned()))
}
