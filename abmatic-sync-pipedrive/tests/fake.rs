//! The connector against the fake Pipedrive: what state and rules on the other side make of its calls.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "tests")]

mod world;

use std::collections::BTreeSet;
use std::time::Duration;

use abmatic_sync_core::clock::Clock;
use abmatic_sync_core::connector::contract::CrmConnector;
use abmatic_sync_core::connector::request::{
    CreateInDoubt, FindRequest, Pushdown, Read, VerifyRequest, Write, WriteOutcome,
};
use abmatic_sync_core::error::{Error, ErrorCode, ErrorKind};
use abmatic_sync_core::filter::check::check;
use abmatic_sync_core::filter::eval::holds;
use abmatic_sync_core::filter::parse::parse;
use abmatic_sync_core::ids::{FieldName, IntentId, RemoteId};
use abmatic_sync_core::model::record::RemoteRecord;
use abmatic_sync_core::model::resource::Resource;
use abmatic_sync_core::model::value::Value;
use abmatic_sync_http::clock::SystemClock;
use abmatic_sync_testkit::fake::fault::{Fault, FaultKind};
use abmatic_sync_testkit::fake::pipedrive::{Builder, FakePipedrive, Field};
use chrono::{DateTime, TimeDelta};
use serde_json::json;

use crate::world::{World, create, update, written};

fn failed(outcome: WriteOutcome) -> Error {
    match outcome {
        WriteOutcome::Failed(error) => error,
        other => panic!("{other:?}"),
    }
}

fn ids(records: &[RemoteRecord]) -> BTreeSet<u64> {
    records.iter().map(|record| record.id.as_str().parse().unwrap()).collect()
}

fn number(id: &RemoteId) -> u64 {
    id.as_str().parse().unwrap()
}

#[tokio::test]
async fn everything_is_read_in_pages_of_five_hundred() {
    let world = World::of(FakePipedrive::builder().seed_records(1_200)).await;
    let records = world.read(World::request(Resource::Contact, Read::All, &["email", "first_name"])).await;
    assert_eq!((records.len(), world.fake.calls().total), (1_200, 3));
    assert!(records.iter().all(|record| record.fields.len() == 2 && record.created_at.is_some()));
    let deal = World::request(Resource::Opportunity, Read::All, &["title", "value", "stage_id", "status"]);
    let deals = world.read(deal.with_relations(["account", "contacts"].map(FieldName::from))).await;
    let stages =
        ["Qualified", "Contact made", "Demo scheduled", "Proposal made", "Negotiations started", "Renewal due"];
    assert!(deals.iter().any(|deal| {
        stages.map(|stage| Value::Choice(stage.to_owned())).contains(deal.fields.get("stage_id").unwrap())
    }));
    assert!(deals.iter().all(|deal| matches!(deal.fields.get("account"), Some(Value::Reference(_)))));
}

#[tokio::test]
async fn a_window_of_changes_is_read_by_whole_seconds() {
    let world = World::start().await;
    for name in ["A", "B", "C"] {
        world.make(Resource::Account, &[("name", name.into())]).await;
        world.fake.advance_ms(10_000);
    }
    let start = DateTime::from_timestamp_millis(world.fake.now_ms() - 30_000).unwrap();
    let window = |since: i64, until: i64| Read::Changed {
        since: start + TimeDelta::milliseconds(since),
        until: start + TimeDelta::milliseconds(until),
        filter: Some(parse("name != \"C\"").unwrap()),
    };
    let request = |read| World::request(Resource::Account, read, &["name"]);
    assert_eq!(ids(&world.read(request(window(5_123, 40_000))).await), [2].into(), "C does not fulfil the condition");
    assert_eq!(ids(&world.read(request(window(-2_000, 40_000))).await), [1, 2].into());
}

#[tokio::test]
async fn filters_are_saved_for_the_while_and_find_what_the_condition_says() {
    let world = World::of(FakePipedrive::builder().seed_records(1_400).page_max(60)).await;
    let schema = world.connector.describe(&world.on, Resource::Account).await.unwrap();
    let tier = world.fake.user().field_code("organizations", "Tier").unwrap();
    let names: Vec<&str> = schema.fields.iter().map(|field| field.name.as_str()).collect();
    let all = world.read(World::request(Resource::Account, Read::All, &names)).await;
    for (text, server) in [
        ("employee_count > 1000", true),
        ("employee_count > 1000 AND NOT website IS NULL", true),
        ("industry = \"Retail\" OR industry = \"Insurance\"", true),
        (&*format!("{tier} IN (\"Tier 1\", \"Tier 3\") AND name STARTS WITH \"acme\""), true),
        ("website CONTAINS \"acme\" AND industry != \"Retail\"", true),
        ("name = \"acme inc.\"", true),
        ("visible_to = \"Item owner's visibility group\" AND employee_count <= 12", true),
        ("(industry = \"Retail\" AND employee_count > 10) OR name = \"Acme Inc.\"", false),
        ("address.locality = \"Dublin\"", false),
    ] {
        let filter = check(&parse(text).unwrap(), &schema).unwrap();
        let here: BTreeSet<u64> =
            ids(&all.iter().filter(|record| holds(&filter, &record.fields)).cloned().collect::<Vec<_>>());
        let pushdown = world.connector.pushdown(Resource::Account, &filter, &schema);
        assert_eq!(pushdown == Pushdown::Server, server, "{text}: {pushdown:?}");
        if server {
            let there = world.read(World::request(Resource::Account, Read::Filter(filter), &["name"])).await;
            assert_eq!(ids(&there), here, "{text}");
            assert!(!here.is_empty(), "{text} finds something");
        }
    }
    assert_eq!(world.fake.user().filters(), ["Target accounts"], "what was saved is removed");
}

#[tokio::test]
async fn a_filter_that_a_crash_left_is_removed_and_one_that_was_removed_is_made_anew() {
    let world = World::of(FakePipedrive::builder().seed_records(700).page_max(30)).await;
    let filter = Read::Filter(parse("NOT name IS NULL").unwrap());
    let request = World::request(Resource::Account, filter, &["name"]);
    let first = world.connector.read(&world.on, request.clone()).await.unwrap();
    assert_eq!(world.fake.user().filters().len(), 2, "a read that is under way");
    // The process dies here; the next one goes on from the cursor, or begins anew.
    let other = World::connector();
    let second = other.read(&world.on, request.clone().at(first.next.clone())).await.unwrap();
    assert_eq!(ids(&second.records), (31..=60).collect());
    let again = other.read(&world.on, request.clone()).await.unwrap();
    assert_eq!(world.fake.user().filters().len(), 2, "its leftover is gone");
    let third = world.connector.read(&world.on, request.clone().at(second.next)).await.unwrap();
    assert_eq!(ids(&third.records), (61..=90).collect(), "although somebody removed the filter under way");
    drop(again);
    let rest = world.read(request).await;
    assert_eq!((rest.len(), world.fake.user().filters().len()), (100, 1));
}

#[tokio::test]
async fn a_saved_filter_of_the_user_is_a_list() {
    let world = World::of(FakePipedrive::builder().seed_records(350)).await;
    let id = world.fake.user().create_filter("organizations", "Big", ("employee_count", ">", "1000")).unwrap();
    let list = |list: String| World::request(Resource::Account, Read::List(list), &["employee_count"]);
    let found = world.read(list(id.to_string())).await;
    assert!(
        !found.is_empty()
            && found.iter().all(|one| one.fields.get("employee_count").unwrap().as_decimal().unwrap() > 1000.into())
    );
    for missing in ["4711", "Big"] {
        let error = world.connector.read(&world.on, list(missing.to_owned())).await.unwrap_err();
        assert_eq!(error.code(), ErrorCode::InvalidSettings, "{missing}");
    }
    assert_eq!(world.fake.user().filters().len(), 2);
}

#[tokio::test]
async fn records_are_found_by_pages_or_by_filters_whichever_is_cheaper() {
    let world = World::of(FakePipedrive::builder().seed_records(3_000).seed_organizations(40)).await;
    let person = world.read(World::request(Resource::Contact, Read::All, &["email"])).await;
    let keys: Vec<String> = person
        .iter()
        .rev()
        .filter_map(|one| one.fields.get("email")?.as_text().map(str::to_lowercase))
        .take(20)
        .collect();
    world.fake.reset_calls();
    let few = FindRequest::new(Resource::Contact, keys[..1].to_vec());
    assert!(!world.connector.find(&world.on, few).await.unwrap().is_empty());
    assert_eq!(world.fake.calls().matching("filters"), 2, "made and removed");
    assert_eq!(world.fake.calls().of("GET /api/v2/persons"), 4, "three pages were cheaper, and held it not");
    let found = world.connector.find(&world.on, FindRequest::new(Resource::Contact, keys.clone())).await.unwrap();
    let held: BTreeSet<String> =
        found.iter().filter_map(|one| one.fields.get("email")?.as_text().map(str::to_lowercase)).collect();
    assert_eq!(held, keys.into_iter().collect());
    world.fake.reset_calls();
    world.make(Resource::Account, &[("name", "Bolt".into()), ("website", "https://www.bolt-test.com/en".into())]).await;
    let by_domain = FindRequest::new(Resource::Account, vec!["bolt-test.com".to_owned(), "none.test".to_owned()]);
    let found = world.connector.find(&world.on, by_domain).await.unwrap();
    assert_eq!((found.len(), world.fake.calls().matching("filters")), (1, 0));
    assert_eq!(world.fake.user().filters(), ["Target accounts"]);
}

#[tokio::test]
async fn a_write_answers_what_pipedrive_keeps() {
    let fields = |builder: Builder| {
        builder
            .contact_sync(true)
            .field("organizations", Field::new("Tier", "enum").with_options(&["Gold", "Silver"]))
            .field("organizations", Field::new("Topics", "set").with_options(&["A", "B"]))
            .field("organizations", Field::new("ARR", "monetary"))
    };
    let world = World::of(fields(FakePipedrive::builder())).await;
    let code = |name: &str| world.fake.user().field_code("organizations", name).unwrap();
    let (tier, topics, arr) = (code("Tier"), code("Topics"), code("ARR"));
    let both = Value::MultiChoice(["A".to_owned(), "B".to_owned()].into());
    let sent = [
        ("name", Value::text("Acme")),
        ("industry", Value::Choice("Retail".to_owned())),
        (tier.as_str(), Value::Choice("Gold".to_owned())),
        (topics.as_str(), both.clone()),
        (arr.as_str(), Value::Decimal("12.50".parse().unwrap())),
        ("address", Value::text("Main St 1, Oulu")),
    ];
    let made = world.make(Resource::Account, &sent).await;
    for (name, value) in &sent {
        assert!(made.fields.get(name).unwrap().same_as(value), "{name}: {:?}", made.fields.get(name));
    }
    assert!(made.modified_at.is_some());
    let id = number(&made.id);
    let held = world.fake.user().record("organizations", id).unwrap();
    assert_eq!(held.get(&arr), &json!({"value": 12.5, "currency": "EUR"}), "the company's own currency");
    let change = [
        ("address.locality", Value::text("Oulu")),
        (topics.as_str(), Value::Null),
        (&*format!("{arr}.currency"), Value::text("USD")),
    ];
    written(world.write(Resource::Account, vec![update(&made.id, &change)]).await.remove(0));
    let held = world.fake.user().record("organizations", id).unwrap();
    assert_eq!(
        (&held.get("address")["value"], &held.get("address")["locality"]),
        (&json!("Main St 1, Oulu"), &json!("Oulu"))
    );
    assert_eq!(held.get(&arr), &json!({"value": 12.5, "currency": "USD"}));
    assert_eq!(held.get(&topics), &json!(null));
    written(
        world
            .write(Resource::Account, vec![update(&made.id, &[("address", Value::text("Side St 2"))])])
            .await
            .remove(0),
    );
    assert_eq!(world.fake.user().record("organizations", id).unwrap().get("address")["locality"], json!(null));
}

#[tokio::test]
async fn the_primary_address_is_changed_and_the_others_stay() {
    let world = World::start().await;
    let emails = json!([
        {"value": "home@x.test", "label": "home"}, {"value": "work@x.test", "label": "work", "primary": true},
    ]);
    let body = json!({"name": "Jane Roe", "emails": emails, "phones": [{"value": "1"}]});
    let id = world.fake.user().create("persons", &body).unwrap();
    let remote = RemoteId::from(id.to_string());
    let changes = vec![update(&remote, &[("email", Value::text("new@x.test")), ("last_name", Value::text("Doe"))])];
    let outcome = written(world.write(Resource::Contact, changes).await.remove(0));
    assert_eq!(outcome.fields.get("email"), Some(&Value::text("new@x.test")));
    let held = world.fake.user().record("persons", id).unwrap();
    assert_eq!(
        held.get("emails"),
        &json!([
            {"value": "home@x.test", "label": "home", "primary": false},
            {"value": "new@x.test", "label": "work", "primary": true},
        ])
    );
    assert_eq!((held.text("name"), &held.get("phones")[0]["value"]), ("Jane Doe", &json!("1")));
    assert_eq!(world.fake.calls().of("GET /api/v2/persons"), 1, "one read for all that are changed in part");
}

#[tokio::test]
async fn an_account_without_parts_of_names_is_told_whole_ones() {
    let world = World::of(FakePipedrive::builder().name_parts(false)).await;
    let jane = [("first_name", Value::text("Jane")), ("last_name", Value::text("Roe"))];
    let made = world.make(Resource::Contact, &jane).await;
    assert_eq!(
        (made.fields.get("last_name"), world.fake.calls().of("POST /api/v2/persons")),
        (Some(&Value::text("Roe")), 2)
    );
    world.make(Resource::Contact, &jane).await;
    assert_eq!(world.fake.calls().of("POST /api/v2/persons"), 3, "it was learnt");
    let change = vec![update(&made.id, &[("last_name", Value::text("Doe"))])];
    written(world.write(Resource::Contact, change).await.remove(0));
    assert_eq!(world.fake.user().record("persons", number(&made.id)).unwrap().text("name"), "Jane Doe");
}

#[tokio::test]
async fn a_deal_has_its_references_and_one_person() {
    let world = World::start().await;
    let org = world.make(Resource::Account, &[("name", "Acme".into())]).await.id;
    let mut people = Vec::new();
    for name in ["Ann", "Bob"] {
        people.push(world.make(Resource::Contact, &[("first_name", name.into())]).await.id.to_string());
    }
    let contacts = Value::Reference(people.iter().cloned().collect());
    let fields = [
        ("title", Value::text("Deal")),
        ("stage_id", Value::Choice("Demo scheduled".to_owned())),
        ("account", Value::reference(org.as_str())),
        ("contacts", contacts),
    ];
    let made = world.make(Resource::Opportunity, &fields).await;
    assert_eq!(made.fields.get("contacts"), Some(&Value::reference(people[0].as_str())));
    assert_eq!(made.warnings, ["a deal of Pipedrive has one person: of 2 one was set"]);
    let held = world.fake.user().record("deals", number(&made.id)).unwrap();
    assert_eq!((held.get("org_id"), held.get("stage_id")), (&json!(number(&org)), &json!(3)));
    let gone = vec![update(&made.id, &[("contacts", Value::Null), ("account", Value::Null)])];
    written(world.write(Resource::Opportunity, gone).await.remove(0));
    assert_eq!(world.fake.user().record("deals", number(&made.id)).unwrap().get("org_id"), &json!(null));
}

#[tokio::test]
async fn what_became_of_each_write_is_told_in_their_order() {
    let world = World::start().await;
    let id = world.make(Resource::Account, &[("name", "Acme".into())]).await.id;
    let writes = vec![
        create("a", &[("name", "A".into())]),
        create("b", &[("website", "b.test".into())]),
        create("c", &[("name", "C".into()), ("nope", "x".into())]),
        create("d", &[("name", "D".into()), ("update_time", Value::Null)]),
        create("e", &[("name", "E".into()), ("industry", Value::Choice("Alchemy".to_owned()))]),
        update(&RemoteId::from("4711"), &[("name", "F".into())]),
        Write::Archive { id: id.clone() },
        Write::Archive { id },
    ];
    let mut outcomes = world.write(Resource::Account, writes).await;
    let codes: Vec<Option<ErrorCode>> = outcomes
        .iter()
        .map(|outcome| match outcome {
            WriteOutcome::Failed(error) => Some(error.code()),
            _ => None,
        })
        .collect();
    let field = Some(ErrorCode::InvalidField);
    let gone = Some(ErrorCode::RecordGone);
    assert_eq!(codes, [None, Some(ErrorCode::RequiredFieldMissing), field, field, field, gone, None, gone]);
    let error = failed(outcomes.remove(4));
    assert_eq!(
        error.to_string(),
        "pipedrive write organizations: \"industry\" takes one of its options, and was given choice \"Alchemy\" (INVALID_FIELD)"
    );
    assert_eq!(world.fake.user().count("organizations"), 1);
}

#[tokio::test]
async fn once_nothing_gets_through_no_more_is_sent() {
    let world = World::start().await;
    let people: Vec<Write> = (0..20).map(|n| create("i", &[("first_name", format!("P{n}").into())])).collect();
    world
        .fake
        .inject(Fault::new(FaultKind::RateLimited).with_policy("daily").on("POST /api/v2/persons").after(6).always());
    let outcomes = world.write(Resource::Contact, people).await;
    let stopped: Vec<ErrorKind> = outcomes
        .iter()
        .filter_map(|outcome| match outcome {
            WriteOutcome::Failed(error) => Some(error.kind()),
            _ => None,
        })
        .collect();
    assert_eq!((outcomes.len(), stopped), (20, vec![ErrorKind::RateLimited; 14]));
    assert!(world.fake.calls().of("POST /api/v2/persons") <= 10, "those that were on their way at once");
}

#[tokio::test]
async fn a_create_in_doubt_is_found_by_what_was_sent() {
    let world = World::start().await;
    let announced_at = SystemClock.now();
    world.fake.inject(Fault::new(FaultKind::AnswerLost).on("POST /api/v2/persons"));
    let ann = [("first_name", Value::text("Ann")), ("email", Value::text("Ann@x.test"))];
    let bob = [("first_name", Value::text("Bob"))];
    let mut outcomes = world.write(Resource::Contact, vec![create("a", &ann)]).await;
    assert_eq!(failed(outcomes.remove(0)).kind(), ErrorKind::Ambiguous);
    world.fake.reset_calls();
    let doubt = |intent: &str, fields: &[(&str, Value)]| {
        CreateInDoubt::new(IntentId::from(intent), announced_at, fields.iter().cloned().collect())
    };
    let mut request =
        VerifyRequest::new(Resource::Contact, vec![doubt("a", &ann), doubt("b", &bob), doubt("a2", &ann)]);
    request.fields = [FieldName::from("email")].into();
    let found = world.connector.verify(&world.on, request).await.unwrap();
    let shown: Vec<Option<&str>> = found.iter().map(|one| one.as_ref().map(|one| one.id.as_str())).collect();
    assert_eq!(
        (shown, world.fake.calls().total),
        (vec![Some("1"), None, None], 1),
        "one record is the outcome of one create"
    );
}

#[tokio::test]
async fn what_is_gone_is_left_out_and_what_is_hidden_away_is_not() {
    let world = World::start().await;
    let mut made = Vec::new();
    for title in ["A", "B", "C", "D"] {
        made.push(world.make(Resource::Opportunity, &[("title", title.into())]).await.id);
    }
    let user = world.fake.user();
    user.update("deals", number(&made[1]), &json!({"is_archived": true})).unwrap();
    assert!(user.delete("deals", number(&made[2])) && user.erase("deals", number(&made[3])));
    let request = World::request(Resource::Opportunity, Read::Ids(made.clone()), &["title"]);
    assert_eq!(ids(&world.read(request).await), [number(&made[0]), number(&made[1])].into());
    let deleted = world.read(World::request(Resource::Opportunity, Read::Archived { since: None }, &["title"])).await;
    assert_eq!((ids(&deleted), deleted[0].deleted), ([number(&made[2])].into(), true));

    let (a, b) = (
        world.make(Resource::Account, &[("name", "A".into())]).await.id,
        world.make(Resource::Account, &[("name", "B".into())]).await.id,
    );
    assert!(user.merge("organizations", number(&a), number(&b)));
    let left = world.read(World::request(Resource::Account, Read::Ids(vec![a, b.clone()]), &["name"])).await;
    assert_eq!(ids(&left), [number(&b)].into(), "the loser of a merge is gone, and nothing says where to");
    world
        .fake
        .inject(Fault::new(FaultKind::ServerError).with_policy("VISIBILITY").on("GET /api/v2/organizations/{id}"));
    let request = World::request(Resource::Account, Read::Ids(vec![RemoteId::from("4711")]), &["name"]);
    let error = world.connector.read(&world.on, request).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Forbidden, "what may not be seen is not gone");
}

#[tokio::test]
async fn an_option_that_is_new_is_learnt_when_it_is_met() {
    let world =
        World::of(FakePipedrive::builder().field("persons", Field::new("Tier", "enum").with_options(&["Gold"]))).await;
    let code = world.fake.user().field_code("persons", "Tier").unwrap();
    let request = added_option(&world, &code).await;
    let id = world.fake.user().create("persons", &json!({"name": "Jane", "custom_fields": {&code: request}})).unwrap();
    let read = World::request(Resource::Contact, Read::Ids(vec![RemoteId::from(id.to_string())]), &[&code]);
    assert_eq!(world.read(read).await[0].fields.get(&code), Some(&Value::Choice("Silver".to_owned())));
}

/// An admin adds an option, and answers its id.
async fn added_option(world: &World, code: &str) -> u64 {
    use abmatic_sync_testkit::fake::exchange::Request;
    let path = format!("/api/v2/personFields/{code}/options");
    let request =
        Request::new("POST", &path).with_header("x-api-token", &world.fake.token()).json(&json!([{"label": "Silver"}]));
    world.fake.answer(&request).json()["data"][0]["id"].as_u64().unwrap()
}

#[tokio::test]
async fn activities_and_notes_tell_of_engagement() {
    let world = World::start().await;
    let person = number(&world.make(Resource::Contact, &[("first_name", "Ann".into())]).await.id);
    let org = number(&world.make(Resource::Account, &[("name", "Acme".into())]).await.id);
    let activity = [
        ("subject", Value::text("Opened campaign: Q3")),
        ("type", Value::text("email")),
        ("done", Value::Boolean(true)),
        ("person_id", Value::Integer(i64::try_from(person).unwrap())),
    ];
    let made = world.make(Resource::Activity, &activity).await;
    let held = world.fake.user().record("activities", number(&made.id)).unwrap();
    assert_eq!((held.get("person_id"), held.get("done")), (&json!(person), &json!(true)));
    let note =
        [("content", Value::text("<p>Visited pricing</p>")), ("org_id", Value::Integer(i64::try_from(org).unwrap()))];
    let made = world.make(Resource::Activity, &note).await;
    assert_eq!((made.id.as_str(), world.fake.user().notes()), ("note:1", 1));
    let change =
        vec![update(&made.id, &[("content", Value::text("<p>Twice</p>"))]), Write::Archive { id: made.id.clone() }];
    world.write(Resource::Activity, change).await.into_iter().for_each(|outcome| drop(written(outcome)));
    assert_eq!(world.fake.user().notes(), 0);
}

#[tokio::test]
async fn leads_are_not_people() {
    let world = World::start().await;
    let error = world.connector.describe(&world.on, Resource::Lead).await.unwrap_err();
    assert_eq!(error.code(), ErrorCode::Unsupported);
    assert!(world.connector.descriptor().resource(Resource::Lead).is_none());
}

#[tokio::test]
async fn the_days_reserve_is_left_to_others() {
    let world = World::of(FakePipedrive::builder().rate_limits(true).burst(1_000).daily_tokens(1_000)).await;
    world.fake.spend_tokens(770);
    let request = World::request(Resource::Contact, Read::All, &["email"]);
    let mut read = 0;
    let error = loop {
        match world.connector.read(&world.on, request.clone()).await {
            Ok(_) => read += 1,
            Err(error) => break error,
        }
    };
    assert_eq!((error.kind(), error.code()), (ErrorKind::RateLimited, ErrorCode::RequestLimitExceeded));
    assert!(error.retry_after().is_some_and(|wait| wait > Duration::from_secs(3_000)));
    assert!(world.fake.tokens_spent() <= 900, "{} of 1,000 after {read} reads", world.fake.tokens_spent());
}
