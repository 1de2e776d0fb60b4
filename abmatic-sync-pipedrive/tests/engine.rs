//! The engine over the connector and the fake Pipedrive: import, push, sync, what a doubt and a deletion make of them.

#![allow(clippy::unwrap_used, clippy::panic, reason = "tests")]

use std::sync::Arc;
use std::time::Duration;

use abmatic_sync_core::clock::Clock;
use abmatic_sync_core::engine::Engine;
use abmatic_sync_core::filter::parse::parse;
use abmatic_sync_core::ids::{LocalId, TenantId};
use abmatic_sync_core::model::connection::{Connection, Credentials};
use abmatic_sync_core::model::fields::Fields;
use abmatic_sync_core::model::link::LinkScope;
use abmatic_sync_core::model::resource::Resource::{self, Account, Contact, Opportunity};
use abmatic_sync_core::model::resource::Side;
use abmatic_sync_core::model::schema::{Field, FieldType, Schema};
use abmatic_sync_core::model::value::Value;
use abmatic_sync_core::policy::{GoneRule, Policy, Scope, Selection};
use abmatic_sync_core::run::report::RunReport;
use abmatic_sync_core::run::request::{RunRequest, Settings};
use abmatic_sync_http::clock::{SystemClock, SystemIds};
use abmatic_sync_pipedrive::PipedriveConnector;
use abmatic_sync_testkit::fake::fault::{Fault, FaultKind};
use abmatic_sync_testkit::fake::pipedrive::{Builder, FakePipedrive};
use abmatic_sync_testkit::memory::store::MemoryStore;
use async_trait::async_trait;
use chrono::{DateTime, Utc};
use serde_json::json;

/// The system's time, for which nobody waits.
#[derive(Debug)]
struct Hasty;

#[async_trait]
impl Clock for Hasty {
    fn now(&self) -> DateTime<Utc> {
        SystemClock.now()
    }

    async fn sleep(&self, _: Duration) {}
}

struct Host {
    fake: FakePipedrive,
    on: Connection,
    store: MemoryStore,
    engine: Engine,
    tenant: TenantId,
}

impl Host {
    async fn start(fake: Builder) -> Self {
        let fake = fake.start().await.unwrap();
        let on = Connection::new("t", "c", "pipedrive", Credentials::token(fake.token()));
        let on = on.with_base_url(fake.base_url().parse().unwrap());
        let text = |names: &[&str]| names.iter().map(|name| Field::new(*name, FieldType::Text)).collect::<Vec<_>>();
        let mut account = text(&["industry", "name"]);
        account.extend([Field::new("website", FieldType::Url), Field::new("employee_count", FieldType::Integer)]);
        let mut contact = text(&["first_name", "job_title", "last_name"]);
        contact.push(Field::new("work_email", FieldType::Email));
        let mut opportunity = text(&["name", "stage"]);
        opportunity.extend([Field::new("amount", FieldType::Decimal), Field::new("close_date", FieldType::Date)]);
        let store = MemoryStore::new([
            (Account, Schema::new(account).with_key_field("website")),
            (Contact, Schema::new(contact).with_key_field("work_email")),
            (Opportunity, Schema::new(opportunity)),
        ]);
        let connector = PipedriveConnector::builder().clock(Arc::new(Hasty)).settle_seconds(0).build();
        let engine = Engine::new(Arc::new(store.clone()), Arc::new(SystemClock), Arc::new(SystemIds));
        Self { fake, on, store, engine: engine.with_connector(connector), tenant: TenantId::from("t") }
    }

    async fn sync(&self, resource: Resource) -> RunReport {
        let report = self.engine.sync(&self.on, resource, Scope::All).await.unwrap();
        assert!(report.counts.add_up() && report.counts.failed == 0, "{:?}", report.counts);
        report
    }

    fn create(&self, resource: Resource, fields: &[(&str, Value)]) -> LocalId {
        self.store.create(&self.tenant, resource, fields.iter().cloned().collect(), SystemClock.now())
    }

    fn local(&self, resource: Resource, id: &LocalId) -> Fields {
        let mut records = self.store.records_of(&self.tenant, resource);
        records.retain(|record| record.id == *id);
        records.remove(0).fields
    }

    fn links(&self, resource: Resource) -> Vec<(LocalId, u64, Option<Side>)> {
        let scope = LinkScope::new(self.tenant.clone(), self.on.id.clone(), resource);
        let links = self.store.links_of(&scope).into_iter();
        links.map(|link| (link.local_id, link.remote_id.as_str().parse().unwrap(), link.gone)).collect()
    }
}

#[tokio::test]
async fn accounts_people_and_deals_are_imported_and_a_second_sync_writes_nothing() {
    let host = Host::start(FakePipedrive::builder().seed_records(700)).await;
    for (resource, object) in [(Account, "organizations"), (Contact, "persons"), (Opportunity, "deals")] {
        let report = host.engine.import(&host.on, resource, Scope::All).await.unwrap();
        let count = host.fake.user().count(object);
        assert!(report.counts.add_up() && report.counts.failed == 0, "{object}: {:?}", report.counts);
        assert_eq!(report.counts.read, u64::try_from(count).unwrap(), "{object}");
    }
    let deal = host.store.records_of(&host.tenant, Opportunity).remove(0).fields;
    assert!(deal.get("account").is_some_and(|value| value.ids().count() == 1), "{deal:?}");
    for resource in [Account, Contact, Opportunity] {
        host.sync(resource).await;
        host.fake.reset_calls();
        let report = host.sync(resource).await;
        assert_eq!((report.counts.created, report.counts.updated), (0, 0), "{resource}");
        let calls = host.fake.calls();
        assert_eq!((calls.matching("POST"), calls.matching("PATCH"), calls.matching("PUT")), (0, 0, 0), "{resource}");
    }
}

#[tokio::test]
async fn a_push_makes_each_record_once_and_links_what_is_there() {
    let host = Host::start(FakePipedrive::builder()).await;
    let acme = json!({"name": "ACME Oy", "website": "http://www.acme-test.com/en"});
    let there = host.fake.user().create("organizations", &acme).unwrap();
    for number in 0..25 {
        let website = if number == 0 { "acme-test.com".to_owned() } else { format!("bolt{number}-test.com") };
        let fields = [
            ("name", Value::text(format!("Company {number}"))),
            ("website", Value::text(website)),
            ("industry", Value::text("Retail")),
        ];
        host.create(Account, &fields);
    }
    // The third create is carried out, and its answer lost.
    host.fake.inject(Fault::new(FaultKind::AnswerLost).on("POST /api/v2/organizations").after(2));
    let report = host.engine.push(&host.on, Account, Selection::All).await.unwrap();
    assert_eq!((report.counts.created, report.counts.failed), (24, 0), "{:?}", report.counts);
    assert_eq!(host.fake.user().count("organizations"), 25, "none twice");
    assert!(host.links(Account).iter().any(|(_, remote, _)| *remote == there));
    let again = host.engine.push(&host.on, Account, Selection::All).await.unwrap();
    assert_eq!((again.counts.created, again.counts.updated), (0, 0));
    assert!(host.fake.user().filters().is_empty());
}

#[tokio::test]
async fn edits_travel_both_ways_and_other_addresses_stay() {
    let host = Host::start(FakePipedrive::builder().contact_sync(true)).await;
    let emails = json!([{"value": "ann@x-test.com", "primary": true}, {"value": "home@x-test.com", "label": "home"}]);
    let remote = host.fake.user().create("persons", &json!({"name": "Ann Roe", "emails": emails})).unwrap();
    host.sync(Contact).await;
    let local = host.links(Contact).remove(0).0;
    assert_eq!(host.local(Contact, &local).get("last_name"), Some(&Value::text("Roe")));
    host.fake.advance_ms(2_000);
    host.fake.user().update("persons", remote, &json!({"job_title": "CEO"})).unwrap();
    let edit =
        Fields::from_iter([("work_email", Value::text("ann@new-test.com")), ("first_name", Value::text("Anne"))]);
    host.store.edit(&host.tenant, Contact, &local, edit, SystemClock.now());
    host.sync(Contact).await;
    assert_eq!(host.local(Contact, &local).get("job_title"), Some(&Value::text("CEO")));
    let held = host.fake.user().record("persons", remote).unwrap();
    assert_eq!((held.text("name"), held.text("job_title")), ("Anne Roe", "CEO"));
    assert_eq!(
        held.get("emails"),
        &json!([
            {"value": "ann@new-test.com", "primary": true, "label": "work"},
            {"value": "home@x-test.com", "primary": false, "label": "home"},
        ])
    );
    host.sync(Contact).await;
    host.fake.reset_calls();
    let report = host.sync(Contact).await;
    assert_eq!((report.counts.updated, host.fake.calls().matching("PATCH")), (0, 0));
}

#[tokio::test]
async fn a_filter_is_the_servers_where_it_can_and_ours_where_not_and_the_plan_says_which() {
    let host = Host::start(FakePipedrive::builder().seed_records(350)).await;
    for (text, here) in [
        ("employee_count > 1000 AND industry = \"Retail\"", false),
        ("(employee_count > 1000 AND industry = \"Retail\") OR name = \"x\"", true),
    ] {
        let request = RunRequest::import(Account, Scope::Filter(parse(text).unwrap()));
        let plan = host.engine.preview(&host.on, &request).await.unwrap();
        let report = host.engine.run(&host.on, &request).await.unwrap();
        assert_eq!(report.filtered_here.is_some(), here, "{text}: {:?}", report.filtered_here);
        assert_eq!(plan.counts.read, report.counts.read, "{text}");
    }
    assert_eq!(host.fake.user().filters(), ["Target accounts"]);
}

#[tokio::test]
async fn an_account_without_websites_and_job_titles_is_a_normal_one() {
    let host = Host::start(FakePipedrive::builder().firmographics(false).seed_records(70)).await;
    for resource in [Account, Contact] {
        let report = host.engine.import(&host.on, resource, Scope::All).await.unwrap();
        assert!(report.counts.created > 0 && report.counts.failed == 0, "{:?}", report.counts);
    }
    let account = host.store.records_of(&host.tenant, Account).remove(0).fields;
    assert!(account.get("name").is_some() && account.get("website").is_none());
}

#[tokio::test]
async fn a_sweep_finds_what_no_list_tells() {
    let host = Host::start(FakePipedrive::builder()).await;
    let settings = Settings::with_policy(Policy::default().with_gone(GoneRule::Report));
    for resource in [Account, Opportunity] {
        host.engine.save_settings(&host.on, resource, &settings).await.unwrap();
    }
    let user = host.fake.user();
    let make = |object: &str, body: serde_json::Value| user.create(object, &body).unwrap();
    let (kept, merged) = (make("organizations", json!({"name": "A"})), make("organizations", json!({"name": "B"})));
    let deal = make("deals", json!({"title": "D"}));
    host.sync(Account).await;
    host.sync(Opportunity).await;
    host.fake.advance_ms(5_000);
    assert!(user.merge("organizations", merged, kept) && user.delete("deals", deal));
    let gone = |links: Vec<(LocalId, u64, Option<Side>)>| {
        links.into_iter().filter(|(_, _, gone)| gone.is_some()).map(|(_, remote, _)| remote).collect::<Vec<_>>()
    };
    host.sync(Opportunity).await;
    assert_eq!(gone(host.links(Opportunity)), [deal], "of deals a list tells");
    host.sync(Account).await;
    assert!(gone(host.links(Account)).is_empty());
    host.engine.sweep(&host.on, Account).await.unwrap();
    assert_eq!(gone(host.links(Account)), [merged]);
}
