//! A host syncs over the connector: what it made goes there, an edit there comes back, and then nothing is written.

#![allow(clippy::unwrap_used, reason = "tests")]

use std::sync::Arc;
use std::time::Duration;

use abmatic_sync_core::clock::Clock;
use abmatic_sync_core::connector::contract::CrmConnector;
use abmatic_sync_core::connector::request::{Read, ReadRequest, Write};
use abmatic_sync_core::engine::Engine;
use abmatic_sync_core::ids::{FieldName, TenantId};
use abmatic_sync_core::model::connection::{Connection, Credentials};
use abmatic_sync_core::model::fields::Fields;
use abmatic_sync_core::model::resource::Resource::{Account, Contact};
use abmatic_sync_core::model::schema::{Field, FieldType, Schema};
use abmatic_sync_core::model::value::Value;
use abmatic_sync_core::policy::Scope;
use abmatic_sync_http::clock::SystemIds;
use abmatic_sync_testkit::memory::store::MemoryStore;
use tiny_crm::connector::TinyConnector;
use tiny_crm::fake::FakeTiny;

#[tokio::test]
async fn both_sides_become_equal_and_stay_so() {
    let fake = Arc::new(FakeTiny::start().await);
    let on = Connection::new("t", "c", "tiny", Credentials::token(fake.token()));
    let on = on.with_base_url(fake.base_url().parse().unwrap());
    let text = |name| Field::new(name, FieldType::Text);
    let account =
        vec![text("name"), Field::new("website", FieldType::Url), Field::new("employee_count", FieldType::Integer)];
    let contact = vec![text("last_name"), text("job_title"), Field::new("work_email", FieldType::Email)];
    let store = MemoryStore::new([
        (Account, Schema::new(account).with_key_field("website")),
        (Contact, Schema::new(contact).with_key_field("work_email")),
    ]);
    let clock: Arc<dyn Clock> = Arc::clone(&fake) as Arc<dyn Clock>;
    let tenant = TenantId::from("t");
    let make = |resource, fields: Fields| store.create(&tenant, resource, fields, fake.now());
    let acme = make(Account, Fields::from_iter([("name", "Acme".into()), ("website", "acme.com".into())]));
    let account = Value::reference(acme.as_str());
    make(Contact, Fields::from_iter([("work_email", "ann@acme.com".into()), ("account", account)]));

    let connector = TinyConnector::new(Arc::clone(&clock));
    let engine = Engine::new(Arc::new(store.clone()), Arc::clone(&clock), Arc::new(SystemIds));
    let engine = engine.with_connector(TinyConnector::new(clock));
    for resource in [Account, Contact] {
        let report = engine.sync(&on, resource, Scope::All).await.unwrap();
        assert_eq!((report.counts.created, report.counts.failed), (1, 0), "{resource}");
    }
    let names = [FieldName::from("account")];
    let people = connector.read(&on, ReadRequest::new(Contact, Read::All).with_relations(names)).await.unwrap().records;
    let companies = connector.read(&on, ReadRequest::new(Account, Read::All)).await.unwrap().records;
    assert_eq!(people[0].fields.get("account"), Some(&Value::reference(companies[0].id.as_str())));

    fake.sleep(Duration::from_secs(3_600)).await;
    let edit = Write::Update {
        id: companies[0].id.clone(),
        fields: Fields::from_iter([("employees", Value::Integer(42))]),
        references_before: Fields::new(),
        unmodified_since: None,
    };
    connector.write(&on, Account, vec![edit]).await.unwrap();
    engine.sync(&on, Account, Scope::All).await.unwrap();
    let held = store.records_of(&tenant, Account).remove(0).fields;
    assert_eq!(held.get("employee_count"), Some(&Value::Integer(42)));

    let before = store.records_of(&tenant, Account);
    let report = engine.sync(&on, Account, Scope::All).await.unwrap();
    assert_eq!((report.counts.created, report.counts.updated), (0, 0));
    assert_eq!(store.records_of(&tenant, Account), before);
}
