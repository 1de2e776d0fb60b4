//! The host's clock and the CRM's need not agree.

use abmatic_sync_core::model::resource::Resource::Account;
use abmatic_sync_core::model::value::Value;
use abmatic_sync_core::policy::{GoneRule, Policy};

use crate::support::{Host, fields, text};

const HOUR: i64 = 3_600;

#[tokio::test]
async fn no_change_is_missed_or_late_whoever_is_ahead() {
    for ahead in [-HOUR, 0, HOUR] {
        let host = Host::over(|crm| crm.with_clock_ahead(ahead)).await;
        let remote = host.crm.create(Account, fields([("name", "Acme")]));
        host.sync(Account).await;
        let local = host.link_of(Account, &remote).await.unwrap().local_id;
        for round in 0..5 {
            host.clock.advance(600);
            let name = format!("Acme {round}");
            host.crm.edit(Account, &remote, &fields([("name", &name)]));
            host.sync(Account).await;
            assert_eq!(text(&host.local(Account, &local).await.fields, "name"), name, "{ahead} s ahead");
        }
        // Nor is an old change read again for ever.
        host.clock.advance(600);
        host.sync(Account).await;
        host.clock.advance(600);
        assert_eq!(host.sync(Account).await.counts.read, 0, "{ahead} s ahead");
    }
}

#[tokio::test]
async fn what_is_edited_during_a_run_is_seen_by_the_next() {
    for ahead in [-HOUR, HOUR] {
        let host = Host::over(|crm| crm.with_clock_ahead(ahead)).await;
        let remote = host.crm.create(Account, fields([("name", "Acme")]));
        host.sync(Account).await;
        let local = host.link_of(Account, &remote).await.unwrap().local_id;
        // Right after the run's start, by either clock.
        host.crm.edit(Account, &remote, &fields([("name", "Edited")]));
        host.clock.advance(HOUR / 2);
        host.sync(Account).await;
        assert_eq!(text(&host.local(Account, &local).await.fields, "name"), "Edited", "{ahead} s ahead");
    }
}

#[tokio::test]
async fn the_later_edit_wins_by_one_clock() {
    for ahead in [-HOUR, 0, HOUR] {
        for host_is_later in [false, true] {
            let host = Host::over(|crm| crm.with_clock_ahead(ahead)).await;
            let remote = host.crm.create(Account, fields([("name", "Acme")]));
            host.sync(Account).await;
            let local = host.link_of(Account, &remote).await.unwrap().local_id;
            host.clock.advance(60);
            if !host_is_later {
                host.edit(Account, &local, fields([("name", "Ours")])).await;
                host.clock.advance(60);
            }
            host.crm.edit(Account, &remote, &fields([("name", "Theirs")]));
            host.clock.advance(60);
            if host_is_later {
                host.edit(Account, &local, fields([("name", "Ours")])).await;
                host.clock.advance(60);
            }
            host.sync(Account).await;
            let expected = if host_is_later { "Ours" } else { "Theirs" };
            assert_eq!(text(&host.local(Account, &local).await.fields, "name"), expected, "{ahead} s ahead");
            assert_eq!(text(&host.crm.record(Account, &remote).unwrap().fields, "name"), expected, "{ahead} s ahead");
        }
    }
}

#[tokio::test]
async fn a_field_that_came_from_the_crm_was_edited_by_the_hosts_clock() {
    let host = Host::over(|crm| crm.with_clock_ahead(HOUR)).await;
    let remote = host.crm.create(Account, fields([("name", "Acme")]));
    host.sync(Account).await;
    let local = host.link_of(Account, &remote).await.unwrap().local_id;
    host.clock.advance(60);
    host.crm.edit(Account, &remote, &fields([("name", "Theirs")]));
    host.clock.advance(60);
    host.sync(Account).await;
    let record = host.local(Account, &local).await;
    let edited = record.edited_at.get("name").copied().unwrap();
    let sooner = (record.modified_at - edited).num_seconds();
    assert!((60..=62).contains(&sooner), "{sooner} s before it was written here");
}

#[tokio::test]
async fn a_deletion_is_later_than_an_edit_by_one_clock() {
    for (ahead, edited_after) in [(HOUR, false), (-HOUR, true)] {
        let host = Host::over(|crm| crm.with_clock_ahead(ahead)).await;
        host.set_policy(Account, Policy::default().with_gone(GoneRule::Propagate)).await;
        let remote = host.crm.create(Account, fields([("name", "Acme")]));
        host.sync(Account).await;
        let local = host.link_of(Account, &remote).await.unwrap().local_id;
        host.clock.advance(60);
        if edited_after {
            host.delete(Account, &local).await;
            host.clock.advance(60);
        }
        // Of a field that is not mapped.
        host.crm.edit(
            Account,
            &remote,
            &abmatic_sync_core::model::fields::Fields::from_iter([("fax", Value::text("1"))]),
        );
        host.clock.advance(60);
        if !edited_after {
            host.delete(Account, &local).await;
        }
        host.sync(Account).await;
        assert_eq!(host.crm.record(Account, &remote).unwrap().deleted, !edited_after, "{ahead} s ahead");
    }
}
