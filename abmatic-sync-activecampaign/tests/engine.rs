//! The engine over the connector and the fake ActiveCampaign: import, push, sync, what a doubt and a deletion make of them.

#![allow(clippy::unwrap_used, clippy::panic, reason = "tests")]

use std::sync::Arc;
use std::time::Duration;

use abmatic_sync_activecampaign::ActiveCampaignConnector;
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
use abmatic_sync_core::policy::{BlankRule, GoneRule, Policy, Scope, Selection};
use abmatic_sync_core::run::report::RunReport;
use abmatic_sync_core::run::request::{RunRequest, Settings};
use abmatic_sync_http::clock::{SystemClock, SystemIds};
use abmatic_sync_testkit::fake::activecampaign::{Builder, FakeActiveCampaign};
use abmatic_sync_testkit::fake::fault::{Fault, FaultKind};
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
    fake: FakeActiveCampaign,
    on: Connection,
    store: MemoryStore,
    engine: Engine,
    tenant: TenantId,
}

impl Host {
    async fn start(fake: Builder) -> Self {
        let fake = fake.start().await.unwrap();
        let on = Connection::new("t", "c", "activecampaign", Credentials::token(fake.token()));
        let on = on.with_base_url(fake.base_url().parse().unwrap());
        let text = |names: &[&str]| names.iter().map(|name| Field::new(*name, FieldType::Text)).collect::<Vec<_>>();
        let mut account = text(&["industry", "name"]);
        account.push(Field::new("website", FieldType::Url));
        let mut contact = text(&["first_name", "job_title", "last_name"]);
        contact.push(Field::new("work_email", FieldType::Email));
        let mut opportunity = text(&["name", "stage"]);
        opportunity.push(Field::new("amount", FieldType::Decimal));
        let store = MemoryStore::new([
            (Account, Schema::new(account).with_key_field("website")),
            (Contact, Schema::new(contact).with_key_field("work_email")),
            (Opportunity, Schema::new(opportunity)),
        ]);
        let connector = ActiveCampaignConnector::builder().clock(Arc::new(Hasty)).settle_seconds(0).build();
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

    fn edit(&self, resource: Resource, id: &LocalId, fields: &[(&str, Value)]) {
        self.store.edit(&self.tenant, resource, id, fields.iter().cloned().collect(), SystemClock.now());
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

    fn gone(&self, resource: Resource) -> Vec<u64> {
        let links = self.links(resource).into_iter();
        links.filter(|(_, _, gone)| gone.is_some()).map(|(_, remote, _)| remote).collect()
    }

    fn writes(&self) -> u64 {
        let calls = self.fake.calls();
        calls.matching("POST") + calls.matching("PUT") + calls.matching("DELETE")
    }
}

#[tokio::test]
async fn accounts_people_and_deals_are_imported_and_a_second_sync_writes_nothing() {
    let host = Host::start(FakeActiveCampaign::builder().seed_records(1_400)).await;
    for (resource, object) in [(Account, "accounts"), (Contact, "contacts"), (Opportunity, "deals")] {
        let report = host.engine.import(&host.on, resource, Scope::All).await.unwrap();
        let count = host.fake.user().records(object).len();
        assert!(report.counts.add_up() && report.counts.failed == 0, "{object}: {:?}", report.counts);
        assert_eq!(report.counts.read, u64::try_from(count).unwrap(), "{object}");
    }
    let people = host.store.records_of(&host.tenant, Contact);
    assert!(people.iter().any(|one| one.fields.get("job_title").is_some_and(|title| !title.is_blank())));
    assert!(people.iter().any(|one| one.fields.get("account").is_some_and(|account| account.ids().count() == 1)));
    for resource in [Account, Contact, Opportunity] {
        host.sync(resource).await;
        host.fake.reset_calls();
        let report = host.sync(resource).await;
        assert_eq!((report.counts.created, report.counts.updated, host.writes()), (0, 0, 0), "{resource}");
    }
}

#[tokio::test]
async fn accounts_and_their_industries_take_two_calls_a_hundred() {
    let host = Host::start(FakeActiveCampaign::builder().seed_records(7_000)).await;
    let (accounts, values) =
        (host.fake.user().records("accounts").len(), host.fake.user().records("accountCustomFieldData").len());
    assert!(accounts >= 1_000, "{accounts}");
    host.engine.import(&host.on, Account, Scope::All).await.unwrap();
    host.sync(Account).await;
    host.fake.reset_calls();
    host.sync(Account).await;
    let calls = host.fake.calls();
    let pages = u64::try_from(accounts.div_ceil(99) + values.div_ceil(99) + 4).unwrap();
    assert!(calls.total <= pages, "{accounts} accounts with {values} values took {} calls: {calls:?}", calls.total);
}

#[tokio::test]
async fn a_push_makes_each_record_once_and_links_what_is_there() {
    let host = Host::start(FakeActiveCampaign::builder()).await;
    let acme = json!({"name": "Acme (old)", "accountUrl": "http://www.acme-test.com/en"});
    let there = host.fake.user().create("accounts", &acme).unwrap();
    for number in 0..25 {
        let website = if number == 0 { "acme-test.com".to_owned() } else { format!("bolt{number}-test.com") };
        let fields = [("name", Value::text(format!("Company {number}"))), ("website", Value::text(website))];
        host.create(Account, &fields);
    }
    // The third create is carried out, and its answer lost.
    host.fake.inject(Fault::new(FaultKind::AnswerLost).on("POST /api/3/accounts").after(2));
    let report = host.engine.push(&host.on, Account, Selection::All).await.unwrap();
    assert_eq!((report.counts.created, report.counts.failed), (24, 0), "{:?}", report.counts);
    assert_eq!(host.fake.user().records("accounts").len(), 25, "none twice");
    assert!(host.links(Account).iter().any(|(_, remote, _)| *remote == there));
    let again = host.engine.push(&host.on, Account, Selection::All).await.unwrap();
    assert_eq!((again.counts.created, again.counts.updated), (0, 0));
}

#[tokio::test]
async fn two_records_that_the_crm_takes_for_one_are_not_written_into_each_other() {
    let host = Host::start(FakeActiveCampaign::builder()).await;
    // Names are unique there, whatever their case, and an account without an address may be any.
    host.create(Account, &[("name", Value::text("Acme"))]);
    host.create(Account, &[("name", Value::text("ACME")), ("website", Value::text("acme-test.com"))]);
    let report = host.engine.push(&host.on, Account, Selection::All).await.unwrap();
    assert_eq!((report.counts.created, report.counts.failed), (1, 1), "{:?}", report.counts);
    let accounts = host.fake.user().records("accounts");
    assert_eq!((accounts.len(), &accounts[0]["name"], &accounts[0]["accountUrl"]), (1, &json!("Acme"), &json!(null)));
    assert_eq!(host.links(Account).len(), 1);
}

#[tokio::test]
async fn people_go_with_their_account_and_title_by_import_or_alone() {
    let host = Host::start(FakeActiveCampaign::builder().import_polls(2)).await;
    let acme = host.create(Account, &[("name", Value::text("Acme")), ("website", Value::text("acme-test.com"))]);
    host.engine.push(&host.on, Account, Selection::All).await.unwrap();
    let person = |number: usize| {
        let fields = [
            ("work_email", Value::text(format!("n{number}@acme-test.com"))),
            ("last_name", Value::text("N")),
            ("job_title", Value::text("CTO")),
            ("account", Value::reference(acme.as_str())),
        ];
        host.create(Contact, &fields);
    };
    for (people, imports) in [(0..3, 0), (3..153, 1)] {
        people.for_each(person);
        host.fake.reset_calls();
        let report = host.engine.push(&host.on, Contact, Selection::All).await.unwrap();
        assert_eq!(report.counts.failed, 0, "{:?}", report.counts);
        let calls = host.fake.calls();
        assert_eq!(calls.of("POST /api/3/import/bulk_import"), imports, "{calls:?}");
        assert_eq!(calls.of("GET /api/3/accountContacts"), 0, "new contacts have no association: {calls:?}");
    }
    let associations = host.fake.user().records("accountContacts");
    assert_eq!(associations.len(), 153);
    assert!(associations.iter().all(|one| one["jobTitle"] == "CTO"));
    host.sync(Contact).await;
    host.fake.reset_calls();
    host.sync(Contact).await;
    assert_eq!(host.writes(), 0);
}

#[tokio::test]
async fn edits_travel_both_ways() {
    let host = Host::start(FakeActiveCampaign::builder()).await;
    let settings = Settings::with_policy(Policy::default().with_blank(BlankRule::Clear));
    host.engine.save_settings(&host.on, Contact, &settings).await.unwrap();
    let user = host.fake.user();
    let acme = user.create("accounts", &json!({"name": "Acme", "accountUrl": "acme-test.com"})).unwrap();
    let ann = user.create("contacts", &json!({"email": "ann@acme-test.com", "lastName": "Roe"})).unwrap();
    user.create("accountContacts", &json!({"account": acme, "contact": ann, "jobTitle": "CEO"})).unwrap();
    host.sync(Account).await;
    host.sync(Contact).await;
    let local = host.links(Contact).remove(0).0;
    assert_eq!(host.local(Contact, &local).get("job_title"), Some(&Value::text("CEO")));
    host.fake.advance_ms(2_000);
    user.update("contacts", ann, &json!({"firstName": "Ann"})).unwrap();
    host.edit(Contact, &local, &[("job_title", Value::text("CTO")), ("work_email", Value::text("ann@new-test.com"))]);
    host.sync(Contact).await;
    assert_eq!(host.local(Contact, &local).get("first_name"), Some(&Value::text("Ann")));
    assert_eq!(user.records("accountContacts")[0]["jobTitle"], "CTO");
    let held = &user.records("contacts")[0];
    assert_eq!((&held["email"], &held["lastName"]), (&json!("ann@new-test.com"), &json!("Roe")));
    host.edit(Contact, &local, &[("account", Value::Null), ("job_title", Value::Null)]);
    host.sync(Contact).await;
    assert!(user.records("accountContacts").is_empty());
    host.sync(Contact).await;
    host.fake.reset_calls();
    host.sync(Contact).await;
    assert_eq!(host.writes(), 0);
}

#[tokio::test]
async fn titles_without_an_account_are_told_and_set_once_there_is_one() {
    let host = Host::start(FakeActiveCampaign::builder()).await;
    let acme = host.create(Account, &[("name", Value::text("Acme")), ("website", Value::text("acme-test.com"))]);
    let person = |number: usize| {
        let fields = [
            ("work_email", Value::text(format!("n{number}@acme-test.com"))),
            ("job_title", Value::text("CTO")),
            ("account", Value::reference(acme.as_str())),
        ];
        host.create(Contact, &fields[..if number < 20 { 2 } else { 3 }]);
    };
    (0..40).for_each(person);
    let report = host.engine.push(&host.on, Contact, Selection::All).await.unwrap();
    assert_eq!((report.counts.created, report.counts.failed), (40, 0), "{:?}", report.counts);
    host.sync(Contact).await;
    host.fake.reset_calls();
    host.sync(Contact).await;
    assert_eq!(host.writes(), 0);
    assert!(host.fake.calls().total <= 8, "{:?}", host.fake.calls());
    host.engine.push(&host.on, Account, Selection::All).await.unwrap();
    host.sync(Contact).await;
    let associations = host.fake.user().records("accountContacts");
    assert_eq!(associations.iter().filter(|one| one["jobTitle"] == "CTO").count(), 20);
}

#[tokio::test]
async fn a_filter_is_the_servers_where_it_can_and_ours_where_not_and_the_plan_says_which() {
    let host = Host::start(FakeActiveCampaign::builder().seed_records(2_000)).await;
    let name = host.fake.user().records("accounts")[7]["name"].as_str().unwrap().to_owned();
    for (text, here) in [(format!("name = \"{name}\""), false), ("industry = \"Retail\"".to_owned(), true)] {
        let request = RunRequest::import(Account, Scope::Filter(parse(&text).unwrap()));
        host.fake.reset_calls();
        let plan = host.engine.preview(&host.on, &request).await.unwrap();
        assert_eq!(host.fake.calls().of("GET /api/3/accounts") == 1, !here, "{text}: {:?}", host.fake.calls());
        let report = host.engine.run(&host.on, &request).await.unwrap();
        assert_eq!(report.filtered_here.is_some(), here, "{text}: {:?}", report.filtered_here);
        assert!(report.counts.read > 0, "{text}");
        assert_eq!(plan.counts.read, report.counts.read, "{text}");
    }
}

#[tokio::test]
async fn a_plan_without_accounts_and_deals_is_told_so_and_has_its_contacts() {
    let host = Host::start(FakeActiveCampaign::builder().crm(false)).await;
    host.fake.user().create("contacts", &json!({"email": "ann@x-test.com"})).unwrap();
    let error = host.engine.import(&host.on, Account, Scope::All).await.unwrap_err();
    assert!(error.message().contains("the API key itself is good"), "{error}");
    let report = host.engine.import(&host.on, Contact, Scope::All).await.unwrap();
    assert_eq!((report.counts.created, report.counts.failed), (1, 0), "{:?}", report.counts);
}

#[tokio::test]
async fn a_sweep_finds_what_nothing_tells() {
    let host = Host::start(FakeActiveCampaign::builder()).await;
    let settings = Settings::with_policy(Policy::default().with_gone(GoneRule::Report));
    for resource in [Account, Contact, Opportunity] {
        host.engine.save_settings(&host.on, resource, &settings).await.unwrap();
    }
    let user = host.fake.user();
    let make = |object: &str, body: serde_json::Value| user.create(object, &body).unwrap();
    let (kept, merged) =
        (make("contacts", json!({"email": "a@x-test.com"})), make("contacts", json!({"email": "b@x-test.com"})));
    let account = make("accounts", json!({"name": "Acme"}));
    let deal =
        |title: &str| json!({"title": title, "value": 5, "currency": "usd", "contact": kept, "group": 1, "owner": 1});
    let (hidden, deleted) = (make("deals", deal("Hidden")), make("deals", deal("Deleted")));
    for resource in [Account, Contact, Opportunity] {
        host.sync(resource).await;
    }
    host.fake.advance_ms(5_000);
    assert!(user.merge_contacts(kept, merged) && user.delete("accounts", account) && user.delete("deals", deleted));
    user.hide_deal(hidden, true);
    for (resource, expected) in [(Account, account), (Contact, merged), (Opportunity, deleted)] {
        host.sync(resource).await;
        host.engine.sweep(&host.on, resource).await.unwrap();
        assert_eq!(host.gone(resource), [expected], "{resource}: a deal that may not be seen is not gone");
    }
}
