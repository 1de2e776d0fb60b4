//! A host over an SQLite store in memory and a CRM in memory, on a clock that only moves when told.

#![allow(clippy::unwrap_used, reason = "support of tests")]

use std::sync::Arc;
use std::sync::atomic::{AtomicI64, AtomicU64, Ordering};
use std::time::Duration;

use abmatic_sync_core::clock::Clock;
use abmatic_sync_core::engine::Engine;
use abmatic_sync_core::ids::{IdSource, LocalId, RemoteId, TenantId};
use abmatic_sync_core::model::connection::{Connection, Credentials};
use abmatic_sync_core::model::fields::Fields;
use abmatic_sync_core::model::link::{Link, LinkScope};
use abmatic_sync_core::model::record::LocalRecord;
use abmatic_sync_core::model::resource::Resource;
use abmatic_sync_core::model::value::Value;
use abmatic_sync_core::policy::{Policy, Scope};
use abmatic_sync_core::run::report::RunReport;
use abmatic_sync_core::run::request::Settings;
use abmatic_sync_core::store::records::RecordStore;
use abmatic_sync_core::store::state::{LinkEnds, StateStore};
use abmatic_sync_sql::store::SqliteStore;
use abmatic_sync_testkit::memory::crm::MemoryCrm;
use async_trait::async_trait;
use chrono::{DateTime, Utc};

#[derive(Debug)]
pub(crate) struct TestClock(AtomicI64);

impl TestClock {
    pub(crate) fn advance(&self, seconds: i64) {
        self.0.fetch_add(seconds * 1_000, Ordering::SeqCst);
    }
}

#[async_trait]
impl Clock for TestClock {
    fn now(&self) -> DateTime<Utc> {
        DateTime::from_timestamp_millis(self.0.load(Ordering::SeqCst)).unwrap()
    }

    async fn sleep(&self, duration: Duration) {
        self.0.fetch_add(duration.as_millis() as i64, Ordering::SeqCst);
    }
}

#[derive(Debug, Default)]
struct CountedIds(AtomicU64);

impl IdSource for CountedIds {
    fn next_id(&self, _: DateTime<Utc>) -> uuid::Uuid {
        uuid::Uuid::from_u128(u128::from(self.0.fetch_add(1, Ordering::SeqCst) + 1))
    }
}

pub(crate) struct Host {
    pub(crate) engine: Engine,
    pub(crate) store: SqliteStore,
    pub(crate) crm: MemoryCrm,
    pub(crate) clock: Arc<TestClock>,
    pub(crate) connection: Connection,
    pub(crate) tenant: TenantId,
}

impl Host {
    pub(crate) async fn new() -> Self {
        Self::over(|crm| crm).await
    }

    /// A host whose CRM is another than usual.
    pub(crate) async fn over(change: impl FnOnce(MemoryCrm) -> MemoryCrm) -> Self {
        let clock = Arc::new(TestClock(AtomicI64::new(1_700_000_000_000)));
        let store = SqliteStore::in_memory().await.unwrap();
        let crm = change(MemoryCrm::new(Arc::clone(&clock) as Arc<dyn Clock>));
        let ids = Arc::new(CountedIds::default());
        let engine =
            Engine::new(Arc::new(store.clone()), Arc::clone(&clock) as Arc<dyn Clock>, ids).with_connector(crm.clone());
        let connection = Connection::new("tenant", "tenant/memory", "memory", Credentials::token("secret-token"));
        Self { engine, store, crm, clock, connection, tenant: TenantId::from("tenant") }
    }

    pub(crate) async fn create(&self, resource: Resource, fields: Fields) -> LocalId {
        self.store.create(&self.tenant, resource, fields, self.clock.now()).await.unwrap().id
    }

    pub(crate) async fn edit(&self, resource: Resource, id: &LocalId, fields: Fields) {
        self.store.edit(&self.tenant, resource, id, fields, self.clock.now()).await.unwrap();
    }

    pub(crate) async fn delete(&self, resource: Resource, id: &LocalId) {
        self.store.delete(&self.tenant, resource, id, self.clock.now()).await.unwrap();
    }

    pub(crate) async fn restore(&self, resource: Resource, id: &LocalId) {
        self.store.restore(&self.tenant, resource, id, self.clock.now()).await.unwrap();
    }

    /// Settings that differ from the usual ones by their policy.
    pub(crate) async fn set_policy(&self, resource: Resource, policy: Policy) {
        self.engine.save_settings(&self.connection, resource, &Settings::with_policy(policy)).await.unwrap();
    }

    pub(crate) async fn locals(&self, resource: Resource) -> Vec<LocalRecord> {
        self.store.list(&self.tenant, resource, 1_000, None).await.unwrap()
    }

    pub(crate) async fn local(&self, resource: Resource, id: &LocalId) -> LocalRecord {
        self.store.read(&self.tenant, resource, std::slice::from_ref(id)).await.unwrap().remove(0)
    }

    pub(crate) async fn link_of(&self, resource: Resource, id: &RemoteId) -> Option<Link> {
        let scope = LinkScope::new(self.tenant.clone(), self.connection.id.clone(), resource);
        self.store.links(&scope, &LinkEnds::Remote(vec![id.clone()])).await.unwrap().into_iter().next()
    }

    pub(crate) async fn import(&self, resource: Resource) -> RunReport {
        self.tick();
        accounted(self.engine.import(&self.connection, resource, Scope::All).await.unwrap())
    }

    pub(crate) async fn sync(&self, resource: Resource) -> RunReport {
        self.tick();
        accounted(self.engine.sync(&self.connection, resource, Scope::All).await.unwrap())
    }

    pub(crate) async fn sweep(&self, resource: Resource) -> RunReport {
        self.tick();
        accounted(self.engine.sweep(&self.connection, resource).await.unwrap())
    }

    /// Two things that happen one after the other do not share a second.
    pub(crate) fn tick(&self) {
        self.clock.advance(1);
    }
}

fn accounted(report: RunReport) -> RunReport {
    assert!(report.counts.add_up(), "{:?}", report.counts);
    report
}

pub(crate) fn fields<const N: usize>(pairs: [(&str, &str); N]) -> Fields {
    Fields::from_iter(pairs.map(|(name, text)| (name, Value::text(text))))
}

pub(crate) fn text<'a>(fields: &'a Fields, name: &str) -> &'a str {
    fields.get(name).and_then(Value::as_text).unwrap_or("")
}
