//! A fake CRM as a program of its own, for tests in any language.
//!
//! Its first line on standard output is JSON with the address and the token; then it serves until it is killed.

use std::io::{self, Write as _};
use std::path::PathBuf;
use std::process::ExitCode;

use abmatic_sync_testkit::fake::activecampaign::FakeActiveCampaign;
use abmatic_sync_testkit::fake::fault::Fault;
use abmatic_sync_testkit::fake::hubspot::FakeHubspot;
use abmatic_sync_testkit::fake::pipedrive::FakePipedrive;
use abmatic_sync_testkit::fake::salesforce::FakeSalesforce;
use clap::{Args, Parser, Subcommand};

/// A fake CRM on loopback.
#[derive(Debug, Parser)]
#[command(name = "fake-crm", version, about)]
struct Arguments {
    #[command(subcommand)]
    crm: Crm,
}

#[derive(Debug, Subcommand)]
enum Crm {
    /// An ActiveCampaign account.
    Activecampaign(Activecampaign),
    /// A HubSpot account.
    Hubspot(Hubspot),
    /// A Pipedrive company.
    Pipedrive(Pipedrive),
    /// A Salesforce org.
    Salesforce(Salesforce),
}

/// What every fake takes.
#[derive(Debug, Args)]
struct Common {
    /// Port on 127.0.0.1; 0 takes a free one.
    #[arg(long, default_value_t = 0)]
    port: u16,
    /// People to seed, with a seventh as many companies and deals, and a third as many leads where there are leads.
    #[arg(long, default_value_t = 0)]
    seed_records: usize,
    /// Seed of all random choices.
    #[arg(long, default_value_t = 1)]
    rng_seed: u64,
    /// The token that is good from the start.
    #[arg(long)]
    token: Option<String>,
    /// A fault, for example `rate_limited,matches=search,times=3` or `server_error,status=502,html,times=always`.
    #[arg(long = "fault", value_name = "SPEC")]
    faults: Vec<Fault>,
    /// Writes each call and its answer to a file, in place of what it held, a line of JSON each, without tokens and secrets.
    #[arg(long, value_name = "FILE")]
    record: Option<PathBuf>,
}

#[derive(Debug, Args)]
struct Activecampaign {
    #[command(flatten)]
    common: Common,
    /// Answers 429 beyond five calls a second.
    #[arg(long)]
    enforce_rate_limits: bool,
    /// Answers carry `RateLimit-*` headers.
    #[arg(long)]
    rate_headers: bool,
    /// After how many looks an import is done.
    #[arg(long, default_value_t = 1)]
    import_polls: u32,
    /// `include` brings no rows beside contacts.
    #[arg(long)]
    no_includes: bool,
}

#[derive(Debug, Args)]
struct Hubspot {
    #[command(flatten)]
    common: Common,
    /// How long a change stays invisible to searches.
    #[arg(long, default_value_t = 2.0)]
    search_lag_seconds: f64,
    /// Answers 429 beyond HubSpot's limits.
    #[arg(long)]
    enforce_rate_limits: bool,
    /// Links contacts to the company of their e-mail's domain, and makes it where there is none.
    #[arg(long)]
    auto_association: bool,
    /// The token may not make properties.
    #[arg(long)]
    no_property_creation: bool,
}

#[derive(Debug, Args)]
struct Pipedrive {
    #[command(flatten)]
    common: Common,
    /// Organizations to seed, if not a seventh of the persons.
    #[arg(long)]
    seed_organizations: Option<usize>,
    /// Answers 429 beyond the day's tokens and the calls of two seconds.
    #[arg(long)]
    enforce_rate_limits: bool,
    /// Tokens a day, when limits are enforced.
    #[arg(long, default_value_t = 30_000)]
    daily_tokens: u64,
    /// Calls in two seconds, when limits are enforced.
    #[arg(long, default_value_t = 20)]
    burst: u64,
    /// How long a change stays invisible to searches.
    #[arg(long, default_value_t = 0)]
    search_lag_seconds: u32,
    /// Contact sync was set up: persons have `job_title`, `birthday` and the like.
    #[arg(long)]
    contact_sync: bool,
    /// Organizations have no `website`, `industry`, `employee_count` and the like.
    #[arg(long)]
    no_firmographics: bool,
}

#[derive(Debug, Args)]
struct Salesforce {
    #[command(flatten)]
    common: Common,
    /// Accounts to seed, if not a seventh of the contacts.
    #[arg(long)]
    seed_accounts: Option<usize>,
    /// Calls of a rolling day; beyond them calls are refused with 403 `REQUEST_LIMIT_EXCEEDED`.
    #[arg(long)]
    daily_limit: Option<u64>,
    /// How many polls a bulk job is on its way.
    #[arg(long, default_value_t = 1)]
    bulk_polls: u32,
    /// Each refresh gives a new refresh token, and ends the old one with its sessions.
    #[arg(long)]
    rotate_refresh_tokens: bool,
}

#[tokio::main]
async fn main() -> ExitCode {
    let served = match Arguments::parse().crm {
        Crm::Activecampaign(arguments) => serve_activecampaign(arguments).await,
        Crm::Hubspot(arguments) => serve_hubspot(arguments).await,
        Crm::Pipedrive(arguments) => serve_pipedrive(arguments).await,
        Crm::Salesforce(arguments) => serve_salesforce(arguments).await,
    };
    match served {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("fake-crm: {error}");
            ExitCode::from(2)
        }
    }
}

/// What follows once a fake listens.
macro_rules! serve {
    ($crm:literal, $fake:ident, $common:expr) => {{
        if let Some(file) = &$common.record {
            $fake.record_to(file).map_err(|error| io::Error::other(format!("{}: {error}", file.display())))?;
        }
        $common.faults.into_iter().for_each(|fault| $fake.inject(fault));
        announce($crm, &$fake.base_url(), &$fake.token())?;
        wait_for_end().await
    }};
}

async fn serve_activecampaign(arguments: Activecampaign) -> io::Result<()> {
    let mut builder = FakeActiveCampaign::builder()
        .port(arguments.common.port)
        .seed_records(arguments.common.seed_records)
        .rng_seed(arguments.common.rng_seed)
        .rate_limits(arguments.enforce_rate_limits)
        .rate_headers(arguments.rate_headers)
        .import_polls(arguments.import_polls)
        .includes(!arguments.no_includes);
    if let Some(token) = &arguments.common.token {
        builder = builder.token(token);
    }
    let fake = builder.start().await?;
    serve!("activecampaign", fake, arguments.common)
}

async fn serve_hubspot(arguments: Hubspot) -> io::Result<()> {
    let mut builder = FakeHubspot::builder()
        .port(arguments.common.port)
        .seed_records(arguments.common.seed_records)
        .rng_seed(arguments.common.rng_seed)
        .search_lag_seconds(arguments.search_lag_seconds)
        .rate_limits(arguments.enforce_rate_limits)
        .auto_association(arguments.auto_association)
        .allow_property_creation(!arguments.no_property_creation);
    if let Some(token) = &arguments.common.token {
        builder = builder.token(token);
    }
    let fake = builder.start().await?;
    serve!("hubspot", fake, arguments.common)
}

async fn serve_pipedrive(arguments: Pipedrive) -> io::Result<()> {
    let mut builder = FakePipedrive::builder()
        .port(arguments.common.port)
        .seed_records(arguments.common.seed_records)
        .rng_seed(arguments.common.rng_seed)
        .rate_limits(arguments.enforce_rate_limits)
        .daily_tokens(arguments.daily_tokens)
        .burst(arguments.burst)
        .search_lag_seconds(arguments.search_lag_seconds)
        .contact_sync(arguments.contact_sync)
        .firmographics(!arguments.no_firmographics);
    if let Some(organizations) = arguments.seed_organizations {
        builder = builder.seed_organizations(organizations);
    }
    if let Some(token) = &arguments.common.token {
        builder = builder.token(token);
    }
    let fake = builder.start().await?;
    serve!("pipedrive", fake, arguments.common)
}

async fn serve_salesforce(arguments: Salesforce) -> io::Result<()> {
    let mut builder = FakeSalesforce::builder()
        .port(arguments.common.port)
        .seed_records(arguments.common.seed_records)
        .rng_seed(arguments.common.rng_seed)
        .bulk_polls(arguments.bulk_polls)
        .rotate_refresh_tokens(arguments.rotate_refresh_tokens);
    if let Some(accounts) = arguments.seed_accounts {
        builder = builder.seed_accounts(accounts);
    }
    if let Some(calls) = arguments.daily_limit {
        builder = builder.daily_limit(calls);
    }
    if let Some(token) = &arguments.common.token {
        builder = builder.token(token);
    }
    let fake = builder.start().await?;
    serve!("salesforce", fake, arguments.common)
}

/// The line that callers read to find the server; its keys keep this order.
fn announce(crm: &str, base_url: &str, token: &str) -> io::Result<()> {
    let token = serde_json::to_string(token)?;
    let mut out = io::stdout().lock();
    writeln!(out, "{{\"crm\":\"{crm}\",\"base_url\":\"{base_url}\",\"token\":{token}}}")?;
    out.flush()
}

#[cfg(unix)]
async fn wait_for_end() -> io::Result<()> {
    use tokio::signal::unix::{SignalKind, signal};
    let mut terminated = signal(SignalKind::terminate())?;
    tokio::select! {
        interrupted = tokio::signal::ctrl_c() => interrupted,
        _ = terminated.recv() => Ok(()),
    }
}

#[cfg(not(unix))]
async fn wait_for_end() -> io::Result<()> {
    tokio::signal::ctrl_c().await
}
