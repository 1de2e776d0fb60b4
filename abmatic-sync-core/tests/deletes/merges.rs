//! Merges in the CRM: a link follows to a free survivor; a loser beside a linked survivor is reported, and linked no more.

use abmatic_sync_core::ids::{LocalId, RemoteId};
use abmatic_sync_core::model::journal::Status;
use abmatic_sync_core::model::resource::Resource::Account;
use abmatic_sync_core::model::resource::Side;
use abmatic_sync_core::policy::{GoneRule, Policy, Selection};

use crate::deletes::{host, is_deleted, logged};
use crate::support::{Host, fields, text};

async fn two_pairs(host: &Host) -> [(LocalId, RemoteId); 2] {
    let remotes = ["Kept", "Lost"].map(|name| host.crm.create(Account, fields([("name", name)])));
    host.sync(Account).await;
    host.sync(Account).await;
    host.tick();
    let mut pairs = Vec::new();
    for remote in remotes {
        pairs.push((host.link_of(Account, &remote).await.unwrap().local_id, remote));
    }
    pairs.try_into().unwrap()
}

#[tokio::test]
async fn of_two_linked_records_that_are_merged_one_pair_stays() {
    // However it comes out: by a tombstone, by the survivor's change, by an edit of the loser, by a sweep.
    for (tells, way) in [(true, "sync"), (false, "sync"), (false, "edit"), (false, "sweep")] {
        for rule in [GoneRule::Report, GoneRule::Unlink, GoneRule::Propagate] {
            let host = if tells { host(rule).await } else { Host::new().await };
            host.set_policy(Account, Policy::default().with_gone(rule)).await;
            let [(kept, survivor), (lost, loser)] = two_pairs(&host).await;
            host.crm.merge(Account, &survivor, &loser);
            match way {
                "edit" => host.edit(Account, &lost, fields([("name", "Edited here")])).await,
                "sweep" => drop(host.sweep(Account).await),
                _ => {}
            }
            host.sync(Account).await;
            let link = host.link_of(Account, &survivor).await.unwrap();
            assert_eq!((&link.local_id, link.gone), (&kept, None), "{way} {rule:?}");
            assert_eq!(host.link_of(Account, &loser).await.unwrap().gone, Some(Side::Remote), "{way} {rule:?}");
            let why = format!("{loser} was merged in the CRM into {survivor}, which is linked with {kept}");
            let lines = logged(&host, Status::Skipped).await;
            // An edit of the loser's record, which goes nowhere, is a second reason to say so.
            let expected = if way == "edit" { 2 } else { 1 };
            assert_eq!(lines.iter().filter(|line| line.message == why).count(), expected, "{way} {rule:?}");

            host.edit(Account, &lost, fields([("name", "Edited later")])).await;
            host.sync(Account).await;
            let named = Selection::Ids(vec![lost.clone()]);
            host.engine.push(&host.connection, Account, named).await.unwrap();
            assert!(!is_deleted(&host, &lost).await && !is_deleted(&host, &kept).await, "{way} {rule:?}");
            assert_eq!(host.crm.records(Account).len(), 1, "{way} {rule:?}");
            assert_eq!(text(&host.crm.record(Account, &survivor).unwrap().fields, "name"), "Kept");
        }
    }
}

#[tokio::test]
async fn a_tombstone_of_a_loser_leads_to_a_free_survivor() {
    let host = host(GoneRule::Propagate).await;
    let [(kept, first), _] = two_pairs(&host).await;
    let survivor = host.crm.create(Account, fields([("name", "Survivor")]));
    host.crm.merge(Account, &survivor, &first);
    let report = host.sync(Account).await;
    assert_eq!((report.counts.created, report.counts.deleted), (0, 0));
    let link = host.link_of(Account, &survivor).await.unwrap();
    assert_eq!((link.local_id, link.gone), (kept.clone(), None));
    assert_eq!(host.locals(Account).await.len(), 2);
}

#[tokio::test]
async fn a_loser_that_is_deleted_here_does_not_take_the_survivor_with_it() {
    let host = host(GoneRule::Propagate).await;
    let [(_, first), _] = two_pairs(&host).await;
    let survivor = host.crm.create(Account, fields([("name", "Survivor")]));
    let kept = host.link_of(Account, &first).await.unwrap().local_id;
    host.crm.merge(Account, &survivor, &first);
    host.delete(Account, &kept).await;
    host.engine.push(&host.connection, Account, Selection::All).await.unwrap();
    host.sync(Account).await;
    assert!(!host.crm.record(Account, &survivor).unwrap().deleted);
}
