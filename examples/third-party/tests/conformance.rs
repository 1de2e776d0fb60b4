//! The connector keeps the contract, against the fake.

#![allow(clippy::unwrap_used, reason = "tests")]

use std::sync::Arc;

use abmatic_sync_core::clock::Clock;
use abmatic_sync_core::model::connection::{Connection, Credentials};
use abmatic_sync_core::model::resource::Resource;
use abmatic_sync_testkit::conformance::subject::Subject;
use abmatic_sync_testkit::conformance::suite::Suite;
use tiny_crm::connector::TinyConnector;
use tiny_crm::fake::FakeTiny;

#[tokio::test]
async fn it_keeps_the_contract() {
    let fake = Arc::new(FakeTiny::start().await);
    let on = Connection::new("tenant", "connection", "tiny", Credentials::token(fake.token()));
    let on = on.with_base_url(fake.base_url().parse().unwrap());
    let clock: Arc<dyn Clock> = fake;
    let subject = Subject::new(TinyConnector::new(Arc::clone(&clock)), on, Arc::clone(&clock))
        .with_twin(TinyConnector::new(clock))
        .exactly_once(Resource::Account)
        .exactly_once(Resource::Contact);
    let report = Suite::new(subject).run().await;
    println!("{report}");
    report.assert_passed();
}
