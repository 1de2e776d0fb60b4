//! The connector keeps the contract, against the fake.

#![allow(clippy::unwrap_used, reason = "tests")]

use std::sync::Arc;
use std::time::Duration;

use abmatic_sync_core::clock::Clock;
use abmatic_sync_core::model::connection::{Connection, Credentials};
use abmatic_sync_core::model::resource::Resource;
use abmatic_sync_testkit::conformance::subject::Subject;
use abmatic_sync_testkit::conformance::suite::Suite;
use async_trait::async_trait;
use chrono::{DateTime, Utc};
use tiny_crm::connector::TinyConnector;
use tiny_crm::fake::FakeTiny;

/// The fake's time, which passes only while somebody waits for it.
#[derive(Debug)]
struct FakeTime(FakeTiny);

#[async_trait]
impl Clock for FakeTime {
    fn now(&self) -> DateTime<Utc> {
        DateTime::from_timestamp_millis(self.0.now_ms()).unwrap()
    }

    async fn sleep(&self, duration: Duration) {
        self.0.advance_ms(i64::try_from(duration.as_millis()).unwrap());
    }
}

#[tokio::test]
async fn it_keeps_the_contract() {
    let fake = FakeTiny::start().await;
    let on = Connection::new("tenant", "connection", "tiny", Credentials::token(fake.token()));
    let on = on.with_base_url(fake.base_url().parse().unwrap());
    let clock: Arc<dyn Clock> = Arc::new(FakeTime(fake));
    let subject = Subject::new(TinyConnector::new(Arc::clone(&clock)), on, Arc::clone(&clock))
        .with_twin(TinyConnector::new(clock))
        .exactly_once(Resource::Account)
        .exactly_once(Resource::Contact);
    let report = Suite::new(subject).run().await;
    println!("{report}");
    report.assert_passed();
}
