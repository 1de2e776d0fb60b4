//! What the tests share: a tenant, a scope, times, records.

use abmatic_sync_core::ids::{ConnectionId, LocalId, RemoteId, RunId, TenantId};
use abmatic_sync_core::model::fields::Fields;
use abmatic_sync_core::model::link::{Link, LinkScope};
use abmatic_sync_core::model::record::Version;
use abmatic_sync_core::model::resource::Resource;
use abmatic_sync_core::model::value::Value;
use abmatic_sync_core::store::records::LocalOutcome;
use abmatic_sync_core::store::state::{Lease, RunRecord, StateStore};
use abmatic_sync_sql::store::SqliteStore;
use chrono::{DateTime, Duration, Utc};

pub(crate) async fn store() -> SqliteStore {
    SqliteStore::in_memory().await.unwrap()
}

pub(crate) fn tenant() -> TenantId {
    TenantId::from("tenant-1")
}

pub(crate) fn connection() -> ConnectionId {
    ConnectionId::from("hubspot-main")
}

pub(crate) fn scope() -> LinkScope {
    LinkScope::new(tenant(), connection(), Resource::Contact)
}

/// So many seconds after the tests began.
pub(crate) fn at(seconds: i64) -> DateTime<Utc> {
    "2026-11-24T10:00:00Z".parse::<DateTime<Utc>>().unwrap() + Duration::seconds(seconds)
}

pub(crate) fn fields<const N: usize>(pairs: [(&str, &str); N]) -> Fields {
    pairs.into_iter().map(|(name, text)| (name, Value::text(text))).collect()
}

pub(crate) fn version(outcome: LocalOutcome) -> Version {
    match outcome {
        LocalOutcome::Written(version) => version,
        other => panic!("{other:?}"),
    }
}

pub(crate) fn run(id: &str) -> RunRecord {
    RunRecord::new(RunId::from(id), tenant(), connection(), Resource::Contact, "{}".to_owned(), at(0))
}

pub(crate) async fn lease(store: &SqliteStore, holder: &str) -> Lease {
    store.acquire(&tenant(), &connection(), &RunId::from(holder), at(0), at(60)).await.unwrap()
}

pub(crate) fn link(local_id: &str, remote_id: &str) -> Link {
    let mut link = Link::new(LocalId::from(local_id), RemoteId::from(remote_id));
    link.base.agree("first_name".into(), Value::text("Ann"), Value::text("Ann"));
    link.base.agree("work_email".into(), Value::text("Ann@acme.com"), Value::text("ann@acme.com"));
    link
}
