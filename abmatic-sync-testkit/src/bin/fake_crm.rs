//! A fake CRM as a program of its own, for tests in any language.
//!
//! Its first line on standard output is JSON with the address and the token; then it serves until it is killed.

use std::io::{self, Write as _};
use std::process::ExitCode;

use abmatic_sync_testkit::fake::fault::Fault;
use abmatic_sync_testkit::fake::hubspot::FakeHubspot;
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
    /// A HubSpot account.
    Hubspot(Hubspot),
}

#[derive(Debug, Args)]
struct Hubspot {
    /// Port on 127.0.0.1; 0 takes a free one.
    #[arg(long, default_value_t = 0)]
    port: u16,
    /// Contacts to seed, with a seventh as many companies and deals.
    #[arg(long, default_value_t = 0)]
    seed_records: usize,
    /// Seed of all random choices.
    #[arg(long, default_value_t = 1)]
    rng_seed: u64,
    /// The private-app token.
    #[arg(long)]
    token: Option<String>,
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
    /// A fault, for example `rate_limited,matches=search,times=3` or `server_error,status=502,html,times=always`.
    #[arg(long = "fault", value_name = "SPEC")]
    faults: Vec<Fault>,
}

#[tokio::main]
async fn main() -> ExitCode {
    let Crm::Hubspot(arguments) = Arguments::parse().crm;
    match serve(arguments).await {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("fake-crm: {error}");
            ExitCode::from(2)
        }
    }
}

async fn serve(arguments: Hubspot) -> io::Result<()> {
    let mut builder = FakeHubspot::builder()
        .port(arguments.port)
        .seed_records(arguments.seed_records)
        .rng_seed(arguments.rng_seed)
        .search_lag_seconds(arguments.search_lag_seconds)
        .rate_limits(arguments.enforce_rate_limits)
        .auto_association(arguments.auto_association)
        .allow_property_creation(!arguments.no_property_creation);
    if let Some(token) = &arguments.token {
        builder = builder.token(token);
    }
    let fake = builder.start().await?;
    for fault in arguments.faults {
        fake.inject(fault);
    }
    announce(&fake)?;
    wait_for_end().await
}

/// The line that callers read to find the server; its keys keep this order.
fn announce(fake: &FakeHubspot) -> io::Result<()> {
    let token = serde_json::to_string(&fake.token())?;
    let mut out = io::stdout().lock();
    writeln!(out, "{{\"crm\":\"hubspot\",\"base_url\":\"{}\",\"token\":{token}}}", fake.base_url())?;
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
