//! The engine: registers connectors, keeps settings, and offers preview, import, push, auto-push, sync and resume.

pub mod health;
mod quarantine;
mod target;

use std::collections::HashMap;
use std::fmt;
use std::sync::{Arc, Mutex};

use chrono::{DateTime, Duration, Utc};
use tracing::Instrument as _;

use crate::clock::Clock;
use crate::connector::contract::CrmConnector;
use crate::connector::request::Read;
use crate::engine::target::{compile, offered, split_filter};
use crate::error::{Error, ErrorCode, ErrorKind, Result};
use crate::ids::{ConnectionId, IdSource, RunId};
use crate::meter::run_ended;
use crate::model::connection::Connection;
use crate::model::journal::LogEntry;
use crate::model::link::LinkScope;
use crate::model::mapping::Mapping;
use crate::model::resource::{Resource, Side};
use crate::model::schema::Schema;
use crate::model::server_clock::Ahead;
use crate::policy::{Policy, Scope, Selection};
use crate::run::context::RunContext;
use crate::run::cursors::whole;
use crate::run::drive::{drive, dry_run};
use crate::run::lease::{LEASE_SECONDS, hold};
use crate::run::parents::followed;
use crate::run::quarantine::Quarantine;
use crate::run::read::BLOCK_RECORDS;
use crate::run::report::{Plan, RunReport};
use crate::run::request::{Operation, RunRequest, Settings};
use crate::store::contract::Store;
use crate::store::state::{Counts, Lease, LogQuery, Retried, RunRecord, RunStatus};

/// How far back the newest run for something is looked for, among the runs of all; webhooks may wake one a minute.
const OPEN_RUNS_LOOKED_AT: usize = 2_000;

/// Keeps a host's records aligned with its customers' CRMs.
///
/// One engine serves any number of tenants and connections; a connection is worked on by one run at a time.
#[derive(Clone)]
pub struct Engine {
    store: Arc<dyn Store>,
    clock: Arc<dyn Clock>,
    ids: Arc<dyn IdSource>,
    connectors: Vec<Arc<dyn CrmConnector>>,
    schemas: Arc<Mutex<SchemaCache>>,
    block_records: usize,
    folds_doubles: bool,
}

/// Definitions as they were read, and what the CRM's answers told of its clock by the way.
type SchemaCache = HashMap<(ConnectionId, Resource), (DateTime<Utc>, Arc<Schema>, Option<Ahead>)>;

impl fmt::Debug for Engine {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Engine")
            .field("store", &self.store)
            .field("connectors", &self.connectors)
            .finish_non_exhaustive()
    }
}

impl Engine {
    /// An engine over these stores, without a connector yet.
    pub fn new(store: Arc<dyn Store>, clock: Arc<dyn Clock>, ids: Arc<dyn IdSource>) -> Self {
        Self {
            store,
            clock,
            ids,
            connectors: Vec::new(),
            schemas: Arc::default(),
            block_records: BLOCK_RECORDS,
            folds_doubles: true,
        }
    }

    /// Registers a connector. One of the same name is replaced.
    #[must_use]
    pub fn with_connector(mut self, connector: impl CrmConnector) -> Self {
        self.connectors.retain(|held| held.descriptor().name != connector.descriptor().name);
        self.connectors.push(Arc::new(connector));
        self
    }

    /// Sets how many records one commit holds: more make an import faster, fewer take less memory. 1,000 unless told; at
    /// least one.
    #[must_use]
    pub fn with_block_records(mut self, records: usize) -> Self {
        self.block_records = records.max(1);
        self
    }

    /// Takes records of one block with one key for several: a protection less, to see that the simulator sees it.
    #[cfg(feature = "sabotage")]
    #[doc(hidden)]
    #[must_use]
    pub fn without_in_page_dedup(mut self) -> Self {
        self.folds_doubles = false;
        self
    }

    /// The registered connectors.
    pub fn connectors(&self) -> &[Arc<dyn CrmConnector>] {
        &self.connectors
    }

    /// The stores.
    pub fn store(&self) -> &dyn Store {
        &*self.store
    }

    /// Keeps settings for a connection and resource, once they fit the CRM's own fields. Records that failed before are
    /// tried again under them by the next run.
    ///
    /// # Errors
    /// `INVALID_FIELD` or `INVALID_SETTINGS` with what is wrong; nothing is kept then.
    pub async fn save_settings(&self, on: &Connection, resource: Resource, settings: &Settings) -> Result<()> {
        let target = self.target(on, resource, &settings.policy)?;
        let (local, remote) = self.both_schemas(on, &target).await?;
        compile(settings.mapping.as_ref(), &target, &local, &remote)?;
        let text =
            serde_json::to_string(settings).map_err(|error| Error::store("the settings cannot be written", error))?;
        let scope = LinkScope::new(on.tenant.clone(), on.id.clone(), resource);
        self.store.state().save_settings(&scope, &text).await?;
        self.store.state().retry_now(&target.scope, &Retried::All, self.clock.now()).await.map(|_| ())
    }

    /// The settings kept for a connection and resource, or those that it starts with.
    pub async fn settings(&self, on: &Connection, resource: Resource) -> Result<Settings> {
        let scope = LinkScope::new(on.tenant.clone(), on.id.clone(), resource);
        match self.store.state().settings(&scope).await? {
            Some(text) => {
                serde_json::from_str(&text).map_err(|error| Error::store("the kept settings cannot be read", error))
            }
            None => Ok(Settings::default()),
        }
    }

    /// The mapping that a connection starts with under `policy`, which says what people become there: the connector's default
    /// one, as far as the account has its fields.
    ///
    /// # Errors
    /// What the CRM's description of its fields may fail with.
    pub async fn offered_mapping(&self, on: &Connection, resource: Resource, policy: &Policy) -> Result<Mapping> {
        let target = self.target(on, resource, policy)?;
        let remote = target.connector.describe(on, target.scope.remote_resource).await?;
        Ok(offered(&target, &remote))
    }

    /// What a run would do, field by field and with reasons. Nothing is written on either side.
    pub async fn preview(&self, on: &Connection, request: &RunRequest) -> Result<Plan> {
        let context = self.context(on, request, None).await?;
        let mut plan = self.empty_plan(&context);
        plan.matching = count(&context).await?;
        dry_run(&context, request, &mut plan).await?;
        Ok(plan)
    }

    /// Brings the CRM's records here.
    pub async fn import(&self, on: &Connection, resource: Resource, scope: Scope) -> Result<RunReport> {
        self.run(on, &RunRequest::import(resource, scope)).await
    }

    /// Brings selected local records to the CRM.
    pub async fn push(&self, on: &Connection, resource: Resource, selection: Selection) -> Result<RunReport> {
        self.run(on, &RunRequest::push(resource, selection)).await
    }

    /// Brings the local records that came to be since the last automatic push to the CRM.
    pub async fn auto_push(&self, on: &Connection, resource: Resource) -> Result<RunReport> {
        self.run(on, &RunRequest::auto_push(resource)).await
    }

    /// Looks at every linked pair on both sides, whatever the cursors say, and treats it as a sync does. For CRMs that do not
    /// tell of deletions; now and then for the others. It costs a call for each batch of linked records.
    pub async fn sweep(&self, on: &Connection, resource: Resource) -> Result<RunReport> {
        self.run(on, &RunRequest::sweep(resource)).await
    }

    /// Aligns both sides.
    pub async fn sync(&self, on: &Connection, resource: Resource, scope: Scope) -> Result<RunReport> {
        self.run(on, &RunRequest::sync(resource, scope)).await
    }

    /// Does what the request says, to its end.
    ///
    /// # Errors
    /// What stops a whole run: a wrong setting or filter, a token that is refused, a CRM or store that fails. Single
    /// records' failures are in the log and in the counts. A stopped run goes on with [`Engine::resume`].
    pub async fn run(&self, on: &Connection, request: &RunRequest) -> Result<RunReport> {
        let context = self.context(on, request, None).await?;
        if let Some(report) = self.over_its_cap(&context, request).await? {
            return Ok(report);
        }
        let record = self.new_record(&context, request)?;
        self.carry_out(context, request, record).await
    }

    /// Goes on with a run that was stopped or killed, from its last commit.
    ///
    /// # Errors
    /// As [`Engine::run`]; also when there is no such run, or it has reached its end.
    pub async fn resume(&self, on: &Connection, run: &RunId) -> Result<RunReport> {
        let missing = || {
            Error::new(
                ErrorKind::NotFound,
                ErrorCode::InvalidRequest,
                format!("there is no run {run} on this connection"),
            )
        };
        let mut record = self
            .store
            .state()
            .run(&on.tenant, run)
            .await?
            .filter(|record| record.connection == on.id)
            .ok_or_else(missing)?;
        if record.status == RunStatus::Completed {
            let message = format!("the run {run} has reached its end already");
            return Err(Error::invalid(ErrorCode::InvalidRequest, message));
        }
        if record.status == RunStatus::NeedsConfirmation {
            // It holds what the run would come to; to resume it is to confirm it.
            record.counts = Counts::default();
        }
        let kept = request_of(&record)?;
        let request = RunRequest { policy: kept.policy, ..kept_request(record.resource, kept.operation) };
        let context = self.context(on, &request, Some(record.started_at)).await?;
        self.carry_out(context, &request, record).await
    }

    /// The newest run for just what the request asks for, where it stopped or was killed: it can be resumed. An older one was
    /// overtaken. Runs for something else in between, such as those that webhooks wake, overtake nothing.
    pub async fn open_run(&self, on: &Connection, request: &RunRequest) -> Result<Option<RunId>> {
        let runs = self.store.state().runs(&on.tenant, &on.id, OPEN_RUNS_LOOKED_AT).await?;
        for run in runs.into_iter().filter(|run| run.resource == request.resource) {
            if request_of(&run)?.operation == request.operation {
                let is_open = matches!(run.status, RunStatus::Failed | RunStatus::Running);
                return Ok(is_open.then_some(run.id));
            }
        }
        Ok(None)
    }

    /// Lines of the log, newest first.
    pub async fn log(&self, query: &LogQuery) -> Result<Vec<LogEntry>> {
        self.store.state().log(query).await
    }

    async fn carry_out(
        &self,
        context: Arc<RunContext>,
        request: &RunRequest,
        mut record: RunRecord,
    ) -> Result<RunReport> {
        let now = self.clock.now();
        let state = self.store.state();
        let until = now + Duration::seconds(LEASE_SECONDS);
        let lease = state.acquire(&context.scope.tenant, &context.scope.connection, &record.id, now, until).await?;
        record.status = RunStatus::Running;
        (record.error, record.error_code) = (None, None);
        let (calls_before, counts_before) = (record.calls, record.counts);
        let span = tracing::info_span!(
            "run", run = %record.id, tenant = %record.tenant, connection = %record.connection,
            operation = context.operation.as_str(), resource = %record.resource
        );
        let outcome = match state.save_run(&record).await {
            Ok(()) => {
                let work = self.prepare_and_drive(&context, request, &lease, &mut record);
                hold(&context, &lease, work).instrument(span.clone()).await
            }
            Err(error) => Err(error),
        };
        record.calls = calls_before + context.connection.calls.total();
        record.finished_at = Some(self.clock.now());
        record.status = if outcome.is_ok() { RunStatus::Completed } else { RunStatus::Failed };
        record.error = outcome.as_ref().err().map(Error::to_string);
        record.error_code = outcome.as_ref().err().map(Error::code);
        run_ended(&context, &record, &counts_before);
        let lost_lease = outcome.as_ref().is_err_and(|error| error.code() == ErrorCode::LeaseHeld);
        let saved = if lost_lease { Ok(()) } else { state.save_run(&record).await };
        let released = state.release(&lease).await;
        outcome.map_err(|error| {
            error.at(&format!(
                "{} {} {}",
                context.connection.connector,
                context.operation.as_str(),
                context.scope.resource
            ))
        })?;
        saved.and(released)?;
        tracing::info!(parent: &span, calls = record.calls, read = record.counts.read, "run completed");
        Ok(report_of(&record, &context))
    }

    async fn prepare_and_drive(
        &self,
        context: &Arc<RunContext>,
        request: &RunRequest,
        lease: &Lease,
        record: &mut RunRecord,
    ) -> Result<()> {
        if context.writes(Side::Remote).create {
            context.connector.prepare(&context.connection, context.remote_resource()).await?;
        }
        drive(context, request, lease, record).await
    }

    /// A run over its cap stops with its counts before anything is written.
    async fn over_its_cap(&self, context: &Arc<RunContext>, request: &RunRequest) -> Result<Option<RunReport>> {
        let caps = context.policy.caps;
        if request.confirmed || !caps.any() {
            return Ok(None);
        }
        let mut plan = self.empty_plan(context);
        let counting = RunRequest { plan_items_max: 0, observer: None, ..request.clone() };
        dry_run(context, &counting, &mut plan).await?;
        let over = |count: u64, cap: Option<u64>| cap.is_some_and(|cap| count > cap);
        let counts = plan.counts;
        let is_over = over(counts.created, caps.creates_max)
            || over(counts.updated, caps.updates_max)
            || over(counts.cleared_fields, caps.clears_max)
            || over(counts.deleted, caps.deletes_max);
        if !is_over {
            return Ok(None);
        }
        let mut record = self.new_record(context, request)?;
        record.status = RunStatus::NeedsConfirmation;
        record.counts = counts;
        record.calls = context.connection.calls.total();
        record.finished_at = Some(self.clock.now());
        self.store.state().save_run(&record).await?;
        Ok(Some(report_of(&record, context)))
    }

    fn new_record(&self, context: &RunContext, request: &RunRequest) -> Result<RunRecord> {
        let kept = KeptRequest { operation: request.operation.clone(), policy: request.policy.clone() };
        let text =
            serde_json::to_string(&kept).map_err(|error| Error::store("the run's request cannot be written", error))?;
        let id = RunId::new(self.ids.next_id(context.started_at).to_string());
        let scope = &context.scope;
        Ok(RunRecord::new(id, scope.tenant.clone(), scope.connection.clone(), scope.resource, text, context.started_at))
    }

    fn empty_plan(&self, context: &RunContext) -> Plan {
        Plan {
            operation: context.operation.as_str(),
            resource: context.scope.resource,
            matching: None,
            filtered_here: context.filter_here.as_ref().map(|(_, why)| why.clone()),
            counts: Counts::default(),
            items: Vec::new(),
            items_left_out: 0,
        }
    }

    async fn context(
        &self,
        on: &Connection,
        request: &RunRequest,
        started_at: Option<DateTime<Utc>>,
    ) -> Result<Arc<RunContext>> {
        let on = on.metered();
        let settings = self.settings(&on, request.resource).await?;
        let policy = request.policy.clone().unwrap_or(settings.policy);
        let target = self.target(&on, request.resource, &policy)?;
        let (local_schema, remote_schema) = self.both_schemas(&on, &target).await?;
        let compiled = compile(settings.mapping.as_ref(), &target, &local_schema, &remote_schema)?;
        let parents = followed(&compiled, target.scope.resource);
        let (filter_there, filter_here) = split_filter(request, &target, &remote_schema)?;
        let now = self.clock.now();
        // Who names records asks for them to be tried.
        let due_at = if request.operation.names_records() { DateTime::<Utc>::MAX_UTC } else { now };
        let quarantine = Quarantine::of(&*self.store, &target.scope, due_at).await?;
        Ok(Arc::new(RunContext {
            store: Arc::clone(&self.store),
            connector: target.connector,
            clock: Arc::clone(&self.clock),
            ids: Arc::clone(&self.ids),
            connection: on,
            scope: target.scope,
            capabilities: target.capabilities,
            mapping: Arc::new(compiled),
            parents,
            local_schema: Arc::new(local_schema),
            remote_schema,
            policy,
            operation: request.operation.clone(),
            filter_here,
            filter_there,
            quarantine,
            block_records: self.block_records,
            folds_doubles: self.folds_doubles,
            started_at: started_at.unwrap_or(now),
        }))
    }
}

/// What of a request is kept with its run, so that it can be resumed.
#[derive(serde::Serialize, serde::Deserialize)]
struct KeptRequest {
    operation: Operation,
    policy: Option<Policy>,
}

fn request_of(record: &RunRecord) -> Result<KeptRequest> {
    serde_json::from_str(&record.request).map_err(|error| Error::store("the run's request cannot be read", error))
}

fn kept_request(resource: Resource, operation: Operation) -> RunRequest {
    match operation {
        Operation::AutoPush => RunRequest::auto_push(resource),
        Operation::Import(scope) => RunRequest::import(resource, scope),
        Operation::Push(selection) => RunRequest::push(resource, selection),
        Operation::Sweep => RunRequest::sweep(resource),
        Operation::Sync(scope) => RunRequest::sync(resource, scope),
        Operation::Targeted { ids, scope } => RunRequest::targeted(resource, scope, ids),
    }
}

/// How many of the CRM's records the scope holds, where somebody can say without reading them.
async fn count(context: &RunContext) -> Result<Option<u64>> {
    let (Operation::Import(scope) | Operation::Sync(scope)) = &context.operation else { return Ok(None) };
    match whole(context, scope) {
        Read::Ids(ids) => Ok(Some(ids.len() as u64)),
        _ if context.filter_here.is_some() => Ok(None),
        read => context.connector.count(&context.connection, context.remote_resource(), &read).await,
    }
}

fn report_of(record: &RunRecord, context: &RunContext) -> RunReport {
    RunReport {
        run: record.id.clone(),
        status: record.status,
        counts: record.counts,
        calls: record.calls,
        filtered_here: context.filter_here.as_ref().map(|(_, why)| why.clone()),
    }
}
