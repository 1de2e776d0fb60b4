//! The contract of `RecordStore`.

use abmatic_sync_core::ids::{LocalId, TenantId};
use abmatic_sync_core::model::fields::Fields;
use abmatic_sync_core::model::resource::Resource;
use abmatic_sync_core::model::value::Value;
use abmatic_sync_core::store::records::{LocalOutcome, LocalWrite, RecordStore};
use abmatic_sync_sql::store::{SqliteOptions, SqliteStore};
use proptest::prelude::{Strategy, prop_oneof, proptest};

use crate::support::{at, fields, store, tenant, version};

fn create(id: &str, email: &str) -> LocalWrite {
    LocalWrite::create(LocalId::from(id), fields([("work_email", email), ("first_name", "Ann")]), at(0))
}

#[tokio::test]
async fn what_is_written_is_read() {
    let store = store().await;
    let mut all = fields([("name", "Acme \u{0} \"quoted\" ünïcode"), ("website", "acme.com")]);
    all.insert("employee_count", Value::Integer(i64::MAX));
    all.insert("field_01", Value::Decimal("123456789012.3400".parse().unwrap()));
    all.insert("field_02", Value::Boolean(true));
    all.insert("field_03", Value::Date("2026-01-31".parse().unwrap()));
    all.insert("field_04", Value::Instant("2026-01-31T10:00:00.123456789Z".parse().unwrap()));
    all.insert("field_05", Value::Choice("CUST".into()));
    all.insert("field_06", Value::MultiChoice(["b".into(), "a".into()].into()));
    all.insert("field_07", Value::reference("17"));
    all.insert("field_08", Value::Null);
    let write = LocalWrite::create(LocalId::from("a1"), all.clone(), at(5));
    let outcomes = store.upsert(&tenant(), Resource::Account, &[write]).await.unwrap();
    let read = store.read(&tenant(), Resource::Account, &["a1".into(), "a2".into(), "a1".into()]).await.unwrap();
    assert_eq!(read.len(), 1);
    assert_eq!(read[0].fields, all);
    assert_eq!(read[0].version, version(outcomes[0]));
    assert_eq!((read[0].created_at, read[0].modified_at, read[0].deleted), (at(5), at(5), false));
    assert!(read[0].edited_at.is_empty());
}

#[tokio::test]
async fn a_write_is_refused_alone_when_the_record_had_moved_on() {
    let store = store().await;
    let writes = [create("c1", "a@acme.com"), create("c2", "b@acme.com")];
    let first = store.upsert(&tenant(), Resource::Contact, &writes).await.unwrap();
    let seen = version(first[0]);
    let change =
        |id: &str, name: &str, expected| LocalWrite::update(id.into(), fields([("first_name", name)]), expected, at(9));
    let second = store.upsert(&tenant(), Resource::Contact, &[change("c1", "Bea", seen)]).await.unwrap();
    let batch = [
        create("c1", "again@acme.com"),
        change("c1", "Cleo", seen),
        create("c3", "c@acme.com"),
        change("c2", "Dora", version(first[1])),
        change("c2", "Edna", version(first[1])),
        change("c9", "Nobody", seen),
        create("c3", "twice@acme.com"),
    ];
    let third = store.upsert(&tenant(), Resource::Contact, &batch).await.unwrap();
    let refused: Vec<bool> = third.iter().map(|outcome| *outcome == LocalOutcome::Refused).collect();
    assert_eq!(refused, [true, true, false, false, true, true, true]);
    assert!(version(second[0]) > version(first[1]) && version(third[2]) > version(second[0]));
    let read = store.read(&tenant(), Resource::Contact, &["c1".into(), "c2".into(), "c3".into()]).await.unwrap();
    let names: Vec<&Value> = read.iter().filter_map(|record| record.fields.get("first_name")).collect();
    assert_eq!(names, [&Value::text("Bea"), &Value::text("Dora"), &Value::text("Ann")]);
    assert_eq!(read[1].version, version(third[3]));
    assert_eq!(read[2].fields.get("work_email"), Some(&Value::text("c@acme.com")));
}

#[tokio::test]
async fn edits_keep_their_times() {
    let store = store().await;
    let made = store.upsert(&tenant(), Resource::Contact, &[create("c1", "a@acme.com")]).await.unwrap();
    let change = fields([("first_name", "Bea"), ("last_name", "Lee"), ("work_email", "a@acme.com")]);
    let mut write = LocalWrite::update("c1".into(), change, version(made[0]), at(20));
    write.edited_at.push(("first_name".into(), at(10)));
    store.upsert(&tenant(), Resource::Contact, &[write]).await.unwrap();
    let read = &store.read(&tenant(), Resource::Contact, &["c1".into()]).await.unwrap()[0];
    assert_eq!(read.edited_at.get("first_name"), Some(&at(10)));
    assert_eq!(read.edited_at.get("last_name"), Some(&at(20)));
    assert_eq!(read.edited_at.get("work_email"), Some(&at(0)), "it was given the same value again");
    assert_eq!((read.created_at, read.modified_at), (at(0), at(20)));
}

#[tokio::test]
async fn records_are_found_by_key_oldest_first() {
    let store = store().await;
    let website = |id: &str, website: &str, seconds| {
        LocalWrite::create(LocalId::from(id), fields([("website", website)]), at(seconds))
    };
    let writes = [
        website("a1", "https://www.Acme.com/about", 5),
        website("a2", "shop.acme.com", 1),
        website("a3", "other.co.uk", 0),
        website("a4", "gmail.com", 0),
        website("a5", "no address", 0),
    ];
    let made = store.upsert(&tenant(), Resource::Account, &writes).await.unwrap();
    let keys = ["acme.com", "other.co.uk", "gmail.com", "nobody.com", "acme.com"].map(str::to_owned);
    let found = store.find(&tenant(), Resource::Account, &keys).await.unwrap();
    let ids: Vec<(&str, &str)> = found.iter().map(|found| (found.key.as_str(), found.record.id.as_str())).collect();
    assert_eq!(ids, [("acme.com", "a2"), ("acme.com", "a1"), ("other.co.uk", "a3")]);

    let moved = LocalWrite::update("a2".into(), fields([("website", "moved.com")]), version(made[1]), at(9));
    store.upsert(&tenant(), Resource::Account, &[moved]).await.unwrap();
    store.delete(&tenant(), Resource::Account, &"a3".into(), at(9)).await.unwrap();
    let keys = ["acme.com", "other.co.uk", "moved.com"].map(str::to_owned);
    let found = store.find(&tenant(), Resource::Account, &keys).await.unwrap();
    let ids: Vec<&str> = found.iter().map(|found| found.record.id.as_str()).collect();
    assert_eq!(ids, ["a1", "a2"]);
    assert_eq!(store.count(&tenant(), Resource::Account).await.unwrap(), 4);
}

#[tokio::test]
async fn changes_come_in_the_order_of_their_versions_deleted_ones_too() {
    let store = store().await;
    let writes: Vec<LocalWrite> = (0..7).map(|number| create(&format!("c{number}"), "")).collect();
    store.upsert(&tenant(), Resource::Contact, &writes).await.unwrap();
    store.edit(&tenant(), Resource::Contact, &"c2".into(), fields([("last_name", "Lee")]), at(1)).await.unwrap();
    store.delete(&tenant(), Resource::Contact, &"c0".into(), at(2)).await.unwrap();
    let mut after = None;
    let mut seen = Vec::new();
    loop {
        let page = store.changed_since(&tenant(), Resource::Contact, after, 3).await.unwrap();
        let Some(last) = page.last() else { break };
        after = Some(last.version);
        seen.extend(page.iter().map(|record| (record.id.as_str().to_owned(), record.deleted)));
    }
    let expected = ["c1", "c3", "c4", "c5", "c6", "c2", "c0"].map(|id| (id.to_owned(), id == "c0"));
    assert_eq!(seen, expected);
}

#[tokio::test]
async fn a_schema_has_standard_custom_and_reference_fields() {
    let store = store().await;
    let schema = store.schema(Resource::Contact);
    assert_eq!(schema.key_field.as_ref().map(|name| name.as_str()), Some("work_email"));
    for name in ["first_name", "account", "field_01", "field_30"] {
        assert!(schema.field(name).is_some(), "{name}");
    }
    assert!(schema.field("field_31").is_none());
    assert!(store.schema(Resource::Activity).fields.is_empty());
}

#[tokio::test]
async fn tenants_never_see_each_other() {
    let store = store().await;
    let other = TenantId::from("tenant-2");
    let made = store.upsert(&tenant(), Resource::Contact, &[create("c1", "a@acme.com")]).await.unwrap();
    let theirs = store.upsert(&other, Resource::Contact, &[create("c1", "a@acme.com")]).await.unwrap();
    assert!(version(theirs[0]) > version(made[0]), "the same id is another record");
    let stolen = LocalWrite::update("c1".into(), fields([("first_name", "Eve")]), version(made[0]), at(1));
    assert_eq!(store.upsert(&other, Resource::Contact, &[stolen]).await.unwrap(), [LocalOutcome::Refused]);
    store.delete(&other, Resource::Contact, &"c1".into(), at(1)).await.unwrap();
    let lead = store.read(&tenant(), Resource::Lead, &["c1".into()]).await.unwrap();
    assert!(lead.is_empty(), "nor resources");
    let found = store.find(&tenant(), Resource::Contact, &["a@acme.com".to_owned()]).await.unwrap();
    assert_eq!(found[0].record.version, version(made[0]));
    assert!(store.find(&other, Resource::Contact, &["a@acme.com".to_owned()]).await.unwrap().is_empty());
    assert_eq!(store.changed_since(&other, Resource::Contact, None, 10).await.unwrap().len(), 1);
    assert!(store.list(&other, Resource::Contact, 10, None).await.unwrap().is_empty());
    assert_eq!(store.count(&TenantId::from("tenant-3"), Resource::Contact).await.unwrap(), 0);
}

#[tokio::test]
async fn any_number_of_records_is_written_and_read() {
    let store = store().await;
    for (round, size) in [0_usize, 1, 3, 499, 500, 501, 1_234].into_iter().enumerate() {
        let id = |number: usize| format!("{round}-{number}");
        let writes: Vec<LocalWrite> =
            (0..size).map(|number| create(&id(number), &format!("{}@acme.com", id(number)))).collect();
        let made = store.upsert(&tenant(), Resource::Contact, &writes).await.unwrap();
        assert!(made.iter().all(|outcome| *outcome != LocalOutcome::Refused));
        let ids: Vec<LocalId> = (0..size).map(|number| id(number).into()).collect();
        assert_eq!(store.read(&tenant(), Resource::Contact, &ids).await.unwrap().len(), size);
        let keys: Vec<String> = (0..size).map(|number| format!("{}@acme.com", id(number))).collect();
        assert_eq!(store.find(&tenant(), Resource::Contact, &keys).await.unwrap().len(), size);
    }
}

#[derive(Clone, Debug)]
enum Step {
    Create(u8, u8),
    Update(u8, u8, bool),
    Delete(u8),
}

fn steps() -> impl Strategy<Value = Vec<Step>> {
    let step = prop_oneof![
        (0_u8..6, 0_u8..4).prop_map(|(id, key)| Step::Create(id, key)),
        (0_u8..6, 0_u8..4, proptest::bool::ANY).prop_map(|(id, key, fresh)| Step::Update(id, key, fresh)),
        (0_u8..6).prop_map(Step::Delete),
    ];
    proptest::collection::vec(step, 0..40)
}

proptest! {
    /// Whatever is done, records are found exactly under the key that they have.
    #[test]
    fn keys_follow_their_records(steps in steps()) {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_time().build().unwrap();
        runtime.block_on(async move {
            let options = SqliteOptions::new().with_recent_keys_max(3);
            let store = SqliteStore::in_memory_with(options).await.unwrap();
            let mut model = std::collections::BTreeMap::new();
            for step in steps {
                apply(&store, &mut model, step).await;
                for key in 0..4 {
                    let found = store.find(&tenant(), Resource::Contact, &[format!("k{key}@acme.com")]).await.unwrap();
                    let mut found: Vec<String> = found.iter().map(|found| found.record.id.as_str().to_owned()).collect();
                    found.sort();
                    let expected: Vec<String> = model
                        .iter()
                        .filter(|(_, (held, _, live))| *held == key && *live)
                        .map(|(id, _): (&u8, _)| id.to_string())
                        .collect();
                    assert_eq!(found, expected);
                }
            }
        });
    }
}

type Model = std::collections::BTreeMap<u8, (u8, abmatic_sync_core::model::record::Version, bool)>;

async fn apply(store: &SqliteStore, model: &mut Model, step: Step) {
    let keyed = |key: u8| -> Fields { fields([("work_email", &format!("K{key}@acme.com"))]) };
    match step {
        Step::Create(id, key) => {
            let write = LocalWrite::create(id.to_string().into(), keyed(key), at(0));
            let outcome = store.upsert(&tenant(), Resource::Contact, &[write]).await.unwrap()[0];
            assert_eq!(outcome == LocalOutcome::Refused, model.contains_key(&id));
            model.entry(id).or_insert_with(|| (key, version(outcome), true));
        }
        Step::Update(id, key, fresh) => {
            let Some((held, seen, live)) = model.get_mut(&id) else { return };
            let expected = if fresh { *seen } else { abmatic_sync_core::model::record::Version::new(seen.get() - 1) };
            let write = LocalWrite::update(id.to_string().into(), keyed(key), expected, at(1));
            let outcome = store.upsert(&tenant(), Resource::Contact, &[write]).await.unwrap()[0];
            assert_eq!(outcome != LocalOutcome::Refused, fresh && *live);
            if let LocalOutcome::Written(version) = outcome {
                (*held, *seen) = (key, version);
            }
        }
        Step::Delete(id) => {
            let deleted = store.delete(&tenant(), Resource::Contact, &id.to_string().into(), at(2)).await;
            if let Some((_, seen, live)) = model.get_mut(&id).filter(|(.., live)| *live) {
                (*seen, *live) = (deleted.unwrap(), false);
            } else {
                assert!(deleted.is_err());
            }
        }
    }
}
