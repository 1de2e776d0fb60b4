//! The engine over this connector and the fake: large pushes by Bulk, crashes in mid-job, and what the CRM's own rules ask
//! of a push.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "tests")]

use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use abmatic_sync_core::clock::Clock;
use abmatic_sync_core::connector::capabilities::Descriptor;
use abmatic_sync_core::connector::contract::CrmConnector;
use abmatic_sync_core::connector::request::{
    FindRequest, Page, Pushdown, ReadRequest, VerifyRequest, Write, WriteOutcome,
};
use abmatic_sync_core::engine::Engine;
use abmatic_sync_core::error::{ErrorCode, Result};
use abmatic_sync_core::filter::expr::Expr;
use abmatic_sync_core::ids::{LocalId, TenantId};
use abmatic_sync_core::model::connection::{Connection, Credentials};
use abmatic_sync_core::model::fields::Fields;
use abmatic_sync_core::model::journal::Status;
use abmatic_sync_core::model::record::RemoteRecord;
use abmatic_sync_core::model::resource::Resource;
use abmatic_sync_core::model::schema::{Field, FieldType, Schema};
use abmatic_sync_core::model::value::Value;
use abmatic_sync_core::policy::{Policy, Scope, Selection};
use abmatic_sync_core::run::report::RunReport;
use abmatic_sync_core::run::request::RunRequest;
use abmatic_sync_core::store::state::{LogQuery, RunStatus, StateStore as _};
use abmatic_sync_http::clock::{SystemClock, SystemIds};
use abmatic_sync_salesforce::{SalesforceBuilder, SalesforceConnector};
use abmatic_sync_testkit::fake::fault::{Fault, FaultKind};
use abmatic_sync_testkit::fake::salesforce::{Builder, FakeSalesforce};
use abmatic_sync_testkit::memory::store::MemoryStore;
use async_trait::async_trait;
use chrono::{DateTime, Utc};

/// The system's time, for which nobody waits.
#[derive(Debug)]
struct Hasty;

#[async_trait]
impl Clock for Hasty {
    fn now(&self) -> DateTime<Utc> {
        SystemClock.now()
    }

    async fn sleep(&self, _: Duration) {
        tokio::task::yield_now().await;
    }
}

/// Somebody who edits a record in the CRM after the engine has read it, right before it writes.
#[derive(Debug)]
struct Meddled {
    inner: SalesforceConnector,
    fake: Arc<FakeSalesforce>,
    times: AtomicU32,
}

#[async_trait]
impl CrmConnector for Meddled {
    fn descriptor(&self) -> &Descriptor {
        self.inner.descriptor()
    }

    async fn prepare(&self, on: &Connection, resource: Resource) -> Result<()> {
        self.inner.prepare(on, resource).await
    }

    async fn describe(&self, on: &Connection, resource: Resource) -> Result<Schema> {
        self.inner.describe(on, resource).await
    }

    async fn read(&self, on: &Connection, request: ReadRequest) -> Result<Page> {
        self.inner.read(on, request).await
    }

    async fn find(&self, on: &Connection, request: FindRequest) -> Result<Vec<RemoteRecord>> {
        self.inner.find(on, request).await
    }

    async fn write(&self, on: &Connection, resource: Resource, writes: Vec<Write>) -> Result<Vec<WriteOutcome>> {
        if let (Some(Write::Update { id, .. }), true) = (writes.first(), self.times.load(Ordering::SeqCst) > 0) {
            self.times.fetch_sub(1, Ordering::SeqCst);
            self.fake.advance_ms(2_000);
            let name = format!("Theirs {}", self.fake.now_ms());
            self.fake.user().update("Account", id.as_str(), &[("Name", &name)]).unwrap();
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

struct Host {
    fake: Arc<FakeSalesforce>,
    store: MemoryStore,
    engine: Engine,
    on: Connection,
    tenant: TenantId,
}

impl Host {
    async fn new(fake: Builder, choose: impl FnOnce(SalesforceBuilder) -> SalesforceBuilder) -> Self {
        let fake = Arc::new(fake.start().await.unwrap());
        let on = Connection::new("t", "c", "salesforce", Credentials::token(fake.token()));
        let on = on.with_base_url(fake.base_url().parse().unwrap());
        let clock: Arc<dyn Clock> = Arc::new(Hasty);
        let connector = choose(connector()).build();
        let store = MemoryStore::new(schemas());
        let engine = Engine::new(Arc::new(store.clone()), clock, Arc::new(SystemIds));
        Self { fake, store, engine: engine.with_connector(connector), on, tenant: TenantId::from("t") }
    }

    fn create(&self, resource: Resource, fields: &[(&str, Value)]) -> LocalId {
        self.store.create(&self.tenant, resource, fields.iter().cloned().collect::<Fields>(), SystemClock.now())
    }

    async fn push(&self, resource: Resource) -> RunReport {
        self.run(&RunRequest::push(resource, Selection::All)).await
    }

    async fn run(&self, request: &RunRequest) -> RunReport {
        let report = self.engine.run(&self.on, request).await.unwrap();
        assert!(report.counts.add_up(), "{:?}", report.counts);
        report
    }

    fn add_accounts(&self, count: i64, size: impl Fn(i64) -> i64) {
        for number in 0..count {
            let fields = [
                ("name", Value::text(format!("Account {number}"))),
                ("website", Value::text(format!("https://www.account-{number}.com/"))),
                ("employee_count", Value::Integer(size(number))),
            ];
            self.create(Resource::Account, &fields);
        }
    }

    fn calls(&self, of: &str) -> u64 {
        self.fake.calls().of(of)
    }
}

fn connector() -> SalesforceBuilder {
    SalesforceConnector::builder().clock(Arc::new(Hasty)).settle_seconds(0)
}

fn schemas() -> Vec<(Resource, Schema)> {
    let text = |name: &str| Field::new(name, FieldType::Text);
    let account = Schema::new(vec![
        text("name"),
        Field::new("website", FieldType::Url),
        text("industry"),
        Field::new("employee_count", FieldType::Integer),
    ])
    .with_key_field("website");
    let contact = Schema::new(vec![
        Field::new("work_email", FieldType::Email),
        text("first_name"),
        text("last_name"),
        text("job_title"),
        Field::new("account", FieldType::Reference),
    ])
    .with_key_field("work_email");
    vec![(Resource::Account, account), (Resource::Contact, contact)]
}

const JOBS: &str = "POST /services/data/{v}/jobs/ingest";
const UPSERTS: &str = "PATCH /services/data/{v}/composite/sobjects/Account/{id}";

#[tokio::test]
async fn ten_thousand_accounts_go_by_bulk_with_each_row_s_outcome() {
    // Of the 10,000 rows the job works on 9,900, of which a hundredth is more than the org's field takes.
    let host = Host::new(FakeSalesforce::builder().bulk_rows_max(9_900).bulk_polls(3), |builder| builder).await;
    host.add_accounts(10_000, |number| if number % 100 == 0 { 1_000_000_000_000 } else { number });
    let report = host.push(Resource::Account).await;
    assert_eq!((report.counts.created, report.counts.failed), (9_900, 100));
    assert_eq!((host.calls(JOBS), host.calls(UPSERTS)), (1, 1), "one job, and what it left in a Collection");
    assert_eq!(host.fake.user().count("Account"), 9_900);
    let one = host.fake.user().find("Account", "Name", "Account 4242").remove(0);
    assert_eq!((one.get("Website"), one.get("NumberOfEmployees")), ("https://www.account-4242.com/", "4242"));
    let query = LogQuery::new("t").of_run(report.run).with_status(Status::Failed).with_limit(200);
    let failures = host.engine.log(&query).await.unwrap();
    assert_eq!(failures.len(), 100);
    assert!(failures.iter().all(|entry| entry.code == Some(ErrorCode::InvalidField)), "{:?}", failures[0]);
    // The next one finds them linked, and has nothing to say.
    let again = host.push(Resource::Account).await;
    assert_eq!((again.counts.created, again.counts.updated, host.calls(JOBS)), (0, 0, 1));
}

#[tokio::test]
async fn a_push_that_dies_in_mid_job_makes_nothing_twice() {
    // Killed before the job is started, while it is at work, and with its results unread; each before and after the call.
    let job = "/services/data/{v}/jobs/ingest/{id}";
    for (method, route, passed) in
        [("PATCH", job.to_owned(), 0), ("GET", job.to_owned(), 1), ("GET", format!("{job}/successfulResults"), 0)]
    {
        for kind in [FaultKind::Hang, FaultKind::HangAfterWrite] {
            let host = Host::new(FakeSalesforce::builder().bulk_polls(4), |builder| builder).await;
            host.add_accounts(2_500, |number| number);
            host.fake.inject(Fault::new(kind).on(&route).with_method(method).after(passed));
            let counted = format!("{method} {route}");
            tokio::select! {
                ended = host.engine.push(&host.on, Resource::Account, Selection::All) => panic!("{ended:?}"),
                () = host.fake.called(|calls| calls.of(&counted) > passed) => {}
            }
            host.fake.clear_faults();
            let runs = host.store.runs(&host.tenant, &host.on.id, 1).await.unwrap();
            assert_eq!(runs[0].status, RunStatus::Running, "it was cut off");
            let report = host.engine.resume(&host.on, &runs[0].id).await.unwrap();
            assert_eq!((report.counts.created, report.counts.failed), (2_500, 0), "{counted} {kind:?}");
            assert_eq!(host.fake.user().count("Account"), 2_500, "{counted} {kind:?}");
        }
    }
}

#[tokio::test]
async fn an_edit_between_reading_and_writing_is_merged_not_overwritten() {
    let now = SystemClock.now().timestamp_millis();
    let host = Host::new(FakeSalesforce::builder().simulated_clock(now), |builder| builder).await;
    host.add_accounts(1, |_| 1);
    host.push(Resource::Account).await;
    let local = host.store.records_of(&host.tenant, Resource::Account).remove(0);
    for (times, updated, failed) in [(1, 1, 0), (9, 0, 1)] {
        let meddled =
            Meddled { inner: connector().build(), fake: Arc::clone(&host.fake), times: AtomicU32::new(times) };
        let engine = host.engine.clone().with_connector(meddled);
        let size = i64::from(times) * 100;
        let edit = Fields::from_iter([("name", Value::text("Ours")), ("employee_count", Value::Integer(size))]);
        assert!(host.store.edit(&host.tenant, Resource::Account, &local.id, edit, SystemClock.now()));
        host.fake.reset_calls();
        let report = engine.sync(&host.on, Resource::Account, Scope::All).await.unwrap();
        assert_eq!((report.counts.updated, report.counts.failed), (updated, failed), "{times}");
        let theirs = host.fake.user().records("Account").remove(0);
        assert!(theirs.get("Name").starts_with("Theirs"), "the later edit of the name stays");
        if failed == 0 {
            assert_eq!(theirs.get("NumberOfEmployees"), size.to_string(), "and ours of another field arrives");
            let ours = host.store.records_of(&host.tenant, Resource::Account).remove(0);
            assert_eq!(ours.fields.get("name"), Some(&Value::text(theirs.get("Name"))));
            assert_eq!(host.calls("POST /services/data/{v}/composite"), 2, "refused once, then written");
        }
    }
}

#[tokio::test]
async fn contacts_become_leads_of_their_account_s_name() {
    let host = Host::new(FakeSalesforce::builder(), |builder| builder).await;
    let acme = host.create(Resource::Account, &[("name", "Acme".into())]);
    let person = |email: &str, account: Option<&LocalId>| {
        let account = account.map(|id| ("account", Value::reference(id.as_str())));
        let own = [("work_email", Value::text(email)), ("last_name", "Roe".into())];
        host.create(Resource::Contact, &own.into_iter().chain(account).collect::<Vec<_>>())
    };
    person("ann@acme.com", Some(&acme));
    person("bob@nowhere.com", None);
    let policy = Policy::default().with_people_destination(Resource::Lead);
    let request = RunRequest::push(Resource::Contact, Selection::All).with_policy(policy);
    let report = host.run(&request).await;
    assert_eq!((report.counts.created, report.counts.failed), (1, 1));
    let lead = host.fake.user().records("Lead").remove(0);
    assert_eq!((lead.get("Email"), lead.get("Company")), ("ann@acme.com", "Acme"));
    assert_eq!(host.fake.user().count("Contact"), 0);
    let query = LogQuery::new("t").of_run(report.run).with_status(Status::Failed);
    let failures = host.engine.log(&query).await.unwrap();
    assert_eq!(failures[0].code, Some(ErrorCode::RequiredFieldMissing));
    assert!(failures[0].message.contains("Company"), "{}", failures[0].message);
    // The same again finds nothing to do, and an edit of the contact takes the account's new name along.
    assert_eq!(host.run(&request).await.counts.updated, 0);
    let now = SystemClock.now();
    assert!(host.store.edit(
        &host.tenant,
        Resource::Account,
        &acme,
        Fields::from_iter([("name", "Acme Oy".into())]),
        now
    ));
    let ann = host.store.records_of(&host.tenant, Resource::Contact).remove(0);
    let title = Fields::from_iter([("job_title", "CTO".into())]);
    assert!(host.store.edit(&host.tenant, Resource::Contact, &ann.id, title, now));
    assert_eq!(host.run(&request).await.counts.updated, 1);
    let lead = host.fake.user().records("Lead").remove(0);
    assert_eq!((lead.get("Title"), lead.get("Company")), ("CTO", "Acme Oy"));
}
