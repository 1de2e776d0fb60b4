//! The connector keeps the contract, against the fake ActiveCampaign.

#![allow(clippy::unwrap_used, reason = "a test that fails shall stop, in its helpers too")]

use std::sync::Arc;

use abmatic_sync_activecampaign::ActiveCampaignConnector;
use abmatic_sync_core::connector::contract::CrmConnector;
use abmatic_sync_core::connector::request::{Write, WriteOutcome};
use abmatic_sync_core::ids::{IntentId, RemoteId};
use abmatic_sync_core::model::connection::{Connection, Credentials};
use abmatic_sync_core::model::fields::Fields;
use abmatic_sync_core::model::resource::Resource;
use abmatic_sync_core::model::value::Value;
use abmatic_sync_testkit::conformance::subject::Subject;
use abmatic_sync_testkit::conformance::suite::Suite;
use abmatic_sync_testkit::fake::activecampaign::FakeActiveCampaign;

const NOW_MS: i64 = 1_795_536_000_000;

/// Makes two records that a list will hold.
async fn members(connector: &ActiveCampaignConnector, on: &Connection) -> Vec<RemoteId> {
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
    let fake = FakeActiveCampaign::builder().simulated_clock(NOW_MS).start().await.unwrap();
    let clock = fake.clock();
    let connector = || ActiveCampaignConnector::builder().clock(Arc::clone(&clock)).build();
    let on = Connection::new("t", "c", "activecampaign", Credentials::token(fake.token()));
    let on = on.with_base_url(fake.base_url().parse().unwrap());
    let members = members(&connector(), &on).await;
    for id in &members {
        fake.user().subscribe(1, id.as_str().parse().unwrap());
    }
    let subject = Subject::new(connector(), on, Arc::clone(&clock))
        .with_twin(connector())
        .with_list(Resource::Contact, "1", members)
        .with_field(Resource::Account, "description")
        .with_field(Resource::Account, "annual_revenue")
        .with_field(Resource::Contact, "SEATS")
        .with_field(Resource::Contact, "RENEWAL")
        .with_field(Resource::Contact, "INTERESTS")
        .with_sample_relation(Resource::Opportunity, "contacts")
        .without_field(Resource::Account, "employee_count");
    let report = Suite::new(subject).run().await;
    println!("{report}");
    report.assert_passed();
}
