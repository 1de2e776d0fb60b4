//! A fake account, a file, and the program that works between them and is killed.

use std::collections::BTreeMap;
use std::os::unix::process::ExitStatusExt as _;
use std::path::PathBuf;
use std::process::Stdio;

use abmatic_sync_core::store::state::{RunStatus, StateStore as _};
use abmatic_sync_sql::store::SqliteStore;
use abmatic_sync_testkit::fake::fault::{Fault, FaultKind};
use abmatic_sync_testkit::fake::hubspot::{Builder, FakeHubspot};
use abmatic_sync_testkit::fake::traffic::Traffic;
use serde_json::Value;
use tempfile::TempDir;
use tokio::process::Command;

use crate::portrait::Portrait;
use crate::story::{CONNECTION, TENANT};

const SIGKILL: i32 = 9;

/// Whether the program is killed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kills {
    EachCall,
    None,
}

/// Where a process is killed, counting its calls from one.
#[derive(Clone, Copy, Debug)]
enum Cut {
    /// This call was carried out and is never answered.
    After(u64),
    /// Right after this call on records was answered.
    Answered(u64),
    /// This call has arrived and is not carried out.
    Before(u64),
}

impl Cut {
    /// Each call of a process after the other.
    fn all() -> impl Iterator<Item = Self> {
        let cuts_at =
            |call| [Some(Self::Before(call)), Some(Self::After(call)), (call % 3 == 0).then_some(Self::Answered(call))];
        (1..).flat_map(cuts_at).flatten()
    }

    fn fault(self) -> Option<Fault> {
        match self {
            Self::After(call) => Some(Fault::new(FaultKind::HangAfterWrite).after(call - 1)),
            Self::Answered(_) => None,
            Self::Before(call) => Some(Fault::new(FaultKind::Hang).after(call - 1)),
        }
    }

    fn is_reached(self, calls: &Traffic) -> bool {
        match self {
            Self::After(call) | Self::Before(call) => calls.total >= call,
            Self::Answered(call) => calls.matching("/objects/") >= call,
        }
    }
}

/// A fake account, and a host's file.
pub(crate) struct World {
    pub(crate) crm: FakeHubspot,
    folder: TempDir,
    how: Kills,
    /// How often each stage was killed.
    pub(crate) kills: BTreeMap<String, usize>,
}

impl World {
    pub(crate) async fn start(account: Builder, how: Kills) -> Self {
        let (crm, folder) = (account.start().await.unwrap(), TempDir::new().unwrap());
        Self { crm, folder, how, kills: BTreeMap::new() }
    }

    fn file(&self) -> PathBuf {
        self.folder.path().join("host.db")
    }

    /// The file, as the host opens it beside the program.
    pub(crate) async fn store(&self) -> SqliteStore {
        SqliteStore::open(self.file()).await.unwrap()
    }

    pub(crate) async fn portrait(&self) -> Portrait {
        let store = self.store().await;
        let portrait = Portrait::of(&self.crm, &store).await;
        store.close().await;
        portrait
    }

    /// One stage, from its beginning to its end, whatever happens on the way.
    pub(crate) async fn stage(&mut self, operation: &str, resource: &str) {
        if self.how == Kills::None {
            let ended = self.run(&[operation, "--resource", resource], None).await;
            assert!(ended.is_some(), "{operation} {resource}");
            return;
        }
        let mut verb = operation;
        for cut in Cut::all() {
            if self.run(&[verb, "--resource", resource], Some(cut)).await.is_some() {
                break;
            }
            *self.kills.entry(format!("{operation} {resource}")).or_default() += 1;
            // A run that was killed before it began leaves nothing to resume.
            verb = if self.has_open_run().await { "resume" } else { operation };
        }
        assert!(!self.has_open_run().await, "{operation} {resource}");
    }

    /// Syncs until nothing is left to do, which must not take long.
    pub(crate) async fn settle(&mut self, resource: &str) {
        let mut last = Value::Null;
        for _ in 0..3 {
            last = self.run(&["sync", "--resource", resource], None).await.unwrap();
            if ["created", "updated", "deleted"].iter().all(|count| last[count] == 0) {
                return;
            }
        }
        panic!("sync {resource} does not come to rest: {last}");
    }

    /// What `crm-cli runs --open` tells, without starting it some hundred times more.
    async fn has_open_run(&self) -> bool {
        let store = self.store().await;
        let runs = store.runs(&TENANT.into(), &CONNECTION.into(), 1).await.unwrap();
        store.close().await;
        runs.first().is_some_and(|run| run.status != RunStatus::Completed)
    }

    /// Starts the program, and kills it where told. What it printed at last, unless it was killed; it must not fail.
    async fn run(&self, arguments: &[&str], cut: Option<Cut>) -> Option<Value> {
        self.crm.reset_calls();
        if let Some(fault) = cut.and_then(Cut::fault) {
            self.crm.inject(fault);
        }
        let base_url = self.crm.base_url();
        let mut child = self.command(&[arguments, &["--base-url", &base_url]].concat()).spawn().unwrap();
        let is_reached = |calls: &Traffic| cut.is_some_and(|cut| cut.is_reached(calls));
        tokio::select! {
            ended = child.wait() => drop(ended.unwrap()),
            // Whether it has just ended by itself is seen below.
            () = self.crm.called(is_reached) => drop(child.kill().await),
        }
        self.crm.clear_faults();
        let output = child.wait_with_output().await.unwrap();
        if output.status.signal() == Some(SIGKILL) {
            return None;
        }
        let errors = String::from_utf8_lossy(&output.stderr);
        assert_eq!(output.status.code(), Some(0), "{arguments:?} {cut:?} {errors} {:?}", last_line(&output.stdout));
        Some(last_line(&output.stdout))
    }

    fn command(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_crm-cli"));
        command.args(arguments).arg("--json").arg("--db").arg(self.file()).env("CRM_TOKEN", self.crm.token());
        command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped()).kill_on_drop(true);
        command
    }
}

fn last_line(output: &[u8]) -> Value {
    let text = std::str::from_utf8(output).unwrap();
    text.lines().next_back().map_or(Value::Null, |line| serde_json::from_str(line).unwrap())
}
