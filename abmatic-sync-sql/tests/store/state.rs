//! The contract of `StateStore`.

use abmatic_sync_core::error::ErrorCode;
use abmatic_sync_core::ids::{ConnectionId, IntentId, LocalId, RemoteId, RunId, TenantId};
use abmatic_sync_core::model::link::{Awaited, Link, LinkScope};
use abmatic_sync_core::model::record::Version;
use abmatic_sync_core::model::resource::{Resource, Side};
use abmatic_sync_core::store::page::StateCommit;
use abmatic_sync_core::store::state::{Intent, LinkEnds, RunStatus, StateStore};
use abmatic_sync_sql::store::SqliteStore;

use crate::support::{at, connection, fields, lease, link, run, scope, store, tenant};

async fn keep(store: &SqliteStore, links: Vec<Link>) {
    let lease = lease(store, "run-1").await;
    let mut commit = StateCommit::new(run("run-1"));
    commit.links = links;
    store.commit(&scope(), &lease, &commit).await.unwrap();
}

fn local(ids: &[&str]) -> LinkEnds {
    LinkEnds::Local(ids.iter().map(|id| LocalId::from(*id)).collect())
}

fn remote(ids: &[&str]) -> LinkEnds {
    LinkEnds::Remote(ids.iter().map(|id| RemoteId::from(*id)).collect())
}

#[tokio::test]
async fn links_are_found_by_either_end() {
    let store = store().await;
    assert!(store.links(&scope(), &remote(&["r1"])).await.unwrap().is_empty());
    let mut full = link("l1", "r1");
    full.local_version = Some(Version::new(7));
    full.remote_modified_at = Some(at(3));
    full.waiting_for.insert(Awaited::Remote(Resource::Account, "9".into()));
    keep(&store, vec![full.clone(), link("l2", "r2")]).await;
    assert_eq!(store.links(&scope(), &local(&["l1", "l9", "l1"])).await.unwrap(), [full]);
    assert_eq!(store.links(&scope(), &remote(&["r2", "r1"])).await.unwrap().len(), 2);
    assert!(store.links(&scope(), &local(&[])).await.unwrap().is_empty());
    assert_eq!(store.link_count(&scope()).await.unwrap(), 2);
}

#[tokio::test]
async fn a_link_under_either_id_is_replaced() {
    let store = store().await;
    keep(&store, vec![link("l1", "r1"), link("l2", "r2"), link("l3", "r3")]).await;
    keep(&store, vec![link("l1", "r2")]).await;
    let left = store.links(&scope(), &local(&["l1", "l2", "l3"])).await.unwrap();
    assert_eq!(left, [link("l1", "r2"), link("l3", "r3")]);
}

#[tokio::test]
async fn a_link_keeps_the_side_that_is_gone_and_all_come_in_pages() {
    let store = store().await;
    let mut links = vec![link("l1", "r1"), link("l2", "r2"), link("l3", "r3")];
    (links[0].gone, links[2].gone) = (Some(Side::Local), Some(Side::Remote));
    keep(&store, links.clone()).await;
    let first = store.links(&scope(), &LinkEnds::All { after: None, limit: 2 }).await.unwrap();
    let second = store.links(&scope(), &LinkEnds::All { after: Some("l2".into()), limit: 2 }).await.unwrap();
    assert_eq!([first, second].concat(), links);
    links[2].gone = None;
    keep(&store, links[2..].to_vec()).await;
    assert_eq!(store.links(&scope(), &local(&["l3"])).await.unwrap(), links[2..]);
}

#[tokio::test]
async fn waiting_links_come_in_pages() {
    let store = store().await;
    let waiting = |number: usize| {
        let mut link = link(&format!("l{number}"), &format!("r{number}"));
        if number != 2 {
            link.waiting_for.insert(Awaited::AnotherLook);
        }
        link
    };
    keep(&store, (0..5).map(waiting).collect()).await;
    let page = store.links(&scope(), &LinkEnds::Waiting { after: None, limit: 2 }).await.unwrap();
    assert_eq!(page.iter().map(|link| link.local_id.as_str()).collect::<Vec<_>>(), ["l0", "l1"]);
    let page = store.links(&scope(), &LinkEnds::Waiting { after: Some("l1".into()), limit: 9 }).await.unwrap();
    assert_eq!(page.iter().map(|link| link.local_id.as_str()).collect::<Vec<_>>(), ["l3", "l4"]);
}

#[tokio::test]
async fn scopes_never_see_each_other() {
    let store = store().await;
    keep(&store, vec![link("l1", "r1")]).await;
    let others = [
        LinkScope::new("tenant-2".into(), connection(), Resource::Contact),
        LinkScope::new(tenant(), "hubspot-other".into(), Resource::Contact),
        LinkScope::new(tenant(), connection(), Resource::Account),
        scope().to_remote(Resource::Lead),
    ];
    for other in others {
        assert!(store.links(&other, &remote(&["r1"])).await.unwrap().is_empty(), "{other:?}");
        store.save_settings(&other, "theirs").await.unwrap();
        assert_eq!(store.settings(&scope()).await.unwrap(), None);
    }
    assert!(store.run(&TenantId::from("tenant-2"), &RunId::from("run-1")).await.unwrap().is_none());
    assert!(store.runs(&TenantId::from("tenant-2"), &connection(), 9).await.unwrap().is_empty());
}

#[tokio::test]
async fn a_stalled_run_is_refused() {
    let store = store().await;
    let first = lease(&store, "run-1").await;
    let take = |holder: &str, now| {
        let (store, holder) = (store.clone(), RunId::from(holder));
        async move { store.acquire(&tenant(), &connection(), &holder, at(now), at(now + 60)).await }
    };
    let error = take("run-2", 59).await.unwrap_err();
    assert_eq!(error.code(), ErrorCode::LeaseHeld);
    assert!(error.message().contains("run-1"), "{error}");
    let second = take("run-2", 60).await.unwrap();
    assert!(second.token > first.token);
    let mut commit = StateCommit::new(run("run-1"));
    commit.links = vec![link("l1", "r1")];
    let intent = Intent::new(IntentId::from("i1"), "l1".into(), at(0), fields([]));
    for error in [
        store.commit(&scope(), &first, &commit).await.unwrap_err(),
        store.announce(&scope(), &first, std::slice::from_ref(&intent)).await.unwrap_err(),
    ] {
        assert_eq!(error.code(), ErrorCode::LeaseHeld);
    }
    assert_eq!(store.link_count(&scope()).await.unwrap(), 0, "nothing of a refused commit stays");
    assert!(store.open_intents(&scope()).await.unwrap().is_empty());
    store.release(&first).await.unwrap();
    assert!(take("run-3", 61).await.is_err(), "a lost lease gives nothing back");
    store.release(&second).await.unwrap();
    assert!(store.commit(&scope(), &second, &commit).await.is_err());
    let third = take("run-3", 61).await.unwrap();
    assert!(third.token > second.token);
    let again = take("run-3", 62).await.unwrap();
    assert!(again.token > third.token, "a resumed run fences off its former self");
}

#[tokio::test]
async fn a_commit_extends_the_lease() {
    let store = store().await;
    let mut held = lease(&store, "run-1").await;
    held.until = at(500);
    store.commit(&scope(), &held, &StateCommit::new(run("run-1"))).await.unwrap();
    let taken = store.acquire(&tenant(), &connection(), &RunId::from("run-2"), at(499), at(600)).await;
    assert_eq!(taken.unwrap_err().code(), ErrorCode::LeaseHeld);
    let other = ConnectionId::from("hubspot-other");
    assert!(store.acquire(&tenant(), &other, &RunId::from("run-2"), at(1), at(2)).await.is_ok());
}

#[tokio::test]
async fn intents_stay_open_until_their_outcome_is_committed() {
    let store = store().await;
    let lease = lease(&store, "run-1").await;
    let intent =
        |id: &str, seconds| Intent::new(id.into(), "l1".into(), at(seconds), fields([("email", "a@acme.com")]));
    let intents = [intent("i2", 1), intent("i1", 2), intent("i3", 3)];
    store.announce(&scope(), &lease, &intents).await.unwrap();
    store.announce(&scope(), &lease, &intents[..1]).await.unwrap();
    assert_eq!(store.open_intents(&scope()).await.unwrap(), intents);
    let mut commit = StateCommit::new(run("run-1"));
    commit.closed_intents = vec!["i1".into(), "i2".into()];
    store.commit(&scope(), &lease, &commit).await.unwrap();
    assert_eq!(store.open_intents(&scope()).await.unwrap(), intents[2..]);
}

#[tokio::test]
async fn cursors_settings_and_runs_are_kept() {
    let store = store().await;
    let lease = lease(&store, "run-1").await;
    assert_eq!(store.cursor(&scope(), "changed").await.unwrap(), None);
    for value in ["one", "two"] {
        let mut commit = StateCommit::new(run("run-1"));
        commit.cursors = vec![("changed".into(), value.into()), ("sweep".into(), "s".into())];
        commit.run.counts.read = 5;
        store.commit(&scope(), &lease, &commit).await.unwrap();
        store.save_settings(&scope(), value).await.unwrap();
        assert_eq!(store.cursor(&scope(), "changed").await.unwrap().as_deref(), Some(value));
        assert_eq!(store.settings(&scope()).await.unwrap().as_deref(), Some(value));
    }
    let mut second = run("run-2");
    second.started_at = at(10);
    second.checkpoint = Some("page 7".into());
    store.save_run(&second).await.unwrap();
    second.status = RunStatus::Completed;
    second.finished_at = Some(at(20));
    store.save_run(&second).await.unwrap();
    assert_eq!(store.run(&tenant(), &second.id).await.unwrap().as_ref(), Some(&second));
    let runs = store.runs(&tenant(), &connection(), 9).await.unwrap();
    assert_eq!(runs.iter().map(|run| run.id.as_str()).collect::<Vec<_>>(), ["run-2", "run-1"]);
    assert_eq!(runs[1].counts.read, 5);
    assert_eq!(store.runs(&tenant(), &connection(), 1).await.unwrap(), [second]);
}
