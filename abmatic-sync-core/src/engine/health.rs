//! How connections fare: put together from what the stores keep, and whether the CRM lets us do what is set up.

use std::collections::BTreeMap;

use chrono::{DateTime, Duration, TimeDelta, Utc};
use serde::Serialize;

use crate::connector::request::{Read, ReadRequest};
use crate::engine::{Engine, request_of};
use crate::error::{Error, ErrorCode, ErrorKind, Result};
use crate::ids::FieldName;
use crate::model::connection::{Connection, Credentials};
use crate::model::journal::Status;
use crate::model::quota::Quota;
use crate::model::resource::Resource;
use crate::run::request::Operation;
use crate::store::connections::{ConnectionStatus, KeptConnection};
use crate::store::schedules::{Schedule, ScheduleStore};
use crate::store::state::{LogQuery, QuarantineQuery, RunRecord, RunStatus};

/// How many of the newest runs are looked through for the last that reached its end.
const RUNS_LOOKED_AT: usize = 2_000;
/// How many of the newest failures are counted by their codes.
const FAILURES_COUNTED: usize = 10_000;
/// How many records that are set aside are read at a time.
const SET_ASIDE_PAGE: usize = 1_000;

/// How a connection fares.
#[non_exhaustive]
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Health {
    /// How it stands.
    pub status: ConnectionStatus,
    /// What it syncs, by resource.
    pub resources: Vec<ResourceHealth>,
    /// Records that failed in the last 24 hours, by code.
    pub failures: BTreeMap<ErrorCode, u64>,
    /// What is left of the account's calls a day, where the CRM tells.
    pub quota: Option<Quota>,
}

/// How one resource of a connection fares.
#[non_exhaustive]
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct ResourceHealth {
    /// Which.
    pub resource: Resource,
    /// When the last sync that reached its end began: what either side holds since may not be on the other yet. Runs for single
    /// records, as webhooks wake them, do not count.
    pub last_success: Option<DateTime<Utc>>,
    /// When the next run begins by itself, if ever.
    pub next_run: Option<DateTime<Utc>>,
    /// How often in a row its scheduled runs failed.
    pub failures_in_a_row: u32,
    /// Why the last one did.
    pub error: Option<String>,
    /// How many records are set aside.
    pub set_aside: u64,
}

impl ResourceHealth {
    /// How far the two sides may be apart at `now`.
    pub fn lag(&self, now: DateTime<Utc>) -> Option<TimeDelta> {
        self.last_success.map(|began| now - began)
    }
}

/// What a connection is allowed of a resource.
#[non_exhaustive]
#[derive(Debug)]
pub struct Access {
    /// Which resource.
    pub resource: Resource,
    /// What the CRM calls it.
    pub remote_name: &'static str,
    /// What stands in the way of reading it: which permission is missing, in the CRM's own words. `None`: nothing.
    pub reading: Option<Error>,
    /// What stands in the way of writing it, as far as the CRM tells before a write.
    pub writing: Option<Error>,
}

impl Engine {
    /// How a connection fares. Makes no call to the CRM.
    ///
    /// ```
    /// # use abmatic_sync_core::{engine::Engine, error::Result, store::{connections::KeptConnection, schedules::ScheduleStore}};
    /// # async fn example(engine: &Engine, kept: &KeptConnection, schedules: &dyn ScheduleStore) -> Result<()> {
    /// let health = engine.health(kept, schedules).await?;
    /// println!("{}", health.status);
    /// for one in &health.resources {
    ///     println!("{}: last {:?}, next {:?}, {} set aside", one.resource, one.last_success, one.next_run, one.set_aside);
    /// }
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// As the stores.
    pub async fn health(&self, kept: &KeptConnection, schedules: &dyn ScheduleStore) -> Result<Health> {
        // Nothing is asked of the CRM, so that no token is needed.
        let on = kept.with_credentials(Credentials::token(""));
        let state = self.store.state();
        let runs = state.runs(&kept.tenant, &kept.id, RUNS_LOOKED_AT).await?;
        let mut resources = Vec::new();
        for schedule in schedules.schedules(&kept.tenant, &kept.id).await? {
            let resource = schedule.key.resource;
            let is_sync =
                |run: &&RunRecord| request_of(run).is_ok_and(|kept| matches!(kept.operation, Operation::Sync(_)));
            let ended = |run: &&RunRecord| run.resource == resource && run.status == RunStatus::Completed;
            let mut ended = runs.iter().filter(ended).filter(is_sync);
            resources.push(ResourceHealth {
                resource,
                last_success: ended.next().map(|run| run.started_at),
                next_run: next_run(kept, &schedule),
                failures_in_a_row: schedule.failures,
                error: schedule.error.clone(),
                set_aside: self.set_aside(&on, resource).await?,
            });
        }
        let connector = self.connectors.iter().find(|held| held.descriptor().name == kept.connector);
        Ok(Health {
            status: kept.status.clone(),
            resources,
            failures: self.failures(kept).await?,
            quota: connector.and_then(|connector| connector.quota(&on)),
        })
    }

    async fn failures(&self, kept: &KeptConnection) -> Result<BTreeMap<ErrorCode, u64>> {
        let mut query = LogQuery::new(kept.tenant.clone()).with_limit(FAILURES_COUNTED);
        query.connection = Some(kept.id.clone());
        query.status = Some(Status::Failed);
        query.since = Some(self.clock.now() - Duration::days(1));
        let mut failures = BTreeMap::new();
        for entry in self.store.state().log(&query).await? {
            *failures.entry(entry.code.unwrap_or(ErrorCode::UnknownError)).or_default() += 1;
        }
        Ok(failures)
    }

    async fn set_aside(&self, on: &Connection, resource: Resource) -> Result<u64> {
        let scope = match self.kept_scope(on, resource).await {
            Ok(scope) => scope,
            // A connector that offers it no more has nothing set aside that could be tried again.
            Err(error) if error.kind() == ErrorKind::Invalid => return Ok(0),
            Err(error) => return Err(error),
        };
        let (mut count, mut after) = (0, None);
        loop {
            let query = QuarantineQuery::All { after: after.clone(), limit: SET_ASIDE_PAGE };
            let page = self.store.state().quarantine(&scope, &query).await?;
            count += page.len() as u64;
            match page.last() {
                Some(last) if page.len() == SET_ASIDE_PAGE => after = Some(last.record.clone()),
                _ => return Ok(count),
            }
        }
    }

    /// Whether the connection may do what a sync needs, resource by resource: the CRM's fields are read, and a page of each
    /// resource. Nothing is written; what a CRM does not tell without a write shows with the first one.
    ///
    /// # Errors
    /// What concerns all of it: a token that is refused, a CRM that is not reached. What concerns one resource stands in its
    /// [`Access`].
    pub async fn check(&self, on: &Connection) -> Result<Vec<Access>> {
        let connector = self.connector(on)?;
        let on = on.metered();
        let mut found = Vec::new();
        for offered in &connector.descriptor().resources {
            let resource = offered.resource;
            let mut access = Access { resource, remote_name: offered.remote_name, reading: None, writing: None };
            match connector.describe(&on, resource).await {
                Err(error) => access.reading = Some(of_one_resource(error)?),
                Ok(schema) => {
                    let fields = schema.fields.iter().take(1).map(|field| FieldName::from(field.name.as_str()));
                    let request = ReadRequest::new(resource, Read::All).with_fields(fields);
                    if resource != Resource::Activity {
                        let read = connector.read(&on, request).await;
                        access.reading = read.err().map(of_one_resource).transpose()?;
                    }
                    if !schema.fields.iter().any(|field| field.writable) {
                        let message =
                            format!("no field of {} may be written by this user or token", offered.remote_name);
                        access.writing = Some(Error::new(ErrorKind::Forbidden, ErrorCode::InsufficientAccess, message));
                    } else {
                        access.writing =
                            connector.may_write(&on, resource).await.err().map(of_one_resource).transpose()?;
                    }
                }
            }
            found.push(access);
        }
        Ok(found)
    }
}

fn next_run(kept: &KeptConnection, schedule: &Schedule) -> Option<DateTime<Utc>> {
    match &kept.status {
        ConnectionStatus::Active => schedule.due_at(),
        ConnectionStatus::Paused { until, .. } => schedule.due_at().map(|at| at.max(*until)),
        ConnectionStatus::Disabled | ConnectionStatus::NeedsReauthorisation { .. } => None,
    }
}

/// An error that stands in the way of one resource; others stand in the way of all.
fn of_one_resource(error: Error) -> Result<Error> {
    match error.kind() {
        ErrorKind::Forbidden | ErrorKind::Invalid | ErrorKind::NotFound | ErrorKind::Undocumented => Ok(error),
        _ => Err(error),
    }
}
