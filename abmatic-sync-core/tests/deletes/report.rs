//! What is deleted on one side is reported: the survivor stays, and is nobody's new record.

use abmatic_sync_core::model::fields::Fields;
use abmatic_sync_core::model::journal::Status;
use abmatic_sync_core::model::resource::Resource::{Account, Contact};
use abmatic_sync_core::model::resource::Side;
use abmatic_sync_core::model::value::Value;
use abmatic_sync_core::policy::{GoneRule, Scope, Selection};

use crate::deletes::{host, is_deleted, logged, pair};
use crate::support::{Host, fields, text};

#[tokio::test]
async fn a_deletion_in_the_crm_is_reported_once() {
    for rule in [GoneRule::Report, GoneRule::Unlink] {
        let host = host(rule).await;
        let (local, remote) = pair(&host).await;
        host.crm.delete(Account, &remote);
        let report = host.sync(Account).await;
        assert_eq!((report.counts.read, report.counts.skipped), (1, 1), "{rule:?}");
        assert_eq!(host.sync(Account).await.counts.read, 0, "{rule:?}");
        let lines = logged(&host, Status::Skipped).await;
        assert_eq!(
            (lines.len(), lines[0].remote_id.as_ref(), lines[0].local_id.as_ref()),
            (1, Some(&remote), Some(&local))
        );
        assert!(lines[0].message.ends_with("its counterpart in the CRM is gone"), "{}", lines[0].message);
        assert!(!is_deleted(&host, &local).await);
    }
}

#[tokio::test]
async fn the_survivor_here_is_not_created_anew_unless_it_is_named() {
    for rule in [GoneRule::Report, GoneRule::Unlink, GoneRule::Propagate] {
        let host = host(rule).await;
        let (local, remote) = pair(&host).await;
        host.edit(Account, &local, fields([("name", "Edited here")])).await;
        host.crm.delete(Account, &remote);
        host.sync(Account).await;
        host.edit(Account, &local, fields([("name", "Edited again")])).await;
        host.sync(Account).await;
        host.engine.push(&host.connection, Account, Selection::All).await.unwrap();
        host.engine.auto_push(&host.connection, Account).await.unwrap();
        assert!(host.crm.records(Account).is_empty(), "{rule:?}");
        let named = Selection::Ids(vec![local.clone()]);
        let push = host.engine.push(&host.connection, Account, named).await.unwrap();
        assert_eq!(push.counts.created, 1, "{rule:?}");
        let again = host.crm.records(Account).remove(0);
        assert_eq!(text(&again.fields, "name"), "Edited again");
        assert_eq!(host.link_of(Account, &again.id).await.unwrap().local_id, local);
        assert_eq!(host.sync(Account).await.counts.created, 0);
    }
}

#[tokio::test]
async fn the_survivor_there_is_not_created_anew_unless_it_is_named() {
    for rule in [GoneRule::Report, GoneRule::Unlink, GoneRule::Propagate] {
        let host = host(rule).await;
        let (local, remote) = pair(&host).await;
        host.delete(Account, &local).await;
        host.tick();
        host.crm.edit(Account, &remote, &fields([("name", "Edited there")]));
        assert_eq!(host.sync(Account).await.counts.skipped, 1, "{rule:?}");
        host.crm.edit(Account, &remote, &fields([("name", "Edited again")]));
        host.sync(Account).await;
        host.import(Account).await;
        assert!(host.locals(Account).await.is_empty(), "{rule:?}");
        let named = Scope::Ids(vec![remote.clone()]);
        let import = host.engine.import(&host.connection, Account, named).await.unwrap();
        assert_eq!(import.counts.created, 1, "{rule:?}");
        assert_eq!(text(&host.locals(Account).await[0].fields, "name"), "Edited again");
        assert_ne!(host.link_of(Account, &remote).await.unwrap().local_id, local);
        assert_eq!(host.sync(Account).await.counts.created, 0);
    }
}

#[tokio::test]
async fn only_an_unlinked_survivor_finds_another_by_its_key() {
    for (rule, expected) in [(GoneRule::Report, false), (GoneRule::Unlink, true)] {
        let host = host(rule).await;
        let (local, remote) = pair(&host).await;
        host.crm.delete(Account, &remote);
        host.sync(Account).await;
        let other = host.crm.create(Account, fields([("name", "Acme"), ("domain", "acme.com")]));
        host.sync(Account).await;
        let link = host.link_of(Account, &other).await;
        assert_eq!(link.is_some_and(|link| link.local_id == local && link.gone.is_none()), expected, "{rule:?}");
        assert_eq!(host.locals(Account).await.len(), 1, "{rule:?}");
        assert_eq!(host.crm.records(Account).len(), 1, "{rule:?}");
    }
}

#[tokio::test]
async fn a_restore_in_the_crm_goes_on_from_the_base() {
    let host = host(GoneRule::Report).await;
    let (local, remote) = pair(&host).await;
    host.crm.delete(Account, &remote);
    host.sync(Account).await;
    assert_eq!(host.link_of(Account, &remote).await.unwrap().gone, Some(Side::Remote));
    host.edit(Account, &local, fields([("name", "Edited meanwhile")])).await;
    host.sync(Account).await;
    host.tick();
    host.crm.restore(Account, &remote);
    host.crm.edit(Account, &remote, &Fields::from_iter([("size", Value::Integer(9))]));
    host.sync(Account).await;
    assert_eq!(host.link_of(Account, &remote).await.unwrap().gone, None);
    assert_eq!(text(&host.crm.record(Account, &remote).unwrap().fields, "name"), "Edited meanwhile");
    assert_eq!(host.local(Account, &local).await.fields.get("employee_count"), Some(&Value::Integer(9)));
}

#[tokio::test]
async fn a_restore_here_goes_on_from_the_base() {
    let host = host(GoneRule::Report).await;
    let (local, remote) = pair(&host).await;
    host.delete(Account, &local).await;
    host.sync(Account).await;
    host.tick();
    host.crm.edit(Account, &remote, &fields([("name", "Edited meanwhile")]));
    host.sync(Account).await;
    host.tick();
    host.restore(Account, &local).await;
    host.sync(Account).await;
    assert_eq!(host.link_of(Account, &remote).await.unwrap().gone, None);
    assert_eq!(text(&host.local(Account, &local).await.fields, "name"), "Edited meanwhile");
}

#[tokio::test]
async fn a_sweep_sees_what_the_crm_does_not_tell() {
    let host = Host::new().await;
    let mut remotes = Vec::new();
    for number in 0..60 {
        remotes.push(host.crm.create(Account, fields([("name", &format!("Acme {number}"))])));
    }
    host.sync(Account).await;
    let swept = host.sweep(Account).await;
    assert_eq!((swept.counts.read, swept.counts.unchanged), (60, 60));
    assert_eq!(swept.calls, 3, "60 records, 25 ids a call");
    host.crm.delete(Account, &remotes[7]);
    assert_eq!(host.sync(Account).await.counts.skipped, 0);
    assert_eq!(host.sweep(Account).await.counts.skipped, 1);
    assert_eq!(host.link_of(Account, &remotes[7]).await.unwrap().gone, Some(Side::Remote));
    host.crm.restore(Account, &remotes[7]);
    host.sweep(Account).await;
    assert_eq!(host.link_of(Account, &remotes[7]).await.unwrap().gone, None);
}

#[tokio::test]
async fn deletions_are_not_asked_for_before_anything_is_linked() {
    let host = host(GoneRule::Report).await;
    let remote = host.crm.create(Account, fields([("name", "Acme")]));
    host.crm.delete(Account, &remote);
    assert_eq!(host.sync(Account).await.calls, 1);
    assert_eq!(host.sync(Account).await.calls, 1);
    pair(&host).await;
    assert_eq!(host.sync(Account).await.calls, 2);
}

#[tokio::test]
async fn a_long_recycle_bin_is_not_read_by_every_sync() {
    let host = host(GoneRule::Report).await;
    let (_, first) = pair(&host).await;
    let mut remotes = vec![first];
    for number in 0..24 {
        remotes.push(host.crm.create(Account, fields([("name", &format!("Acme {number}"))])));
    }
    host.sync(Account).await;
    remotes.iter().for_each(|id| host.crm.delete(Account, id));
    assert_eq!(host.sync(Account).await.counts.skipped, 25);
    // Three pages it took: the next read of it is two minutes away.
    assert_eq!(host.sync(Account).await.calls, 1);
    host.clock.advance(120);
    let again = host.sync(Account).await;
    assert_eq!((again.calls, again.counts.skipped), (1 + 3, 0), "what is told twice is reported once");
    assert_eq!(host.sync(Account).await.calls, 1);
    host.clock.advance(120);
    assert_eq!(host.sync(Account).await.calls, 1 + 1);
    assert_eq!(host.sync(Account).await.calls, 1 + 1, "a short answer may be had with every sync");
}

#[tokio::test]
async fn a_deleted_record_waits_for_its_parent_no_more() {
    let host = Host::new().await;
    let account = host.crm.create(Account, fields([("name", "Acme")]));
    let mut person = fields([("email", "jo@acme.com")]);
    person.insert("account", Value::reference(account.as_str()));
    let contact = host.crm.create(Contact, person);
    host.sync(Contact).await;
    assert!(!host.link_of(Contact, &contact).await.unwrap().waiting_for.is_empty());
    host.crm.delete(Contact, &contact);
    host.sync(Account).await;
    assert_eq!(host.sync(Contact).await.counts.skipped, 1);
    let link = host.link_of(Contact, &contact).await.unwrap();
    assert_eq!((link.waiting_for.len(), link.gone), (0, Some(Side::Remote)));
    assert_eq!(host.sync(Contact).await.calls, 1);
}

#[tokio::test]
async fn a_reference_to_what_is_gone_waits() {
    let host = Host::new().await;
    let account = host.create(Account, fields([("name", "Acme")])).await;
    host.sync(Account).await;
    let remote = host.crm.records(Account).remove(0).id;
    host.crm.delete(Account, &remote);
    host.sweep(Account).await;
    let mut person = fields([("work_email", "jo@acme.com")]);
    person.insert("account", Value::reference(account.as_str()));
    host.create(Contact, person).await;
    let report = host.sync(Contact).await;
    assert_eq!((report.counts.created, report.counts.failed), (1, 0));
    assert!(host.crm.records(Contact)[0].fields.get("account").is_none_or(Value::is_blank));
}

#[tokio::test]
async fn what_an_index_shows_and_cannot_be_decoded_by_its_id_is_not_gone() {
    let host = host(GoneRule::Propagate).await;
    let local = host.create(Account, fields([("name", "Acme"), ("website", "acme.com")])).await;
    host.sync(Account).await;
    let remote = host.crm.records(Account).remove(0).id;
    // At the very time that the link knows, so that it is read again by its id.
    host.crm.edit(Account, &remote, &fields([("name", "Edited there")]));
    host.crm.garble_by_id(&remote);
    let synced = host.sync(Account).await;
    assert_eq!((synced.counts.failed, synced.counts.deleted), (1, 0));
    assert!(!is_deleted(&host, &local).await);
    assert_eq!(host.link_of(Account, &remote).await.unwrap().gone, None);
}

#[tokio::test]
async fn what_cannot_be_decoded_is_not_gone() {
    let host = host(GoneRule::Propagate).await;
    let (local, remote) = pair(&host).await;
    host.crm.garble(Account, &remote);
    let swept = host.sweep(Account).await;
    assert_eq!((swept.counts.failed, swept.counts.deleted), (1, 0));
    assert!(!is_deleted(&host, &local).await);
    assert_eq!(host.link_of(Account, &remote).await.unwrap().gone, None);
}
