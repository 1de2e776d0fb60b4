//! Plays a script: people act, runs work, faults hit, and after each step the model is asked whether all is well.

use std::collections::BTreeSet;
use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, Waker};

use abmatic_sync_core::engine::Engine;
use abmatic_sync_core::error::{Error, ErrorCode, Result as EngineResult};
use abmatic_sync_core::ids::{ConnectionId, LocalId, RemoteId, RunId, TenantId};
use abmatic_sync_core::model::connection::{Connection, Credentials};
use abmatic_sync_core::model::fields::Fields;
use abmatic_sync_core::model::journal::{LogEntry, Status};
use abmatic_sync_core::model::link::{Link, LinkScope};
use abmatic_sync_core::model::mapping::Mapping;
use abmatic_sync_core::model::resource::Resource;
use abmatic_sync_core::model::value::Value;
use abmatic_sync_core::policy::{Caps, Policy, Scope, Selection};
use abmatic_sync_core::run::report::RunReport;
use abmatic_sync_core::run::request::{RunRequest, Settings};
use abmatic_sync_core::store::state::{LogQuery, RunStatus, StateStore};
use secrecy::ExposeSecret as _;

use crate::fake::dice::Dice;
use crate::memory::store::MemoryStore;
use crate::simulator::account::Stage;
use crate::simulator::crm::SimulatedCrm;
use crate::simulator::fields::{fields_of, host_schema};
use crate::simulator::journal::{Author, Journal};
use crate::simulator::model::{Model, PairOf};
use crate::simulator::quiet::check_quiet;
use crate::simulator::sabotage::Sabotage;
use crate::simulator::script::{Act, CrmHabits, Deed, Operation, Run, Script, Setting, Step};
use crate::simulator::side::{CONNECTORS, CrmSide};
use crate::simulator::store::SimulatedStore;
use crate::simulator::watched::Watched;

/// A run that does not end after so many turns never will.
const TURNS_MAX: u32 = 200_000;

/// The host, its CRMs, and the judge.
pub(crate) struct World {
    pub(crate) setting: Setting,
    pub(crate) journal: Journal,
    pub(crate) store: SimulatedStore,
    pub(crate) crms: Vec<Box<dyn CrmSide>>,
    pub(crate) model: Model,
    engine: Engine,
    connections: Vec<Connection>,
    tenant: TenantId,
    judged: usize,
    next_tag: u64,
    /// Turns that runs took, crashed ones too.
    pub(crate) runs: u64,
    /// Whether a run ever had to ask a CRM what became of its writes: an edit that only spells or cuts such a value otherwise
    /// cannot be told from the CRM's own doing.
    pub(crate) doubted: bool,
    /// Whether anybody ever deleted, restored or merged a record.
    pub(crate) deleted: bool,
    /// What happened, where somebody is to read it.
    trace: Option<Vec<String>>,
}

/// What a history is played on.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Scene<'a> {
    /// The CRM under test; a simulated one where there is none.
    pub(crate) stage: Option<&'a dyn Stage>,
    /// The protection that is switched off.
    pub(crate) sabotage: Option<Sabotage>,
}

/// How a run ended.
pub(crate) enum Ended {
    Crashed,
    Done(Box<EngineResult<RunReport>>),
}

type RunFuture = Pin<Box<dyn Future<Output = EngineResult<RunReport>>>>;

/// Plays a script to its end. The error says what is wrong.
pub(crate) fn play(script: &Script, on: Scene<'_>) -> Result<World, String> {
    let mut world = World::new(script.setting.clone(), on);
    world.play(&script.steps).map(|()| world)
}

/// Plays a script that fails once more, and tells what happens.
pub(crate) fn retell(script: &Script, on: Scene<'_>) -> Vec<String> {
    let mut world = World::new(script.setting.clone(), on);
    world.trace = Some(Vec::new());
    // What is wrong is known already.
    drop(world.play(&script.steps));
    world.trace.unwrap_or_default()
}

impl World {
    fn new(mut setting: Setting, Scene { stage, sabotage }: Scene<'_>) -> Self {
        let journal = Journal::new();
        let tenant = TenantId::from("tenant");
        let mut crms: Vec<Box<dyn CrmSide>> = Vec::new();
        for (number, habits) in setting.crms.iter_mut().enumerate() {
            let crm: Box<dyn CrmSide> = match stage {
                None => Box::new(SimulatedCrm::new(number, habits.clone(), journal.clone(), sabotage)),
                Some(stage) => Box::new(Watched::new(number, stage, habits, journal.clone(), sabotage)),
            };
            crm.amend(habits);
            crms.push(crm);
        }
        let schema = |resource: &Resource| {
            let constants = crms.iter().flat_map(|crm| crm.constants(*resource)).map(|(field, _)| field);
            (*resource, host_schema(*resource, constants))
        };
        let inner = MemoryStore::new(setting.resources.iter().map(schema));
        let store = SimulatedStore::new(inner, journal.clone(), sabotage, setting.field_times, tenant.clone());
        let clock = Arc::new(journal.clone());
        let mut engine = Engine::new(store.as_store(setting.separate_stores), clock.clone(), clock)
            .with_block_records(setting.block_records);
        for crm in &crms {
            engine = crm.add_to(engine);
        }
        if sabotage == Some(Sabotage::InPageDedup) {
            engine = engine.without_in_page_dedup();
        }
        let connection = |(crm, name): (&dyn CrmSide, &str)| {
            let mut connection = crm.connection();
            connection.tenant = tenant.clone();
            connection.id = ConnectionId::from(format!("tenant/{name}"));
            name.clone_into(&mut connection.connector);
            connection
        };
        Self {
            connections: crms.iter().map(|crm| &**crm).zip(CONNECTORS).map(connection).collect(),
            model: Model::new(setting.clone()),
            setting,
            journal,
            store,
            crms,
            engine,
            tenant,
            judged: 0,
            next_tag: 0,
            runs: 0,
            doubted: false,
            deleted: false,
            trace: None,
        }
    }

    /// Tells what happens, if somebody listens.
    pub(crate) fn tell(&mut self, line: impl FnOnce(&Self) -> String) {
        if let Some(mut trace) = self.trace.take() {
            trace.push(line(self));
            self.trace = Some(trace);
        }
    }

    fn play(&mut self, steps: &[Step]) -> Result<(), String> {
        let played = self.play_on(steps);
        if self.model.is_blurred() { Ok(()) } else { played }
    }

    fn play_on(&mut self, steps: &[Step]) -> Result<(), String> {
        for (number, habits) in self.setting.crms.clone().into_iter().enumerate() {
            self.tell(|_| format!("crm {number}: {habits:?}"));
        }
        self.save_settings()?;
        for step in steps {
            match step {
                Step::Act(act) => {
                    self.act(act);
                    self.judge(None)?;
                }
                Step::Run(run) => self.run(run)?,
                Step::Wait(seconds) => {
                    self.tell(|_| format!("wait {seconds} s"));
                    self.journal.advance_millis(i64::from(*seconds) * 1_000);
                }
            }
        }
        check_quiet(self)
    }

    fn save_settings(&self) -> Result<(), String> {
        let policy = self.policy();
        for ((on, crm), habits) in self.connections.iter().zip(&self.crms).zip(&self.setting.crms) {
            for resource in &self.setting.resources {
                let settings = Settings::new(mapping(*resource, crm.mapping(*resource), habits), policy.clone());
                finish(self.engine.save_settings(on, *resource, &settings)).map_err(|error| error.to_string())?;
            }
        }
        Ok(())
    }

    fn policy(&self) -> Policy {
        let mut policy = Policy::default().with_duplicates(self.setting.duplicates).with_blank(self.setting.blank);
        policy.tie = self.setting.tie;
        policy.gone = self.setting.gone;
        policy
    }

    /// Somebody does something, if there is anything to do it to.
    pub(crate) fn act(&mut self, act: &Act) {
        self.journal.advance_millis(i64::try_from(act.pick % 4_000).unwrap_or(0) + 50);
        let fields = match &act.deed {
            Deed::Create(fields) => {
                self.next_tag += 1;
                let tag = ("tag", Value::text(format!("tag-{}", self.next_tag)));
                Some(fields.iter().cloned().chain([tag]).collect::<Fields>())
            }
            Deed::Edit(name, value) => Some(Fields::from_iter([(*name, value.clone())])),
            Deed::Relate(..) | Deed::Delete | Deed::Merge | Deed::Restore => None,
        };
        let done = match act.at {
            0 => self.act_here(act, fields),
            side => self.act_there(act, side - 1, fields),
        };
        self.deleted |= done.is_some() && matches!(act.deed, Deed::Delete | Deed::Merge | Deed::Restore);
        if let Some(id) = done {
            self.tell(|world| format!("{} side {}: {} {id} {:?}", world.shown_time(), act.at, act.resource, act.deed));
        }
    }

    fn shown_time(&self) -> impl std::fmt::Display + use<> {
        self.journal.time().format("%T%.3f")
    }

    /// Gives the id of the record that it was done to.
    fn act_here(&self, act: &Act, fields: Option<Fields>) -> Option<String> {
        let records = self.store.records_of(act.resource);
        let of = |deleted: bool| {
            let ids: Vec<LocalId> =
                records.iter().filter(|record| record.deleted == deleted).map(|record| record.id.clone()).collect();
            chosen(&ids, act.pick)
        };
        match (&act.deed, fields) {
            (Deed::Create(_), Some(fields)) => {
                let constants = self.crms.iter().flat_map(|crm| crm.constants(act.resource));
                let constants = constants.map(|(field, value)| (field.name, value));
                self.store.create(act.resource, fields.into_iter().chain(constants).collect());
                Some("new".to_owned())
            }
            (_, Some(fields)) => {
                let id = of(false)?;
                self.store.edit(act.resource, &id, fields);
                Some(id.to_string())
            }
            (Deed::Relate(name, target), None) => {
                let id = of(false)?;
                let relation = act.resource.relations().iter().find(|relation| relation.field == *name)?;
                let targets: Vec<LocalId> = self
                    .store
                    .records_of(relation.target)
                    .iter()
                    .filter(|record| !record.deleted)
                    .map(|record| record.id.clone())
                    .collect();
                let target = target.and_then(|pick| chosen(&targets, pick));
                let mut held: BTreeSet<String> = BTreeSet::new();
                if relation.many {
                    let record = records.iter().find(|record| record.id == id)?;
                    held.extend(record.fields.get(name).into_iter().flat_map(Value::ids).map(str::to_owned));
                }
                let value = target.map_or(Value::Null, |id| {
                    held.insert(id.to_string());
                    Value::Reference(held)
                });
                self.store.edit(act.resource, &id, Fields::from_iter([(*name, value)]));
                Some(id.to_string())
            }
            (Deed::Delete | Deed::Restore, None) => {
                let deletes = matches!(act.deed, Deed::Delete);
                let id = of(!deletes)?;
                self.store.mark(act.resource, &id, deletes);
                Some(id.to_string())
            }
            (Deed::Merge | Deed::Create(_) | Deed::Edit(..), None) => None,
        }
    }

    /// Gives the id of the record that it was done to.
    fn act_there(&self, act: &Act, crm: usize, fields: Option<Fields>) -> Option<String> {
        let crm = self.crms.get(crm)?;
        crm.look();
        let live = crm.ids(act.resource, false);
        match (&act.deed, fields) {
            (Deed::Create(_), Some(fields)) => {
                crm.create(act.resource, &fields);
                Some("new".to_owned())
            }
            (_, Some(fields)) => {
                let id = chosen(&live, act.pick)?;
                crm.edit(act.resource, &id, &fields);
                Some(id.to_string())
            }
            (Deed::Relate(name, target), None) => {
                let id = chosen(&live, act.pick)?;
                let relation = act.resource.relations().iter().find(|relation| relation.field == *name)?;
                let targets = crm.ids(relation.target, false);
                let target: Option<RemoteId> = target.and_then(|pick| chosen(&targets, pick));
                let value = target.map_or(Value::Null, |id| Value::reference(id.as_str()));
                crm.edit(act.resource, &id, &Fields::from_iter([(*name, value)]));
                Some(id.to_string())
            }
            (Deed::Delete, None) => {
                let id = chosen(&live, act.pick)?;
                crm.mark(act.resource, &id, true);
                Some(id.to_string())
            }
            (Deed::Restore, None) => {
                let id = chosen(&crm.ids(act.resource, true), act.pick)?;
                crm.mark(act.resource, &id, false);
                Some(id.to_string())
            }
            (Deed::Merge, None) => {
                let survivor = chosen(&live, act.pick)?;
                let loser = chosen(&live, act.pick / 7).filter(|loser| *loser != survivor)?;
                crm.merge(act.resource, &survivor, &loser);
                Some(format!("{loser} into {survivor}"))
            }
            (Deed::Create(_) | Deed::Edit(..), None) => None,
        }
    }

    /// A run with all that befalls it.
    fn run(&mut self, run: &Run) -> Result<(), String> {
        let Some(main) = self.begin(run.crm, run.resource, run.operation, run.cap) else { return Ok(()) };
        self.tell(|world| {
            let Run { crm, resource, operation, faults, crash_at, rival_at, stalls_at, cap, .. } = run;
            let troubles =
                format!("faults {faults:?}, crash {crash_at:?}, rival {rival_at:?}, stall {stalls_at:?}, cap {cap:?}");
            format!("{} {operation:?} {resource} with crm {crm} ({troubles})", world.shown_time())
        });
        self.crms[run.crm].expect_faults(&run.faults);
        let ended = self.let_work(run, main)?;
        self.crms[run.crm].expect_faults(&[]);
        self.doubted |= run.crash_at.is_some() || run.faults.iter().any(|(_, fault)| fault.leaves_doubt());
        let disturbed = !run.faults.is_empty() || run.rival_at.is_some() || run.stalls_at.is_some();
        for ended in &ended {
            self.check_end(ended, disturbed)?;
        }
        // To resume a run is to let it do what it was begun for.
        let cap = run.cap.filter(|_| run.operation != Operation::Resume);
        if let (Some(cap), [Ended::Done(done)], None) = (cap, ended.as_slice(), run.rival_at) {
            // A CRM's clock that is ahead is known only once it has answered: by then more is there than was planned.
            let is_ahead = self.setting.crms[run.crm].skew_seconds > 0;
            self.check_cap(cap, done, disturbed || is_ahead || !run.meanwhile.is_empty())?;
        }
        let whole = ended.iter().all(|ended| matches!(ended, Ended::Done(done) if done.is_ok()));
        self.judge(whole.then_some(run.resource))
    }

    fn begin(&self, crm: usize, resource: Resource, operation: Operation, cap: Option<u64>) -> Option<RunFuture> {
        let (engine, on) = (self.engine.clone(), self.connections[crm].clone());
        let mut request = match operation {
            Operation::AutoPush => RunRequest::auto_push(resource),
            Operation::Import => RunRequest::import(resource, Scope::All),
            Operation::Push => RunRequest::push(resource, Selection::All),
            Operation::Sweep => RunRequest::sweep(resource),
            Operation::Sync => RunRequest::sync(resource, Scope::All),
            Operation::Resume => {
                let run = self.open_runs(crm).into_iter().next()?;
                return Some(Box::pin(async move { engine.resume(&on, &run).await }));
            }
        };
        if cap.is_some() {
            let mut caps = Caps::default();
            (caps.creates_max, caps.updates_max, caps.deletes_max) = (cap, cap, cap);
            request = request.with_policy(self.policy().with_caps(caps));
        }
        Some(Box::pin(async move { engine.run(&on, &request).await }))
    }

    /// Runs that did not reach their end, newest first.
    pub(crate) fn open_runs(&self, crm: usize) -> Vec<RunId> {
        let runs = finish(self.store.inner().runs(&self.tenant, &self.connections[crm].id, usize::MAX));
        let open = runs.unwrap_or_default().into_iter().filter(|run| run.status != RunStatus::Completed);
        open.map(|run| run.id).collect()
    }

    /// Polls a run and its rival in turns; between two turns the rest of the world may act.
    fn let_work(&mut self, run: &Run, main: RunFuture) -> Result<Vec<Ended>, String> {
        self.runs += 1;
        let mut dice = Dice::new(run.turns);
        let mut working = vec![(main, run.operation)];
        let mut ended = Vec::new();
        let mut meanwhile = run.meanwhile.iter().peekable();
        for number in 0..TURNS_MAX {
            if run.crash_at == Some(number) {
                self.tell(|_| format!("  killed at turn {number}"));
                ended.push(Ended::Crashed);
                return Ok(ended);
            }
            while let Some((_, act)) = meanwhile.next_if(|(at, _)| *at <= number) {
                self.act(act);
            }
            if run.stalls_at == Some(number) {
                self.tell(|_| format!("  stalls at turn {number}"));
                self.journal.advance_millis(200_000);
            }
            if run.rival_at == Some(number) {
                let rival = self.begin(run.crm, run.resource, Operation::Sync, None);
                working.extend(rival.map(|rival| (rival, Operation::Sync)));
            }
            let place = usize::try_from(dice.below(working.len() as u64)).unwrap_or(0);
            let (future, operation) = &mut working[place];
            self.journal.work_on(run.crm, matches!(operation, Operation::Import | Operation::Resume));
            if let Poll::Ready(done) = future.as_mut().poll(&mut Context::from_waker(Waker::noop())) {
                drop(working.remove(place));
                match &done {
                    Ok(report) => self.tell(|_| format!("  {:?} in {} calls", report.counts, report.calls)),
                    Err(error) => self.tell(|_| format!("  ends with {error}")),
                }
                ended.push(Ended::Done(Box::new(done)));
                if working.is_empty() {
                    return Ok(ended);
                }
            }
        }
        Err(format!("a run does not end within {TURNS_MAX} turns"))
    }

    /// A run that would go over its cap writes nothing, and any other keeps within it as far as nothing disturbs it.
    fn check_cap(&self, cap: u64, done: &EngineResult<RunReport>, disturbed: bool) -> Result<(), String> {
        let Ok(report) = done else { return Ok(()) };
        let counts = &report.counts;
        let written = self.journal.since(self.judged).iter().any(|event| event.author != Author::Person);
        if report.status == RunStatus::NeedsConfirmation {
            return if written { Err("caps: a run over its cap has written".to_owned()) } else { Ok(()) };
        }
        let most = counts.created.max(counts.updated).max(counts.deleted);
        if most > cap && !disturbed {
            return Err(format!("caps: a run with a cap of {cap} has written {most}"));
        }
        Ok(())
    }

    fn shows_secret(&self, error: &Error) -> bool {
        let said = format!("{error:?} {error}");
        self.connections.iter().any(|on| match &on.credentials {
            Credentials::Token(token) => said.contains(token.expose_secret()),
            _ => false,
        })
    }

    fn check_end(&self, ended: &Ended, disturbed: bool) -> Result<(), String> {
        let Ended::Done(done) = ended else { return Ok(()) };
        match done.as_ref() {
            Ok(report) if !report.counts.add_up() => Err(format!("I5: {:?} do not add up", report.counts)),
            Ok(_) => Ok(()),
            Err(error) if self.shows_secret(error) => Err("I9: an error shows the token".to_owned()),
            Err(error) if disturbed || error.code() == ErrorCode::LeaseHeld => Ok(()),
            Err(error) => Err(format!("a run that nothing disturbed fails: {error}")),
        }
    }

    /// A run that nothing disturbs, and what it told.
    pub(crate) fn quiet_run(
        &mut self,
        crm: usize,
        resource: Resource,
        operation: Operation,
    ) -> Result<RunReport, String> {
        let missing = || "there is no run to resume".to_owned();
        let main = self.begin(crm, resource, operation, None).ok_or_else(missing)?;
        self.tell(|world| format!("{} quiet {operation:?} {resource} with crm {crm}", world.shown_time()));
        self.journal.advance_millis(1_000);
        let quiet = Run {
            crm,
            resource,
            operation,
            faults: Vec::new(),
            crash_at: None,
            meanwhile: Vec::new(),
            rival_at: None,
            turns: 0,
            stalls_at: None,
            cap: None,
        };
        let ended = self.let_work(&quiet, main)?;
        let fails = |error: &Error| format!("a run that nothing disturbed fails: {error}");
        for ended in ended {
            self.check_end(&ended, false)?;
            self.judge(Some(resource))?;
            if let Ended::Done(done) = ended {
                return done.map_err(|error| fails(&error));
            }
        }
        Err(missing())
    }

    /// Lets the model judge what happened since; `logged` names the resource whose log has to be whole.
    fn judge(&mut self, logged: Option<Resource>) -> Result<(), String> {
        self.crms.iter().for_each(|crm| crm.look());
        // Links that were made or replaced meanwhile are needed to judge what was written on their behalf.
        self.each_link(|model, pair, _| model.see_link(pair));
        let events = self.journal.since(self.judged);
        self.judged += events.len();
        for event in &events {
            self.tell(|_| format!("    {event:?}"));
            self.model.absorb(event)?;
        }
        self.each_link(|model, pair, agrees| {
            if agrees {
                model.learn(pair.clone());
            }
        });
        if let Some(breach) = self.journal.first_breach() {
            return Err(breach);
        }
        let losses = self.model.take_losses();
        if logged.is_some() && !losses.is_empty() {
            let query = LogQuery::new(self.tenant.clone()).with_limit(usize::MAX);
            let log = finish(self.store.inner().log(&query)).map_err(|error| error.to_string())?;
            for loss in losses {
                let tells = log.iter().any(|entry| {
                    let is_of = entry.local_id.as_ref().is_some_and(|id| id.as_str() == loss.pair.local);
                    let holds = |value: &Value| value.same_as(&loss.value);
                    is_of && entry.changes.iter().any(|c| c.field.as_str() == loss.field && holds(&c.old))
                });
                if !tells {
                    return Err(format!(
                        "I3: the log does not tell of the lost {} = {} of {}",
                        loss.field, loss.value, loss.pair.local
                    ));
                }
            }
        }
        Ok(())
    }

    /// Tells of each link, and whether the engine knows values on which its two records agreed.
    fn each_link(&mut self, tell: impl Fn(&mut Model, &PairOf, bool)) {
        for crm in 0..self.crms.len() {
            for resource in self.setting.resources.clone() {
                for link in self.links(crm, resource) {
                    let (local, remote) = (link.local_id.to_string(), link.remote_id.to_string());
                    tell(&mut self.model, &PairOf { crm, resource, local, remote }, !link.base.is_empty());
                }
            }
        }
    }

    pub(crate) fn links(&self, crm: usize, resource: Resource) -> Vec<Link> {
        let connection = &self.connections[crm];
        self.store.inner().links_of(&LinkScope::new(self.tenant.clone(), connection.id.clone(), resource))
    }

    /// The log's lines of a status, newest first.
    pub(crate) fn log_of(&self, status: Status) -> Vec<LogEntry> {
        let query = LogQuery::new(self.tenant.clone()).with_status(status).with_limit(usize::MAX);
        finish(self.store.inner().log(&query)).unwrap_or_default()
    }

    /// How many things were written on any side so far.
    pub(crate) fn written(&self) -> usize {
        self.judged
    }
}

/// A mapping whose fields travel as the script says.
fn mapping(resource: Resource, mut mapping: Mapping, habits: &CrmHabits) -> Mapping {
    for field in &mut mapping.fields {
        let place = fields_of(resource).iter().position(|known| known.name == field.local.as_str());
        if let Some(place) = place.filter(|_| field.local.as_str() != "tag") {
            field.direction = habits.directions[place];
            field.source_of_truth = habits.truths[place];
        }
    }
    mapping
}

/// Polls to the end what nothing else waits for.
pub(crate) fn finish<T>(future: impl Future<Output = T>) -> T {
    let mut future = std::pin::pin!(future);
    loop {
        if let Poll::Ready(done) = future.as_mut().poll(&mut Context::from_waker(Waker::noop())) {
            return done;
        }
    }
}

fn chosen<T: Clone>(items: &[T], pick: u64) -> Option<T> {
    let place = usize::try_from(pick.checked_rem(items.len() as u64)?).ok()?;
    items.get(place).cloned()
}
