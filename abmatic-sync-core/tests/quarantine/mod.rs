//! Records that fail are set aside: they stop nothing, and are tried again when that may help (I7).

use abmatic_sync_core::error::{ErrorCode, ErrorKind};
use abmatic_sync_core::filter::parse::parse;
use abmatic_sync_core::ids::{LocalId, RemoteId};
use abmatic_sync_core::model::journal::Status;
use abmatic_sync_core::model::mapping::{FieldMapping, Mapping};
use abmatic_sync_core::model::quarantine::Quarantined;
use abmatic_sync_core::model::record::RecordId;
use abmatic_sync_core::model::resource::Resource::{self, Account, Contact, Lead};
use abmatic_sync_core::policy::{Policy, Scope, Selection};
use abmatic_sync_core::run::request::{RunRequest, Settings};
use abmatic_sync_core::store::state::{LogQuery, Retried};
use abmatic_sync_testkit::memory::crm::{Call, Failure};

use crate::support::{Host, fields, text};

async fn held(host: &Host, resource: Resource) -> Vec<Quarantined> {
    host.engine.quarantine(&host.connection, resource, None, 100).await.unwrap()
}

async fn failures_logged(host: &Host) -> usize {
    host.engine.log(&LogQuery::new("tenant").with_status(Status::Failed)).await.unwrap().len()
}

/// An account that the CRM requires a name of, and that has none.
async fn nameless(host: &Host) -> LocalId {
    host.create(Account, fields([("website", "nameless.com")])).await
}

/// A contact whose title was changed in the CRM, and whose address was changed here to one that another contact has: the
/// pair fails as long as that is so.
async fn torn_pair(host: &Host) -> (LocalId, RemoteId) {
    let remote = host.crm.create(Contact, fields([("email", "jo@acme.com")]));
    host.crm.create(Contact, fields([("email", "al@acme.com")]));
    host.sync(Contact).await;
    let local = host.link_of(Contact, &remote).await.unwrap().local_id;
    host.crm.edit(Contact, &remote, &fields([("title", "CTO")]));
    host.edit(Contact, &local, fields([("work_email", "al@acme.com")])).await;
    (local, remote)
}

#[tokio::test]
async fn a_failed_record_is_set_aside_and_the_rest_goes_on() {
    let host = Host::new().await;
    let bad = nameless(&host).await;
    host.create(Account, fields([("name", "Acme")])).await;
    let report = host.sync(Account).await;
    assert_eq!((report.counts.created, report.counts.failed), (1, 1));
    let held = held(&host, Account).await;
    assert_eq!(held.len(), 1);
    assert_eq!(held[0].record, RecordId::Local(bad));
    assert_eq!((held[0].code, held[0].attempts), (ErrorCode::RequiredFieldMissing, 1));
    assert_eq!((held[0].retry_at - held[0].failed_at).num_seconds(), 60);
}

#[tokio::test]
async fn it_is_left_until_it_is_due_and_waits_longer_each_time() {
    let host = Host::new().await;
    nameless(&host).await;
    host.sync(Account).await;
    for (attempt, wait) in [(2, 60), (3, 120), (4, 240)] {
        // It is not met at all by a sync that has nothing to read, and not tried by a push that meets it.
        assert_eq!(host.sync(Account).await.counts.failed, 0);
        let push = host.engine.push(&host.connection, Account, Selection::All).await.unwrap();
        assert_eq!((push.counts.read, push.counts.skipped), (1, 1));
        assert!(push.counts.add_up());
        host.clock.advance(wait);
        assert_eq!(host.sync(Account).await.counts.failed, 1);
        assert_eq!(held(&host, Account).await[0].attempts, attempt);
        assert_eq!(failures_logged(&host).await as u32, attempt);
    }
}

#[tokio::test]
async fn it_is_tried_at_once_when_it_has_changed_and_then_comes_out() {
    let host = Host::new().await;
    let bad = nameless(&host).await;
    host.sync(Account).await;
    host.edit(Account, &bad, fields([("name", "Named at last")])).await;
    assert_eq!(host.sync(Account).await.counts.created, 1);
    assert!(held(&host, Account).await.is_empty());
}

#[tokio::test]
async fn a_change_in_the_crm_counts_as_well() {
    let host = Host::new().await;
    let (local, remote) = torn_pair(&host).await;
    assert_eq!(host.sync(Contact).await.counts.failed, 1);
    host.tick();
    let other = host.crm.records(Contact)[1].id.clone();
    host.crm.edit(Contact, &other, &fields([("email", "al@elsewhere.com")]));
    assert_eq!(host.sync(Contact).await.counts.failed, 0, "not due, and the pair itself is as it was");
    host.crm.edit(Contact, &remote, &fields([("title", "CEO")]));
    host.sync(Contact).await;
    assert_eq!(text(&host.local(Contact, &local).await.fields, "job_title"), "CEO");
    assert!(held(&host, Contact).await.is_empty());
}

#[tokio::test]
async fn a_pair_that_is_met_from_both_sides_fails_once_a_run() {
    let host = Host::new().await;
    let (_, remote) = torn_pair(&host).await;
    let plan = host.engine.preview(&host.connection, &RunRequest::sync(Contact, Scope::All)).await.unwrap();
    let report = host.sync(Contact).await;
    assert_eq!(report.counts.failed, 1);
    assert_eq!(plan.counts.failed + plan.counts.updated, report.counts.failed, "the CRM alone knows that it will fail");
    let held = held(&host, Contact).await;
    assert_eq!((held.len(), held[0].attempts, &held[0].record), (1, 1, &RecordId::Remote(remote)));
}

#[tokio::test]
async fn a_preview_tries_and_leaves_what_the_run_then_does() {
    let host = Host::new().await;
    let bad = nameless(&host).await;
    host.create(Account, fields([("website", "second.com")])).await;
    host.sync(Account).await;
    host.clock.advance(3_600);
    host.edit(Account, &bad, fields([("website", "elsewhere.com")])).await;
    let request = RunRequest::sync(Account, Scope::All);
    let plan = host.engine.preview(&host.connection, &request).await.unwrap();
    let report = host.engine.run(&host.connection, &request).await.unwrap();
    assert_eq!((plan.counts.read, plan.counts.failed, plan.counts.skipped), (3, 2, 1));
    assert_eq!(plan.counts, report.counts);
}

#[tokio::test]
async fn the_host_lists_in_pages_and_releases() {
    let host = Host::new().await;
    for number in 0..5 {
        host.create(Account, fields([("website", &format!("nameless{number}.com"))])).await;
    }
    host.sync(Account).await;
    let first = host.engine.quarantine(&host.connection, Account, None, 3).await.unwrap();
    let second = host.engine.quarantine(&host.connection, Account, Some(&first[2].record), 3).await.unwrap();
    assert_eq!((first.len(), second.len()), (3, 2));
    let one = Retried::Of(vec![first[0].record.clone()]);
    assert_eq!(host.engine.release(&host.connection, Account, &one).await.unwrap(), 1);
    assert_eq!(host.sync(Account).await.counts.failed, 1);
    assert_eq!(host.engine.release(&host.connection, Account, &Retried::All).await.unwrap(), 5);
    assert_eq!(host.sync(Account).await.counts.failed, 5);
    assert_eq!(host.engine.quarantine(&host.connection, Contact, None, 9).await.unwrap(), []);
}

#[tokio::test]
async fn a_push_that_names_it_tries_it_at_once() {
    let host = Host::new().await;
    let bad = nameless(&host).await;
    host.sync(Account).await;
    let push = host.engine.push(&host.connection, Account, Selection::Ids(vec![bad])).await.unwrap();
    assert_eq!((push.counts.failed, held(&host, Account).await[0].attempts), (1, 2));
}

#[tokio::test]
async fn a_mapping_that_is_mended_brings_them_back() {
    let host = Host::new().await;
    let mapping = |remote| Mapping::new(vec![FieldMapping::new("name", "name"), FieldMapping::new("field_01", remote)]);
    let settings = Settings::new(mapping("size"), Policy::default());
    host.engine.save_settings(&host.connection, Account, &settings).await.unwrap();
    host.create(Account, fields([("name", "Acme"), ("field_01", "a dozen")])).await;
    assert_eq!(host.sync(Account).await.counts.failed, 1);
    let settings = Settings::new(mapping("domain"), Policy::default());
    host.engine.save_settings(&host.connection, Account, &settings).await.unwrap();
    assert_eq!(host.sync(Account).await.counts.created, 1);
}

#[tokio::test]
async fn people_who_go_elsewhere_in_the_crm_are_found_again() {
    let host = Host::new().await;
    let policy = Policy::default().with_people_destination(Lead);
    host.engine.save_settings(&host.connection, Contact, &Settings::with_policy(policy)).await.unwrap();
    assert_eq!(host.engine.settings(&host.connection, Contact).await.unwrap().policy.people_destination, Some(Lead));
    host.crm.create(Lead, fields([("email", "jo@acme.com")]));
    host.create(Contact, fields([("work_email", "jo@acme.com"), ("job_title", "CTO")])).await;
    assert_eq!(host.sync(Contact).await.counts.failed, 0);
    assert!(held(&host, Contact).await.is_empty());
}

#[tokio::test]
async fn an_automatic_push_tries_again_what_is_due() {
    let host = Host::new().await;
    let first = host.crm.create(Contact, fields([("email", "jo@acme.com")]));
    host.create(Contact, fields([("work_email", "other@acme.com")])).await;
    host.crm.refuse(Contact, "other@acme.com");
    assert_eq!(host.engine.auto_push(&host.connection, Contact).await.unwrap().counts.failed, 1);
    host.crm.accept_all();
    assert_eq!(host.engine.auto_push(&host.connection, Contact).await.unwrap().counts.read, 0);
    host.clock.advance(60);
    assert_eq!(host.engine.auto_push(&host.connection, Contact).await.unwrap().counts.created, 1);
    assert!(held(&host, Contact).await.is_empty());
    assert!(host.link_of(Contact, &first).await.is_none());
}

#[tokio::test]
async fn what_is_gone_is_tried_no_more() {
    let host = Host::new().await;
    let bad = nameless(&host).await;
    host.sync(Account).await;
    host.delete(Account, &bad).await;
    host.clock.advance(60);
    host.sync(Account).await;
    assert!(held(&host, Account).await.is_empty());
}

#[tokio::test]
async fn a_record_beyond_the_filter_is_left_to_other_scopes() {
    let host = Host::new().await;
    let mapping =
        Mapping::new(vec![FieldMapping::new("employee_count", "name"), FieldMapping::new("website", "domain")]);
    host.engine.save_settings(&host.connection, Account, &Settings::new(mapping, Policy::default())).await.unwrap();
    host.crm.create(Account, fields([("name", "many"), ("domain", "acme.com")]));
    assert_eq!(host.sync(Account).await.counts.failed, 1);
    host.clock.advance(60);
    let scope = Scope::Filter(parse("name = \"few\"").unwrap());
    let report = host.engine.sync(&host.connection, Account, scope).await.unwrap();
    assert_eq!(report.counts.read, 0);
    assert_eq!(held(&host, Account).await[0].attempts, 1);
    assert_eq!(host.sync(Account).await.counts.failed, 1);
}

#[tokio::test]
async fn a_record_that_cannot_be_decoded_is_set_aside_too() {
    let host = Host::new().await;
    let remote = host.crm.create(Account, fields([("name", "Acme")]));
    host.crm.garble(Account, &remote);
    assert_eq!(host.sync(Account).await.counts.failed, 1);
    assert_eq!(held(&host, Account).await[0].record, RecordId::Remote(remote.clone()));
    let import = host.import(Account).await;
    assert_eq!((import.counts.failed, import.counts.skipped), (0, 1));
    host.clock.advance(60);
    assert_eq!(host.sync(Account).await.counts.failed, 1);
    host.crm.edit(Account, &remote, &fields([("name", "Acme, mended")]));
    assert_eq!(host.sync(Account).await.counts.created, 1);
    assert!(held(&host, Account).await.is_empty());
}

#[tokio::test]
async fn a_connection_that_fails_as_a_whole_sets_nothing_aside() {
    for failure in [Failure::Unauthorized, Failure::Unavailable] {
        let host = Host::new().await;
        for number in 0..20 {
            host.create(Account, fields([("name", &format!("Acme {number}"))])).await;
        }
        host.crm.fail_next(Call::Write, failure);
        let error = host.engine.sync(&host.connection, Account, Scope::All).await.unwrap_err();
        assert!(matches!(error.kind(), ErrorKind::Unauthorized | ErrorKind::Unavailable), "{error}");
        assert!(held(&host, Account).await.is_empty());
        assert_eq!(host.sync(Account).await.counts.created, 20);
    }
}
