//! The connector keeps the contract, against the fake HubSpot.

#![allow(clippy::unwrap_used, reason = "a test that fails shall stop, in its helpers too")]

use std::sync::Arc;

use abmatic_sync_core::connector::contract::CrmConnector;
use abmatic_sync_core::connector::request::{Write, WriteOutcome};
use abmatic_sync_core::ids::{IntentId, RemoteId};
use abmatic_sync_core::model::connection::{Connection, Credentials};
use abmatic_sync_core::model::fields::Fields;
use abmatic_sync_core::model::resource::Resource;
use abmatic_sync_core::model::value::Value;
use abmatic_sync_hubspot::HubspotConnector;
use abmatic_sync_testkit::conformance::subject::Subject;
use abmatic_sync_testkit::conformance::suite::Suite;
use abmatic_sync_testkit::fake::hubspot::FakeHubspot;

const NOW_MS: i64 = 1_795_536_000_000;

/// Makes two records that a list will hold.
async fn members(connector: &HubspotConnector, on: &Connection) -> Vec<RemoteId> {
    let create = |number: u8| Write::Create {
        intent: IntentId::new(format!("member-{number}")),
        fields: Fields::from_iter([("email", Value::text(format!("m{number}@example.com")))]),
    };
    let outcomes = connector.write(on, Resource::Contact, vec![create(1), create(2)]).await.unwrap();
    let id = |outcome| if let WriteOutcome::Written(written) = outcome { Some(written.id) } else { None };
    outcomes.into_iter().map(|outcome| id(outcome).unwrap()).collect()
}

#[tokio::test]
async fn it_keeps_the_contract() {
    let fake = FakeHubspot::builder().simulated_clock(NOW_MS).start().await.unwrap();
    let clock = fake.clock();
    let connector = || HubspotConnector::builder().clock(Arc::clone(&clock)).build();
    let on = Connection::new("t", "c", "hubspot", Credentials::token(fake.token()));
    let on = on.with_base_url(fake.base_url().parse().unwrap());
    let members = members(&connector(), &on).await;
    let ids: Vec<&str> = members.iter().map(RemoteId::as_str).collect();
    let list = fake.user().create_list("contacts", "Members", &ids).unwrap();
    let mut subject = Subject::new(connector(), on, Arc::clone(&clock))
        .with_twin(connector())
        .with_list(Resource::Contact, list, members)
        .with_field(Resource::Account, "is_public")
        .with_field(Resource::Account, "web_technologies")
        .with_field(Resource::Account, "closedate")
        .with_field(Resource::Contact, "closedate");
    for resource in [Resource::Account, Resource::Contact, Resource::Lead, Resource::Opportunity] {
        subject = subject.exactly_once(resource);
    }
    let report = Suite::new(subject).run().await;
    println!("{report}");
    report.assert_passed();
}
