//! The connector keeps the contract, against the fake Pipedrive.

#![allow(clippy::unwrap_used, reason = "a test that fails shall stop, in its helpers too")]

use std::sync::Arc;

use abmatic_sync_core::connector::contract::CrmConnector;
use abmatic_sync_core::connector::request::{Write, WriteOutcome};
use abmatic_sync_core::ids::{IntentId, RemoteId};
use abmatic_sync_core::model::connection::{Connection, Credentials};
use abmatic_sync_core::model::fields::Fields;
use abmatic_sync_core::model::resource::Resource;
use abmatic_sync_core::model::value::Value;
use abmatic_sync_pipedrive::PipedriveConnector;
use abmatic_sync_testkit::conformance::subject::Subject;
use abmatic_sync_testkit::conformance::suite::Suite;
use abmatic_sync_testkit::fake::pipedrive::{FakePipedrive, Field};

const NOW_MS: i64 = 1_795_536_000_000;

/// Makes two records that a list will hold.
async fn members(connector: &PipedriveConnector, on: &Connection) -> Vec<RemoteId> {
    let create = |number: u8| Write::Create {
        intent: IntentId::new(format!("member-{number}")),
        fields: Fields::from_iter([
            ("name", Value::text(format!("Member {number}"))),
            ("employee_count", Value::Integer(4_242)),
        ]),
    };
    let outcomes = connector.write(on, Resource::Account, vec![create(1), create(2)]).await.unwrap();
    let id = |outcome| if let WriteOutcome::Written(written) = outcome { Some(written.id) } else { None };
    outcomes.into_iter().map(|outcome| id(outcome).unwrap()).collect()
}

#[tokio::test]
async fn it_keeps_the_contract() {
    let fake = FakePipedrive::builder()
        .contact_sync(true)
        .field("organizations", Field::new("Score", "double"))
        .field("organizations", Field::new("Renewal", "date"))
        .field("organizations", Field::new("Interests", "set").with_options(&["Ads", "Mail", "Other"]))
        .simulated_clock(NOW_MS)
        .start()
        .await
        .unwrap();
    let clock = fake.clock();
    let connector = || PipedriveConnector::builder().clock(Arc::clone(&clock)).build();
    let on = Connection::new("t", "c", "pipedrive", Credentials::token(fake.token()));
    let on = on.with_base_url(fake.base_url().parse().unwrap());
    let list = fake.user().create_filter("organizations", "Members", ("employee_count", "=", "4242")).unwrap();
    let members = members(&connector(), &on).await;
    let code = |name: &str| fake.user().field_code("organizations", name).unwrap();
    let subject = Subject::new(connector(), on, Arc::clone(&clock))
        .with_twin(connector())
        .with_list(Resource::Account, list.to_string(), members)
        .with_field(Resource::Account, code("Score"))
        .with_field(Resource::Account, code("Renewal"))
        .with_field(Resource::Account, code("Interests"));
    let report = Suite::new(subject).run().await;
    println!("{report}");
    report.assert_passed();
}
