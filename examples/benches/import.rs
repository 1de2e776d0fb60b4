//! How much an import costs beside a bare loop that fetches the same pages, parses them and inserts one row each.
//!
//! `cargo bench -p abmatic-sync-examples --bench import` prints both rates, in records a second, and their ratio.
//! `RECORDS=100000` and `ROUNDS=5` set the size and how often both are run in turn.

use std::sync::Arc;
use std::sync::mpsc;
use std::time::{Duration, Instant};

use abmatic_sync_core::engine::Engine;
use abmatic_sync_core::model::connection::{Connection, Credentials};
use abmatic_sync_core::model::resource::Resource;
use abmatic_sync_core::policy::Scope;
use abmatic_sync_http::clock::{SystemClock, SystemIds};
use abmatic_sync_hubspot::HubspotConnector;
use abmatic_sync_sql::store::SqliteStore;
use abmatic_sync_testkit::fake::hubspot::FakeHubspot;
use rusqlite::params;
use serde::Deserialize;

fn main() -> anyhow::Result<()> {
    // `cargo test --benches` only wants to see that it builds.
    if !std::env::args().any(|argument| argument == "--bench") {
        return Ok(());
    }
    let records = number("RECORDS", 100_000);
    let rounds = number("ROUNDS", 5);
    let (base_url, token) = serve(records)?;
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build()?;
    let mut ratios = Vec::new();
    for round in 0..=rounds {
        let bare = runtime.block_on(bare_loop(&base_url, &token))?;
        let engine = runtime.block_on(import(&base_url, &token, records))?;
        let ratio = engine.as_secs_f64() / bare.as_secs_f64();
        let rate = |time: Duration| records as f64 / time.as_secs_f64();
        let note = if round == 0 { " (warm-up)" } else { "" };
        println!(
            "bare loop {:>8.0} records/s   import {:>8.0} records/s   ratio {ratio:.2}{note}",
            rate(bare),
            rate(engine)
        );
        if round > 0 {
            ratios.push(ratio);
        }
    }
    ratios.sort_by(f64::total_cmp);
    println!("median ratio {:.2} over {} rounds of {records} records", ratios[ratios.len() / 2], ratios.len());
    Ok(())
}

fn number(name: &str, otherwise: usize) -> usize {
    std::env::var(name).ok().and_then(|text| text.parse().ok()).unwrap_or(otherwise)
}

/// A fake HubSpot on a runtime of its own, so that it does not share the threads of what is measured.
fn serve(records: usize) -> anyhow::Result<(String, String)> {
    let (sender, receiver) = mpsc::channel();
    std::thread::spawn(move || -> anyhow::Result<()> {
        let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build()?;
        runtime.block_on(async move {
            let crm = FakeHubspot::builder().seed_records(records).start().await?;
            sender.send((crm.base_url().to_string(), crm.token().to_owned()))?;
            std::future::pending::<()>().await;
            Ok(())
        })
    });
    Ok(receiver.recv()?)
}

async fn import(base_url: &str, token: &str, records: usize) -> anyhow::Result<Duration> {
    let folder = tempfile::tempdir()?;
    let store = SqliteStore::open(&folder.path().join("engine.db")).await?;
    let engine = Engine::new(Arc::new(store), Arc::new(SystemClock), Arc::new(SystemIds))
        .with_connector(HubspotConnector::builder().build());
    let connection = Connection::new("bench", "bench/hubspot", "hubspot", Credentials::token(token))
        .with_base_url(base_url.parse()?);
    let started = now();
    let report = engine.import(&connection, Resource::Contact, Scope::All).await?;
    anyhow::ensure!(report.counts.read == records as u64, "read {} of {records}", report.counts.read);
    Ok(started.elapsed())
}

#[derive(Deserialize)]
struct ListPage {
    results: Vec<Contact>,
    paging: Option<Paging>,
}

#[derive(Deserialize)]
struct Paging {
    next: Next,
}

#[derive(Deserialize)]
struct Next {
    after: String,
}

#[derive(Deserialize)]
struct Contact {
    id: String,
    properties: Properties,
}

#[derive(Deserialize)]
struct Properties {
    email: Option<String>,
    firstname: Option<String>,
    lastname: Option<String>,
    jobtitle: Option<String>,
    lastmodifieddate: Option<String>,
}

async fn bare_loop(base_url: &str, token: &str) -> anyhow::Result<Duration> {
    let folder = tempfile::tempdir()?;
    let mut database = rusqlite::Connection::open(folder.path().join("bare.db"))?;
    database.pragma_update(None, "journal_mode", "WAL")?;
    database.pragma_update(None, "synchronous", "FULL")?;
    database.execute_batch(
        "CREATE TABLE contact (id TEXT PRIMARY KEY, email TEXT, first TEXT, last TEXT, title TEXT, modified TEXT)",
    )?;
    let client = reqwest::Client::builder().tls_certs_only([]).build()?;
    let started = now();
    let mut after: Option<String> = None;
    loop {
        let mut url = format!(
            "{}/crm/objects/2026-09/contacts?limit=100&properties=email,firstname,jobtitle,lastmodifieddate,lastname&associations=companies",
            base_url.trim_end_matches('/')
        );
        if let Some(after) = &after {
            url.push_str("&after=");
            url.push_str(after);
        }
        let body = client.get(url).bearer_auth(token).send().await?.error_for_status()?.bytes().await?;
        let page: ListPage = serde_json::from_slice(&body)?;
        let transaction = database.transaction()?;
        {
            let mut insert = transaction.prepare_cached("INSERT INTO contact VALUES (?1, ?2, ?3, ?4, ?5, ?6)")?;
            for contact in &page.results {
                let p = &contact.properties;
                insert.execute(params![
                    contact.id,
                    p.email,
                    p.firstname,
                    p.lastname,
                    p.jobtitle,
                    p.lastmodifieddate
                ])?;
            }
        }
        transaction.commit()?;
        match page.paging {
            Some(paging) => after = Some(paging.next.after),
            None => return Ok(started.elapsed()),
        }
    }
}

#[expect(clippy::disallowed_methods, reason = "a bench measures wall-clock time: that is what it is for")]
fn now() -> Instant {
    Instant::now()
}
