//! A CRM that takes minutes over one page or one write, as bulk jobs do: nobody else gets the connection meanwhile.

use std::sync::Arc;

use abmatic_sync_core::clock::Clock as _;
use abmatic_sync_core::connector::capabilities::Descriptor;
use abmatic_sync_core::connector::contract::CrmConnector;
use abmatic_sync_core::connector::request::{
    FindRequest, Page, PageCursor, Pushdown, Read, ReadRequest, VerifyRequest, Write, WriteOutcome,
};
use abmatic_sync_core::error::{ErrorCode, Result};
use abmatic_sync_core::filter::expr::Expr;
use abmatic_sync_core::ids::RunId;
use abmatic_sync_core::model::connection::Connection;
use abmatic_sync_core::model::record::RemoteRecord;
use abmatic_sync_core::model::resource::Resource;
use abmatic_sync_core::model::schema::Schema;
use abmatic_sync_core::policy::{Scope, Selection};
use abmatic_sync_core::store::state::StateStore as _;
use abmatic_sync_sql::store::SqliteStore;
use abmatic_sync_testkit::memory::crm::MemoryCrm;
use async_trait::async_trait;
use chrono::Duration;

use crate::support::{Host, TestClock, fields};

/// How many empty pages come before the first record, and how many waits a write takes.
const WAITS: u32 = 12;
const WAIT_SECONDS: i64 = 50;

/// The CRM in memory, but slow: another run tries to take the connection over after each wait.
#[derive(Debug)]
struct SlowCrm {
    inner: MemoryCrm,
    clock: Arc<TestClock>,
    store: SqliteStore,
}

impl SlowCrm {
    async fn wait(&self, on: &Connection) {
        self.clock.advance(WAIT_SECONDS);
        tokio::task::yield_now().await;
        let (now, other) = (self.clock.now(), RunId::new("another"));
        let taken = self.store.acquire(&on.tenant, &on.id, &other, now, now + Duration::seconds(60)).await;
        assert_eq!(taken.unwrap_err().code(), ErrorCode::LeaseHeld);
    }
}

#[async_trait]
impl CrmConnector for SlowCrm {
    fn descriptor(&self) -> &Descriptor {
        self.inner.descriptor()
    }

    async fn prepare(&self, on: &Connection, resource: Resource) -> Result<()> {
        self.inner.prepare(on, resource).await
    }

    async fn describe(&self, on: &Connection, resource: Resource) -> Result<Schema> {
        self.inner.describe(on, resource).await
    }

    async fn read(&self, on: &Connection, mut request: ReadRequest) -> Result<Page> {
        let waits = match (&request.read, request.cursor.as_ref().map(PageCursor::as_str)) {
            (Read::All, None) => 0,
            (Read::All, Some(text)) => text.strip_prefix("wait").map_or(WAITS, |waits| waits.parse().unwrap()),
            _ => WAITS,
        };
        if waits < WAITS {
            self.wait(on).await;
            return Ok(Page::new(Vec::new(), Some(PageCursor::new(format!("wait{}", waits + 1)))));
        }
        request.cursor = request.cursor.filter(|cursor| !cursor.as_str().starts_with("wait"));
        self.inner.read(on, request).await
    }

    async fn find(&self, on: &Connection, request: FindRequest) -> Result<Vec<RemoteRecord>> {
        self.inner.find(on, request).await
    }

    async fn write(&self, on: &Connection, resource: Resource, writes: Vec<Write>) -> Result<Vec<WriteOutcome>> {
        for _ in 0..WAITS {
            self.wait(on).await;
        }
        self.inner.write(on, resource, writes).await
    }

    async fn verify(&self, on: &Connection, request: VerifyRequest) -> Result<Vec<Option<RemoteRecord>>> {
        self.inner.verify(on, request).await
    }

    fn pushdown(&self, resource: Resource, filter: &Expr, schema: &Schema) -> Pushdown {
        self.inner.pushdown(resource, filter, schema)
    }
}

#[tokio::test]
async fn a_lease_outlives_long_waits_for_pages_and_writes() {
    let host = Host::new().await;
    let slow = SlowCrm { inner: host.crm.clone(), clock: Arc::clone(&host.clock), store: host.store.clone() };
    let engine = host.engine.clone().with_connector(slow);
    host.crm.create(Resource::Account, fields([("name", "Acme"), ("domain", "acme.com")]));
    let report = engine.import(&host.connection, Resource::Account, Scope::All).await.unwrap();
    assert_eq!(report.counts.created, 1);
    host.create(Resource::Account, fields([("name", "Bolt"), ("website", "bolt.com")])).await;
    let report = engine.push(&host.connection, Resource::Account, Selection::All).await.unwrap();
    assert_eq!((report.counts.created, report.counts.failed), (1, 0));
}
