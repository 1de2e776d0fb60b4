//! A sound connector over the memory CRM that offers everything, and has one fault if wanted.

use std::collections::BTreeSet;
use std::fmt;
use std::sync::atomic::{AtomicBool, AtomicI64, AtomicU32, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use abmatic_sync_core::clock::Clock;
use abmatic_sync_core::connector::capabilities::Descriptor;
use abmatic_sync_core::connector::contract::CrmConnector;
use abmatic_sync_core::connector::request::{
    FindRequest, Page, Pushdown, Read, ReadRequest, VerifyRequest, Write, WriteOutcome,
};
use abmatic_sync_core::error::{Error, ErrorCode, ErrorKind, Result};
use abmatic_sync_core::filter::expr::Expr;
use abmatic_sync_core::ids::RemoteId;
use abmatic_sync_core::model::connection::Connection;
use abmatic_sync_core::model::record::RemoteRecord;
use abmatic_sync_core::model::resource::Resource;
use abmatic_sync_core::model::schema::Schema;
use abmatic_sync_testkit::memory::crm::MemoryCrm;
use async_trait::async_trait;
use chrono::{DateTime, Utc};
use secrecy::ExposeSecret;

use crate::fault::Fault;
use crate::schema;

pub(crate) const TOKEN: &str = "correct-horse-battery";
/// The list that [`Crm::remember_members`] fills.
pub(crate) const MEMBERS: &str = "members";

/// Time that passes only while somebody waits for it.
#[derive(Debug, Default)]
pub(crate) struct StillClock(AtomicI64);

#[async_trait]
impl Clock for StillClock {
    fn now(&self) -> DateTime<Utc> {
        DateTime::from_timestamp_millis(1_795_536_000_000 + self.0.load(Ordering::SeqCst)).unwrap()
    }

    async fn sleep(&self, duration: Duration) {
        self.0.fetch_add(i64::try_from(duration.as_millis()).unwrap(), Ordering::SeqCst);
    }
}

/// The connector under test. Clones share all but what a process would not.
#[derive(Clone)]
pub(crate) struct Crm {
    memory: MemoryCrm,
    descriptor: Descriptor,
    pub(crate) fault: Option<Fault>,
    world: Arc<World>,
    pub(crate) process: Arc<Process>,
}

/// What is beside the records in the CRM.
#[derive(Default)]
struct World {
    members: Mutex<Vec<RemoteId>>,
    made: Mutex<Vec<(Resource, RemoteId)>>,
}

/// What one process keeps.
#[derive(Default)]
pub(crate) struct Process {
    pub(crate) cursors: Mutex<BTreeSet<String>>,
    busy: AtomicBool,
    described: AtomicU32,
    last_read: Mutex<Option<Read>>,
}

impl fmt::Debug for Crm {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(if self.has(Fault::TokenInDebug) { TOKEN } else { "Crm" })
    }
}

impl Crm {
    pub(crate) fn new(fault: Option<Fault>, clock: Arc<dyn Clock>) -> Self {
        let memory = MemoryCrm::new(clock);
        let descriptor = schema::descriptor(memory.descriptor().clone(), fault);
        Self { memory, descriptor, fault, world: Arc::default(), process: Arc::default() }
    }

    /// The same CRM, as another process sees it.
    pub(crate) fn twin(&self) -> Self {
        Self { process: Arc::default(), ..self.clone() }
    }

    pub(crate) fn memory(&self) -> &MemoryCrm {
        &self.memory
    }

    pub(crate) fn has(&self, fault: Fault) -> bool {
        self.fault == Some(fault)
    }

    pub(crate) fn remember_members(&self, members: &[RemoteId]) {
        self.world.members.lock().unwrap().extend(members.iter().cloned());
    }

    pub(crate) fn members(&self) -> Vec<RemoteId> {
        self.world.members.lock().unwrap().clone()
    }

    pub(crate) fn note_made(&self, resource: Resource, id: &RemoteId) {
        self.world.made.lock().unwrap().push((resource, id.clone()));
    }

    /// Every record that was made through the connector, also those in the recycle bin.
    pub(crate) fn everything(&self, resource: Resource) -> Vec<RemoteRecord> {
        let made = self.world.made.lock().unwrap();
        let own = made.iter().filter(|(of, _)| *of == resource);
        own.filter_map(|(_, id)| self.memory.record(resource, id)).collect()
    }

    /// What every call begins with: credentials, the network, and a moment in which it may be dropped.
    async fn enter(&self, on: &Connection, resource: Resource) -> Result<()> {
        if on.id.as_str() == "nobody" {
            let ambiguous = self.has(Fault::UnreachableIsAmbiguous);
            let kind = if ambiguous { ErrorKind::Ambiguous } else { ErrorKind::Unavailable };
            return Err(Error::new(kind, ErrorCode::ConnectionLost, "nobody answers"));
        }
        if on.credentials.current().await?.expose_secret() != TOKEN {
            let forbidden = self.has(Fault::BadCredentialsAreForbidden);
            let kind = if forbidden { ErrorKind::Forbidden } else { ErrorKind::Unauthorized };
            return Err(Error::new(kind, ErrorCode::InvalidSession, "the token is refused"));
        }
        if self.process.busy.swap(self.has(Fault::WedgedByDrop), Ordering::SeqCst) {
            std::future::pending::<()>().await;
        }
        tokio::task::yield_now().await;
        self.process.busy.store(false, Ordering::SeqCst);
        if resource == Resource::Activity {
            return Err(Error::invalid(ErrorCode::Unsupported, "there are no activities"));
        }
        Ok(())
    }

    /// The connection that the memory CRM counts calls on.
    pub(crate) fn metered(&self, on: &Connection) -> Connection {
        if self.has(Fault::UncountedCalls) { on.metered() } else { on.clone() }
    }
}

#[async_trait]
impl CrmConnector for Crm {
    fn descriptor(&self) -> &Descriptor {
        &self.descriptor
    }

    async fn prepare(&self, _: &Connection, _: Resource) -> Result<()> {
        Ok(())
    }

    async fn describe(&self, on: &Connection, resource: Resource) -> Result<Schema> {
        self.enter(on, resource).await?;
        if self.has(Fault::CannotDescribe) {
            return Err(Error::new(ErrorKind::Forbidden, ErrorCode::InsufficientAccess, "nobody may see this"));
        }
        let times = self.process.described.fetch_add(1, Ordering::SeqCst);
        Ok(schema::schema(self.memory.describe(on, resource).await?, resource, self.fault, times))
    }

    async fn read(&self, on: &Connection, mut request: ReadRequest) -> Result<Page> {
        *self.process.last_read.lock().unwrap() = Some(request.read.clone());
        self.enter(on, request.resource).await?;
        if self.has(Fault::MixesCalls) {
            let last = self.process.last_read.lock().unwrap().clone();
            request.read = last.unwrap_or(request.read);
        }
        self.page(&self.metered(on), request).await
    }

    async fn find(&self, on: &Connection, request: FindRequest) -> Result<Vec<RemoteRecord>> {
        self.enter(on, request.resource).await?;
        self.lookup(on, request).await
    }

    async fn write(&self, on: &Connection, resource: Resource, writes: Vec<Write>) -> Result<Vec<WriteOutcome>> {
        self.enter(on, resource).await?;
        let outcomes = self.carry_out(on, resource, writes).await?;
        if on.id.as_str() == "loses" {
            let is_wrong = self.has(Fault::LostAnswerIsUnavailable);
            let kind = if is_wrong { ErrorKind::Unavailable } else { ErrorKind::Ambiguous };
            return Err(Error::new(kind, ErrorCode::ConnectionLost, "the connection was cut off"));
        }
        Ok(outcomes)
    }

    async fn verify(&self, on: &Connection, request: VerifyRequest) -> Result<Vec<Option<RemoteRecord>>> {
        self.enter(on, request.resource).await?;
        let first = self.memory.records(request.resource).into_iter().next();
        let found = self.memory.verify(on, request).await?;
        Ok(match self.fault {
            Some(Fault::VerifyFindsNothing) => found.iter().map(|_| None).collect(),
            Some(Fault::VerifyFindsAnything) => found.iter().map(|_| first.clone()).collect(),
            _ => found,
        })
    }

    fn pushdown(&self, _: Resource, _: &Expr, _: &Schema) -> Pushdown {
        Pushdown::Server
    }

    async fn count(&self, on: &Connection, resource: Resource, read: &Read) -> Result<Option<u64>> {
        self.enter(on, resource).await?;
        let records = self.memory.records(resource);
        let held = match read {
            Read::All => records.len(),
            Read::Filter(filter) => records.iter().filter(|record| self.finds(filter, &record.fields)).count(),
            _ => return Ok(None),
        };
        Ok(u64::try_from(held + usize::from(self.has(Fault::CountsOneMore))).ok())
    }
}
