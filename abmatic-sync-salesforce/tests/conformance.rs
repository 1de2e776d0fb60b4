//! The connector keeps the contract, against the fake Salesforce.

#![allow(clippy::unwrap_used, reason = "a test that fails shall stop, in its helpers too")]

use std::sync::Arc;

use abmatic_sync_core::connector::contract::CrmConnector;
use abmatic_sync_core::connector::request::{Write, WriteOutcome};
use abmatic_sync_core::ids::{IntentId, RemoteId};
use abmatic_sync_core::model::connection::{Connection, Credentials};
use abmatic_sync_core::model::fields::Fields;
use abmatic_sync_core::model::resource::Resource;
use abmatic_sync_core::model::value::Value;
use abmatic_sync_salesforce::SalesforceConnector;
use abmatic_sync_testkit::conformance::subject::Subject;
use abmatic_sync_testkit::conformance::suite::Suite;
use abmatic_sync_testkit::fake::salesforce::FakeSalesforce;

const NOW_MS: i64 = 1_795_536_000_000;

/// Makes two records that a list will hold.
async fn members(connector: &SalesforceConnector, on: &Connection) -> Vec<RemoteId> {
    let create = |number: u8| Write::Create {
        intent: IntentId::new(format!("member-{number}")),
        fields: Fields::from_iter([
            ("Name", Value::text(format!("Member {number}"))),
            ("NumberOfEmployees", Value::Integer(4_242)),
        ]),
    };
    let outcomes = connector.write(on, Resource::Account, vec![create(1), create(2)]).await.unwrap();
    let id = |outcome| if let WriteOutcome::Written(written) = outcome { Some(written.id) } else { None };
    outcomes.into_iter().map(|outcome| id(outcome).unwrap()).collect()
}

#[tokio::test]
async fn it_keeps_the_contract() {
    let fake = FakeSalesforce::builder().simulated_clock(NOW_MS).start().await.unwrap();
    let clock = fake.clock();
    let connector = || SalesforceConnector::builder().clock(Arc::clone(&clock)).bulk_write_min(2_050).build();
    let on = Connection::new("t", "c", "salesforce", Credentials::token(fake.token()));
    let on = on.with_base_url(fake.base_url().parse().unwrap());
    let view = fake.user().create_list_view("Account", "Members", "NumberOfEmployees = 4242").unwrap();
    let members = members(&connector(), &on).await;
    let mut subject = Subject::new(connector(), on, Arc::clone(&clock))
        .with_twin(connector())
        .with_list(Resource::Account, view, members)
        .with_records_max(2_100);
    for resource in [Resource::Account, Resource::Contact, Resource::Lead, Resource::Opportunity] {
        subject = subject.exactly_once(resource);
        for field in ["Score__c", "Renewal_Date__c", "Last_Sync__c", "Is_Target__c", "Interests__c"] {
            subject = subject.with_field(resource, field);
        }
    }
    let report = Suite::new(subject).run().await;
    println!("{report}");
    report.assert_passed();
}
