//! Deletions and merges through the engine, against the fake HubSpot and its recycle bin.
#![allow(clippy::unwrap_used, reason = "a test that fails shall stop, in its helpers too")]

use std::sync::Arc;

use abmatic_sync_core::clock::Clock;
use abmatic_sync_core::connector::contract::CrmConnector;
use abmatic_sync_core::connector::request::{Write, WriteOutcome};
use abmatic_sync_core::engine::Engine;
use abmatic_sync_core::ids::{LocalId, RemoteId, TenantId};
use abmatic_sync_core::model::connection::{Connection, Credentials};
use abmatic_sync_core::model::fields::Fields;
use abmatic_sync_core::model::link::LinkScope;
use abmatic_sync_core::model::resource::Resource::Account;
use abmatic_sync_core::model::resource::Side;
use abmatic_sync_core::model::schema::{Field, FieldType, Schema};
use abmatic_sync_core::model::value::Value;
use abmatic_sync_core::policy::{GoneRule, Policy, Scope, Selection};
use abmatic_sync_core::run::report::RunReport;
use abmatic_sync_core::run::request::Settings;
use abmatic_sync_http::clock::{SystemClock, SystemIds};
use abmatic_sync_hubspot::HubspotConnector;
use abmatic_sync_testkit::fake::hubspot::FakeHubspot;
use abmatic_sync_testkit::memory::store::MemoryStore;

struct Host {
    fake: FakeHubspot,
    connector: HubspotConnector,
    on: Connection,
    store: MemoryStore,
    engine: Engine,
    tenant: TenantId,
}

fn connector() -> HubspotConnector {
    HubspotConnector::builder().visibility_lag_seconds(1).build()
}

impl Host {
    async fn with_rule(rule: GoneRule) -> Self {
        let fake = FakeHubspot::builder().search_lag_seconds(0.0).start().await.unwrap();
        let on = Connection::new("t", "c", "hubspot", Credentials::token(fake.token()));
        let on = on.with_base_url(fake.base_url().parse().unwrap());
        let account = Schema::new(vec![
            Field::new("name", FieldType::Text),
            Field::new("website", FieldType::Url),
            Field::new("industry", FieldType::Text),
            Field::new("employee_count", FieldType::Integer),
        ])
        .with_key_field("website");
        let store = MemoryStore::new([(Account, account)]);
        let engine = Engine::new(Arc::new(store.clone()), Arc::new(SystemClock), Arc::new(SystemIds));
        let engine = engine.with_connector(connector());
        let settings = Settings::with_policy(Policy::default().with_gone(rule));
        engine.save_settings(&on, Account, &settings).await.unwrap();
        Self { fake, connector: connector(), on, store, engine, tenant: TenantId::from("t") }
    }

    async fn sync(&self) -> RunReport {
        let report = self.engine.sync(&self.on, Account, Scope::All).await.unwrap();
        assert!(report.counts.add_up() && report.counts.failed == 0, "{:?}", report.counts);
        report
    }

    /// An account that both sides have.
    async fn pair(&self) -> (LocalId, RemoteId) {
        let fields = Fields::from_iter([("name", Value::text("Acme")), ("website", Value::text("acme.com"))]);
        let local = self.store.create(&self.tenant, Account, fields, SystemClock.now());
        self.sync().await;
        self.sync().await;
        (local, self.links().remove(0).1)
    }

    fn links(&self) -> Vec<(LocalId, RemoteId, Option<Side>)> {
        let scope = LinkScope::new(self.tenant.clone(), self.on.id.clone(), Account);
        let links = self.store.links_of(&scope).into_iter();
        links.map(|link| (link.local_id, link.remote_id, link.gone)).collect()
    }

    async fn archive(&self, id: &RemoteId) {
        let outcomes = self.connector.write(&self.on, Account, vec![Write::Archive { id: id.clone() }]).await.unwrap();
        assert!(matches!(outcomes[0], WriteOutcome::Written(_)));
        // Its clock is told by the second.
        self.fake.advance_ms(2_000);
    }

    fn is_deleted(&self, id: &LocalId) -> bool {
        self.store.records_of(&self.tenant, Account).into_iter().any(|record| record.id == *id && record.deleted)
    }
}

#[tokio::test]
async fn a_company_in_the_recycle_bin_is_reported_and_not_made_anew() {
    let host = Host::with_rule(GoneRule::Report).await;
    let (local, remote) = host.pair().await;
    host.archive(&remote).await;
    assert_eq!(host.sync().await.counts.skipped, 1);
    assert_eq!(host.links(), [(local.clone(), remote, Some(Side::Remote))]);
    let edit = Fields::from_iter([("name", Value::text("Acme, edited"))]);
    host.store.edit(&host.tenant, Account, &local, edit, SystemClock.now());
    assert_eq!(host.sync().await.counts.created, 0);
    let push = host.engine.push(&host.on, Account, Selection::Ids(vec![local])).await.unwrap();
    assert_eq!(push.counts.created, 1);
}

#[tokio::test]
async fn deletions_travel_both_ways_where_they_may() {
    let host = Host::with_rule(GoneRule::Propagate).await;
    let (local, remote) = host.pair().await;
    host.archive(&remote).await;
    assert_eq!(host.sync().await.counts.deleted, 1);
    assert!(host.is_deleted(&local));

    let host = Host::with_rule(GoneRule::Propagate).await;
    let (local, _) = host.pair().await;
    host.store.delete(&host.tenant, Account, &local, SystemClock.now());
    assert_eq!(host.sync().await.counts.deleted, 1);
    assert_eq!(host.sync().await.counts.read, 0);
    let count = host.connector.count(&host.on, Account, &abmatic_sync_core::connector::request::Read::All).await;
    assert_eq!(count.unwrap(), Some(0));
}
