//! What a host sees of its connections: counters, health, and what the CRM does not let it do.

#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a test that fails shall stop, in its helpers too")]

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};

use abmatic_sync_core::engine::Engine;
use abmatic_sync_core::error::ErrorCode;
use abmatic_sync_core::model::connection::{Connection, Credentials};
use abmatic_sync_core::model::resource::Resource::{Account, Contact, Lead, Opportunity};
use abmatic_sync_core::policy::Scope;
use abmatic_sync_core::run::report::Progress;
use abmatic_sync_core::run::request::RunRequest;
use abmatic_sync_core::schedule::rhythm::Rhythm;
use abmatic_sync_core::store::connections::{ConnectionStore as _, KeptConnection};
use abmatic_sync_core::store::schedules::{Schedule, ScheduleKey, ScheduleStore as _};
use abmatic_sync_http::clock::{SystemClock, SystemIds};
use abmatic_sync_hubspot::HubspotConnector;
use abmatic_sync_pipedrive::PipedriveConnector;
use abmatic_sync_sql::store::SqliteStore;
use abmatic_sync_testkit::fake::hubspot::FakeHubspot;
use abmatic_sync_testkit::fake::pipedrive::FakePipedrive;
use chrono::TimeDelta;
use metrics_util::debugging::{DebugValue, DebuggingRecorder, Snapshotter};
use serde_json::json;

async fn engine() -> (Engine, SqliteStore) {
    let store = SqliteStore::in_memory().await.unwrap();
    let engine = Engine::new(Arc::new(store.clone()), Arc::new(SystemClock), Arc::new(SystemIds))
        .with_connector(HubspotConnector::new())
        .with_connector(PipedriveConnector::new());
    (engine, store)
}

async fn kept(store: &SqliteStore, connector: &str, url: &str) -> KeptConnection {
    let kept = KeptConnection::new("acme", "acme/main", connector).with_base_url(url.parse().unwrap());
    store.keep_connection(&kept).await.unwrap();
    kept
}

/// Counters by their name and labels.
fn counted(snapshotter: &Snapshotter) -> BTreeMap<String, u64> {
    let all = snapshotter.snapshot().into_vec();
    let counters = all.into_iter().filter_map(|(key, _, _, value)| {
        let labels: Vec<&str> = key.key().labels().map(|label| label.value()).collect();
        let name = format!("{} {}", key.key().name(), labels.join(" "));
        match value {
            DebugValue::Counter(count) => Some((name, count)),
            DebugValue::Histogram(values) => Some((name, values.len() as u64)),
            DebugValue::Gauge(_) => None,
        }
    });
    counters.collect()
}

#[tokio::test]
async fn runs_records_and_calls_are_counted() {
    let fake = FakeHubspot::builder().seed_records(5).start().await.unwrap();
    let (engine, store) = engine().await;
    let on = kept(&store, "hubspot", &fake.base_url()).await.with_credentials(Credentials::token(fake.token()));
    let recorder = DebuggingRecorder::new();
    let snapshotter = recorder.snapshotter();
    let guard = metrics::set_default_local_recorder(&recorder);
    let report = engine.import(&on, Contact, Scope::All).await.unwrap();
    drop(guard);
    let counted = counted(&snapshotter);
    assert_eq!(counted["abmatic_sync_runs_total hubspot contact import COMPLETED"], 1);
    assert_eq!(counted["abmatic_sync_run_seconds hubspot contact import"], 1);
    assert_eq!(counted["abmatic_sync_records_total hubspot contact created"], report.counts.created);
    assert_eq!(counted["abmatic_sync_records_total hubspot contact failed"], 0);
    assert!(counted["abmatic_sync_calls_total hubspot OK"] >= report.calls);
    assert_eq!(counted["abmatic_sync_call_seconds hubspot"], fake.calls().total);
}

#[tokio::test]
async fn health_tells_how_each_resource_fares() {
    let fake = FakePipedrive::builder().start().await.unwrap();
    fake.user().create("organizations", &json!({"name": "Acme"})).unwrap();
    let (engine, store) = engine().await;
    let kept = kept(&store, "pipedrive", &fake.base_url()).await;
    let on = kept.with_credentials(Credentials::token(fake.token()));
    let key = ScheduleKey::new("acme", "acme/main", Account);
    store.keep_schedule(&Schedule::new(key, Rhythm::Manual)).await.unwrap();
    let before = engine.health(&kept, &store).await.unwrap();
    assert_eq!((before.resources[0].last_success, before.quota), (None, None));

    engine.import(&on, Account, Scope::All).await.unwrap();
    assert_eq!(engine.health(&kept, &store).await.unwrap().resources[0].last_success, None, "an import is no sync");
    engine.sync(&on, Account, Scope::All).await.unwrap();
    let health = engine.health(&kept, &store).await.unwrap();
    let accounts = &health.resources[0];
    assert_eq!((accounts.resource, accounts.next_run, accounts.set_aside), (Account, None, 0));
    assert!(accounts.last_success.is_some() && health.failures.is_empty());
    let quota = health.quota.unwrap();
    assert_eq!(quota.limit - quota.remaining, fake.tokens_spent());
}

#[tokio::test]
async fn a_check_says_which_permission_is_missing() {
    let fake = FakeHubspot::builder().seed_records(2).without_scope("crm.objects.deals.read").start().await.unwrap();
    let (engine, store) = engine().await;
    let on = kept(&store, "hubspot", &fake.base_url()).await.with_credentials(Credentials::token(fake.token()));
    for access in engine.check(&on).await.unwrap() {
        let missing = access.reading.map(|error| (error.code(), error.to_string()));
        match access.resource {
            Opportunity => {
                let (code, message) = missing.unwrap();
                assert_eq!(code, ErrorCode::InsufficientAccess);
                assert!(message.contains("crm.objects.deals.read"), "{message}");
                let (_, call) =
                    message.split_once("(INSUFFICIENT_ACCESS, call ").expect("HubSpot's own id of the call");
                assert_eq!(call.len(), "8a3f6c3a-8296-4002-b0a6-2a06fecf7c0c)".len(), "{message}");
            }
            resource => {
                assert!([Account, Contact, Lead].contains(&resource));
                assert!(missing.is_none() && access.writing.is_none(), "{resource}: {missing:?}");
            }
        }
    }
}

#[tokio::test]
async fn a_check_says_which_write_permission_is_missing_and_writes_nothing() {
    let fake =
        FakeHubspot::builder().seed_records(2).without_scope("crm.objects.companies.write").start().await.unwrap();
    let (engine, store) = engine().await;
    let on = kept(&store, "hubspot", &fake.base_url()).await.with_credentials(Credentials::token(fake.token()));
    for access in engine.check(&on).await.unwrap() {
        assert!(access.reading.is_none());
        let missing = access.writing.map(|error| error.to_string());
        match access.resource {
            Account => assert!(missing.as_ref().is_some_and(|said| said.contains("crm.objects.companies.write"))),
            resource => assert_eq!(missing, None, "{resource}"),
        }
    }
    let fake = FakePipedrive::builder().seed_records(3).start().await.unwrap();
    let before = fake.user().records("persons").len();
    let on = Connection::new("acme", "acme/other", "pipedrive", Credentials::token(fake.token()));
    let on = on.with_base_url(fake.base_url().parse().unwrap());
    assert!(engine.check(&on).await.unwrap().iter().all(|access| access.writing.is_none()));
    assert_eq!(fake.user().records("persons").len(), before);
}

#[tokio::test]
async fn progress_tells_the_rate_and_what_is_left() {
    let fake = FakeHubspot::builder().seed_records(2_500).start().await.unwrap();
    let (engine, store) = engine().await;
    let on = kept(&store, "hubspot", &fake.base_url()).await.with_credentials(Credentials::token(fake.token()));
    let told: Arc<Mutex<Vec<Progress>>> = Arc::default();
    let noted = Arc::clone(&told);
    let request = RunRequest::import(Contact, Scope::All)
        .with_observer(move |progress| noted.lock().unwrap().push(progress.clone()));
    engine.run(&on, &request).await.unwrap();
    let told = told.lock().unwrap();
    let (first, last) = (told.first().unwrap(), told.last().unwrap());
    assert!(first.per_second().unwrap() > 0.0 && first.read_since == first.counts.read);
    assert_eq!(last.read_since, 2_500);
    for one in told.iter().filter(|one| one.total.is_some()) {
        let left = one.total.unwrap() - one.counts.read;
        let expected = one.elapsed.as_seconds_f64() * left as f64 / one.counts.read as f64;
        let difference = one.time_left().unwrap() - TimeDelta::milliseconds((expected * 1_000.0) as i64);
        assert!(difference.abs() <= TimeDelta::milliseconds(1), "{one:?}");
    }
}
