//! Records that are set aside: kept and released with a page, listed in pages, due at a time.

use abmatic_sync_core::error::ErrorCode;
use abmatic_sync_core::model::link::LinkScope;
use abmatic_sync_core::model::quarantine::{Quarantined, Seen};
use abmatic_sync_core::model::record::{RecordId, Version};
use abmatic_sync_core::model::resource::{Resource, Side};
use abmatic_sync_core::store::contract::Store;
use abmatic_sync_core::store::page::{PageCommit, PageItem, StateCommit};
use abmatic_sync_core::store::records::LocalWrite;
use abmatic_sync_core::store::state::{QuarantineQuery, Retried, StateStore};
use abmatic_sync_sql::store::SqliteStore;

use crate::support::{at, connection, fields, lease, run, scope, store, tenant};

fn local(id: &str) -> RecordId {
    RecordId::Local(id.into())
}

fn remote(id: &str) -> RecordId {
    RecordId::Remote(id.into())
}

/// A record that failed for the first time at `seconds`: due a minute later.
fn failed(record: RecordId, seconds: i64) -> Quarantined {
    let what = (ErrorCode::InvalidField, "\"email\" is no address (INVALID_FIELD)".to_owned());
    Quarantined::new(record, what, 1, at(seconds), Seen::new(Some(Version::new(7)), Some(at(3))))
}

async fn set_aside(store: &SqliteStore, records: Vec<Quarantined>) {
    let lease = lease(store, "run-1").await;
    let mut commit = StateCommit::new(run("run-1"));
    commit.set_aside = records;
    store.commit(&scope(), &lease, &commit).await.unwrap();
}

async fn all(store: &SqliteStore) -> Vec<Quarantined> {
    store.quarantine(&scope(), &QuarantineQuery::All { after: None, limit: 100 }).await.unwrap()
}

#[tokio::test]
async fn what_is_set_aside_is_kept_replaced_and_released() {
    let store = store().await;
    assert!(all(&store).await.is_empty());
    let first = failed(local("l1"), 0);
    let mut bare = failed(remote("l1"), 0);
    bare.seen = Seen::default();
    set_aside(&store, vec![bare.clone(), first.clone()]).await;
    assert_eq!(all(&store).await, [first, bare.clone()], "one id on two sides is two records");
    let mut again = failed(local("l1"), 100);
    (again.attempts, again.code, again.message) = (2, ErrorCode::RecordLocked, "locked".to_owned());
    let lease = lease(&store, "run-1").await;
    let mut commit = StateCommit::new(run("run-1"));
    commit.released = vec![local("l1"), remote("l1")];
    commit.set_aside = vec![again.clone()];
    store.commit(&scope(), &lease, &commit).await.unwrap();
    assert_eq!(all(&store).await, [again], "what is released and set aside in one page is set aside");
}

#[tokio::test]
async fn it_is_looked_up_by_record_in_pages_and_by_time() {
    let store = store().await;
    let records: Vec<Quarantined> = (0..6).map(|number| failed(local(&format!("l{number}")), 10 - number)).collect();
    set_aside(&store, records.iter().cloned().chain([failed(remote("r1"), 0)]).collect()).await;
    let of = QuarantineQuery::Of(vec![remote("r1"), local("l3"), local("r1"), remote("r1")]);
    assert_eq!(store.quarantine(&scope(), &of).await.unwrap(), [records[3].clone(), failed(remote("r1"), 0)]);
    let page = QuarantineQuery::All { after: Some(local("l3")), limit: 3 };
    let ids = |found: Vec<Quarantined>| found.into_iter().map(|held| held.record).collect::<Vec<_>>();
    assert_eq!(ids(store.quarantine(&scope(), &page).await.unwrap()), [local("l4"), local("l5"), remote("r1")]);
    let due = |after, limit| QuarantineQuery::Due { side: Side::Local, at: at(68), after, limit };
    let first = store.quarantine(&scope(), &due(None, 2)).await.unwrap();
    assert_eq!(first, [records[5].clone(), records[4].clone()]);
    let after = Some((first[1].retry_at, first[1].record.as_str().to_owned()));
    assert_eq!(ids(store.quarantine(&scope(), &due(after, 9)).await.unwrap()), [local("l3"), local("l2")]);
    let nobodys = LinkScope::new("tenant-2".into(), connection(), Resource::Contact);
    assert!(store.quarantine(&nobodys, &page).await.unwrap().is_empty());
}

#[tokio::test]
async fn it_becomes_due_when_the_host_says_so() {
    let store = store().await;
    set_aside(&store, vec![failed(local("l1"), 0), failed(local("l2"), 0), failed(remote("r1"), 0)]).await;
    let some = Retried::Of(vec![local("l2"), local("l9")]);
    assert_eq!(store.retry_now(&scope(), &some, at(5)).await.unwrap(), 1);
    let times = |held: Vec<Quarantined>| held.into_iter().map(|held| held.retry_at).collect::<Vec<_>>();
    assert_eq!(times(all(&store).await), [at(60), at(5), at(60)]);
    assert_eq!(store.retry_now(&scope(), &Retried::All, at(9)).await.unwrap(), 3);
    assert_eq!(times(all(&store).await), [at(9), at(5), at(9)], "what was due before stays so");
}

#[tokio::test]
async fn a_refused_item_sets_nothing_aside_and_releases_nothing() {
    let store = store().await;
    set_aside(&store, vec![failed(remote("r1"), 0)]).await;
    let held = lease(&store, "run-1").await;
    let item = |id: &str| {
        let mut item = PageItem::default();
        item.local_write = Some(LocalWrite::create(id.into(), fields([]), at(1)));
        item.released = vec![remote("r1")];
        item.set_aside = Some(failed(local("l1"), 1));
        item
    };
    store.create(&tenant(), Resource::Contact, fields([]), at(0)).await.unwrap();
    let taken = store.list(&tenant(), Resource::Contact, 1, None).await.unwrap().remove(0).id;
    let page = PageCommit::new(vec![item(taken.as_str())], run("run-1"));
    store.commit_page(&scope(), &held, page).await.unwrap();
    assert_eq!(all(&store).await, [failed(remote("r1"), 0)]);
    store.commit_page(&scope(), &held, PageCommit::new(vec![item("l1")], run("run-1"))).await.unwrap();
    assert_eq!(all(&store).await, [failed(local("l1"), 1)]);
}
