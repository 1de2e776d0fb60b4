//! The connector against the fake Salesforce: what state and rules on the other side make of its calls.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "tests")]

use std::collections::BTreeSet;
use std::time::Duration;

use abmatic_sync_core::clock::Clock;
use abmatic_sync_core::connector::contract::CrmConnector;
use abmatic_sync_core::connector::request::{
    CreateInDoubt, FindRequest, Read, ReadRequest, VerifyRequest, Write, WriteOutcome, Written,
};
use abmatic_sync_core::error::{ErrorCode, ErrorKind};
use abmatic_sync_core::filter::check::check;
use abmatic_sync_core::filter::eval::holds;
use abmatic_sync_core::filter::parse::parse;
use abmatic_sync_core::ids::{FieldName, IntentId, RemoteId};
use abmatic_sync_core::model::connection::{Connection, Credentials};
use abmatic_sync_core::model::fields::Fields;
use abmatic_sync_core::model::record::RemoteRecord;
use abmatic_sync_core::model::resource::Resource;
use abmatic_sync_core::model::value::Value;
use abmatic_sync_http::clock::SystemClock;
use abmatic_sync_http::retry::RetryOptions;
use abmatic_sync_salesforce::{Compression, SalesforceBuilder, SalesforceConnector};
use abmatic_sync_testkit::fake::fault::{Fault, FaultKind};
use abmatic_sync_testkit::fake::salesforce::{Builder, FakeSalesforce};
use async_trait::async_trait;
use chrono::{DateTime, TimeDelta, Utc};

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

struct World {
    fake: FakeSalesforce,
    connector: SalesforceConnector,
    on: Connection,
}

impl World {
    /// An org without records.
    async fn start() -> Self {
        Self::of(FakeSalesforce::builder()).await
    }

    /// An org whose admin has not made our external id.
    async fn without_key() -> Self {
        let hidden = ["Account", "Contact", "Lead", "Opportunity"];
        Self::of(hidden.iter().fold(FakeSalesforce::builder(), |fake, object| fake.hide_field(object, "Abmatic_Id__c")))
            .await
    }

    async fn of(fake: Builder) -> Self {
        Self::with(fake, |builder| builder).await
    }

    async fn with(fake: Builder, choose: impl FnOnce(SalesforceBuilder) -> SalesforceBuilder) -> Self {
        let fake = fake.start().await.unwrap();
        let on = Connection::new("t", "c", "salesforce", Credentials::token(fake.token()));
        let on = on.with_base_url(fake.base_url().parse().unwrap());
        let builder = SalesforceConnector::builder().retry(RetryOptions::default()).clock(std::sync::Arc::new(Hasty));
        Self { fake, connector: choose(builder.settle_seconds(0)).build(), on }
    }

    async fn write(&self, resource: Resource, writes: Vec<Write>) -> Vec<WriteOutcome> {
        self.connector.write(&self.on, resource, writes).await.unwrap()
    }

    /// Makes one record.
    async fn make(&self, resource: Resource, intent: &str, fields: &[(&str, Value)]) -> Written {
        written(self.write(resource, vec![create(intent, fields)]).await.remove(0))
    }

    /// Every page of a read.
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

    /// What changed in the last hour.
    fn lately() -> Read {
        let now = SystemClock.now();
        Read::Changed { since: now - TimeDelta::hours(1), until: now + TimeDelta::hours(1), filter: None }
    }
}

fn create(intent: &str, fields: &[(&str, Value)]) -> Write {
    Write::Create { intent: IntentId::from(intent), fields: fields.iter().cloned().collect() }
}

fn written(outcome: WriteOutcome) -> Written {
    match outcome {
        WriteOutcome::Written(written) => written,
        other => panic!("{other:?}"),
    }
}

fn failed(outcome: WriteOutcome) -> abmatic_sync_core::error::Error {
    match outcome {
        WriteOutcome::Failed(error) => error,
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
        let fields = [("Email", format!("p{n}@example.com").into()), ("LastName", format!("P{n}").into())];
        create(&format!("person-{n}"), &fields)
    };
    (0..count).map(person).collect()
}

fn names<const N: usize>(names: [&str; N]) -> [FieldName; N] {
    names.map(FieldName::from)
}

#[tokio::test]
async fn a_thousand_are_written_and_read_in_few_calls() {
    let world = World::with(FakeSalesforce::builder(), |builder| builder.compression(Compression::Gzip)).await;
    world.connector.describe(&world.on, Resource::Contact).await.unwrap();
    let before = world.on.calls.total();
    let outcomes = world.write(Resource::Contact, people(1_000)).await;
    let made: BTreeSet<String> = outcomes.into_iter().map(|outcome| written(outcome).id.to_string()).collect();
    assert_eq!(
        (made.len(), world.on.calls.total() - before),
        (1_000, 6),
        "five Collections and one read of what they hold"
    );
    let before = world.on.calls.total();
    let records =
        world.read(ReadRequest::new(Resource::Contact, Read::All).with_fields(names(["Email", "LastName"]))).await;
    assert_eq!((records.len(), world.on.calls.total() - before), (1_000, 1));
    assert!(ids(&records).iter().all(|id| made.contains(*id)));
    assert!(
        records
            .iter()
            .all(|record| record.fields.len() == 2 && record.modified_at.is_some() && record.created_at.is_some())
    );
    let before = world.on.calls.total();
    let keys = (0..1_000).map(|n| format!("p{n}@example.com")).collect();
    assert_eq!(world.connector.find(&world.on, FindRequest::new(Resource::Contact, keys)).await.unwrap().len(), 1_000);
    let request =
        ReadRequest::new(Resource::Contact, Read::Ids(made.iter().map(|id| RemoteId::from(id.as_str())).collect()));
    assert_eq!(world.read(request).await.len(), 1_000);
    assert_eq!(world.on.calls.total() - before, 2, "a look-up and a retrieve");
}

#[tokio::test]
async fn pages_go_on_where_a_locator_has_died() {
    let world = World::of(FakeSalesforce::builder().query_page_max(200)).await;
    world.write(Resource::Contact, people(700)).await;
    for read in [Read::All, World::lately()] {
        let request = ReadRequest::new(Resource::Contact, read).with_fields(names(["Email"]));
        let (mut records, mut cursor) = (Vec::new(), None);
        loop {
            let page = world.connector.read(&world.on, request.clone().at(cursor)).await.unwrap();
            records.extend(page.records);
            world.fake.expire_locators();
            cursor = page.next;
            if cursor.is_none() {
                break;
            }
        }
        assert_eq!((records.len(), ids(&records).len()), (700, 700));
    }
}

#[tokio::test]
async fn a_large_read_goes_by_bulk_and_holds_the_same() {
    let fake = || FakeSalesforce::builder().seed_accounts(450).query_page_max(200).bulk_polls(9).bulk_page_max(100);
    let bulk = World::with(fake(), |builder| builder.bulk_read_min(400).bulk_page(100)).await;
    let rest = World::of(fake()).await;
    let fields = names([
        "AnnualRevenue",
        "BillingStreet",
        "Description",
        "Interests__c",
        "Is_Target__c",
        "LastModifiedDate",
        "Name",
        "Renewal_Date__c",
        "Website",
    ]);
    let request = || ReadRequest::new(Resource::Account, Read::All).with_fields(fields.clone());
    let shown = |records: Vec<RemoteRecord>| {
        let key = |record: RemoteRecord| {
            (record.id.to_string(), record.fields.get("Name").cloned().unwrap_or_default().to_string(), record.fields)
        };
        let mut shown: Vec<_> = records.into_iter().map(key).collect();
        shown.sort_by(|a, b| (&a.0, &a.1).cmp(&(&b.0, &b.1)));
        shown
    };
    let (by_bulk, by_rest) = (shown(bulk.read(request()).await), shown(rest.read(request()).await));
    assert_eq!(by_bulk.len(), 450);
    for (a, b) in by_bulk.iter().zip(&by_rest) {
        let told = |fields: &Fields| {
            fields
                .iter()
                .filter(|(name, _)| name.as_str() != "LastModifiedDate")
                .map(|(name, value)| (name.clone(), value.clone()))
                .collect::<Vec<_>>()
        };
        assert_eq!(told(&a.2), told(&b.2));
        assert!(matches!(a.2.get("LastModifiedDate"), Some(Value::Instant(_))));
    }
    assert!(bulk.fake.calls().of("POST /services/data/{v}/jobs/query") >= 1, "{:?}", bulk.fake.calls());
}

#[tokio::test]
async fn a_create_that_is_sent_again_makes_nothing_new() {
    let world = World::start().await;
    let first = world.make(Resource::Account, "intent-1", &[("Name", "Acme".into())]).await;
    let second = world.make(Resource::Account, "intent-1", &[("Name", "Acme".into())]).await;
    assert_eq!(first.id, second.id);
    let doubt = |intent: &str| CreateInDoubt::new(IntentId::from(intent), SystemClock.now(), Fields::new());
    let request = VerifyRequest::new(Resource::Account, vec![doubt("intent-2"), doubt("intent-1")]);
    let found = world.connector.verify(&world.on, request).await.unwrap();
    assert_eq!(found.iter().map(|one| one.as_ref().map(|one| &one.id)).collect::<Vec<_>>(), [None, Some(&first.id)]);
}

#[tokio::test]
async fn a_create_in_doubt_that_somebody_deleted_did_happen() {
    let world = World::start().await;
    let made = world.make(Resource::Account, "intent-1", &[("Name", "Acme".into())]).await;
    assert!(world.fake.user().delete("Account", made.id.as_str()));
    let doubt = CreateInDoubt::new(IntentId::from("intent-1"), SystemClock.now(), Fields::new());
    let request = VerifyRequest::new(Resource::Account, vec![doubt]);
    let found = world.connector.verify(&world.on, request).await.unwrap();
    let found = found[0].as_ref().unwrap();
    assert_eq!((&found.id, found.deleted), (&made.id, true));
}

#[tokio::test]
async fn a_lost_answer_to_an_upsert_makes_no_second_record() {
    let world = World::start().await;
    for (intent, fault) in [
        ("i1", Fault::new(FaultKind::AnswerLost)),
        ("i2", Fault::new(FaultKind::TruncatedBody)),
        ("i3", Fault::new(FaultKind::ServerErrorAfterWrite).with_status(500)),
        ("i4", Fault::new(FaultKind::ConnectionReset)),
    ] {
        world.fake.inject(fault.on("composite/sobjects/Account/Abmatic_Id__c"));
        world.make(Resource::Account, intent, &[("Name", "Acme".into())]).await;
    }
    assert_eq!(world.fake.user().count("Account"), 4);
}

#[tokio::test]
async fn without_an_external_id_a_create_in_doubt_is_found_again() {
    let world = World::without_key().await;
    world.fake.inject(Fault::new(FaultKind::AnswerLost).on("composite/sobjects"));
    let announced = SystemClock.now();
    let fields = |name: &str| Fields::from_iter([("Name", Value::text(name))]);
    let outcome = world.write(Resource::Account, vec![create("i1", &[("Name", "Acme".into())])]).await.remove(0);
    assert_eq!(failed(outcome).kind(), ErrorKind::Ambiguous);
    let doubt = |name: &str| CreateInDoubt::new(IntentId::from(name), announced, fields(name));
    let request = VerifyRequest::new(Resource::Account, vec![doubt("Acme"), doubt("Never")]);
    let found = world.connector.verify(&world.on, request).await.unwrap();
    let held = world.fake.user().records("Account");
    assert_eq!(found[0].as_ref().map(|one| one.id.as_str()), Some(held[0].id.as_str()));
    assert!(found[1].is_none() && held.len() == 1);
}

#[tokio::test]
async fn a_duplicate_rule_names_the_record_that_it_found() {
    for world in [
        World::of(FakeSalesforce::builder().duplicate_rule("Contact", &["Email"], true)).await,
        World::of(
            FakeSalesforce::builder()
                .duplicate_rule("Contact", &["Email"], true)
                .hide_field("Contact", "Abmatic_Id__c"),
        )
        .await,
    ] {
        let ann =
            world.make(Resource::Contact, "i1", &[("Email", "ann@example.com".into()), ("LastName", "A".into())]).await;
        let writes = vec![
            create("i2", &[("Email", "ann@example.com".into()), ("LastName", "B".into())]),
            create("i3", &[("Email", "bob@example.com".into()), ("LastName", "C".into())]),
        ];
        let mut outcomes = world.write(Resource::Contact, writes).await;
        written(outcomes.remove(1));
        let error = failed(outcomes.remove(0));
        assert_eq!((error.kind(), error.existing_id()), (ErrorKind::Duplicate, Some(&ann.id)));
        assert_eq!(world.fake.user().count("Contact"), 2);
    }
}

#[tokio::test]
async fn merged_records_are_followed() {
    let world = World::start().await;
    let a = world.make(Resource::Account, "a", &[("Name", "A".into())]).await.id;
    let b = world.make(Resource::Account, "b", &[("Name", "B".into())]).await.id;
    let c = world.make(Resource::Account, "c", &[("Name", "C".into())]).await.id;
    assert!(world.fake.user().merge("Account", b.as_str(), a.as_str()));
    assert!(world.fake.user().merge("Account", c.as_str(), b.as_str()));
    for read in [Read::Ids(vec![a.clone(), b.clone(), c.clone()]), Read::Ids(vec![a.clone()]), World::lately()] {
        let records = world.read(ReadRequest::new(Resource::Account, read)).await;
        let survivor: Vec<_> = records.iter().filter(|record| record.id == c).collect();
        assert!(survivor.iter().any(|record| record.merged_ids.contains(&a)), "{records:?}");
        assert_eq!(ids(&records), BTreeSet::from([c.as_str()]));
    }
    let outcome = world.write(Resource::Account, vec![update(&a, &[("Name", "D".into())], &[])]).await.remove(0);
    assert_eq!(written(outcome).id, c);
    assert_eq!(world.fake.user().record("Account", c.as_str()).unwrap().get("Name"), "D");
}

#[tokio::test]
async fn converted_leads_are_followed_to_their_contact() {
    let world = World::start().await;
    let fields = [("Company", "Acme".into()), ("Email", "ann@example.com".into()), ("LastName", "Lee".into())];
    let lead = world.make(Resource::Lead, "l", &fields).await.id;
    let made = world.fake.user().convert(lead.as_str(), None).unwrap();
    let contact = RemoteId::from(made.contact_id.as_str());
    let request = |read| ReadRequest::new(Resource::Lead, read).with_fields(names(["Company", "Email"]));
    for read in [Read::Ids(vec![lead.clone()]), World::lately()] {
        let records = world.read(request(read)).await;
        assert_eq!((ids(&records), &records[0].merged_ids), (BTreeSet::from([contact.as_str()]), &vec![lead.clone()]));
        assert_eq!(records[0].fields.get("Company"), Some(&"Acme".into()));
    }
    assert!(world.read(request(Read::All)).await.is_empty(), "it is no lead any more");
    assert!(
        world
            .connector
            .find(&world.on, FindRequest::new(Resource::Lead, vec!["ann@example.com".to_owned()]))
            .await
            .unwrap()
            .is_empty()
    );
    for id in [&lead, &contact] {
        let outcome =
            world.write(Resource::Lead, vec![update(id, &[("Title", id.as_str().into())], &[])]).await.remove(0);
        assert_eq!(written(outcome).id, contact);
        assert_eq!(world.fake.user().record("Contact", contact.as_str()).unwrap().get("Title"), id.as_str());
    }
    assert_eq!(ids(&world.read(request(Read::Ids(vec![contact.clone()]))).await), BTreeSet::from([contact.as_str()]));
}

#[tokio::test]
async fn deleted_records_are_told_and_no_more_read() {
    let world = World::start().await;
    let ann = world.make(Resource::Contact, "a", &[("LastName", "A".into())]).await.id;
    written(world.write(Resource::Contact, vec![Write::Archive { id: ann.clone() }]).await.remove(0));
    written(world.write(Resource::Contact, vec![Write::Archive { id: ann.clone() }]).await.remove(0));
    let gone = world.read(ReadRequest::new(Resource::Contact, Read::Archived { since: None })).await;
    assert_eq!((gone.len(), gone[0].deleted, &gone[0].id), (1, true, &ann));
    for read in [Read::Ids(vec![ann.clone()]), Read::All, World::lately()] {
        assert!(world.read(ReadRequest::new(Resource::Contact, read)).await.is_empty());
    }
    let outcome = world.write(Resource::Contact, vec![update(&ann, &[("LastName", "B".into())], &[])]).await.remove(0);
    assert_eq!(failed(outcome).kind(), ErrorKind::NotFound);
}

#[tokio::test]
async fn relations_are_written_moved_and_read_in_every_scope() {
    let world = World::start().await;
    let acme = world.make(Resource::Account, "a", &[("Name", "Acme".into())]).await.id;
    let bolt = world.make(Resource::Account, "b", &[("Name", "Bolt".into())]).await.id;
    let to = |id: &RemoteId| Value::reference(id.as_str());
    let ann = world.make(Resource::Contact, "c", &[("account", to(&acme)), ("LastName", "Lee".into())]).await.id;
    let bob = world.make(Resource::Contact, "d", &[("account", to(&acme)), ("LastName", "Roe".into())]).await.id;
    let deal = [
        ("account", to(&acme)),
        ("contacts", to(&ann)),
        ("Name", "D".into()),
        ("StageName", Value::Choice("Prospecting".to_owned())),
        ("CloseDate", Value::Date("2026-12-31".parse().unwrap())),
    ];
    let deal = world.make(Resource::Opportunity, "e", &deal).await;
    assert!(deal.warnings.is_empty(), "{:?}", deal.warnings);
    let moved = [update(&ann, &[("account", to(&bolt))], &[("account", to(&acme))])].to_vec();
    written(world.write(Resource::Contact, moved).await.remove(0));
    let other = update(&deal.id, &[("contacts", to(&bob))], &[("contacts", to(&ann))]);
    let other = written(world.write(Resource::Opportunity, vec![other]).await.remove(0));
    assert!(other.warnings.is_empty(), "{:?}", other.warnings);
    for read in [Read::All, Read::Ids(vec![ann.clone()]), World::lately()] {
        let people = world.read(ReadRequest::new(Resource::Contact, read).with_relations(names(["account"]))).await;
        let ann = people.iter().find(|record| record.id == ann).unwrap();
        assert_eq!(ann.fields.get("account"), Some(&to(&bolt)));
    }
    for read in [Read::All, Read::Ids(vec![deal.id.clone()]), World::lately()] {
        let deals = world
            .read(ReadRequest::new(Resource::Opportunity, read).with_relations(names(["account", "contacts"])))
            .await;
        assert_eq!(deals[0].fields, Fields::from_iter([("account", to(&acme)), ("contacts", to(&bob))]));
    }
    let request =
        ReadRequest::new(Resource::Contact, Read::Ids(vec![ann])).with_fields(names(["Account.Name", "Owner.Name"]));
    assert_eq!(world.read(request).await[0].fields.get("Account.Name"), Some(&"Bolt".into()));
}

#[tokio::test]
async fn filters_hold_there_of_what_they_hold_of_here() {
    let world = World::of(FakeSalesforce::builder().seed_accounts(400).rng_seed(5)).await;
    let schema = world.connector.describe(&world.on, Resource::Account).await.unwrap();
    let all = names([
        "AnnualRevenue",
        "CreatedDate",
        "Industry",
        "Interests__c",
        "Is_Target__c",
        "Name",
        "NumberOfEmployees",
        "Renewal_Date__c",
        "Tier__c",
        "Type",
        "Website",
        "OwnerId",
        "Owner.Name",
    ]);
    let everything = world.read(ReadRequest::new(Resource::Account, Read::All).with_fields(all)).await;
    let owner = everything[0].fields.get("OwnerId").unwrap().to_string();
    let filters = [
        r#"Name STARTS WITH "a""#.to_owned(),
        r#"NOT Name CONTAINS "a""#.to_owned(),
        r#"Industry = "banking""#.to_owned(),
        r#"Industry != "Banking""#.to_owned(),
        r#"Industry NOT IN ("Banking", "Energy")"#.to_owned(),
        r#"Industry IN ("Banking", "")"#.to_owned(),
        "Industry IS NULL".to_owned(),
        "NumberOfEmployees > 50 AND (AnnualRevenue < 5000000 OR Website IS NULL)".to_owned(),
        "NOT (NumberOfEmployees > 50 OR Is_Target__c = true)".to_owned(),
        "NOT AnnualRevenue >= 1000000".to_owned(),
        "Is_Target__c = false".to_owned(),
        "Is_Target__c IS NULL".to_owned(),
        "Renewal_Date__c >= 2026-06-01 AND Renewal_Date__c < 2027-01-01".to_owned(),
        "CreatedDate < 2030-01-01".to_owned(),
        r#"Interests__c CONTAINS "Billing""#.to_owned(),
        r#"NOT Interests__c CONTAINS "Billing;Support""#.to_owned(),
        r#"Tier__c = "A""#.to_owned(),
        format!("OwnerId = \"{owner}\""),
        r#"`Owner.Name` IS NOT NULL"#.to_owned(),
        r#"Name = "O'Brien \\ \" %_ 東京""#.to_owned(),
    ];
    for text in filters {
        let filter = check(&parse(&text).unwrap(), &schema).unwrap();
        let expected: BTreeSet<&str> = everything
            .iter()
            .filter(|record| holds(&filter, &record.fields))
            .map(|record| record.id.as_str())
            .collect();
        let read = Read::Filter(filter);
        let found = world.read(ReadRequest::new(Resource::Account, read.clone())).await;
        assert_eq!(ids(&found), expected, "{text}");
        let count = world.connector.count(&world.on, Resource::Account, &read).await.unwrap();
        assert_eq!(count, Some(expected.len() as u64), "{text}");
    }
}

#[tokio::test]
async fn members_of_a_list_view_are_a_scope() {
    let world = World::of(FakeSalesforce::builder().seed_accounts(120)).await;
    let view = world.fake.user().create_list_view("Account", "Big_Ones", "NumberOfEmployees > 100").unwrap();
    let records = world.fake.user().records("Account");
    let expected: BTreeSet<&str> = records
        .iter()
        .filter(|one| one.get("NumberOfEmployees").parse().is_ok_and(|n: f64| n > 100.0))
        .map(|one| one.id.as_str())
        .collect();
    assert!(!expected.is_empty() && expected.len() < 120);
    for list in [view, "Big_Ones".to_owned()] {
        let read = Read::List(list);
        assert_eq!(
            world.connector.count(&world.on, Resource::Account, &read).await.unwrap(),
            Some(expected.len() as u64)
        );
        assert_eq!(ids(&world.read(ReadRequest::new(Resource::Account, read)).await), expected);
    }
}

#[tokio::test]
async fn accounts_are_found_by_domain_however_the_address_is_written() {
    let world = World::start().await;
    let sites = ["acme.com", "https://www.ACME.com/about", "http://shop.acme.com", "bolt.com"];
    for (n, site) in sites.iter().enumerate() {
        world.make(Resource::Account, &format!("i{n}"), &[("Name", "x".into()), ("Website", (*site).into())]).await;
    }
    let request = FindRequest::new(Resource::Account, vec!["acme.com".to_owned(), "none.org".to_owned()]);
    assert_eq!(world.connector.find(&world.on, request).await.unwrap().len(), 3);
}

#[tokio::test]
async fn what_salesforce_makes_of_values_comes_back() {
    let world = World::start().await;
    let fields = [
        ("Name", "  Acme  ".into()),
        ("NumberOfEmployees", 42.into()),
        ("Tier__c", Value::Choice("a".to_owned())),
        ("Interests__c", Value::MultiChoice(["Support".to_owned(), "Billing".to_owned()].into())),
        ("Renewal_Date__c", Value::Date("2026-05-06".parse().unwrap())),
        ("Last_Sync__c", Value::Instant("2026-05-06T07:08:09.123Z".parse().unwrap())),
        ("Is_Target__c", true.into()),
    ];
    let made = world.make(Resource::Account, "i1", &fields).await;
    let same = |name: &str| made.fields.get(name).cloned().unwrap();
    assert_eq!((same("Name"), same("Tier__c")), ("Acme".into(), Value::Choice("A".to_owned())));
    assert_eq!((same("NumberOfEmployees"), same("Is_Target__c")), (42.into(), true.into()));
    assert_eq!(same("Interests__c"), fields[3].1);
    assert_eq!(same("Last_Sync__c"), Value::Instant("2026-05-06T07:08:09Z".parse().unwrap()));
    let cleared = update(&made.id, &[("NumberOfEmployees", Value::Null), ("Is_Target__c", Value::Null)], &[]);
    let cleared = written(world.write(Resource::Account, vec![cleared]).await.remove(0));
    assert_eq!(cleared.fields, Fields::from_iter([("Is_Target__c", false.into()), ("NumberOfEmployees", Value::Null)]));
}

#[tokio::test]
async fn locked_records_are_tried_again_and_then_told() {
    let world = World::start().await;
    let acme = world.make(Resource::Account, "a", &[("Name", "Acme".into())]).await.id;
    let bolt = world.make(Resource::Account, "b", &[("Name", "Bolt".into())]).await.id;
    assert!(world.fake.user().lock("Account", acme.as_str()));
    let change = [("Name", "x".into())];
    let mut outcomes =
        world.write(Resource::Account, vec![update(&acme, &change, &[]), update(&bolt, &change, &[])]).await;
    written(outcomes.remove(1));
    assert_eq!(failed(outcomes.remove(0)).code(), ErrorCode::RecordLocked);
    assert!(world.fake.user().unlock("Account", acme.as_str()));
    written(world.write(Resource::Account, vec![update(&acme, &change, &[])]).await.remove(0));
}

#[tokio::test]
async fn a_large_push_goes_by_bulk_and_each_row_has_its_outcome() {
    let world = World::with(FakeSalesforce::builder().bulk_polls(3), |builder| builder.bulk_write_min(300)).await;
    let mut writes = people(500);
    writes[7] = create("odd", &[("Email", "not an address".into()), ("LastName", "Odd, \"very\"\nodd".into())]);
    world.connector.describe(&world.on, Resource::Contact).await.unwrap();
    let before = world.on.calls.total();
    let outcomes = world.write(Resource::Contact, writes).await;
    let calls = world.on.calls.total() - before;
    let made: Vec<Written> =
        outcomes.into_iter().enumerate().filter(|(n, _)| *n != 7).map(|(_, one)| written(one)).collect();
    assert_eq!((made.len(), world.fake.user().count("Contact")), (499, 499));
    assert!(calls <= 11, "{calls}: {:?}", world.fake.calls());
    let held = world.fake.user().record("Contact", made[0].id.as_str()).unwrap();
    assert_eq!(held.get("Email"), "p0@example.com");
    let change = |written: &Written| update(&written.id, &[("Title", "CTO".into())], &[]);
    let outcomes = world.write(Resource::Contact, made.iter().map(change).collect()).await;
    assert!(outcomes.into_iter().all(|outcome| written(outcome).fields.get("Title") == Some(&"CTO".into())));
    assert_eq!(world.fake.user().find("Contact", "Title", "CTO").len(), 499);
}

#[tokio::test]
async fn activities_become_tasks_and_members() {
    let world = World::of(FakeSalesforce::builder().seed_records(20)).await;
    let user = world.fake.user();
    let campaign = user.create("Campaign", &[("Name", "Spring")]).unwrap();
    let contact = user.create("Contact", &[("LastName", "Lee")]).unwrap();
    let who = ("WhoId", Value::reference(contact.as_str()));
    let opened = world.make(Resource::Activity, "i1", &[("Subject", "Opened".into()), who.clone()]).await;
    assert_eq!(user.record("Task", opened.id.as_str()).unwrap().get("WhoId"), contact);
    let member =
        |status: &str| [("CampaignId", Value::reference(campaign.as_str())), who.clone(), ("Status", status.into())];
    let first = world.make(Resource::Activity, "i2", &member("Sent")).await;
    let second = world.make(Resource::Activity, "i3", &member("Responded")).await;
    assert_eq!(first.id, second.id);
    assert_eq!(user.record("CampaignMember", first.id.as_str()).unwrap().get("Status"), "Responded");
}

#[tokio::test]
async fn owners_are_left_alone_and_limits_obeyed() {
    let world = World::start().await;
    world.make(Resource::Account, "a", &[("Name", "Acme".into())]).await;
    world.fake.use_calls(90_000_000);
    let request = || ReadRequest::new(Resource::Account, Read::All);
    world.read(request()).await;
    let error = world.connector.read(&world.on, request()).await.unwrap_err();
    assert_eq!((error.code(), error.kind()), (ErrorCode::RequestLimitExceeded, ErrorKind::RateLimited));
}

#[tokio::test]
async fn passing_failures_of_a_read_pass_and_lasting_ones_are_clear() {
    let world = World::of(FakeSalesforce::builder().query_page_max(200)).await;
    world.write(Resource::Contact, people(500)).await;
    let request = || ReadRequest::new(Resource::Contact, Read::All);
    for fault in [
        Fault::new(FaultKind::AnswerLost),
        Fault::new(FaultKind::ServerError).with_status(503).as_html(),
        Fault::new(FaultKind::TruncatedBody),
    ] {
        world.fake.inject(fault);
        assert_eq!(world.read(request()).await.len(), 500);
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
