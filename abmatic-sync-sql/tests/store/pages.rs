//! A page's commit: local writes, links, log and cursor together, or each store by itself.

use std::sync::Arc;

use abmatic_sync_core::error::ErrorCode;
use abmatic_sync_core::ids::RunId;
use abmatic_sync_core::model::change::Direction;
use abmatic_sync_core::model::journal::{LogEntry, Status};
use abmatic_sync_core::model::record::Version;
use abmatic_sync_core::model::resource::Resource;
use abmatic_sync_core::store::contract::{SeparateStores, Store};
use abmatic_sync_core::store::page::{PageCommit, PageItem};
use abmatic_sync_core::store::records::{LocalOutcome, LocalWrite, RecordStore};
use abmatic_sync_core::store::state::{LinkEnds, LogQuery, StateStore};

use crate::support::{at, connection, fields, lease, link, run, scope, store, tenant, version};

fn item(local_id: &str, remote_id: &str) -> PageItem {
    let mut item = PageItem::default();
    let email = format!("{local_id}@acme.com");
    item.local_write = Some(LocalWrite::create(local_id.into(), fields([("work_email", &email)]), at(1)));
    let mut link = link(local_id, remote_id);
    link.local_version = Some(Version::new(0));
    item.link = Some(link);
    let (run, to) = (RunId::from("run-1"), Direction::ToAbmatic);
    let mut entry = LogEntry::new(run, connection(), Resource::Contact, Status::Created, to, at(1));
    entry.local_id = Some(local_id.into());
    item.log.push(entry);
    item
}

fn page(items: Vec<PageItem>) -> PageCommit {
    let mut page = PageCommit::new(items, run("run-1"));
    page.cursors.push(("import".into(), "after r2".into()));
    page
}

#[tokio::test]
async fn a_page_is_committed_whole() {
    let store = store().await;
    let lease = lease(&store, "run-1").await;
    let outcomes = store.commit_page(&scope(), &lease, page(vec![item("l1", "r1"), item("l2", "r2")])).await.unwrap();
    let links = store.links(&scope(), &LinkEnds::Local(vec!["l1".into(), "l2".into()])).await.unwrap();
    let versions: Vec<_> = outcomes.iter().map(|outcome| Some(version(outcome.unwrap()))).collect();
    assert_eq!(links.iter().map(|link| link.local_version).collect::<Vec<_>>(), versions);
    assert_eq!(store.count(&tenant(), Resource::Contact).await.unwrap(), 2);
    assert_eq!(store.log(&LogQuery::new("tenant-1")).await.unwrap().len(), 2);
    assert_eq!(store.cursor(&scope(), "import").await.unwrap().as_deref(), Some("after r2"));
    assert!(store.run(&tenant(), &RunId::from("run-1")).await.unwrap().is_some());
}

#[tokio::test]
async fn a_refused_item_leaves_only_what_it_says() {
    let store = store().await;
    let lease = lease(&store, "run-1").await;
    let taken = LocalWrite::create("l1".into(), fields([("first_name", "Host")]), at(0));
    store.upsert(&tenant(), Resource::Contact, &[taken]).await.unwrap();
    let mut refused = item("l1", "r1");
    refused.link_if_refused = Some(link("l9", "r1"));
    let mut linked = PageItem::default();
    linked.link = Some(link("l3", "r3"));
    let outcomes = store.commit_page(&scope(), &lease, page(vec![refused, item("l2", "r2"), linked])).await.unwrap();
    assert_eq!(outcomes[0], Some(LocalOutcome::Refused));
    assert!(matches!(outcomes[1], Some(LocalOutcome::Written(_))));
    assert_eq!(outcomes[2], None);
    let links = store.links(&scope(), &LinkEnds::Remote(vec!["r1".into(), "r2".into(), "r3".into()])).await.unwrap();
    assert_eq!(links.iter().map(|link| link.local_id.as_str()).collect::<Vec<_>>(), ["l9", "l2", "l3"]);
    assert_eq!(store.log(&LogQuery::new("tenant-1")).await.unwrap().len(), 1);
}

#[tokio::test]
async fn without_the_lease_nothing_of_a_page_is_written() {
    let store = store().await;
    let stalled = lease(&store, "run-1").await;
    store.acquire(&tenant(), &connection(), &RunId::from("run-2"), at(100), at(200)).await.unwrap();
    let error = store.commit_page(&scope(), &stalled, page(vec![item("l1", "r1")])).await.unwrap_err();
    assert_eq!(error.code(), ErrorCode::LeaseHeld);
    assert_eq!(store.count(&tenant(), Resource::Contact).await.unwrap(), 0);
    let again = lease_now(&store).await;
    store.commit_page(&scope(), &again, page(vec![item("l1", "r1")])).await.unwrap();
    assert_eq!(store.find(&tenant(), Resource::Contact, &["l1@acme.com".to_owned()]).await.unwrap().len(), 1);
}

async fn lease_now(store: &abmatic_sync_sql::store::SqliteStore) -> abmatic_sync_core::store::state::Lease {
    store.acquire(&tenant(), &connection(), &RunId::from("run-1"), at(300), at(400)).await.unwrap()
}

#[tokio::test]
async fn in_two_databases_a_crash_between_them_is_mended_by_the_same_page() {
    let (records, state) = (store().await, store().await);
    let both = SeparateStores::new(Arc::new(records.clone()), Arc::new(state.clone()));
    let lost = lease(&state, "run-0").await;
    state.release(&lost).await.unwrap();
    both.commit_page(&scope(), &lost, page(vec![item("l1", "r1")])).await.unwrap_err();
    assert_eq!(
        records.count(&tenant(), Resource::Contact).await.unwrap(),
        0,
        "without the lease it may not write here"
    );
    // The half that a crash leaves.
    let made = item("l1", "r1").local_write.unwrap();
    records.upsert(&tenant(), Resource::Contact, &[made]).await.unwrap();
    assert_eq!(state.link_count(&scope()).await.unwrap(), 0);
    let held = lease(&state, "run-1").await;
    let mut again = item("l1", "r1");
    let written = records.read(&tenant(), Resource::Contact, &["l1".into()]).await.unwrap();
    again.local_write = Some(LocalWrite::update("l1".into(), fields([]), written[0].version, at(2)));
    both.commit_page(&scope(), &held, page(vec![again])).await.unwrap();
    assert_eq!(records.count(&tenant(), Resource::Contact).await.unwrap(), 1);
    assert_eq!(state.link_count(&scope()).await.unwrap(), 1);
    assert_eq!(records.link_count(&scope()).await.unwrap(), 0);
}

#[tokio::test]
async fn a_dropped_commit_leaves_the_store_usable() {
    let store = store().await;
    let held = lease(&store, "run-1").await;
    for patience in 0..40 {
        let items =
            (0..50).map(|number| item(&format!("l{patience}-{number}"), &format!("r{patience}-{number}"))).collect();
        let scope = scope();
        let mut commit = Box::pin(store.commit_page(&scope, &held, page(items)));
        for _ in 0..patience {
            tokio::select! { biased; _ = &mut commit => break, () = tokio::task::yield_now() => {} }
        }
    }
    store.commit_page(&scope(), &held, page(vec![item("last", "last")])).await.unwrap();
    let (records, links) =
        (store.count(&tenant(), Resource::Contact).await.unwrap(), store.link_count(&scope()).await.unwrap());
    assert_eq!(records, links, "each page is whole or absent");
}
