//! Connections and schedules: whose they are, what is due, and marks that come while a run looks at them.

use abmatic_sync_core::error::ErrorCode;
use abmatic_sync_core::ids::{RemoteId, TenantId};
use abmatic_sync_core::model::resource::Resource;
use abmatic_sync_core::schedule::rhythm::Rhythm;
use abmatic_sync_core::store::connections::{ConnectionStatus, ConnectionStore, KeptConnection};
use abmatic_sync_core::store::schedules::{Schedule, ScheduleKey, ScheduleStore, TurnEnd};
use abmatic_sync_sql::store::SqliteStore;

use crate::support::{at, store};

async fn connect(store: &SqliteStore, tenant: &str, name: &str) -> KeptConnection {
    let kept = KeptConnection::new(tenant, format!("{tenant}/{name}"), "hubspot").with_account("62515");
    store.keep_connection(&kept).await.unwrap();
    kept
}

fn key(kept: &KeptConnection, resource: Resource) -> ScheduleKey {
    ScheduleKey::new(kept.tenant.clone(), kept.id.clone(), resource)
}

async fn plan(store: &SqliteStore, key: &ScheduleKey, seconds: i64) {
    let mut schedule = Schedule::new(key.clone(), Rhythm::every(60).unwrap());
    schedule.next_at = Some(at(seconds));
    store.keep_schedule(&schedule).await.unwrap();
}

#[tokio::test]
async fn connections_are_kept_as_they_were_and_by_tenant() {
    let store = store().await;
    let mut kept = connect(&store, "a", "main").await.with_base_url("https://eu.example.com/x".parse().unwrap());
    kept.status = ConnectionStatus::Paused { until: at(5), reason: "the day's calls are used".into() };
    store.keep_connection(&kept).await.unwrap();
    let other = connect(&store, "b", "main").await;
    assert_eq!(store.connection(&kept.tenant, &kept.id).await.unwrap(), Some(kept.clone()));
    assert_eq!(store.connection(&other.tenant, &kept.id).await.unwrap(), None);
    assert_eq!(store.connections(&other.tenant).await.unwrap(), std::slice::from_ref(&other));
    assert_eq!(store.connections_to("hubspot", "62515").await.unwrap(), [kept.clone(), other]);
    assert_eq!(store.connections_to("pipedrive", "62515").await.unwrap(), []);
    let stolen = KeptConnection::new("b", kept.id.clone(), "hubspot");
    assert_eq!(store.keep_connection(&stolen).await.unwrap_err().code(), ErrorCode::InvalidSettings);
    store.set_status(&TenantId::from("b"), &kept.id, &ConnectionStatus::Disabled).await.unwrap();
    assert_eq!(store.connection(&kept.tenant, &kept.id).await.unwrap(), Some(kept.clone()));
    store.forget_connection(&kept.tenant, &kept.id).await.unwrap();
    assert_eq!(store.connection(&kept.tenant, &kept.id).await.unwrap(), None);
}

#[tokio::test]
async fn what_is_due_is_fair_between_tenants() {
    let store = store().await;
    let (a1, a2, b) =
        (connect(&store, "a", "one").await, connect(&store, "a", "two").await, connect(&store, "b", "main").await);
    for (kept, resource, seconds) in [
        (&a1, Resource::Account, 1),
        (&a1, Resource::Contact, 2),
        (&a2, Resource::Account, 3),
        (&b, Resource::Account, 9),
        (&b, Resource::Contact, 11),
    ] {
        plan(&store, &key(kept, resource), seconds).await;
    }
    let keys = |due: Vec<Schedule>| due.into_iter().map(|due| due.key).collect::<Vec<_>>();
    let due = keys(store.due(at(10), 10).await.unwrap());
    let expected = [
        key(&a1, Resource::Account),
        key(&b, Resource::Account),
        key(&a1, Resource::Contact),
        key(&a2, Resource::Account),
    ];
    assert_eq!(due, expected);
    assert_eq!(keys(store.due(at(10), 2).await.unwrap()), expected[..2]);
    assert_eq!(store.next_due(at(10)).await.unwrap(), Some(at(11)));
    assert_eq!(store.next_due(at(11)).await.unwrap(), None);
}

#[tokio::test]
async fn a_connection_that_may_not_run_has_nothing_due() {
    let store = store().await;
    let kept = connect(&store, "a", "main").await;
    let key = key(&kept, Resource::Account);
    plan(&store, &key, 0).await;
    for status in
        [ConnectionStatus::Disabled, ConnectionStatus::NeedsReauthorisation { reason: "it was revoked".into() }]
    {
        store.set_status(&kept.tenant, &kept.id, &status).await.unwrap();
        assert!(store.due(at(100), 10).await.unwrap().is_empty(), "{status}");
        assert_eq!(store.next_due(at(100)).await.unwrap(), None, "{status}");
    }
    let paused = ConnectionStatus::Paused { until: at(200), reason: "the day's calls are used".into() };
    store.set_status(&kept.tenant, &kept.id, &paused).await.unwrap();
    assert!(store.due(at(199), 10).await.unwrap().is_empty());
    assert_eq!(store.next_due(at(100)).await.unwrap(), Some(at(200)));
    assert_eq!(store.due(at(200), 10).await.unwrap().len(), 1);
    let mut failed = TurnEnd::well(Some(at(0)));
    (failed.retry_at, failed.failures, failed.error) = (Some(at(300)), 1, Some("it is down".into()));
    store.ended(&key, &failed).await.unwrap();
    assert!(store.due(at(299), 10).await.unwrap().is_empty());
    assert_eq!(store.next_due(at(250)).await.unwrap(), Some(at(300)));
    let waits = store.due(at(300), 10).await.unwrap().remove(0);
    assert_eq!((waits.failures, waits.error.as_deref()), (1, Some("it is down")));
}

#[tokio::test]
async fn marks_are_one_row_each_and_survive_whoever_looks_at_an_older_one() {
    let store = store().await;
    let kept = connect(&store, "a", "main").await;
    let key = key(&kept, Resource::Contact);
    let ids = |ids: &[&str]| ids.iter().map(|id| RemoteId::from(*id)).collect::<Vec<_>>();
    store.mark(&key, &ids(&["1"]), at(1)).await.unwrap();
    assert!(store.marks(&key, 10).await.unwrap().is_empty(), "nothing is marked where nothing is scheduled");
    store.keep_schedule(&Schedule::new(key.clone(), Rhythm::Manual)).await.unwrap();
    store.mark(&key, &ids(&["1", "2", "1"]), at(1)).await.unwrap();
    store.mark(&key, &ids(&["2"]), at(5)).await.unwrap();
    store.mark(&key, &ids(&["2"]), at(3)).await.unwrap();
    let due = store.due(at(1), 10).await.unwrap();
    assert_eq!(due[0].marked_at, Some(at(1)));
    let marks = store.marks(&key, 10).await.unwrap();
    assert_eq!(marks.iter().map(|mark| (mark.id.as_str(), mark.at)).collect::<Vec<_>>(), [("1", at(1)), ("2", at(5))]);
    store.mark(&key, &ids(&["1"]), at(9)).await.unwrap();
    store.unmark(&key, &marks).await.unwrap();
    let left = store.marks(&key, 10).await.unwrap();
    assert_eq!(left.iter().map(|mark| mark.id.as_str()).collect::<Vec<_>>(), ["1"]);
    assert_eq!(store.schedules(&key.tenant, &key.connection).await.unwrap()[0].marked_at, Some(at(9)));
    store.unmark(&key, &left).await.unwrap();
    assert!(store.due(at(100), 10).await.unwrap().is_empty());
}

#[tokio::test]
async fn starts_without_an_end_are_counted_and_pushes_asked_for_early_stay() {
    let store = store().await;
    let kept = connect(&store, "a", "main").await;
    let key = key(&kept, Resource::Contact);
    plan(&store, &key, 0).await;
    assert_eq!((store.began(&key).await.unwrap(), store.began(&key).await.unwrap()), (1, 2));
    store.ask_push(&key, at(7)).await.unwrap();
    store.ask_push(&key, at(9)).await.unwrap();
    let pushed = |next_at, until| {
        let mut end = TurnEnd::well(next_at);
        end.pushed_until = Some(until);
        end
    };
    store.ended(&key, &pushed(Some(at(60)), at(6))).await.unwrap();
    let after = store.schedules(&key.tenant, &key.connection).await.unwrap().remove(0);
    assert_eq!((after.starts, after.push_at, after.next_at), (0, Some(at(7)), Some(at(60))));
    store.ended(&key, &pushed(None, at(7))).await.unwrap();
    let after = store.schedules(&key.tenant, &key.connection).await.unwrap().remove(0);
    assert_eq!((after.push_at, after.next_at), (None, None));
}
