//! The connector against the fake ActiveCampaign: what state and rules on the other side make of its calls.

#![allow(clippy::unwrap_used, clippy::panic, reason = "a test that fails shall stop, in its helpers too")]

use std::collections::BTreeSet;
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};
use std::time::Duration;

use abmatic_sync_activecampaign::{ActiveCampaignConnector, Pacing};
use abmatic_sync_core::clock::Clock;
use abmatic_sync_core::connector::contract::CrmConnector;
use abmatic_sync_core::connector::request::{
    CreateInDoubt, FindRequest, Page, Read, ReadRequest, VerifyRequest, Write, WriteOutcome, Written,
};
use abmatic_sync_core::error::{ErrorCode, ErrorKind};
use abmatic_sync_core::ids::{FieldName, IntentId, RemoteId};
use abmatic_sync_core::model::connection::{Connection, Credentials};
use abmatic_sync_core::model::fields::Fields;
use abmatic_sync_core::model::record::RemoteRecord;
use abmatic_sync_core::model::resource::Resource;
use abmatic_sync_core::model::value::Value;
use abmatic_sync_testkit::fake::activecampaign::{Builder, FakeActiveCampaign};
use abmatic_sync_testkit::fake::fault::{Fault, FaultKind};
use async_trait::async_trait;
use chrono::{DateTime, Utc};
use serde_json::json;

const NOW_MS: i64 = 1_795_536_000_000;

/// Time passes only while somebody waits for it, and the fake's with it.
#[derive(Debug)]
struct StillClock {
    fake: Arc<FakeActiveCampaign>,
    waited_ms: AtomicI64,
}

#[async_trait]
impl Clock for StillClock {
    fn now(&self) -> DateTime<Utc> {
        DateTime::from_timestamp_millis(self.fake.now_ms()).unwrap()
    }

    async fn sleep(&self, duration: Duration) {
        let ms = i64::try_from(duration.as_millis()).unwrap();
        self.waited_ms.fetch_add(ms, Ordering::SeqCst);
        self.fake.advance_ms(ms);
    }
}

struct World {
    fake: Arc<FakeActiveCampaign>,
    clock: Arc<StillClock>,
    connector: ActiveCampaignConnector,
    on: Connection,
}

impl World {
    async fn start() -> Self {
        Self::of(|builder| builder, Pacing::Headers).await
    }

    async fn of(set: impl FnOnce(Builder) -> Builder, pacing: Pacing) -> Self {
        let fake = Arc::new(set(FakeActiveCampaign::builder().simulated_clock(NOW_MS)).start().await.unwrap());
        let clock = Arc::new(StillClock { fake: Arc::clone(&fake), waited_ms: AtomicI64::new(0) });
        let builder = ActiveCampaignConnector::builder().clock(Arc::clone(&clock) as Arc<dyn Clock>).pacing(pacing);
        let builder = builder.event_tracking("25", "EVENTKEY", format!("{}/event", fake.base_url()).parse().unwrap());
        let on = Connection::new("t", "c", "activecampaign", Credentials::token(fake.token()));
        // As people paste it.
        let on = on.with_base_url(format!("{}/api/3/", fake.base_url()).parse().unwrap());
        Self { fake, clock, connector: builder.build(), on }
    }

    async fn write(&self, resource: Resource, writes: Vec<Write>) -> Vec<WriteOutcome> {
        self.connector.write(&self.on, resource, writes).await.unwrap()
    }

    async fn make(&self, resource: Resource, fields: &[(&str, Value)]) -> Written {
        written(self.write(resource, vec![create(fields)]).await.remove(0))
    }

    async fn update(&self, resource: Resource, id: &RemoteId, fields: &[(&str, Value)]) -> WriteOutcome {
        let fields = Fields::from_iter(fields.iter().map(|(name, value)| (*name, value.clone())));
        let write = Write::Update { id: id.clone(), fields, references_before: Fields::new(), unmodified_since: None };
        self.write(resource, vec![write]).await.remove(0)
    }

    fn request(&self, resource: Resource, read: Read, fields: &[&str]) -> ReadRequest {
        let relations: BTreeSet<FieldName> = match resource {
            Resource::Contact => ["account"].map(FieldName::from).into(),
            Resource::Opportunity => ["account", "contacts"].map(FieldName::from).into(),
            _ => BTreeSet::new(),
        };
        ReadRequest::new(resource, read)
            .with_fields(fields.iter().map(|name| FieldName::from(*name)))
            .with_relations(relations)
    }

    async fn read_all(&self, resource: Resource, read: Read, fields: &[&str]) -> Vec<RemoteRecord> {
        let (mut records, mut cursor) = (Vec::new(), None);
        loop {
            let request = self.request(resource, read.clone(), fields).at(cursor);
            let page: Page = self.connector.read(&self.on, request).await.unwrap();
            records.extend(page.records);
            cursor = page.next;
            if cursor.is_none() {
                return records;
            }
        }
    }

    async fn one(&self, resource: Resource, id: &RemoteId, fields: &[&str]) -> RemoteRecord {
        self.read_all(resource, Read::Ids(vec![id.clone()]), fields).await.remove(0)
    }

    fn calls(&self, call: &str) -> u64 {
        self.fake.calls().of(call)
    }
}

fn create(fields: &[(&str, Value)]) -> Write {
    let fields = Fields::from_iter(fields.iter().map(|(name, value)| (*name, value.clone())));
    Write::Create { intent: IntentId::from("intent"), fields }
}

fn written(outcome: WriteOutcome) -> Written {
    match outcome {
        WriteOutcome::Written(written) => written,
        outcome => panic!("{outcome:?}"),
    }
}

fn failed(outcome: WriteOutcome) -> abmatic_sync_core::error::Error {
    match outcome {
        WriteOutcome::Failed(error) => error,
        outcome => panic!("{outcome:?}"),
    }
}

fn text(record: &RemoteRecord, name: &str) -> String {
    record.fields.get(name).map(Value::to_string).unwrap_or_default()
}

#[tokio::test]
async fn values_of_every_family_go_there_and_come_back() {
    let world = World::start().await;
    let options = |options: &[&str]| Value::MultiChoice(options.iter().map(|one| (*one).to_owned()).collect());
    let fields = [
        ("email", Value::text("Ann@acme.test")),
        ("PLAN", Value::text("Plus")),
        ("INTERESTS", options(&["Ads", "SMS"])),
        ("RENEWAL", Value::text("2027-01-31")),
        ("SEATS", Value::Integer(12)),
    ];
    let ann = world.make(Resource::Contact, &fields).await;
    let names = ["email", "PLAN", "INTERESTS", "RENEWAL", "SEATS"];
    let held = world.one(Resource::Contact, &ann.id, &names).await;
    assert_eq!(names.map(|name| text(&held, name)), ["Ann@acme.test", "Plus", "Ads;SMS", "2027-01-31", "12"]);
    assert!(held.fields.get("INTERESTS").unwrap().same_as(&options(&["Ads", "SMS"])));
    assert_eq!(held.modified_at.unwrap().timestamp_millis(), NOW_MS);
    written(world.update(Resource::Contact, &ann.id, &[("INTERESTS", Value::Null), ("PLAN", Value::Null)]).await);
    let held = world.one(Resource::Contact, &ann.id, &names).await;
    assert!(held.fields.get("INTERESTS").unwrap().is_blank() && held.fields.get("PLAN").unwrap().is_blank());

    let amount = Value::Decimal("1234.56".parse().unwrap());
    let fields =
        [("name", Value::text("Acme")), ("industry", Value::text("Retail")), ("annual_revenue", amount.clone())];
    let acme = world.make(Resource::Account, &fields).await;
    let held = world.one(Resource::Account, &acme.id, &["name", "industry", "annual_revenue"]).await;
    assert_eq!(text(&held, "industry"), "Retail");
    assert_eq!(held.fields.get("annual_revenue"), Some(&amount));
    let rows = world.fake.user().records("accountCustomFieldData");
    assert!(rows.iter().any(|row| row["fieldValue"] == 123_456 && row["fieldCurrency"] == "usd"));

    let deal = [
        ("title", Value::text("Renewal")),
        ("value", Value::Decimal("10.5".parse().unwrap())),
        ("stage", Value::text("In Contact")),
        ("status", Value::text("won")),
        ("contacts", Value::reference(ann.id.as_str())),
        ("field_1", Value::text("Partner")),
    ];
    let deal = world.make(Resource::Opportunity, &deal).await;
    let names = ["title", "value", "stage", "status", "field_1", "currency"];
    let held = world.one(Resource::Opportunity, &deal.id, &names).await;
    assert_eq!(names.map(|name| text(&held, name)), ["Renewal", "10.5", "In Contact", "won", "Partner", "usd"]);
    assert_eq!(held.fields.get("contacts"), Some(&Value::reference(ann.id.as_str())));
}

#[tokio::test]
async fn the_account_and_the_job_title_of_a_contact_move_together() {
    let world = World::start().await;
    let account = async |name: &str| world.make(Resource::Account, &[("name", Value::text(name))]).await.id;
    let (acme, other) = (account("Acme").await, account("Other").await);
    let reference = |id: &RemoteId| Value::reference(id.as_str());
    let fields = [("email", Value::text("a@x.test")), ("jobTitle", Value::text("CEO")), ("account", reference(&acme))];
    let ann = world.make(Resource::Contact, &fields).await.id;
    let shown = async || {
        let held = world.one(Resource::Contact, &ann, &["jobTitle"]).await;
        (text(&held, "account"), text(&held, "jobTitle"))
    };
    assert_eq!(shown().await, (acme.to_string(), "CEO".to_owned()));
    written(world.update(Resource::Contact, &ann, &[("account", reference(&other))]).await);
    assert_eq!(shown().await, (other.to_string(), "CEO".to_owned()), "the title stays");
    written(world.update(Resource::Contact, &ann, &[("jobTitle", Value::text("CTO"))]).await);
    assert_eq!(shown().await, (other.to_string(), "CTO".to_owned()));
    written(world.update(Resource::Contact, &ann, &[("account", Value::Null)]).await);
    assert_eq!(shown().await, (String::new(), String::new()));
    let homeless = written(world.update(Resource::Contact, &ann, &[("jobTitle", Value::text("CFO"))]).await);
    assert_eq!(homeless.unwritten, [FieldName::from("jobTitle")].into());
    assert!(homeless.warnings[0].contains("there is none"), "{:?}", homeless.warnings);
}

#[tokio::test]
async fn a_lost_answer_makes_no_second_contact() {
    let world = World::start().await;
    for fault in [FaultKind::AnswerLost, FaultKind::ServerErrorAfterWrite, FaultKind::ConnectionReset] {
        world.fake.inject(Fault::new(fault).on("/contacts").with_method("POST"));
        let email = format!("{fault:?}@x.test");
        world.make(Resource::Contact, &[("email", Value::text(&email)), ("lastName", Value::text("N"))]).await;
        let held = world.fake.user().records("contacts");
        assert_eq!(held.iter().filter(|row| row["email"] == email.as_str()).count(), 1, "{fault:?}");
    }
    assert_eq!(world.calls("POST /api/3/contact/sync"), 3);
}

#[tokio::test]
async fn a_create_in_doubt_is_found_by_what_is_unique_or_was_sent() {
    let world = World::start().await;
    let person = [("email", Value::text("a@x.test"))];
    world.make(Resource::Contact, &person).await;
    let account = [("name", Value::text("Acme"))];
    let deal = [("title", Value::text("Renewal")), ("value", Value::Integer(7)), ("contacts", Value::reference("1"))];
    for (resource, path, fields) in
        [(Resource::Account, "/accounts", account.as_slice()), (Resource::Opportunity, "/deals", deal.as_slice())]
    {
        world.fake.inject(Fault::new(FaultKind::AnswerLost).on(path).with_method("POST"));
        let error = failed(world.write(resource, vec![create(fields)]).await.remove(0));
        assert_eq!(error.kind(), ErrorKind::Ambiguous);
        let Write::Create { fields, .. } = create(fields) else { panic!() };
        let doubted = CreateInDoubt::new(IntentId::from("intent"), world.clock.now(), fields.clone());
        let mut other = fields;
        let name = if resource == Resource::Account { "name" } else { "title" };
        other.insert(name, Value::text("Never sent"));
        let never = CreateInDoubt::new(IntentId::from("other"), world.clock.now(), other);
        let request = VerifyRequest::new(resource, vec![doubted, never]);
        let found = world.connector.verify(&world.on, request).await.unwrap();
        assert_eq!(found.iter().map(Option::is_some).collect::<Vec<_>>(), [true, false], "{resource}");
    }
    assert!(world.clock.waited_ms.load(Ordering::SeqCst) >= 30_000, "what never came may still have been at work");
}

#[tokio::test]
async fn a_duplicate_names_the_record_that_was_there() {
    let world = World::start().await;
    let ann = world.make(Resource::Contact, &[("email", Value::text("Ann@x.test"))]).await;
    let error =
        failed(world.write(Resource::Contact, vec![create(&[("email", Value::text("ann@X.test"))])]).await.remove(0));
    assert_eq!((error.kind(), error.existing_id()), (ErrorKind::Duplicate, Some(&ann.id)));
    let account = |url: &str| [("name", Value::text("Acme")), ("accountUrl", Value::text(url))];
    let acme = world.make(Resource::Account, &account("https://acme.com")).await;
    let again = failed(world.write(Resource::Account, vec![create(&account("www.acme.com"))]).await.remove(0));
    assert_eq!(again.existing_id(), Some(&acme.id));
    let namesake = failed(world.write(Resource::Account, vec![create(&account("https://other.com"))]).await.remove(0));
    assert_eq!((namesake.code(), namesake.existing_id()), (ErrorCode::DuplicateValue, None));
    assert!(namesake.message().contains("another address"), "{namesake}");
}

#[tokio::test]
async fn lists_are_read_whole_even_where_rows_vanish_under_the_reader() {
    let world = World::of(|builder| builder.seed_records(1_500), Pacing::Headers).await;
    let ids = |records: &[RemoteRecord]| records.iter().map(|record| record.id.to_string()).collect::<BTreeSet<_>>();
    assert_eq!(ids(&world.read_all(Resource::Contact, Read::All, &["email"]).await).len(), 1_500);
    assert_eq!(world.calls("GET /api/3/contacts"), 15, "a hundred a call, and no call more");
    let accounts = world.read_all(Resource::Account, Read::All, &["name"]).await;
    assert_eq!((accounts.len(), ids(&accounts).len()), (215, 215));
    assert_eq!(world.calls("GET /api/3/accounts"), 3);
    let request = world.request(Resource::Account, Read::All, &["name"]);
    let first = world.connector.read(&world.on, request.clone()).await.unwrap();
    (1..=30).for_each(|id| assert!(world.fake.user().delete("accounts", id)));
    let (mut seen, mut cursor) = (ids(&first.records), first.next);
    while let Some(at) = cursor {
        let page = world.connector.read(&world.on, request.clone().at(Some(at))).await.unwrap();
        seen.extend(ids(&page.records));
        cursor = page.next;
    }
    let left: BTreeSet<String> = (31..=215).map(|id| id.to_string()).collect();
    assert!(left.is_subset(&seen), "{:?}", left.difference(&seen).collect::<Vec<_>>());
}

#[tokio::test]
async fn what_stands_beside_contacts_is_asked_for_singly_where_it_does_not_come_along() {
    let world = World::of(|builder| builder.seed_records(30).includes(false), Pacing::Headers).await;
    let with = World::of(|builder| builder.seed_records(30), Pacing::Headers).await;
    let names = ["email", "jobTitle", "PLAN"];
    let (singly, along) = (
        world.read_all(Resource::Contact, Read::All, &names).await,
        with.read_all(Resource::Contact, Read::All, &names).await,
    );
    assert_eq!(singly, along);
    assert!(along.iter().any(|record| !text(record, "PLAN").is_empty() && !text(record, "jobTitle").is_empty()));
    assert_eq!(with.calls("GET /api/3/contacts"), 1);
    assert_eq!(world.calls("GET /api/3/accountContacts"), 30);
}

#[tokio::test]
async fn custom_fields_and_records_by_id_are_read_by_the_way_that_takes_fewer_calls() {
    let world = World::of(|builder| builder.seed_records(1_400), Pacing::Headers).await;
    let all = world.read_all(Resource::Account, Read::All, &["name", "industry", "employee_range"]).await;
    assert!(all.iter().filter(|record| !text(record, "industry").is_empty()).count() > 50);
    let calls = world.fake.calls();
    assert!(calls.total < 20, "{calls:?}");
    for count in [1, 3, 150] {
        world.fake.reset_calls();
        let ids: Vec<RemoteId> = all.iter().take(count).map(|record| record.id.clone()).collect();
        let read = world.read_all(Resource::Account, Read::Ids(ids), &["name", "industry", "employee_range"]).await;
        let sorted = |records: &[RemoteRecord]| {
            records
                .iter()
                .map(|record| (record.id.clone(), record.clone()))
                .collect::<std::collections::BTreeMap<_, _>>()
        };
        assert_eq!(sorted(&read), sorted(&all[..count]));
        assert!(world.fake.calls().total <= 8, "{count}: {:?}", world.fake.calls());
    }
}

#[tokio::test]
async fn windows_hold_what_has_changed_since() {
    let world = World::of(|builder| builder.seed_records(20), Pacing::Headers).await;
    world.fake.advance_ms(60_000);
    let since = world.clock.now();
    world.fake.user().update("contacts", 7, &json!({"firstName": "Changed"})).unwrap();
    world.fake.user().update("deals", 2, &json!({"title": "Changed"})).unwrap();
    let window = || Read::Changed { since, until: world.clock.now(), filter: None };
    for (resource, id) in [(Resource::Contact, "7"), (Resource::Opportunity, "2")] {
        let changed = world.read_all(resource, window(), &[]).await;
        assert_eq!(changed.iter().map(|record| record.id.as_str()).collect::<Vec<_>>(), [id]);
    }
}

#[tokio::test]
async fn a_deal_that_may_not_be_seen_is_neither_there_nor_gone() {
    let world = World::of(|builder| builder.seed_records(20), Pacing::Headers).await;
    world.fake.user().hide_deal(1, true);
    let seen = world.read_all(Resource::Opportunity, Read::All, &["title"]).await;
    let seen: BTreeSet<&str> = seen.iter().map(|one| one.id.as_str()).collect();
    assert_eq!(seen, ["2", "3"].into());
    let wanted = ["1", "2", "99"].map(RemoteId::from).to_vec();
    let page = world
        .connector
        .read(&world.on, world.request(Resource::Opportunity, Read::Ids(wanted), &["title"]))
        .await
        .unwrap();
    assert_eq!(page.records.len(), 1);
    assert_eq!(page.undecodable[0].id, Some(RemoteId::from("1")));
}

#[tokio::test]
async fn keys_are_looked_up_singly_or_by_the_whole_list() {
    let world = World::of(|builder| builder.seed_records(700), Pacing::Headers).await;
    let all = world.read_all(Resource::Contact, Read::All, &["email"]).await;
    let keys =
        |count: usize| all.iter().take(count).map(|record| text(record, "email").to_lowercase()).collect::<Vec<_>>();
    for (count, most) in [(1, 1), (5, 6), (300, 8)] {
        world.fake.reset_calls();
        let found = world.connector.find(&world.on, FindRequest::new(Resource::Contact, keys(count))).await.unwrap();
        assert_eq!(found.len(), count);
        assert!(world.fake.calls().total <= most, "{count}: {:?}", world.fake.calls());
    }
    world
        .make(
            Resource::Account,
            &[("name", Value::text("Sub")), ("accountUrl", Value::text("https://shop.sub-acme.com/x"))],
        )
        .await;
    let request = FindRequest::new(Resource::Account, vec!["sub-acme.com".to_owned()]);
    let found = world.connector.find(&world.on, request).await.unwrap();
    let site = |record: &RemoteRecord| text(record, "accountUrl");
    assert!(found.iter().map(site).any(|url| url == "https://shop.sub-acme.com/x"));
    assert!(found.iter().map(site).all(|url| url.contains("sub-acme.com") || !url.is_ascii()), "{found:?}");
}

#[tokio::test]
async fn a_bad_key_is_told_from_a_missing_feature_and_from_a_mood() {
    let world = World::of(|builder| builder.crm(false), Pacing::Headers).await;
    let request = ReadRequest::new(Resource::Account, Read::All);
    let error = world.connector.read(&world.on, request.clone()).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Forbidden);
    assert!(error.message().contains("the API key itself is good"), "{error}");
    let contacts = ReadRequest::new(Resource::Contact, Read::All);
    world.fake.inject(Fault::new(FaultKind::RevokedToken).on("/contacts"));
    assert!(world.connector.read(&world.on, contacts.clone()).await.is_ok(), "403 comes now and then for no reason");
    world.fake.lapse(true);
    assert_eq!(world.connector.read(&world.on, contacts.clone()).await.unwrap_err().kind(), ErrorKind::Forbidden);
    world.fake.lapse(false);
    world.fake.revoke();
    let error = world.connector.read(&world.on, contacts).await.unwrap_err();
    assert_eq!((error.kind(), error.code()), (ErrorKind::Unauthorized, ErrorCode::InvalidSession));
    let elsewhere = world.on.clone().with_base_url("https://acme.example.com".parse().unwrap());
    let error = world.connector.read(&elsewhere, request).await.unwrap_err();
    assert_eq!(error.code(), ErrorCode::InvalidSettings, "the key is sent to no other host");
}

#[tokio::test]
async fn nobody_is_refused_for_asking_too_often() {
    for told in [false, true] {
        let fake = |builder: Builder| builder.seed_records(2_000).rate_limits(true).rate_headers(told);
        let world = World::of(fake, Pacing::Documented).await;
        let before = world.clock.now();
        assert_eq!(world.read_all(Resource::Contact, Read::All, &["email"]).await.len(), 2_000);
        // One after the other: on a clock that whoever waits moves on, calls that are on their way together arrive together.
        for number in 0..20 {
            let write = create(&[("email", Value::text(format!("new{number}@x.test")))]);
            let outcomes = world.write(Resource::Contact, vec![write]).await;
            assert!(matches!(outcomes.as_slice(), [WriteOutcome::Written(_)]));
        }
        let calls = world.fake.calls();
        assert_eq!(calls.by_status.get(&429), None, "{calls:?}");
        let seconds = (world.clock.now() - before).num_seconds();
        let expected = if told { 7..=16 } else { 8..=9 };
        assert!(expected.contains(&seconds), "{} calls, headers {told}, took {seconds} s", calls.total);
    }
}

#[tokio::test]
async fn imports_are_followed_up_and_one_in_doubt_is_waited_for() {
    let world = World::of(|builder| builder.import_polls(3), Pacing::Headers).await;
    let mut writes: Vec<Write> = (0..600)
        .map(|number| create(&[("email", Value::text(format!("n{number}@x.test"))), ("PLAN", Value::text("Plus"))]))
        .collect();
    writes.push(create(&[("email", Value::text("bad@invalid"))]));
    writes.push(create(&[("email", Value::text("N0@x.test"))]));
    let outcomes = world.write(Resource::Contact, writes).await;
    let count = |is: fn(&WriteOutcome) -> bool| outcomes.iter().filter(|outcome| is(outcome)).count();
    assert_eq!(count(|outcome| matches!(outcome, WriteOutcome::Written(_))), 601);
    assert_eq!(world.fake.user().records("contacts").len(), 600);
    assert_eq!(world.calls("POST /api/3/import/bulk_import"), 3);
    assert_eq!(world.fake.user().records("fieldValues").len(), 600);

    // The API refuses an import whole for one address without an @.
    let mut writes: Vec<Write> =
        (0..100).map(|number| create(&[("email", Value::text(format!("k{number}@x.test")))])).collect();
    writes.push(create(&[("email", Value::text("nobody"))]));
    let outcomes = world.write(Resource::Contact, writes).await;
    assert_eq!(outcomes.iter().filter(|outcome| matches!(outcome, WriteOutcome::Failed(_))).count(), 1);
    assert_eq!(world.fake.user().records("contacts").len(), 700);

    world.fake.inject(Fault::new(FaultKind::AnswerLost).on("bulk_import").with_method("POST").always());
    let writes: Vec<Write> =
        (0..100).map(|number| create(&[("email", Value::text(format!("m{number}@x.test")))])).collect();
    let doubted: Vec<CreateInDoubt> = writes
        .iter()
        .map(|write| {
            let Write::Create { fields, .. } = write else { panic!() };
            CreateInDoubt::new(IntentId::from("intent"), world.clock.now(), fields.clone())
        })
        .collect();
    let outcomes = world.write(Resource::Contact, writes).await;
    assert!(
        outcomes
            .iter()
            .all(|outcome| matches!(outcome, WriteOutcome::Failed(error) if error.kind() == ErrorKind::Ambiguous))
    );
    assert_eq!(world.fake.user().records("contacts").len(), 700, "they wait to be carried out");
    world.fake.clear_faults();
    world.fake.finish_imports();
    let found = world.connector.verify(&world.on, VerifyRequest::new(Resource::Contact, doubted)).await.unwrap();
    assert!(found.iter().all(Option::is_some));
    assert_eq!(world.fake.user().records("contacts").len(), 800);
}

#[tokio::test]
async fn engagement_goes_as_notes_and_events() {
    let world = World::start().await;
    let ann = world.make(Resource::Contact, &[("email", Value::text("a@x.test"))]).await;
    let note = [("note", Value::text("Opened the proposal")), ("contact_id", Value::text(ann.id.as_str()))];
    let note = world.make(Resource::Activity, &note).await;
    let held = &world.fake.user().records("notes")[0];
    assert_eq!((held["id"].as_str(), &held["note"]), (Some(note.id.as_str()), &json!("Opened the proposal")));
    let event = [
        ("event", Value::text("intent_spike")),
        ("event_data", Value::text("score=80")),
        ("email", Value::text("a@x.test")),
    ];
    world.make(Resource::Activity, &event).await;
    let tracked = ("a@x.test".to_owned(), "intent_spike".to_owned(), "score=80".to_owned());
    assert_eq!(world.fake.user().events(), [tracked]);
    let bad =
        failed(world.write(Resource::Activity, vec![create(&[("note", Value::text("on nothing"))])]).await.remove(0));
    assert_eq!(bad.code(), ErrorCode::RequiredFieldMissing);
}
