//! The connector against the fake HubSpot: what state and rules on the other side make of its calls.

use std::collections::BTreeSet;
use std::time::Duration;

use abmatic_sync_core::clock::Clock;
use abmatic_sync_core::connector::contract::CrmConnector;
use abmatic_sync_core::connector::request::{
    CreateInDoubt, FindRequest, Read, ReadRequest, VerifyRequest, Write, WriteOutcome, Written,
};
use abmatic_sync_core::error::{ErrorCode, ErrorKind};
use abmatic_sync_core::filter::expr::{Comparison, Expr};
use abmatic_sync_core::ids::{FieldName, IntentId, RemoteId};
use abmatic_sync_core::model::connection::{Connection, Credentials};
use abmatic_sync_core::model::fields::Fields;
use abmatic_sync_core::model::record::RemoteRecord;
use abmatic_sync_core::model::resource::Resource;
use abmatic_sync_core::model::value::Value;
use abmatic_sync_http::clock::SystemClock;
use abmatic_sync_http::retry::RetryOptions;
use abmatic_sync_hubspot::HubspotConnector;
use abmatic_sync_testkit::fake::fault::{Fault, FaultKind};
use abmatic_sync_testkit::fake::hubspot::{Builder, FakeHubspot};

struct World {
    fake: FakeHubspot,
    connector: HubspotConnector,
    on: Connection,
}

impl World {
    /// An account without records, with our own properties made.
    async fn start() -> Self {
        Self::of(FakeHubspot::builder()).await
    }

    #[expect(clippy::unwrap_used, reason = "a test's fake starts")]
    async fn of(fake: Builder) -> Self {
        let fake = fake.search_lag_seconds(0.2).start().await.unwrap();
        let on = Connection::new("t", "c", "hubspot", Credentials::token(fake.token()));
        let on = on.with_base_url(fake.base_url().parse().unwrap());
        let mut retry = RetryOptions::default();
        retry.delay_min = Duration::from_millis(5);
        let connector = HubspotConnector::builder().retry(retry).visibility_lag_seconds(1).build();
        let world = Self { fake, connector, on };
        for resource in [Resource::Account, Resource::Contact, Resource::Opportunity] {
            world.connector.prepare(&world.on, resource).await.unwrap();
        }
        world
    }

    #[expect(clippy::unwrap_used, reason = "a test wants the outcomes")]
    async fn write(&self, resource: Resource, writes: Vec<Write>) -> Vec<WriteOutcome> {
        self.connector.write(&self.on, resource, writes).await.unwrap()
    }

    /// Makes one record.
    async fn make(&self, resource: Resource, intent: &str, fields: &[(&str, Value)]) -> Written {
        written(self.write(resource, vec![create(intent, fields)]).await.remove(0))
    }

    /// Every page of a read.
    #[expect(clippy::unwrap_used, reason = "a test wants the records")]
    async fn read(&self, request: ReadRequest) -> Vec<RemoteRecord> {
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

    /// Waits until the search index shows so many.
    #[expect(clippy::unwrap_used, reason = "a test wants the count")]
    async fn indexed(&self, resource: Resource, count: u64) {
        while self.connector.count(&self.on, resource, &Read::All).await.unwrap() != Some(count) {
            SystemClock.sleep(Duration::from_millis(250)).await;
        }
    }
}

fn create(intent: &str, fields: &[(&str, Value)]) -> Write {
    Write::Create { intent: IntentId::from(intent), fields: fields.iter().cloned().collect() }
}

#[expect(clippy::panic, reason = "a test wants the record")]
fn written(outcome: WriteOutcome) -> Written {
    match outcome {
        WriteOutcome::Written(written) => written,
        other => panic!("{other:?}"),
    }
}

fn update(id: &RemoteId, fields: &[(&str, Value)], before: &[(&str, Value)]) -> Write {
    let references_before: Fields = before.iter().cloned().collect();
    Write::Update {
        id: id.clone(),
        fields: fields.iter().cloned().collect(),
        references_before,
        unmodified_since: None,
    }
}

fn ids(records: &[RemoteRecord]) -> BTreeSet<&str> {
    records.iter().map(|record| record.id.as_str()).collect()
}

fn people(count: usize) -> Vec<Write> {
    let person = |n: usize| {
        let fields = [("email", format!("p{n}@example.com").into()), ("firstname", format!("P{n}").into())];
        create(&format!("person-{n}"), &fields)
    };
    (0..count).map(person).collect()
}

#[tokio::test]
async fn a_list_is_read_to_its_end() {
    let world = World::start().await;
    let outcomes = world.write(Resource::Contact, people(250)).await;
    let made: BTreeSet<String> = outcomes.into_iter().map(|outcome| written(outcome).id.to_string()).collect();
    let before = world.on.calls.total();
    let fields = ["email", "firstname"].map(FieldName::from);
    let records = world.read(ReadRequest::new(Resource::Contact, Read::All).with_fields(fields)).await;
    assert_eq!(world.on.calls.total() - before, 3, "a call a page");
    assert_eq!(records.len(), 250);
    assert!(ids(&records).iter().all(|id| made.contains(*id)));
    assert!(records.iter().all(|record| record.fields.len() == 2 && record.modified_at.is_some()));
}

#[tokio::test]
async fn a_create_that_is_sent_again_makes_nothing_new() {
    let world = World::start().await;
    let first = world.make(Resource::Account, "intent-1", &[("name", "Acme".into())]).await;
    let second = world.make(Resource::Account, "intent-1", &[("name", "Acme".into())]).await;
    assert_eq!(first.id, second.id);
    let doubt = |intent: &str| CreateInDoubt::new(IntentId::from(intent), SystemClock.now(), Fields::new());
    let request = VerifyRequest::new(Resource::Account, vec![doubt("intent-2"), doubt("intent-1")]);
    let found = world.connector.verify(&world.on, request).await.unwrap();
    assert_eq!(found.iter().map(|one| one.as_ref().map(|one| &one.id)).collect::<Vec<_>>(), [None, Some(&first.id)]);
}

#[tokio::test]
async fn a_create_in_doubt_that_somebody_archived_did_happen() {
    let world = World::start().await;
    let made = world.make(Resource::Account, "intent-1", &[("name", "Acme".into())]).await;
    assert!(world.fake.user().archive("companies", made.id.as_str()));
    let doubt = CreateInDoubt::new(IntentId::from("intent-1"), SystemClock.now(), Fields::new());
    let request = VerifyRequest::new(Resource::Account, vec![doubt]);
    let found = world.connector.verify(&world.on, request).await.unwrap();
    let found = found[0].as_ref().unwrap();
    assert_eq!((&found.id, found.deleted), (&made.id, true));
}

#[tokio::test]
async fn a_taken_address_names_its_record_and_spoils_no_other_row() {
    let world = World::start().await;
    let ann = world.make(Resource::Contact, "intent-1", &[("email", "Ann@Example.com".into())]).await;
    assert_eq!(ann.fields.get("email"), Some(&"ann@example.com".into()), "the base takes what the CRM keeps");
    let writes = vec![
        create("intent-2", &[("email", "ann@example.com".into())]),
        create("intent-3", &[("email", "bob@example.com".into())]),
    ];
    let mut outcomes = world.write(Resource::Contact, writes).await;
    written(outcomes.remove(1));
    let WriteOutcome::Failed(error) = outcomes.remove(0) else { panic!("a duplicate") };
    assert_eq!((error.kind(), error.existing_id()), (ErrorKind::Duplicate, Some(&ann.id)));
    let request =
        FindRequest::new(Resource::Contact, vec!["ann@example.com".to_owned(), "none@example.com".to_owned()]);
    let found = world.connector.find(&world.on, request).await.unwrap();
    assert_eq!(ids(&found), BTreeSet::from([ann.id.as_str()]));
}

#[tokio::test]
async fn a_search_passes_the_cap_of_10_000() {
    let world = World::start().await;
    let company = |n: usize| create(&format!("company-{n}"), &[("name", "Same".into())]);
    world.write(Resource::Account, (0..10_050).map(company).collect()).await;
    world.indexed(Resource::Account, 10_050).await;
    let filter = Expr::Compare { field: FieldName::from("name"), how: Comparison::Equal, value: "same".into() };
    let request = ReadRequest::new(Resource::Account, Read::Filter(filter)).with_fields([FieldName::from("name")]);
    let records = world.read(request).await;
    assert_eq!((records.len(), ids(&records).len()), (10_050, 10_050));
}

#[tokio::test]
async fn merged_records_are_followed() {
    let world = World::start().await;
    let a = world.make(Resource::Account, "a", &[("name", "A".into())]).await.id;
    let b = world.make(Resource::Account, "b", &[("name", "B".into())]).await.id;
    let survivor = RemoteId::from(world.fake.user().merge("companies", a.as_str(), b.as_str()).unwrap());
    let request = ReadRequest::new(Resource::Account, Read::Ids(vec![a.clone(), b.clone()]));
    let records = world.read(request).await;
    assert_eq!(records.len(), 1);
    assert_eq!(records[0].id, survivor);
    assert!(records[0].merged_ids.contains(&a) && records[0].merged_ids.contains(&b));
    let outcome = world.write(Resource::Account, vec![update(&b, &[("name", "C".into())], &[])]).await.remove(0);
    assert_eq!(written(outcome).id, survivor);
}

#[tokio::test]
async fn archived_records_are_told_and_no_more_read() {
    let world = World::start().await;
    let ann = world.make(Resource::Contact, "a", &[("email", "ann@example.com".into())]).await.id;
    written(world.write(Resource::Contact, vec![Write::Archive { id: ann.clone() }]).await.remove(0));
    let gone = world.read(ReadRequest::new(Resource::Contact, Read::Archived { since: None })).await;
    assert_eq!((gone.len(), gone[0].deleted, &gone[0].id), (1, true, &ann));
    assert!(world.read(ReadRequest::new(Resource::Contact, Read::Ids(vec![ann.clone()]))).await.is_empty());
    let outcome = world.write(Resource::Contact, vec![update(&ann, &[("firstname", "A".into())], &[])]).await.remove(0);
    assert!(matches!(outcome, WriteOutcome::Failed(error) if error.kind() == ErrorKind::NotFound));
}

#[tokio::test]
async fn relations_are_written_moved_and_read_in_every_scope() {
    let world = World::start().await;
    let acme = world.make(Resource::Account, "a", &[("name", "Acme".into())]).await.id;
    let bolt = world.make(Resource::Account, "b", &[("name", "Bolt".into())]).await.id;
    let to = |id: &RemoteId| Value::reference(id.as_str());
    let ann = world.make(Resource::Contact, "c", &[("account", to(&acme)), ("email", "ann@example.com".into())]).await;
    assert!(ann.warnings.is_empty(), "{:?}", ann.warnings);
    let deal = [
        ("account", to(&acme)),
        ("contacts", to(&ann.id)),
        ("dealname", "D".into()),
        ("dealstage", "closedwon".into()),
    ];
    let deal = world.make(Resource::Opportunity, "d", &deal).await;
    assert!(deal.warnings.is_empty(), "{:?}", deal.warnings);
    written(
        world
            .write(Resource::Contact, vec![update(&ann.id, &[("account", to(&bolt))], &[("account", to(&acme))])])
            .await
            .remove(0),
    );
    let account = [FieldName::from("account")];
    for read in [Read::All, Read::Ids(vec![ann.id.clone()])] {
        let people = world.read(ReadRequest::new(Resource::Contact, read).with_relations(account.clone())).await;
        assert_eq!(people[0].fields.get("account"), Some(&to(&bolt)));
    }
    let both = ["account", "contacts"].map(FieldName::from);
    let deals = world.read(ReadRequest::new(Resource::Opportunity, Read::All).with_relations(both)).await;
    let expected = Fields::from_iter([("account", to(&acme)), ("contacts", to(&ann.id))]);
    assert_eq!(deals[0].fields, expected);
}

#[tokio::test]
async fn leads_are_contacts_of_that_stage() {
    let world = World::start().await;
    let lead = world.make(Resource::Lead, "l", &[("email", "lead@example.com".into())]).await.id;
    let customer = [("email", "customer@example.com".into()), ("lifecyclestage", Value::Choice("customer".to_owned()))];
    world.make(Resource::Contact, "c", &customer).await;
    world.indexed(Resource::Contact, 2).await;
    let leads = world.read(ReadRequest::new(Resource::Lead, Read::All)).await;
    assert_eq!(ids(&leads), BTreeSet::from([lead.as_str()]));
}

#[tokio::test]
async fn members_of_a_list_are_a_scope() {
    let world = World::start().await;
    let made: Vec<Written> = world.write(Resource::Contact, people(120)).await.into_iter().map(written).collect();
    let members: Vec<&str> = made.iter().take(110).map(|written| written.id.as_str()).collect();
    let list = world.fake.user().create_list("contacts", "L", &members).unwrap();
    assert_eq!(
        world.connector.count(&world.on, Resource::Contact, &Read::List(list.clone())).await.unwrap(),
        Some(110)
    );
    let records = world.read(ReadRequest::new(Resource::Contact, Read::List(list))).await;
    assert_eq!(ids(&records), members.into_iter().collect());
}

#[tokio::test]
async fn changes_show_with_the_time_of_each_edit() {
    let world = World::start().await;
    let since = SystemClock.now() - chrono::TimeDelta::seconds(1);
    let ann = world.make(Resource::Contact, "a", &[("email", "ann@example.com".into())]).await.id;
    world.indexed(Resource::Contact, 1).await;
    let until = SystemClock.now() + chrono::TimeDelta::seconds(1);
    let read = Read::Changed { since, until, filter: None };
    let changed = world.read(ReadRequest::new(Resource::Contact, read)).await;
    assert_eq!(ids(&changed), BTreeSet::from([ann.as_str()]));
    let read = ReadRequest::new(Resource::Contact, Read::Ids(vec![ann])).with_fields([FieldName::from("email")]);
    let edited = world.read(read.with_edit_times()).await;
    assert!(edited[0].edited_at.contains_key("email"));
}

#[tokio::test]
async fn a_lost_answer_to_an_upsert_makes_no_second_record() {
    let world = World::start().await;
    for (intent, fault) in [
        ("i1", Fault::new(FaultKind::AnswerLost)),
        ("i2", Fault::new(FaultKind::TruncatedBody)),
        ("i3", Fault::new(FaultKind::ServerErrorAfterWrite).with_status(502)),
        ("i4", Fault::new(FaultKind::ConnectionReset)),
    ] {
        world.fake.inject(fault.on("batch/upsert"));
        world.make(Resource::Account, intent, &[("name", "Acme".into())]).await;
    }
    assert_eq!(world.fake.user().count("companies"), 4);
}

#[tokio::test]
async fn without_an_own_property_a_create_in_doubt_is_found_again() {
    let world = World::of(FakeHubspot::builder().allow_property_creation(false)).await;
    world.fake.inject(Fault::new(FaultKind::AnswerLost).on("batch/create"));
    let announced = SystemClock.now();
    let fields = [("name", Value::text("Acme"))];
    let outcome = world.write(Resource::Account, vec![create("i1", &fields)]).await.remove(0);
    assert!(matches!(outcome, WriteOutcome::Failed(error) if error.kind() == ErrorKind::Ambiguous));
    let doubt = |name: &str| {
        CreateInDoubt::new(IntentId::from(name), announced, Fields::from_iter([("name", Value::text(name))]))
    };
    let request = VerifyRequest::new(Resource::Account, vec![doubt("Acme"), doubt("Never")]);
    let found = world.connector.verify(&world.on, request).await.unwrap();
    let held = world.fake.user().records("companies");
    assert_eq!(found[0].as_ref().map(|one| one.id.as_str()), Some(held[0].id.as_str()));
    assert!(found[1].is_none() && held.len() == 1);
}

#[tokio::test]
async fn plain_creates_come_back_in_any_order_with_their_relations() {
    let world = World::of(FakeHubspot::builder().allow_property_creation(false)).await;
    let companies = (0..50).map(|n| create(&format!("c{n}"), &[("name", format!("Company {n}").into())])).collect();
    let companies: Vec<Written> = world.write(Resource::Account, companies).await.into_iter().map(written).collect();
    let user = world.fake.user();
    for (n, company) in companies.iter().enumerate() {
        let held = user.record("companies", company.id.as_str()).unwrap();
        assert_eq!(held.get("name"), format!("Company {n}"));
    }
    let account = Value::reference(companies[7].id.as_str());
    let ann = world.make(Resource::Contact, "p", &[("account", account), ("email", "ann@example.com".into())]).await;
    assert_eq!(user.associated(("contacts", ann.id.as_str()), "companies"), [companies[7].id.as_str()]);
}

#[tokio::test]
async fn passing_failures_of_a_read_pass_and_lasting_ones_are_clear() {
    let world = World::start().await;
    world.write(Resource::Contact, people(150)).await;
    let request = || ReadRequest::new(Resource::Contact, Read::All);
    for fault in [
        Fault::new(FaultKind::AnswerLost),
        Fault::new(FaultKind::ServerError).with_status(503).as_html(),
        Fault::new(FaultKind::RateLimited).with_retry_after_seconds(0),
        Fault::new(FaultKind::TruncatedBody),
        Fault::new(FaultKind::Locked).with_retry_after_seconds(0),
    ] {
        world.fake.inject(fault);
        assert_eq!(world.read(request()).await.len(), 150);
    }
    for (fault, code) in [
        (FaultKind::GarbageJson, ErrorCode::InvalidAnswer),
        (FaultKind::RevokedToken, ErrorCode::InvalidSession),
        (FaultKind::ExpiredToken, ErrorCode::InvalidSession),
    ] {
        world.fake.inject(Fault::new(fault));
        assert_eq!(world.connector.read(&world.on, request()).await.unwrap_err().code(), code);
    }
    let first = world.connector.read(&world.on, request()).await.unwrap();
    world.fake.inject(Fault::new(FaultKind::RepeatedPage));
    let error = world.connector.read(&world.on, request().at(first.next)).await.unwrap_err();
    assert_eq!(error.code(), ErrorCode::RepeatedPage);
}
