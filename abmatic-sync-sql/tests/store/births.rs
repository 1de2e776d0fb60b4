//! Records that an import makes stand in one row with link and log; nobody may notice, whatever happens to them later.

use std::collections::BTreeSet;

use abmatic_sync_core::ids::{LocalId, RemoteId, RunId};
use abmatic_sync_core::model::change::{Direction, FieldChange, Reason};
use abmatic_sync_core::model::fields::Fields;
use abmatic_sync_core::model::journal::{LogEntry, Status};
use abmatic_sync_core::model::link::{Awaited, Link};
use abmatic_sync_core::model::record::LocalRecord;
use abmatic_sync_core::model::resource::Resource;
use abmatic_sync_core::model::value::Value;
use abmatic_sync_core::store::contract::Store;
use abmatic_sync_core::store::page::{Birth, PageCommit, PageItem, StateCommit};
use abmatic_sync_core::store::records::{LocalOutcome, LocalWrite, RecordStore};
use abmatic_sync_core::store::state::{Lease, LinkEnds, LogQuery, StateStore};
use abmatic_sync_sql::store::SqliteStore;

use crate::support::{at, connection, fields, lease, link, run, scope, store, tenant};

fn birth(number: u32) -> Birth {
    let local_id = format!("l{number}");
    let mut log =
        LogEntry::new("run-1".into(), connection(), Resource::Contact, Status::Created, Direction::ToAbmatic, at(1));
    log.local_id = Some(local_id.as_str().into());
    log.remote_id = Some(format!("r{number}").as_str().into());
    log.message = Birth::MESSAGE.to_owned();
    let email = format!("{local_id}@acme.com");
    let mut held = fields([("first_name", "Ann"), ("work_email", &email)]);
    held.insert("job_title", Value::Null);
    let mut birth = Birth::new(local_id.as_str().into(), format!("r{number}").as_str().into(), held, log);
    birth.remote_modified_at = Some(at(0));
    if number.is_multiple_of(3) {
        let company = RemoteId::from("c1");
        birth.waiting_for = BTreeSet::from([Awaited::Remote(Resource::Account, company.clone())]);
        let change = FieldChange::new(
            "account".into(),
            Direction::ToAbmatic,
            Value::Null,
            Value::reference(company.as_str()),
            Reason::ParentMissing,
        );
        birth.log.changes.push(change.not_written());
    }
    birth
}

fn born(number: u32) -> PageItem {
    let mut item = PageItem::default();
    item.birth = Some(birth(number));
    item
}

async fn commit(store: &SqliteStore, held: &Lease, items: Vec<PageItem>) -> Vec<Option<LocalOutcome>> {
    store.commit_page(&scope(), held, PageCommit::new(items, run("run-1"))).await.unwrap()
}

/// Everything that a store tells of its records, links and log.
#[derive(Debug, PartialEq)]
struct Told {
    records: Vec<LocalRecord>,
    found: Vec<LocalRecord>,
    by_local: Vec<Link>,
    by_remote: Vec<Link>,
    pages: Vec<Link>,
    waiting: Vec<Link>,
    links: u64,
    log: Vec<LogEntry>,
    of_one: Vec<LogEntry>,
    of_other: Vec<LogEntry>,
    created: Vec<LogEntry>,
    of_run: Vec<LogEntry>,
}

async fn told(store: &SqliteStore) -> Told {
    let local: Vec<LocalId> = (0..8).map(|number| LocalId::from(format!("l{number}"))).collect();
    let remote: Vec<RemoteId> = (0..8).map(|number| RemoteId::from(format!("r{number}"))).collect();
    let keys: Vec<String> = local.iter().map(|id| format!("{id}@acme.com")).collect();
    let found = store.find(&tenant(), Resource::Contact, &keys).await.unwrap();
    let mut pages = Vec::new();
    loop {
        let after = pages.last().map(|link: &Link| link.local_id.clone());
        let page = store.links(&scope(), &LinkEnds::All { after, limit: 2 }).await.unwrap();
        if page.is_empty() {
            break;
        }
        pages.extend(page);
    }
    let sorted = |mut links: Vec<Link>| {
        links.sort_by(|a, b| a.local_id.cmp(&b.local_id));
        links
    };
    let log = |change: fn(&mut LogQuery)| {
        let mut query = LogQuery::new("tenant-1");
        change(&mut query);
        async move { store.log(&query).await.unwrap() }
    };
    Told {
        records: store.changed_since(&tenant(), Resource::Contact, None, 100).await.unwrap(),
        found: found.into_iter().map(|keyed| keyed.record).collect(),
        by_local: sorted(store.links(&scope(), &LinkEnds::Local(local)).await.unwrap()),
        by_remote: sorted(store.links(&scope(), &LinkEnds::Remote(remote)).await.unwrap()),
        pages,
        waiting: store.links(&scope(), &LinkEnds::Waiting { after: None, limit: 100 }).await.unwrap(),
        links: store.link_count(&scope()).await.unwrap(),
        log: log(|_| {}).await,
        of_one: log(|query| query.local_id = Some("l3".into())).await,
        of_other: log(|query| query.remote_id = Some("r4".into())).await,
        created: log(|query| query.status = Some(Status::Created)).await,
        of_run: log(|query| (query.run, query.limit, query.offset) = (Some(RunId::from("run-1")), 3, 2)).await,
    }
}

/// What happens to records afterwards.
async fn live(store: &SqliteStore, held: &Lease) {
    store.edit(&tenant(), Resource::Contact, &"l1".into(), fields([("first_name", "Bob")]), at(2)).await.unwrap();
    store.delete(&tenant(), Resource::Contact, &"l2".into(), at(3)).await.unwrap();
    let mut changed = StateCommit::new(run("run-1"));
    changed.links.push(link("l4", "r4"));
    // The remote record of another link, and the local record of another.
    changed.links.push(link("l9", "r5"));
    changed.links.push(link("l6", "r9"));
    changed.unlinks.push(("l3".into(), "r3".into()));
    store.commit(&scope(), held, &changed).await.unwrap();
    let mut update = PageItem::default();
    let read = store.read(&tenant(), Resource::Contact, &["l0".into()]).await.unwrap();
    update.local_write = Some(LocalWrite::update("l0".into(), fields([("last_name", "Low")]), read[0].version, at(4)));
    let mut skipped =
        LogEntry::new("run-1".into(), connection(), Resource::Contact, Status::Skipped, Direction::ToAbmatic, at(5));
    skipped.local_id = Some("l0".into());
    update.log.push(skipped);
    commit(store, held, vec![update, born(7)]).await;
}

#[tokio::test]
async fn births_are_told_as_their_parts_would_be() {
    let (together, apart) = (store().await, store().await);
    let (of_together, of_apart) = (lease(&together, "run-1").await, lease(&apart, "run-1").await);
    for (store, held) in [(&together, &of_together), (&apart, &of_apart)] {
        let mut before = StateCommit::new(run("run-1"));
        before.links.push(link("l8", "r1"));
        store.commit(&scope(), held, &before).await.unwrap();
    }
    for numbers in [0..3, 3..7] {
        let births: Vec<PageItem> = numbers.map(born).collect();
        let parts = births.iter().cloned().map(PageItem::unfolded).collect();
        let outcomes = commit(&together, &of_together, births).await;
        assert_eq!(outcomes, commit(&apart, &of_apart, parts).await);
    }
    let (whole, parts) = (told(&together).await, told(&apart).await);
    assert_eq!(whole, parts);
    assert_eq!((whole.records.len(), whole.links, whole.log.len(), whole.waiting.len()), (7, 7, 7, 3));
    assert_eq!(whole.by_local, whole.pages);
    live(&together, &of_together).await;
    live(&apart, &of_apart).await;
    assert_eq!(told(&together).await, told(&apart).await);
}

#[tokio::test]
async fn a_birth_whose_id_exists_is_refused_alone() {
    let store = store().await;
    let held = lease(&store, "run-1").await;
    let taken = LocalWrite::create("l1".into(), Fields::new(), at(0));
    store.upsert(&tenant(), Resource::Contact, &[taken]).await.unwrap();
    let mut page = PageCommit::new(vec![born(0), born(1), born(2)], run("run-1"));
    page.cursors.push(("import".into(), "next".into()));
    page.run_if_refused = Some(run("run-1"));
    let outcomes = store.commit_page(&scope(), &held, page).await.unwrap();
    let refused: Vec<bool> = outcomes.iter().map(|outcome| *outcome == Some(LocalOutcome::Refused)).collect();
    assert_eq!(refused, [false, true, false]);
    let ids = LinkEnds::Remote(vec!["r0".into(), "r1".into(), "r2".into()]);
    assert_eq!(store.links(&scope(), &ids).await.unwrap().len(), 2);
    assert_eq!(store.log(&LogQuery::new("tenant-1")).await.unwrap().len(), 2);
    assert_eq!(store.cursor(&scope(), "import").await.unwrap(), None);
    // Keys are found all the same.
    let keys = ["l0@acme.com".to_owned(), "l2@acme.com".to_owned()];
    assert_eq!(store.find(&tenant(), Resource::Contact, &keys).await.unwrap().len(), 2);
}
