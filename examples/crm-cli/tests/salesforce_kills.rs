//! The program on a fake Salesforce, killed before and after each of its calls and resumed, ends where one ends that nobody
//! disturbed (I4, I5, I6). The `kills` beside it tell a longer story on HubSpot.

#![cfg(unix)]
#![allow(clippy::unwrap_used, clippy::panic, reason = "tests")]

use std::collections::BTreeSet;
use std::os::unix::process::ExitStatusExt as _;
use std::path::PathBuf;
use std::process::Stdio;

use abmatic_sync_core::clock::Clock as _;
use abmatic_sync_core::model::fields::Fields;
use abmatic_sync_core::model::link::LinkScope;
use abmatic_sync_core::model::resource::Resource;
use abmatic_sync_core::model::value::Value;
use abmatic_sync_core::store::state::{LinkEnds, RunStatus, StateStore as _};
use abmatic_sync_http::clock::SystemClock;
use abmatic_sync_sql::store::SqliteStore;
use abmatic_sync_testkit::fake::fault::{Fault, FaultKind};
use abmatic_sync_testkit::fake::salesforce::FakeSalesforce;
use tempfile::TempDir;
use tokio::process::Command;

const SIGKILL: i32 = 9;
const TENANT: &str = "default";
const CONNECTION: &str = "default/salesforce/main";
const ALL: usize = 100_000;

/// A fake org and a host's file.
struct World {
    crm: FakeSalesforce,
    folder: TempDir,
    kills: usize,
}

/// What both sides hold at the end, in words without ids and times.
#[derive(Debug, PartialEq, Eq)]
struct Portrait {
    here: Vec<String>,
    there: Vec<String>,
    links: usize,
}

impl World {
    async fn start() -> Self {
        let crm = FakeSalesforce::builder().seed_accounts(60).rng_seed(7).start().await.unwrap();
        Self { crm, folder: TempDir::new().unwrap(), kills: 0 }
    }

    fn file(&self) -> PathBuf {
        self.folder.path().join("host.db")
    }

    async fn store(&self) -> SqliteStore {
        SqliteStore::open(self.file()).await.unwrap()
    }

    /// An import, a push of new accounts, and a sync after edits on both sides.
    async fn tell(&mut self, killed: bool) {
        self.stage("import", killed).await;
        let store = self.store().await;
        for number in 0..230 {
            let website = format!("https://www.pushed-{number}.com/");
            let fields = [("name", Value::text(format!("Pushed {number}"))), ("website", Value::text(website))];
            let fields = fields.into_iter().collect::<Fields>();
            store.create(&TENANT.into(), Resource::Account, fields, SystemClock.now()).await.unwrap();
        }
        store.close().await;
        self.stage("push", killed).await;
        let store = self.store().await;
        for record in store.list(&TENANT.into(), Resource::Account, ALL, None).await.unwrap() {
            let name = record.fields.get("name").and_then(Value::as_text).unwrap_or_default().to_owned();
            if name.ends_with('7') {
                let fields = Fields::from_iter([("industry", Value::text("Banking"))]);
                store.edit(&TENANT.into(), Resource::Account, &record.id, fields, SystemClock.now()).await.unwrap();
            }
        }
        store.close().await;
        for record in self.crm.user().records("Account") {
            if record.get("Name").ends_with('9') {
                self.crm.user().update("Account", &record.id, &[("NumberOfEmployees", "99")]).unwrap();
            }
        }
        self.stage("sync", killed).await;
    }

    async fn stage(&mut self, operation: &str, killed: bool) {
        let mut verb = operation;
        for call in 0.. {
            for kind in [FaultKind::Hang, FaultKind::HangAfterWrite] {
                let fault = killed.then(|| Fault::new(kind).after(call));
                if self.run(verb, fault, call).await {
                    return;
                }
                self.kills += 1;
                verb = if self.has_open_run().await { "resume" } else { operation };
            }
        }
    }

    async fn has_open_run(&self) -> bool {
        let store = self.store().await;
        let runs = store.runs(&TENANT.into(), &CONNECTION.into(), 1).await.unwrap();
        store.close().await;
        runs.first().is_some_and(|run| run.status != RunStatus::Completed)
    }

    /// Starts the program, and kills it at the call that the fault holds. Whether it came to its end.
    async fn run(&self, verb: &str, fault: Option<Fault>, call: u64) -> bool {
        self.crm.reset_calls();
        let cut = fault.is_some();
        if let Some(fault) = fault {
            self.crm.inject(fault);
        }
        let mut command = Command::new(env!("CARGO_BIN_EXE_crm-cli"));
        command.args([verb, "--resource", "accounts", "--connector", "salesforce", "--json"]);
        command.args(["--base-url", &self.crm.base_url()]).arg("--db").arg(self.file());
        command.env("CRM_TOKEN", self.crm.token()).stdin(Stdio::null()).kill_on_drop(true);
        let mut child = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
        tokio::select! {
            ended = child.wait() => drop(ended.unwrap()),
            () = self.crm.called(|calls| cut && calls.total > call) => drop(child.kill().await),
        }
        self.crm.clear_faults();
        let output = child.wait_with_output().await.unwrap();
        if output.status.signal() == Some(SIGKILL) {
            return false;
        }
        assert_eq!(output.status.code(), Some(0), "{verb} {call} {}", String::from_utf8_lossy(&output.stderr));
        true
    }

    async fn portrait(&self) -> Portrait {
        let store = self.store().await;
        let names = ["name", "website", "industry", "employee_count"];
        let local = store.list(&TENANT.into(), Resource::Account, ALL, None).await.unwrap();
        let here = local
            .iter()
            .map(|record| names.map(|name| record.fields.get(name).cloned().unwrap_or_default().to_string()).join("|"));
        let there = self.crm.user().records("Account");
        let there = there.iter().map(|record| {
            ["Name", "Website", "Industry", "NumberOfEmployees"].map(|name| record.get(name).to_owned()).join("|")
        });
        let scope = LinkScope::new(TENANT.into(), CONNECTION.into(), Resource::Account);
        let links = store.links(&scope, &LinkEnds::All { after: None, limit: ALL }).await.unwrap();
        let ends: BTreeSet<&str> = links.iter().map(|link| link.remote_id.as_str()).collect();
        assert_eq!(ends.len(), links.len(), "no record of the CRM has two links");
        assert!(store.open_intents(&scope).await.unwrap().is_empty());
        for run in store.runs(&TENANT.into(), &CONNECTION.into(), ALL).await.unwrap() {
            assert!(run.status == RunStatus::Completed && run.counts.add_up(), "{run:?}");
        }
        let (mut here, mut there): (Vec<String>, Vec<String>) = (here.collect(), there.collect());
        here.sort();
        there.sort();
        store.close().await;
        Portrait { here, there, links: links.len() }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn killed_at_each_call_and_resumed_it_ends_as_if_never_killed() {
    let (mut undisturbed, mut killed) = (World::start().await, World::start().await);
    undisturbed.tell(false).await;
    killed.tell(true).await;
    println!("{} kills", killed.kills);
    assert!(killed.kills >= 20 && undisturbed.kills == 0, "{}", killed.kills);
    assert_eq!(killed.portrait().await, undisturbed.portrait().await);
}
