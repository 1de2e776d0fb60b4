//! Syncs of records that somebody named, as webhooks do: just those, and the truth of each.

use abmatic_sync_core::filter::parse::parse;
use abmatic_sync_core::ids::RemoteId;
use abmatic_sync_core::model::resource::{Resource::Account, Side};
use abmatic_sync_core::policy::Scope;
use abmatic_sync_core::run::report::RunReport;
use abmatic_sync_core::run::request::RunRequest;

use crate::support::{Host, fields, text};

async fn target(host: &Host, scope: Scope, ids: &[&RemoteId]) -> RunReport {
    host.tick();
    let ids = ids.iter().map(|id| (*id).clone()).collect();
    let report = host.engine.run(&host.connection, &RunRequest::targeted(Account, scope, ids)).await.unwrap();
    assert!(report.counts.add_up(), "{:?}", report.counts);
    report
}

#[tokio::test]
async fn only_the_named_records_take_part_whatever_became_of_them() {
    let host = Host::new().await;
    let account = |name: &str| host.crm.create(Account, fields([("name", name), ("domain", &format!("{name}.com"))]));
    let (edited, merged, into, deleted, other) =
        (account("edited"), account("merged"), account("into"), account("deleted"), account("other"));
    host.sync(Account).await;
    host.tick();
    host.crm.edit(Account, &edited, &fields([("name", "Edited")]));
    host.crm.edit(Account, &other, &fields([("name", "Nobody told")]));
    host.crm.merge(Account, &into, &merged);
    host.crm.delete(Account, &deleted);
    let new = account("new");
    let unknown = RemoteId::from("404");
    let report = target(&host, Scope::All, &[&edited, &merged, &deleted, &new, &unknown]).await;
    assert_eq!((report.counts.created, report.counts.updated), (1, 1), "{:?}", report.counts);
    assert_eq!(host.link_of(Account, &deleted).await.unwrap().gone, Some(Side::Remote));
    assert!(host.link_of(Account, &merged).await.is_none_or(|link| link.gone.is_some()));
    let name = host.local(Account, &host.link_of(Account, &edited).await.unwrap().local_id).await;
    assert_eq!(text(&name.fields, "name"), "Edited");
    let untold = host.local(Account, &host.link_of(Account, &other).await.unwrap().local_id).await;
    assert_eq!(text(&untold.fields, "name"), "other");
    let again = target(&host, Scope::All, &[&edited, &merged, &deleted, &new]).await;
    assert_eq!((again.counts.created, again.counts.updated, again.counts.deleted), (0, 0, 0));
    assert_eq!(host.sync(Account).await.counts.updated, 1, "the poll finds what nobody told");
}

#[tokio::test]
async fn a_record_beyond_the_scope_stays_out() {
    let host = Host::new().await;
    let acme = host.crm.create(Account, fields([("name", "Acme"), ("domain", "acme.com")]));
    let filter = Scope::Filter(parse("name = \"Other\"").unwrap());
    assert_eq!(target(&host, filter.clone(), &[&acme]).await.counts.read, 0);
    host.tick();
    host.crm.edit(Account, &acme, &fields([("name", "Other")]));
    assert_eq!(target(&host, filter, &[&acme]).await.counts.created, 1);
}
