//! The spans of a run. It is the only test of its process: a callsite that another test's thread meets first, while no
//! subscriber listens there, may be switched off for the whole process.

#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a test that fails shall stop, in its helpers too")]

mod traced;

use std::sync::Arc;

use abmatic_sync_core::engine::Engine;
use abmatic_sync_core::model::connection::{Connection, Credentials};
use abmatic_sync_core::model::resource::Resource::Contact;
use abmatic_sync_core::policy::Scope;
use abmatic_sync_http::clock::{SystemClock, SystemIds};
use abmatic_sync_hubspot::HubspotConnector;
use abmatic_sync_sql::store::SqliteStore;
use abmatic_sync_testkit::fake::hubspot::FakeHubspot;
use tracing_subscriber::fmt::format::FmtSpan;
use tracing_subscriber::util::SubscriberInitExt as _;

use crate::traced::Traced;

#[tokio::test]
async fn a_run_its_blocks_and_its_calls_are_spans() {
    let fake = FakeHubspot::builder().seed_records(3).start().await.unwrap();
    let store = SqliteStore::in_memory().await.unwrap();
    let engine = Engine::new(Arc::new(store), Arc::new(SystemClock), Arc::new(SystemIds));
    let engine = engine.with_connector(HubspotConnector::new());
    let on = Connection::new("acme", "acme/main", "hubspot", Credentials::token(fake.token()));
    let on = on.with_base_url(fake.base_url().parse().unwrap());
    let traced = Traced::default();
    let subscriber = tracing_subscriber::fmt().with_max_level(tracing_subscriber::filter::LevelFilter::DEBUG);
    let subscriber = subscriber.with_ansi(false).with_span_events(FmtSpan::CLOSE).with_writer(traced.clone());
    let guard = subscriber.set_default();
    let report = engine.import(&on, Contact, Scope::All).await.unwrap();
    drop(guard);
    let said = String::from_utf8(traced.bytes()).unwrap();
    let run =
        format!("run{{run={} tenant=acme connection=acme/main operation=\"import\" resource=contact}}", report.run);
    let nested = format!("{run}:call{{connection=\"acme/main\" operation=\"hubspot");
    assert!(said.contains(&nested), "{said}");
    assert!(said.contains(&format!("{run}:block{{side=\"CRM\" read=0}}")), "{said}");
    assert!(said.contains("run completed"), "{said}");
}
