//! The connector at all its work: the suite of the contract, and what is beyond it.

use std::sync::Arc;

use abmatic_sync_core::clock::Clock as _;
use abmatic_sync_core::connector::contract::CrmConnector as _;
use abmatic_sync_core::connector::request::{CreateInDoubt, FindRequest, Read, VerifyRequest, Write};
use abmatic_sync_core::filter::parse::parse;
use abmatic_sync_core::ids::{ConnectionId, FieldName, IntentId, RemoteId, TenantId};
use abmatic_sync_core::model::resource::Resource;
use abmatic_sync_core::model::value::Value;
use abmatic_sync_http::clock::SystemClock;
use abmatic_sync_http::oauth::authorizer::{Authorizer, Stores};
use abmatic_sync_http::oauth::provider::App;
use abmatic_sync_http::transport::ReqwestTransport;
use abmatic_sync_http::webhook::subscribe::{HookTarget, Subscriber as _};
use abmatic_sync_pipedrive::oauth;
use abmatic_sync_testkit::conformance::suite::Suite;
use abmatic_sync_testkit::fake::exchange::Request;
use abmatic_sync_testkit::fake::pipedrive::{FakePipedrive, Field, OAUTH_CLIENT};
use abmatic_sync_testkit::fake::recording::Exchange;
use abmatic_sync_testkit::memory::connections::MemoryConnections;
use serde_json::json;

use crate::world::{self, World, update, written};

/// What the connector and the fake say to each other.
pub(crate) async fn connector() -> Vec<Exchange> {
    let fake = world::company().start().await.unwrap();
    fake.record();
    Suite::new(world::subject(&fake).await).run().await.assert_passed();
    let mut exchanges = fake.recorded();
    exchanges.extend(records().await);
    exchanges.extend(authorization().await);
    exchanges
}

/// Custom fields of each type, with a value.
fn fields() -> Vec<(&'static str, Value)> {
    let text = Value::text;
    vec![
        ("varchar", text("a")),
        ("varchar_auto", text("b")),
        ("text", text("c")),
        ("double", Value::Decimal("1.5".parse().unwrap())),
        ("monetary", Value::Decimal("12.50".parse().unwrap())),
        ("date", Value::Date("2026-03-04".parse().unwrap())),
        ("time", text("10:30:00")),
        ("phone", text("+358 1")),
        ("address", text("Main St 1, Oulu")),
        ("enum", Value::Choice("Gold".to_owned())),
        ("set", Value::MultiChoice(["Gold".to_owned(), "Silver".to_owned()].into())),
    ]
}

async fn records() -> Vec<Exchange> {
    let mut builder = FakePipedrive::builder().contact_sync(true).seed_records(700).page_max(60);
    for object in ["organizations", "persons", "deals"] {
        for (kind, _) in fields() {
            builder = builder.field(
                object,
                Field::new(kind, kind).with_options(if matches!(kind, "enum" | "set") {
                    &["Gold", "Silver"]
                } else {
                    &[]
                }),
            );
        }
    }
    let fake = builder.start().await.unwrap();
    fake.record();
    let world = World::on(fake);
    for resource in [Resource::Account, Resource::Contact, Resource::Opportunity] {
        written_and_read(&world, resource).await;
    }
    hidden(&world).await;
    engagement(&world).await;
    hooks(&world).await;
    let mut exchanges = world.fake.recorded();
    exchanges.extend(whole_names().await);
    exchanges
}

/// A record of a resource, through all that can happen to it.
async fn written_and_read(world: &World, resource: Resource) {
    let (object, name) = match resource {
        Resource::Account => ("organizations", "name"),
        Resource::Contact => ("persons", "first_name"),
        _ => ("deals", "title"),
    };
    let code = |kind: &str| world.fake.user().field_code(object, kind).unwrap();
    let codes: Vec<(String, Value)> = fields().into_iter().map(|(kind, value)| (code(kind), value)).collect();
    let mut sent: Vec<(&str, Value)> = codes.iter().map(|(code, value)| (code.as_str(), value.clone())).collect();
    sent.push((name, Value::text("Judged")));
    if resource == Resource::Contact {
        sent.extend([
            ("last_name", Value::text("Roe")),
            ("email", Value::text("judged@x.test")),
            ("phone", Value::text("1")),
        ]);
    }
    let announced_at = SystemClock.now();
    let made = world.make(resource, &sent).await;
    let emptied: Vec<(&str, Value)> = codes.iter().map(|(code, _)| (code.as_str(), Value::Null)).collect();
    let mut changes = vec![update(&made.id, &[(name, Value::text("Judged again"))]), update(&made.id, &emptied)];
    if resource == Resource::Contact {
        changes.push(update(&made.id, &[("email", Value::text("again@x.test"))]));
    }
    for outcome in world.write(resource, changes).await {
        written(outcome);
    }
    let schema = world.connector.describe(&world.on, resource).await.unwrap();
    let names: Vec<&str> = schema.fields.iter().map(|field| field.name.as_str()).collect();
    let filter = parse(&format!("{name} STARTS WITH \"a\" AND {} = \"Gold\"", code("enum"))).unwrap();
    for read in [
        Read::All,
        Read::Changed { since: announced_at, until: SystemClock.now(), filter: None },
        Read::Filter(filter),
        Read::Ids(vec![made.id.clone(), RemoteId::from("4711")]),
    ] {
        world.read(World::request(resource, read, &names)).await;
    }
    let keys = (0..40).map(|number| format!("judged{number}@x.test")).collect();
    if resource != Resource::Opportunity {
        world.connector.find(&world.on, FindRequest::new(resource, keys)).await.unwrap();
    }
    let doubt =
        CreateInDoubt::new(IntentId::from("x"), announced_at, [(name, Value::text("Judged"))].into_iter().collect());
    let mut request = VerifyRequest::new(resource, vec![doubt]);
    request.fields = [FieldName::from(name)].into();
    world.connector.verify(&world.on, request).await.unwrap();
    world.connector.may_write(&world.on, resource).await.unwrap();
    world
        .write(resource, vec![Write::Archive { id: made.id.clone() }])
        .await
        .into_iter()
        .for_each(|outcome| drop(written(outcome)));
    world.read(World::request(resource, Read::Ids(vec![made.id]), &[name])).await;
    if resource == Resource::Opportunity {
        world.read(World::request(resource, Read::Archived { since: None }, &["title"])).await;
    }
}

/// A deal that the list of deals hides.
async fn hidden(world: &World) {
    let id = world.make(Resource::Opportunity, &[("title", "Hidden".into())]).await.id;
    assert!(world.fake.user().update("deals", id.as_str().parse().unwrap(), &json!({"is_archived": true})).is_ok());
    let read = Read::Ids(vec![id]);
    assert_eq!(world.read(World::request(Resource::Opportunity, read, &["title"])).await.len(), 1);
}

/// A person of an account that takes no parts of names.
async fn whole_names() -> Vec<Exchange> {
    let fake = FakePipedrive::builder().name_parts(false).start().await.unwrap();
    fake.record();
    let id = RemoteId::from(fake.user().create("persons", &json!({"name": "Jane Roe"})).unwrap().to_string());
    let world = World::on(fake);
    let change = vec![update(&id, &[("last_name", Value::text("Doe"))])];
    world.write(Resource::Contact, change).await.into_iter().for_each(|outcome| drop(written(outcome)));
    world.fake.recorded()
}

/// Activities and notes.
async fn engagement(world: &World) {
    let person = [("person_id", Value::Integer(1))];
    let activity = [("subject", Value::text("Opened")), ("type", Value::text("email")), ("done", Value::Boolean(true))];
    let note = [("content", Value::text("<p>Visited</p>"))];
    for (fields, change) in
        [(&activity[..], ("subject", Value::text("Read"))), (&note[..], ("content", Value::text("Twice")))]
    {
        let fields: Vec<(&str, Value)> = fields.iter().chain(&person).cloned().collect();
        let id = world.make(Resource::Activity, &fields).await.id;
        let writes = vec![update(&id, &[change]), Write::Archive { id }];
        world.write(Resource::Activity, writes).await.into_iter().for_each(|outcome| drop(written(outcome)));
    }
}

/// Subscriptions, made and taken back.
async fn hooks(world: &World) {
    let target = HookTarget::new("https://hooks.host.test/a".parse().unwrap(), "password");
    let resources = [Resource::Account, Resource::Contact, Resource::Opportunity];
    assert_eq!(world.connector.subscribe(&world.on, &target, &resources).await.unwrap(), 3);
    assert_eq!(world.connector.unsubscribe(&world.on, &target).await.unwrap(), 3);
}

/// Consent, the exchange of its code, a refresh, and a revocation.
async fn authorization() -> Vec<Exchange> {
    let fake = FakePipedrive::builder().simulated_clock(1_795_536_000_000).start().await.unwrap();
    fake.record();
    let [client, secret, _, _] = OAUTH_CLIENT;
    let app = App::new(client, secret, "https://host.test/callback".parse().unwrap());
    let kept = Arc::new(MemoryConnections::default());
    let authorizer = Authorizer::new(
        "pipedrive",
        oauth::at(&fake.base_url().parse().unwrap()).unwrap(),
        app,
        Arc::new(ReqwestTransport::default()),
        fake.clock(),
        Stores::new(Arc::clone(&kept) as _, kept),
    );
    let (tenant, id) = (TenantId::from("t"), ConnectionId::from("c"));
    let consent = authorizer.begin(&tenant, &id, &[]).await.unwrap();
    let page = format!("{}?{}", consent.url.path(), consent.url.query().unwrap());
    let answer = fake.answer(&Request::new("GET", &page));
    let (_, query) = answer.header("location").unwrap().split_once('?').unwrap();
    authorizer.callback(query, &consent.state).await.unwrap();
    fake.advance_ms(3_600_000);
    authorizer.credentials(&tenant, &id).current().await.unwrap();
    authorizer.revoke(&tenant, &id).await.unwrap();
    assert_eq!(fake.calls().of("POST /oauth/token"), 2);
    fake.recorded()
}
