//! What is deleted on one side is deleted on the other, where the host wants it so and nothing is lost by it.

use abmatic_sync_core::model::journal::Status;
use abmatic_sync_core::model::resource::Resource::Account;
use abmatic_sync_core::model::resource::Side;
use abmatic_sync_core::policy::{Caps, Create, GoneRule, Policy, Scope, Update, Writes};
use abmatic_sync_core::run::request::RunRequest;
use abmatic_sync_core::store::state::RunStatus;
use abmatic_sync_testkit::memory::crm::{Call, Failure};

use crate::deletes::{host, is_deleted, logged, pair};
use crate::support::{Host, fields, text};

#[tokio::test]
async fn a_deletion_in_the_crm_deletes_here() {
    let host = host(GoneRule::Propagate).await;
    let (local, remote) = pair(&host).await;
    host.crm.delete(Account, &remote);
    let plan = host.engine.preview(&host.connection, &RunRequest::sync(Account, Scope::All)).await.unwrap();
    assert_eq!((plan.items[0].action, plan.items[0].deletes_on), ("delete", Some(Side::Local)));
    let report = host.sync(Account).await;
    assert_eq!((report.counts.deleted, plan.counts.deleted), (1, 1));
    assert!(is_deleted(&host, &local).await);
    assert_eq!(logged(&host, Status::Deleted).await.len(), 1);
    let again = host.sync(Account).await;
    assert_eq!((again.counts.read, again.counts.deleted), (0, 0));
}

#[tokio::test]
async fn a_deletion_here_archives_in_the_crm() {
    let host = host(GoneRule::Propagate).await;
    let (local, remote) = pair(&host).await;
    host.delete(Account, &local).await;
    assert_eq!(host.sync(Account).await.counts.deleted, 1);
    assert!(host.crm.record(Account, &remote).unwrap().deleted);
    let again = host.sync(Account).await;
    assert_eq!((again.counts.read, host.crm.writes()), (0, 1));
}

#[tokio::test]
async fn an_edit_outlives_the_deletion_of_its_counterpart() {
    let told = host(GoneRule::Propagate).await;
    let (local, remote) = pair(&told).await;
    told.edit(Account, &local, fields([("name", "Edited here")])).await;
    told.crm.delete(Account, &remote);
    let report = told.sync(Account).await;
    assert_eq!(report.counts.deleted, 0);
    assert_eq!(text(&told.local(Account, &local).await.fields, "name"), "Edited here");
    assert!(!is_deleted(&told, &local).await);
    let lines = logged(&told, Status::Skipped).await;
    assert!(lines.iter().any(|line| line.message.contains("edited in the host since: the edit is kept")));

    for later in [true, false] {
        let host = host(GoneRule::Propagate).await;
        let (local, remote) = pair(&host).await;
        // An edit that nobody saw is kept whether it came before the deletion or after it.
        if later {
            host.delete(Account, &local).await;
            host.tick();
        }
        host.crm.edit(Account, &remote, &fields([("name", "Edited there")]));
        if !later {
            host.tick();
            host.delete(Account, &local).await;
        }
        assert_eq!(host.sync(Account).await.counts.deleted, 0);
        host.sync(Account).await;
        assert!(!host.crm.record(Account, &remote).unwrap().deleted);
        assert!(host.locals(Account).await.is_empty());
    }
}

#[tokio::test]
async fn a_closed_side_is_not_deleted_from() {
    let open = Writes::ALL;
    let closed = Writes::new(Create::Allowed, Update::Closed);
    for (import, export) in [(closed, open), (open, closed)] {
        let host = host(GoneRule::Propagate).await;
        let (local, remote) = pair(&host).await;
        let policy = Policy::default().with_gone(GoneRule::Propagate).with_import(import).with_export(export);
        host.set_policy(Account, policy).await;
        if import == closed {
            host.crm.delete(Account, &remote);
        } else {
            host.delete(Account, &local).await;
        }
        assert_eq!(host.sync(Account).await.counts.deleted, 0);
        assert_eq!(is_deleted(&host, &local).await, import != closed);
        assert_eq!(host.crm.record(Account, &remote).unwrap().deleted, import == closed);
    }
}

#[tokio::test]
async fn an_import_deletes_nothing_there_and_a_push_nothing_here() {
    let host = host(GoneRule::Propagate).await;
    let (local, remote) = pair(&host).await;
    host.delete(Account, &local).await;
    assert_eq!(host.import(Account).await.counts.deleted, 0);
    assert!(!host.crm.record(Account, &remote).unwrap().deleted);
}

#[tokio::test]
async fn deletions_over_the_cap_wait_for_a_confirmation() {
    let host = host(GoneRule::Propagate).await;
    let mut remotes = Vec::new();
    for number in 0..3 {
        remotes.push(host.crm.create(Account, fields([("name", &format!("Acme {number}"))])));
    }
    host.sync(Account).await;
    host.sync(Account).await;
    remotes.iter().for_each(|id| host.crm.delete(Account, id));
    let mut caps = Caps::default();
    caps.deletes_max = Some(2);
    host.set_policy(Account, Policy::default().with_gone(GoneRule::Propagate).with_caps(caps)).await;
    let stopped = host.sync(Account).await;
    assert_eq!((stopped.status, stopped.counts.deleted), (RunStatus::NeedsConfirmation, 3));
    assert_eq!(host.locals(Account).await.len(), 3);
    let done = host.engine.resume(&host.connection, &stopped.run).await.unwrap();
    assert_eq!(done.counts.deleted, 3);
    assert!(host.locals(Account).await.is_empty());
}

#[tokio::test]
async fn a_deletion_that_fails_is_tried_again() {
    let host = host(GoneRule::Propagate).await;
    let (local, remote) = pair(&host).await;
    host.delete(Account, &local).await;
    host.crm.fail_next(Call::Write, Failure::LostRequest);
    host.crm.fail_next(Call::Write, Failure::LostRequest);
    assert_eq!(host.sync(Account).await.counts.failed, 1);
    host.clock.advance(60);
    assert_eq!(host.sync(Account).await.counts.deleted, 1);
    assert!(host.crm.record(Account, &remote).unwrap().deleted);
    assert!(host.engine.quarantine(&host.connection, Account, None, 9).await.unwrap().is_empty());
}

#[tokio::test]
async fn a_deletion_whose_answer_is_lost_happened() {
    let host = host(GoneRule::Propagate).await;
    let (local, remote) = pair(&host).await;
    host.delete(Account, &local).await;
    host.crm.fail_next(Call::Write, Failure::LostAnswer);
    let report = host.sync(Account).await;
    assert_eq!((report.counts.deleted, report.counts.failed), (1, 0));
    assert!(host.crm.record(Account, &remote).unwrap().deleted);
}

#[tokio::test]
async fn who_is_restored_after_both_are_gone_is_left_alone() {
    let host = host(GoneRule::Propagate).await;
    let (local, remote) = pair(&host).await;
    host.delete(Account, &local).await;
    host.sync(Account).await;
    host.tick();
    host.crm.restore(Account, &remote);
    assert_eq!(host.sync(Account).await.counts.skipped, 1);
    host.sync(Account).await;
    assert!(!host.crm.record(Account, &remote).unwrap().deleted);
    assert!(host.locals(Account).await.is_empty());
    host.restore(Account, &local).await;
    host.sync(Account).await;
    assert_eq!(host.link_of(Account, &remote).await.unwrap().gone, None);
}

#[tokio::test]
async fn nothing_is_deleted_unless_the_host_says_so() {
    let host = Host::over(|crm| crm.telling_deletions()).await;
    let (local, remote) = pair(&host).await;
    let other = host.crm.create(Account, fields([("name", "Other")]));
    host.sync(Account).await;
    let of_other = host.link_of(Account, &other).await.unwrap().local_id;
    host.crm.delete(Account, &remote);
    host.delete(Account, &of_other).await;
    assert_eq!(host.sync(Account).await.counts.deleted, 0);
    assert!(!is_deleted(&host, &local).await);
    assert!(!host.crm.record(Account, &other).unwrap().deleted);
}
