//! The connector at all its work: the suite of the contract, and what is beyond it.

use abmatic_sync_core::clock::Clock as _;
use abmatic_sync_core::connector::contract::CrmConnector as _;
use abmatic_sync_core::connector::request::{CreateInDoubt, FindRequest, Read, VerifyRequest, Write};
use abmatic_sync_core::filter::parse::parse;
use abmatic_sync_core::ids::{FieldName, IntentId, RemoteId};
use abmatic_sync_core::model::connection::{Connection, Credentials};
use abmatic_sync_core::model::resource::Resource;
use abmatic_sync_core::model::value::Value;
use abmatic_sync_http::clock::SystemClock;
use abmatic_sync_http::webhook::subscribe::{HookTarget, Subscriber as _};
use abmatic_sync_testkit::conformance::suite::Suite;
use abmatic_sync_testkit::fake::pipedrive::{FakePipedrive, Field};
use abmatic_sync_testkit::fake::recording::Exchange;

use crate::world::{self, World, update, written};

/// What the connector and the fake say to each other.
pub(crate) async fn connector() -> Vec<Exchange> {
    let fake = world::company().start().await.unwrap();
    fake.record();
    Suite::new(world::subject(&fake).await).run().await.assert_passed();
    let mut exchanges = fake.recorded();
    exchanges.extend(records().await);
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
    let on = Connection::new("t", "c", "pipedrive", Credentials::token(fake.token()));
    let on = on.with_base_url(fake.base_url().parse().unwrap());
    let world = World { connector: World::connector(), fake, on };
    for resource in [Resource::Account, Resource::Contact, Resource::Opportunity] {
        written_and_read(&world, resource).await;
    }
    engagement(&world).await;
    hooks(&world).await;
    world.fake.recorded()
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
        .write(resource, vec![Write::Archive { id: made.id }])
        .await
        .into_iter()
        .for_each(|outcome| drop(written(outcome)));
    if resource == Resource::Opportunity {
        world.read(World::request(resource, Read::Archived { since: None }, &["title"])).await;
    }
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
