//! Deletions, merges and restores on either side.

mod merges;
mod propagate;
mod random;
mod report;

use abmatic_sync_core::ids::{LocalId, RemoteId};
use abmatic_sync_core::model::journal::{LogEntry, Status};
use abmatic_sync_core::model::resource::Resource::Account;
use abmatic_sync_core::policy::{GoneRule, Policy};
use abmatic_sync_core::store::state::LogQuery;

use crate::support::{Host, fields};

/// A host whose CRM tells of deletions, under this rule.
async fn host(rule: GoneRule) -> Host {
    let host = Host::over(|crm| crm.telling_deletions()).await;
    host.set_policy(Account, Policy::default().with_gone(rule)).await;
    host
}

/// An account that both sides have, and agree on.
async fn pair(host: &Host) -> (LocalId, RemoteId) {
    let remote = host.crm.create(Account, fields([("name", "Acme"), ("domain", "acme.com")]));
    host.sync(Account).await;
    host.sync(Account).await;
    let local = host.link_of(Account, &remote).await.unwrap().local_id;
    host.tick();
    (local, remote)
}

async fn is_deleted(host: &Host, id: &LocalId) -> bool {
    host.local(Account, id).await.deleted
}

async fn logged(host: &Host, status: Status) -> Vec<LogEntry> {
    host.engine.log(&LogQuery::new("tenant").with_status(status)).await.unwrap()
}
