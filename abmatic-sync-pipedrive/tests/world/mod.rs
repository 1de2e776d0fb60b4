//! The connector on the fake Pipedrive, as several tests have it.

#![allow(dead_code, reason = "each test takes its part")]

use std::sync::Arc;
use std::time::Duration;

use abmatic_sync_core::clock::Clock;
use abmatic_sync_core::connector::contract::CrmConnector;
use abmatic_sync_core::connector::request::{Read, ReadRequest, Write, WriteOutcome, Written};
use abmatic_sync_core::ids::{FieldName, IntentId, RemoteId};
use abmatic_sync_core::model::connection::{Connection, Credentials};
use abmatic_sync_core::model::record::RemoteRecord;
use abmatic_sync_core::model::resource::Resource;
use abmatic_sync_core::model::value::Value;
use abmatic_sync_http::clock::SystemClock;
use abmatic_sync_pipedrive::PipedriveConnector;
use abmatic_sync_testkit::conformance::subject::Subject;
use abmatic_sync_testkit::fake::pipedrive::{Builder, FakePipedrive, Field};
use async_trait::async_trait;
use chrono::{DateTime, Utc};

/// The system's time, for which nobody waits.
#[derive(Debug)]
pub(crate) struct Hasty;

#[async_trait]
impl Clock for Hasty {
    fn now(&self) -> DateTime<Utc> {
        SystemClock.now()
    }

    async fn sleep(&self, _: Duration) {}
}

/// A fake, the connector, and their connection.
pub(crate) struct World {
    pub(crate) fake: FakePipedrive,
    pub(crate) connector: PipedriveConnector,
    pub(crate) on: Connection,
}

impl World {
    pub(crate) async fn start() -> Self {
        Self::of(FakePipedrive::builder()).await
    }

    pub(crate) async fn of(fake: Builder) -> Self {
        let world = Self::on(fake.start().await.unwrap());
        // What is learnt once is not counted by the tests of calls.
        for resource in [Resource::Account, Resource::Contact, Resource::Opportunity] {
            world.connector.describe(&world.on, resource).await.unwrap();
        }
        world.fake.reset_calls();
        world
    }

    /// The connector on a fake that listens.
    pub(crate) fn on(fake: FakePipedrive) -> Self {
        let on = connection(&fake);
        Self { connector: Self::connector(), fake, on }
    }

    pub(crate) fn connector() -> PipedriveConnector {
        PipedriveConnector::builder().clock(Arc::new(Hasty)).settle_seconds(0).build()
    }

    pub(crate) async fn write(&self, resource: Resource, writes: Vec<Write>) -> Vec<WriteOutcome> {
        self.connector.write(&self.on, resource, writes).await.unwrap()
    }

    pub(crate) async fn make(&self, resource: Resource, fields: &[(&str, Value)]) -> Written {
        written(self.write(resource, vec![create("i", fields)]).await.remove(0))
    }

    /// Every page of a read.
    pub(crate) async fn read(&self, request: ReadRequest) -> Vec<RemoteRecord> {
        let (mut records, mut cursor) = (Vec::new(), None);
        loop {
            let page = self.connector.read(&self.on, request.clone().at(cursor)).await.unwrap();
            assert!(page.undecodable.is_empty());
            records.extend(page.records);
            cursor = page.next;
            if cursor.is_none() {
                return records;
            }
        }
    }

    pub(crate) fn request(resource: Resource, read: Read, fields: &[&str]) -> ReadRequest {
        ReadRequest::new(resource, read).with_fields(fields.iter().map(|name| FieldName::from(*name)))
    }
}

fn connection(fake: &FakePipedrive) -> Connection {
    let on = Connection::new("t", "c", "pipedrive", Credentials::token(fake.token()));
    on.with_base_url(fake.base_url().parse().unwrap())
}

pub(crate) fn create(intent: &str, fields: &[(&str, Value)]) -> Write {
    Write::Create { intent: IntentId::from(intent), fields: fields.iter().cloned().collect() }
}

pub(crate) fn update(id: &RemoteId, fields: &[(&str, Value)]) -> Write {
    Write::Update {
        id: id.clone(),
        fields: fields.iter().cloned().collect(),
        references_before: Default::default(),
        unmodified_since: None,
    }
}

pub(crate) fn written(outcome: WriteOutcome) -> Written {
    match outcome {
        WriteOutcome::Written(written) => written,
        other => panic!("{other:?}"),
    }
}

/// Makes two records that a list will hold.
async fn members(connector: &PipedriveConnector, on: &Connection) -> Vec<RemoteId> {
    let member = |intent: &str| create(intent, &[("name", intent.into()), ("employee_count", Value::Integer(4_242))]);
    let outcomes = connector.write(on, Resource::Account, vec![member("Member 1"), member("Member 2")]).await.unwrap();
    outcomes.into_iter().map(|outcome| written(outcome).id).collect()
}

/// A company of which a suite of the contract has all that it asks for; its time stands still.
pub(crate) fn company() -> Builder {
    FakePipedrive::builder()
        .contact_sync(true)
        .field("organizations", Field::new("Score", "double"))
        .field("organizations", Field::new("Renewal", "date"))
        .field("organizations", Field::new("Interests", "set").with_options(&["Ads", "Mail", "Other"]))
        .simulated_clock(1_795_536_000_000)
}

/// What a suite of the contract is run on.
pub(crate) async fn subject(fake: &FakePipedrive) -> Subject {
    let clock = fake.clock();
    let connector = || PipedriveConnector::builder().clock(Arc::clone(&clock)).build();
    let on = connection(fake);
    let list = fake.user().create_filter("organizations", "Members", ("employee_count", "=", "4242")).unwrap();
    let members = members(&connector(), &on).await;
    let code = |name: &str| fake.user().field_code("organizations", name).unwrap();
    Subject::new(connector(), on, Arc::clone(&clock))
        .with_twin(connector())
        .with_list(Resource::Account, list.to_string(), members)
        .with_field(Resource::Account, code("Score"))
        .with_field(Resource::Account, code("Renewal"))
        .with_field(Resource::Account, code("Interests"))
}
