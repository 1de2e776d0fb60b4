//! All that a world holds at its end, in words that do not depend on ids and times.

use std::collections::{BTreeMap, BTreeSet};

use abmatic_sync_core::model::change::Direction;
use abmatic_sync_core::model::journal::Status;
use abmatic_sync_core::model::link::{Link, LinkScope};
use abmatic_sync_core::model::record::LocalRecord;
use abmatic_sync_core::model::resource::Resource;
use abmatic_sync_core::model::value::Value;
use abmatic_sync_core::store::state::{LinkEnds, LogQuery, RunStatus, StateStore as _};
use abmatic_sync_sql::store::SqliteStore;
use abmatic_sync_testkit::fake::hubspot::{FakeHubspot, RecordView};

use crate::story::{CONNECTION, TENANT};

const ALL: usize = 1_000_000;
/// What the fake keeps of a record that depends on when it was made and on ids.
const PASSING: [&str; 8] = [
    "abmatic_sync_id",
    "associatedcompanyid",
    "createdate",
    "hs_all_contact_vids",
    "hs_createdate",
    "hs_lastmodifieddate",
    "hs_object_id",
    "lastmodifieddate",
];

/// A resource, its object, and the objects that its records are associated with.
const KINDS: [(Resource, &str, &[&str]); 3] = [
    (Resource::Account, "companies", &[]),
    (Resource::Contact, "contacts", &["companies"]),
    (Resource::Opportunity, "deals", &["companies", "contacts"]),
];

/// All that a world holds, each part sorted.
#[derive(Debug, Default)]
pub(crate) struct Portrait {
    here: Vec<String>,
    there: Vec<String>,
    links: Vec<String>,
    /// Records that are linked with none: of those with one key only one is.
    alone: Vec<String>,
    /// Lines of the log by resource, direction and status.
    log: BTreeMap<String, usize>,
}

impl Portrait {
    pub(crate) async fn of(crm: &FakeHubspot, store: &SqliteStore) -> Self {
        let mut portrait = Self::default();
        let mut local_names: BTreeMap<String, String> = BTreeMap::new();
        let mut remote_names: BTreeMap<(&str, String), String> = BTreeMap::new();
        for (resource, object, relations) in KINDS {
            let locals = store.list(&TENANT.into(), resource, ALL, None).await.unwrap();
            let described: Vec<_> =
                locals.iter().map(|record| (record, described_here(record, &local_names))).collect();
            portrait.here.extend(described.iter().map(|(_, text)| format!("{resource} {text}")));
            local_names.extend(described.into_iter().map(|(record, text)| (record.id.to_string(), text)));

            for record in crm.user().records(object) {
                let text = described_there(crm, (object, &record), relations, &remote_names);
                portrait.there.push(format!("{object} {text}"));
                remote_names.insert((object, record.id), text);
            }
            let links = links_of(store, resource).await;
            let sides = |link: &Link| {
                (local_names[link.local_id.as_str()].clone(), &remote_names[&(object, link.remote_id.to_string())])
            };
            portrait.links.extend(links.iter().map(|link| format!("{resource} {:?}", sides(link))));
            let linked: BTreeSet<&str> = links.iter().map(|link| link.local_id.as_str()).collect();
            let alone = locals.iter().filter(|record| !linked.contains(record.id.as_str()));
            portrait.alone.extend(alone.map(|record| format!("{resource} {}", local_names[record.id.as_str()])));
            let linked: BTreeSet<&str> = links.iter().map(|link| link.remote_id.as_str()).collect();
            let alone = remote_names.iter().filter(|((of, id), _)| *of == object && !linked.contains(id.as_str()));
            portrait.alone.extend(alone.map(|(_, text)| format!("{object} {text}")));
        }
        portrait.here.sort();
        portrait.there.sort();
        portrait.links.sort();
        portrait.alone.sort();
        portrait.count_log(store).await;
        check_runs(store).await;
        portrait
    }

    /// What was written to the CRM and never committed is not known to the log: an update that a kill cuts off is found
    /// done, and what a create may have left undone is written by the next look. So updates there are not compared; but
    /// none is told twice.
    async fn count_log(&mut self, store: &SqliteStore) {
        let mut told = BTreeSet::new();
        for entry in store.log(&LogQuery::new(TENANT).with_limit(ALL)).await.unwrap() {
            let line = format!("{} {} {}", entry.resource, entry.direction, entry.status);
            let is_update = entry.status == Status::Updated;
            for change in entry.changes.iter().filter(|change| is_update && change.written) {
                let change = format!("{line} {:?} {} {}", entry.local_id, change.field, change.new);
                assert!(told.insert(change.clone()), "told twice: {change}");
            }
            if !is_update || entry.direction == Direction::ToAbmatic {
                *self.log.entry(line).or_default() += 1;
            }
        }
    }

    /// Fails with what differs, and with no more of it than can be read.
    pub(crate) fn compare(&self, undisturbed: &Self) {
        for (what, got, wanted) in [
            ("here", &self.here, &undisturbed.here),
            ("in the CRM", &self.there, &undisturbed.there),
            ("linked", &self.links, &undisturbed.links),
            ("not linked", &self.alone, &undisturbed.alone),
        ] {
            let (more, less) = (beyond(got, wanted), beyond(wanted, got));
            assert!(more.is_empty() && less.is_empty(), "{what}, too much: {more:#?}\ntoo little: {less:#?}");
        }
        assert_eq!(self.log, undisturbed.log);
    }
}

/// What `these` hold more often than `those`, the first of it.
fn beyond(these: &[String], those: &[String]) -> Vec<String> {
    let mut left: BTreeMap<&str, usize> = BTreeMap::new();
    those.iter().for_each(|text| *left.entry(text).or_default() += 1);
    let more = these.iter().filter(|text| match left.get_mut(text.as_str()) {
        Some(count) if *count > 0 => {
            *count -= 1;
            false
        }
        _ => true,
    });
    more.take(5).cloned().collect()
}

fn described_here(record: &LocalRecord, names: &BTreeMap<String, String>) -> String {
    let fields = record.fields.iter().filter(|(_, value)| !value.is_blank()).map(|(name, value)| match value {
        Value::Reference(ids) => {
            let named: BTreeSet<&String> = ids.iter().map(|id| &names[id]).collect();
            format!("{name}={named:?}")
        }
        value => format!("{name}={value}"),
    });
    fields.collect::<Vec<_>>().join(" ")
}

fn described_there(
    crm: &FakeHubspot,
    (object, record): (&str, &RecordView),
    relations: &[&'static str],
    names: &BTreeMap<(&str, String), String>,
) -> String {
    let passes = |name: &str| PASSING.contains(&name) || name.starts_with("hs_lifecyclestage_");
    let properties = record.properties.iter().filter(|(name, _)| !passes(name));
    let properties = properties.map(|(name, value)| format!("{name}={value}"));
    let associated = relations.iter().map(|to| {
        let ids = crm.user().associated((object, &record.id), to).into_iter();
        let named: BTreeSet<String> = ids.map(|id| names[&(*to, id)].clone()).collect();
        format!("{to}={named:?}")
    });
    properties.chain(associated).collect::<Vec<_>>().join(" ")
}

/// The links of a resource, none of which meets another at either end.
async fn links_of(store: &SqliteStore, resource: Resource) -> Vec<Link> {
    let scope = LinkScope::new(TENANT.into(), CONNECTION.into(), resource);
    let links = store.links(&scope, &LinkEnds::All { after: None, limit: ALL }).await.unwrap();
    let here: BTreeSet<_> = links.iter().map(|link| link.local_id.as_str()).collect();
    let there: BTreeSet<_> = links.iter().map(|link| link.remote_id.as_str()).collect();
    assert_eq!((here.len(), there.len()), (links.len(), links.len()), "{resource}");
    assert!(store.open_intents(&scope).await.unwrap().is_empty(), "{resource}");
    links
}

/// Every run has reached its end, and accounts for what it read.
async fn check_runs(store: &SqliteStore) {
    for run in store.runs(&TENANT.into(), &CONNECTION.into(), ALL).await.unwrap() {
        assert_eq!(run.status, RunStatus::Completed, "{run:?}");
        assert!(run.counts.add_up(), "{run:?}");
    }
}
