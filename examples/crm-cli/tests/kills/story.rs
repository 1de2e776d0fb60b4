//! What happens in both worlds: an import, a push of new records, and syncs after edits on both sides.

use std::collections::BTreeMap;

use abmatic_sync_core::clock::Clock as _;
use abmatic_sync_core::ids::LocalId;
use abmatic_sync_core::model::fields::Fields;
use abmatic_sync_core::model::record::LocalRecord;
use abmatic_sync_core::model::resource::Resource;
use abmatic_sync_core::model::value::Value;
use abmatic_sync_http::clock::SystemClock;
use abmatic_sync_sql::store::SqliteStore;
use abmatic_sync_testkit::fake::hubspot::RecordView;

use crate::world::World;

pub(crate) const TENANT: &str = "default";
pub(crate) const CONNECTION: &str = "default/hubspot/main";

/// The whole story, stage by stage; of resources in the order of their references.
pub(crate) async fn tell(world: &mut World, resources: &[&str]) {
    for resource in resources {
        world.stage("import", resource).await;
    }
    add_here(world, "pushed", (110, 230, 110)).await;
    for resource in resources {
        world.stage("push", resource).await;
    }
    edit_here(world, 7).await;
    edit_there(world, 13);
    add_here(world, "synced", (20, 120, 20)).await;
    add_there(world, "found", (20, 120, 20));
    // The first sync reads all, the second what changed.
    for resource in resources {
        world.stage("sync", resource).await;
    }
    edit_here(world, 5).await;
    edit_there(world, 6);
    for resource in resources {
        world.stage("sync", resource).await;
    }
}

/// New accounts, contacts of them, and opportunities of both.
async fn add_here(world: &World, word: &str, (accounts, contacts, opportunities): (usize, usize, usize)) {
    let store = world.store().await;
    let mut account_ids = Vec::new();
    for number in 0..accounts {
        let website = format!("https://www.{word}-{number}.com/");
        let fields = [("name", Value::text(format!("{word} {number}"))), ("website", Value::text(website))];
        account_ids.push(add(&store, Resource::Account, fields).await);
    }
    let mut contact_ids = Vec::new();
    for number in 0..contacts {
        let account = &account_ids[number % accounts];
        let email = format!("person{number}@{word}-{}.com", number % accounts);
        let fields = [
            ("work_email", Value::text(email)),
            ("last_name", Value::text(format!("Person {number}"))),
            ("account", Value::reference(account.as_str())),
        ];
        contact_ids.push(add(&store, Resource::Contact, fields).await);
    }
    for number in 0..opportunities {
        // Some of them are alike in all but whose they are.
        let fields = [
            ("name", Value::text(format!("{word} deal {}", number / 2))),
            ("stage", Value::text("appointmentscheduled")),
            ("account", Value::reference(account_ids[number % accounts].as_str())),
            ("contacts", Value::reference(contact_ids[number % contacts].as_str())),
        ];
        add(&store, Resource::Opportunity, fields).await;
    }
    store.close().await;
}

async fn add<const N: usize>(store: &SqliteStore, resource: Resource, fields: [(&str, Value); N]) -> LocalId {
    store.create(&TENANT.into(), resource, of(fields), SystemClock.now()).await.unwrap().id
}

fn of<const N: usize>(fields: [(&str, Value); N]) -> Fields {
    let mut all = Fields::new();
    for (name, value) in fields {
        all.insert(name, value);
    }
    all
}

/// The records that bear a name which no other bears, in the order of those: the same in every world.
fn unmistakable<T>(records: Vec<T>, name: impl Fn(&T) -> String) -> Vec<(String, T)> {
    let mut named: Vec<(String, T)> = records.into_iter().map(|record| (name(&record), record)).collect();
    let mut times: BTreeMap<String, usize> = BTreeMap::new();
    named.iter().for_each(|(name, _)| *times.entry(name.clone()).or_default() += 1);
    named.retain(|(name, _)| !name.is_empty() && times[name] == 1);
    named.sort_by(|(a, _), (b, _)| a.cmp(b));
    named
}

/// Every `nth` record is edited here.
async fn edit_here(world: &World, nth: usize) {
    let store = world.store().await;
    for (resource, field, key) in [
        (Resource::Account, "name", "website"),
        (Resource::Contact, "job_title", "work_email"),
        (Resource::Opportunity, "name", "name"),
    ] {
        let text = |record: &LocalRecord, name: &str| {
            record.fields.get(name).and_then(Value::as_text).unwrap_or_default().to_owned()
        };
        let records = store.list(&TENANT.into(), resource, 10_000, None).await.unwrap();
        for (name, record) in unmistakable(records, |record| text(record, key)).iter().step_by(nth) {
            let value = format!("{name} edited here {nth}");
            let fields = of([(field, Value::text(value))]);
            store.edit(&TENANT.into(), resource, &record.id, fields, SystemClock.now()).await.unwrap();
        }
    }
    store.close().await;
}

/// Every `nth` record is edited there, after the edits here: some fields of some records on both sides.
fn edit_there(world: &World, nth: usize) {
    let user = world.crm.user();
    for (object, field, key) in
        [("companies", "name", "domain"), ("contacts", "jobtitle", "email"), ("deals", "dealname", "dealname")]
    {
        let records = unmistakable(user.records(object), |record: &RecordView| record.get(key).to_owned());
        for (name, record) in records.iter().step_by(nth) {
            let value = format!("{name} edited there {nth}");
            user.update(object, &record.id, &[(field, &value)]).unwrap();
        }
    }
}

/// New records in the CRM, the deals among them without a key.
fn add_there(world: &World, word: &str, (companies, contacts, deals): (usize, usize, usize)) {
    let user = world.crm.user();
    for number in 0..companies {
        let domain = format!("{word}-{number}.org");
        user.create("companies", &[("name", &format!("{word} {number}")), ("domain", &domain)]).unwrap();
    }
    for number in 0..contacts {
        user.create("contacts", &[("email", &format!("person{number}@{word}.org")), ("lastname", word)]).unwrap();
    }
    for number in 0..deals {
        let name = format!("{word} deal {}", number / 2);
        user.create("deals", &[("dealname", &name), ("dealstage", "qualifiedtobuy")]).unwrap();
    }
}
