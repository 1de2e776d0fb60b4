//! The engine through its public API, over a store and a CRM in memory.

#![allow(clippy::unwrap_used, reason = "a test that fails shall stop, in its helpers too")]

mod clocks;
mod deletes;
mod lease;
mod quarantine;
mod schedule;
mod single;
mod support;
mod targeted;

use abmatic_sync_core::error::{ErrorCode, ErrorKind};
use abmatic_sync_core::filter::parse::parse;
use abmatic_sync_core::model::change::Reason;
use abmatic_sync_core::model::fields::Fields;
use abmatic_sync_core::model::journal::Status;
use abmatic_sync_core::model::mapping::{FieldMapping, Mapping, MappingDirection};
use abmatic_sync_core::model::resource::Resource::{Account, Contact};
use abmatic_sync_core::model::value::Value;
use abmatic_sync_core::policy::{BlankRule, Caps, DuplicateHandling, Policy, Scope, Selection};
use abmatic_sync_core::run::request::{RunRequest, Settings};
use abmatic_sync_core::store::records::RecordStore;
use abmatic_sync_core::store::state::{LogQuery, RunStatus};
use abmatic_sync_testkit::memory::crm::{Call, Failure, TEXT_MAX};
use support::{Host, fields, text};

#[tokio::test]
async fn an_import_repeated_changes_nothing() {
    let host = Host::new().await;
    for number in 0..25 {
        host.crm
            .create(Account, fields([("name", &format!("Acme {number}")), ("domain", &format!("acme{number}.com"))]));
    }
    let first = host.import(Account).await;
    assert_eq!((first.counts.read, first.counts.created), (25, 25));
    let again = host.import(Account).await;
    assert_eq!((again.counts.read, again.counts.unchanged), (25, 25));
    assert_eq!(host.locals(Account).await.len(), 25);
}

#[tokio::test]
async fn records_with_one_key_become_one_on_a_page_and_across_pages() {
    let host = Host::new().await;
    let first = host.crm.create(Account, fields([("name", "Acme"), ("domain", "acme.com")]));
    host.crm.create(Account, fields([("name", "Acme Inc"), ("domain", "https://www.acme.com/about")]));
    for number in 0..600 {
        host.crm.create(Account, fields([("name", &format!("Other {number}"))]));
    }
    host.crm.create(Account, fields([("name", "Acme GmbH"), ("domain", "ACME.com.")]));
    let report = host.import(Account).await;
    assert_eq!((report.counts.created, report.counts.skipped), (601, 2));
    let acme = host.link_of(Account, &first).await.expect("the oldest stands for all three");
    assert_eq!(text(&host.local(Account, &acme.local_id).await.fields, "name"), "Acme");
}

#[tokio::test]
async fn a_preview_says_why_and_writes_nothing() {
    let host = Host::new().await;
    host.create(Account, fields([("name", "Acme"), ("website", "acme.com")])).await;
    let mut theirs = fields([("name", "ACME Corporation"), ("domain", "acme.com")]);
    theirs.insert("size", Value::Integer(12));
    host.crm.create(Account, theirs);
    let plan = host.engine.preview(&host.connection, &RunRequest::import(Account, Scope::All)).await.unwrap();
    assert_eq!((plan.counts.read, plan.counts.updated), (1, 1));
    let reasons: Vec<(&str, Reason, bool)> =
        plan.items[0].changes.iter().map(|change| (change.field.as_str(), change.reason, change.written)).collect();
    assert_eq!(reasons, [("employee_count", Reason::FillsEmpty, true), ("name", Reason::KeptExisting, false)]);
    assert_eq!(host.locals(Account).await[0].fields.get("employee_count").map(Value::is_blank), None);
    assert!(host.engine.log(&LogQuery::new("tenant")).await.unwrap().is_empty());
}

#[tokio::test]
async fn a_preview_counts_what_the_run_then_does() {
    let host = Host::new().await;
    for number in 0..30 {
        let fields = fields([("name", &format!("Acme {number}")), ("domain", &format!("acme{}.com", number % 25))]);
        host.crm.create(Account, fields);
    }
    host.create(Account, fields([("name", "Ours"), ("website", "acme3.com")])).await;
    host.create(Account, fields([("name", "New here")])).await;
    let request = RunRequest::sync(Account, Scope::All);
    let plan = host.engine.preview(&host.connection, &request).await.unwrap();
    let report = host.engine.run(&host.connection, &request).await.unwrap();
    let of = |counts: abmatic_sync_core::store::state::Counts| {
        (counts.created, counts.updated, counts.skipped, counts.failed)
    };
    assert_eq!(of(plan.counts), of(report.counts));
    assert!(plan.counts.add_up());
}

#[tokio::test]
async fn edits_on_both_sides_travel_once_and_the_later_one_wins_a_conflict() {
    let host = Host::new().await;
    let remote = host.crm.create(Account, fields([("name", "Acme"), ("domain", "acme.com")]));
    host.import(Account).await;
    host.sync(Account).await;
    let local = host.link_of(Account, &remote).await.unwrap().local_id;

    host.tick();
    host.crm.edit(Account, &remote, &fields([("name", "Theirs")]));
    host.tick();
    let mut ours = fields([("name", "Ours, later")]);
    ours.insert("employee_count", Value::Integer(7));
    host.edit(Account, &local, ours).await;

    let report = host.sync(Account).await;
    assert_eq!(report.counts.updated, 1);
    let theirs = host.crm.record(Account, &remote).unwrap().fields;
    assert_eq!((text(&theirs, "name"), theirs.get("size")), ("Ours, later", Some(&Value::Integer(7))));
    let entries = host.engine.log(&LogQuery::new("tenant").of_run(report.run)).await.unwrap();
    let change = entries[0].changes.iter().find(|change| change.field.as_str() == "name").unwrap();
    assert_eq!((change.reason, &change.old), (Reason::ConflictLatestEdit, &Value::text("Theirs")));

    let written = host.crm.writes();
    let again = host.sync(Account).await;
    assert_eq!((again.counts.updated, again.counts.created), (0, 0));
    assert_eq!(host.crm.writes(), written, "an engine write never causes another");
}

#[tokio::test]
async fn what_the_crm_cuts_short_does_not_come_back() {
    let host = Host::new().await;
    let long = "x".repeat(TEXT_MAX + 20);
    let local = host.create(Account, fields([("name", &long), ("website", "acme.com")])).await;
    assert_eq!(host.sync(Account).await.counts.created, 1);
    for _ in 0..2 {
        host.sync(Account).await;
        assert_eq!(text(&host.local(Account, &local).await.fields, "name"), long);
    }
    assert_eq!(host.crm.writes(), 1);
}

#[tokio::test]
async fn a_create_happens_once_whatever_is_lost() {
    for failure in [Failure::LostAnswer, Failure::LostRequest] {
        let host = Host::new().await;
        host.create(Account, fields([("name", "Acme")])).await;
        host.crm.fail_next(Call::Write, failure);
        let report = host.engine.push(&host.connection, Account, Selection::All).await.unwrap();
        assert_eq!(report.counts.created, 1, "{failure:?}");
        assert_eq!(host.crm.records(Account).len(), 1, "{failure:?}");
    }
}

#[tokio::test]
async fn a_create_in_doubt_is_settled_by_the_next_run() {
    let host = Host::new().await;
    host.create(Account, fields([("name", "Acme")])).await;
    host.crm.fail_next(Call::Write, Failure::LostAnswer);
    host.crm.fail_next(Call::Find, Failure::Unavailable);
    let stopped = host.engine.push(&host.connection, Account, Selection::All).await.unwrap_err();
    assert_eq!(stopped.kind(), ErrorKind::Unavailable);
    let report = host.engine.push(&host.connection, Account, Selection::All).await.unwrap();
    assert_eq!((report.counts.created, report.counts.updated, report.counts.failed), (1, 0, 0));
    assert_eq!(host.crm.records(Account).len(), 1);
    let entries = host.engine.log(&LogQuery::new("tenant").of_run(report.run)).await.unwrap();
    assert!(entries[0].message.starts_with("created in the CRM by an earlier run"), "{}", entries[0].message);
}

#[tokio::test]
async fn an_edit_made_while_a_create_was_in_doubt_is_an_edit() {
    let host = Host::new().await;
    let local = host.create(Account, fields([("name", "Acme")])).await;
    host.crm.fail_next(Call::Write, Failure::LostAnswer);
    host.crm.fail_next(Call::Find, Failure::Unavailable);
    host.engine.push(&host.connection, Account, Selection::All).await.unwrap_err();
    let remote = host.crm.records(Account)[0].id.clone();
    host.crm.edit(Account, &remote, &fields([("name", "Acme, renamed there")]));
    host.sync(Account).await;
    assert_eq!(text(&host.local(Account, &local).await.fields, "name"), "Acme, renamed there");
}

#[tokio::test]
async fn a_pair_of_which_one_half_is_refused_is_looked_at_again() {
    let host = Host::new().await;
    let first = host.crm.create(Contact, fields([("email", "jo@acme.com")]));
    host.crm.create(Contact, fields([("email", "al@acme.com")]));
    host.sync(Contact).await;
    let local = host.link_of(Contact, &first).await.unwrap().local_id;
    host.crm.edit(Contact, &first, &fields([("title", "CTO")]));
    host.edit(Contact, &local, fields([("work_email", "al@acme.com")])).await;
    assert!(host.sync(Contact).await.counts.failed > 0);
    host.clock.advance(3_600);
    host.edit(Contact, &local, fields([("work_email", "jo@acme.com")])).await;
    host.sync(Contact).await;
    assert_eq!(text(&host.local(Contact, &local).await.fields, "job_title"), "CTO");
}

#[tokio::test]
async fn a_reference_that_waited_is_filled_even_where_duplicates_are_skipped() {
    let host = Host::new().await;
    let policy = Policy::default().with_duplicates(DuplicateHandling::Skip);
    host.engine.save_settings(&host.connection, Contact, &Settings::with_policy(policy)).await.unwrap();
    let account = host.create(Account, fields([("name", "Acme"), ("website", "acme.com")])).await;
    let mut person = fields([("work_email", "jo@acme.com")]);
    person.insert("account", Value::reference(account.as_str()));
    host.create(Contact, person).await;
    host.engine.auto_push(&host.connection, Contact).await.unwrap();
    host.engine.auto_push(&host.connection, Account).await.unwrap();
    host.engine.auto_push(&host.connection, Contact).await.unwrap();
    let remote = &host.crm.records(Account)[0].id;
    assert_eq!(host.crm.records(Contact)[0].fields.get("account"), Some(&Value::reference(remote.as_str())));
}

#[tokio::test]
async fn a_duplicate_that_the_crm_reports_becomes_a_link() {
    let host = Host::new().await;
    let theirs = host.crm.create(Contact, fields([("email", "jo@acme.com"), ("first", "Jo")]));
    let local = host.create(Contact, fields([("work_email", "jo@acme.com"), ("job_title", "CEO")])).await;
    // Without the lookup the match is only found when the CRM refuses the create.
    host.crm.delete(Contact, &theirs);
    let again = host.crm.create(Contact, fields([("email", "JO@acme.com"), ("first", "Jo")]));
    let report = host.engine.push(&host.connection, Contact, Selection::All).await.unwrap();
    assert_eq!((report.counts.updated, report.counts.failed), (1, 0));
    assert_eq!(host.link_of(Contact, &again).await.unwrap().local_id, local);
    assert_eq!(text(&host.crm.record(Contact, &again).unwrap().fields, "title"), "CEO");
}

#[tokio::test]
async fn a_contact_waits_for_its_account() {
    let host = Host::new().await;
    let account = host.crm.create(Account, fields([("name", "Acme"), ("domain", "acme.com")]));
    let mut person = fields([("email", "jo@acme.com")]);
    person.insert("account", Value::reference(account.as_str()));
    let contact = host.crm.create(Contact, person);
    host.import(Contact).await;
    let link = host.link_of(Contact, &contact).await.unwrap();
    assert!(!link.waiting_for.is_empty());
    assert!(host.local(Contact, &link.local_id).await.fields.get("account").is_none_or(Value::is_blank));

    host.sync(Contact).await;
    let idle = host.sync(Contact).await;
    assert_eq!(idle.calls, 1, "what waits in vain costs the CRM nothing");

    host.import(Account).await;
    host.sync(Contact).await;
    let parent = host.link_of(Account, &account).await.unwrap().local_id;
    let held = host.local(Contact, &link.local_id).await;
    assert_eq!(held.fields.get("account"), Some(&Value::reference(parent.as_str())));
    assert!(host.link_of(Contact, &contact).await.unwrap().waiting_for.is_empty());
}

#[tokio::test]
async fn a_link_follows_a_merge_only_to_a_free_survivor() {
    let host = Host::new().await;
    let kept = host.crm.create(Account, fields([("name", "Kept")]));
    let free = host.crm.create(Account, fields([("name", "Free")]));
    host.sync(Account).await;
    let of_kept = host.link_of(Account, &kept).await.unwrap().local_id;
    let of_free = host.link_of(Account, &free).await.unwrap().local_id;
    host.crm.merge(Account, &kept, &free);
    host.edit(Account, &of_free, fields([("name", "Edited here")])).await;
    host.sync(Account).await;
    assert_eq!(host.link_of(Account, &kept).await.unwrap().local_id, of_kept);
    assert_eq!(text(&host.crm.record(Account, &kept).unwrap().fields, "name"), "Kept");

    let survivor = host.crm.create(Account, fields([("name", "New")]));
    host.crm.merge(Account, &survivor, &kept);
    host.sync(Account).await;
    assert_eq!(host.link_of(Account, &survivor).await.unwrap().local_id, of_kept);
}

#[tokio::test]
async fn a_pushed_contact_carries_its_account() {
    let host = Host::new().await;
    let account = host.create(Account, fields([("name", "Acme"), ("website", "acme.com")])).await;
    let mut person = fields([("work_email", "jo@acme.com")]);
    person.insert("account", Value::reference(account.as_str()));
    host.create(Contact, person).await;
    host.engine.push(&host.connection, Account, Selection::All).await.unwrap();
    host.engine.push(&host.connection, Contact, Selection::All).await.unwrap();
    let remote = &host.crm.records(Account)[0].id;
    assert_eq!(host.crm.records(Contact)[0].fields.get("account"), Some(&Value::reference(remote.as_str())));
}

#[tokio::test]
async fn a_run_over_its_cap_writes_nothing_until_confirmed() {
    let host = Host::new().await;
    for number in 0..5 {
        host.crm.create(Account, fields([("name", &format!("Acme {number}"))]));
    }
    let mut caps = Caps::default();
    caps.creates_max = Some(3);
    let request = RunRequest::import(Account, Scope::All).with_policy(Policy::default().with_caps(caps));
    let stopped = host.engine.run(&host.connection, &request).await.unwrap();
    assert_eq!((stopped.status, stopped.counts.created), (RunStatus::NeedsConfirmation, 5));
    assert!(host.locals(Account).await.is_empty());
    let done = host.engine.resume(&host.connection, &stopped.run).await.unwrap();
    assert_eq!((done.status, done.counts.created), (RunStatus::Completed, 5));
}

#[tokio::test]
async fn a_stopped_run_goes_on_from_its_last_commit() {
    let host = Host::new().await;
    for number in 0..1_200 {
        host.crm.create(Account, fields([("name", &format!("Acme {number}"))]));
    }
    let crm = host.crm.clone();
    let stumble = std::sync::Once::new();
    let request = RunRequest::import(Account, Scope::All).with_observer(move |progress| {
        if progress.counts.read >= 500 {
            stumble.call_once(|| crm.fail_next(Call::Read, Failure::Unavailable));
        }
    });
    let error = host.engine.run(&host.connection, &request).await.unwrap_err();
    assert_eq!(error.code(), ErrorCode::ServerUnavailable);
    let run = host.engine.log(&LogQuery::new("tenant")).await.unwrap()[0].run.clone();
    let done = host.engine.resume(&host.connection, &run).await.unwrap();
    assert_eq!((done.counts.read, done.counts.created), (1_200, 1_200));
    assert!(done.counts.add_up());
    assert_eq!(host.store.count(&host.tenant, Account).await.unwrap(), 1_200);
}

#[tokio::test]
async fn an_edit_that_was_announced_and_never_sent_is_still_an_edit() {
    let host = Host::new().await;
    let remote = host.crm.create(Account, fields([("name", "Acme Europe"), ("domain", "acme.com")]));
    host.import(Account).await;
    host.sync(Account).await;
    let local = host.link_of(Account, &remote).await.unwrap().local_id;
    // What is there looks as if the CRM had cut it.
    host.edit(Account, &local, fields([("name", "Acme Europe Holding")])).await;
    host.crm.fail_next(Call::Write, Failure::Unauthorized);
    host.engine.sync(&host.connection, Account, Scope::All).await.unwrap_err();
    assert_eq!(host.sync(Account).await.counts.updated, 1);
    assert_eq!(text(&host.crm.record(Account, &remote).unwrap().fields, "name"), "Acme Europe Holding");
}

#[tokio::test]
async fn a_bad_record_fails_alone_and_says_why() {
    let host = Host::new().await;
    let bad = host.create(Account, fields([("website", "nameless.com")])).await;
    host.create(Account, fields([("name", "Acme")])).await;
    let report = host.engine.push(&host.connection, Account, Selection::All).await.unwrap();
    assert_eq!((report.counts.created, report.counts.failed), (1, 1));
    let failed = host.engine.log(&LogQuery::new("tenant").with_status(Status::Failed)).await.unwrap();
    assert_eq!((failed[0].code, failed[0].local_id.as_ref()), (Some(ErrorCode::RequiredFieldMissing), Some(&bad)));
    assert!(failed[0].message.contains("\"name\" is required on create"), "{}", failed[0].message);
}

#[tokio::test]
async fn a_value_of_the_wrong_type_names_field_value_and_type() {
    let host = Host::new().await;
    let mapping = Mapping::new(vec![FieldMapping::new("name", "name"), FieldMapping::new("field_01", "size")]);
    host.engine.save_settings(&host.connection, Account, &Settings::new(mapping, Policy::default())).await.unwrap();
    host.create(Account, fields([("name", "Acme"), ("field_01", "a dozen")])).await;
    host.engine.push(&host.connection, Account, Selection::All).await.unwrap();
    let failed = host.engine.log(&LogQuery::new("tenant").with_status(Status::Failed)).await.unwrap();
    assert_eq!(failed[0].message, "\"size\" holds text \"a dozen\" where integer is expected (INVALID_FIELD)");
}

#[tokio::test]
async fn a_wrong_mapping_is_refused_when_it_is_saved() {
    let host = Host::new().await;
    let cases = [
        (FieldMapping::new("name", "nmae"), "the mapping names \"nmae\", which the CRM does not have"),
        (FieldMapping::new("colour", "name"), "the mapping names \"colour\", which the host does not have"),
    ];
    for (pair, expected) in cases {
        let settings = Settings::new(Mapping::new(vec![pair]), Policy::default());
        let error = host.engine.save_settings(&host.connection, Account, &settings).await.unwrap_err();
        assert_eq!(error.code(), ErrorCode::InvalidField);
        assert!(error.message().starts_with(expected), "{}", error.message());
    }
}

#[tokio::test]
async fn an_import_only_field_never_leaves() {
    let host = Host::new().await;
    let mapping = Mapping::new(vec![
        FieldMapping::new("name", "name").with_direction(MappingDirection::ImportOnly),
        FieldMapping::new("website", "domain"),
    ]);
    host.engine.save_settings(&host.connection, Account, &Settings::new(mapping, Policy::default())).await.unwrap();
    let remote = host.crm.create(Account, fields([("name", "Acme"), ("domain", "acme.com")]));
    host.sync(Account).await;
    let local = host.link_of(Account, &remote).await.unwrap().local_id;
    host.edit(Account, &local, fields([("name", "Mine")])).await;
    host.sync(Account).await;
    assert_eq!(text(&host.crm.record(Account, &remote).unwrap().fields, "name"), "Acme");
}

#[tokio::test]
async fn a_clear_travels_only_where_it_may() {
    for (rule, expected) in [(BlankRule::Keep, "Acme"), (BlankRule::Clear, "")] {
        let host = Host::new().await;
        let policy = Policy::default().with_blank(rule);
        host.engine.save_settings(&host.connection, Contact, &Settings::with_policy(policy)).await.unwrap();
        let remote = host.crm.create(Contact, fields([("email", "jo@acme.com"), ("title", "Acme")]));
        host.sync(Contact).await;
        let local = host.link_of(Contact, &remote).await.unwrap().local_id;
        host.edit(Contact, &local, Fields::from_iter([("job_title", Value::Null)])).await;
        host.sync(Contact).await;
        assert_eq!(text(&host.crm.record(Contact, &remote).unwrap().fields, "title"), expected, "{rule:?}");
    }
}

#[tokio::test]
async fn duplicate_handling_in_an_import_covers_linked_records_too() {
    for (handling, expected) in [
        (DuplicateHandling::Skip, "Ours"),
        (DuplicateHandling::UpdateMissing, "Ours"),
        (DuplicateHandling::OverwriteAll, "Theirs"),
    ] {
        let host = Host::new().await;
        let remote = host.crm.create(Account, fields([("name", "Theirs"), ("domain", "acme.com")]));
        host.import(Account).await;
        let local = host.link_of(Account, &remote).await.unwrap().local_id;
        host.edit(Account, &local, fields([("name", "Ours")])).await;
        let request = RunRequest::import(Account, Scope::All).with_policy(Policy::default().with_duplicates(handling));
        host.engine.run(&host.connection, &request).await.unwrap();
        assert_eq!(text(&host.local(Account, &local).await.fields, "name"), expected, "{handling:?}");
    }
}

#[tokio::test]
async fn an_import_does_not_hide_a_local_edit_from_the_next_sync() {
    let host = Host::new().await;
    let remote = host.crm.create(Account, fields([("name", "Theirs"), ("domain", "acme.com")]));
    host.sync(Account).await;
    let local = host.link_of(Account, &remote).await.unwrap().local_id;
    host.edit(Account, &local, fields([("name", "Ours")])).await;
    host.import(Account).await;
    host.sync(Account).await;
    assert_eq!(text(&host.crm.record(Account, &remote).unwrap().fields, "name"), "Ours");
}

#[tokio::test]
async fn a_refused_token_stops_the_run_and_stays_secret() {
    let host = Host::new().await;
    host.crm.fail_next(Call::Read, Failure::Unauthorized);
    let error = host.engine.import(&host.connection, Account, Scope::All).await.unwrap_err();
    assert_eq!((error.kind(), error.code()), (ErrorKind::Unauthorized, ErrorCode::InvalidSession));
    assert!(!format!("{error:?} {error} {:?}", host.connection).contains("secret-token"));
}

#[tokio::test]
async fn a_filter_on_an_unknown_field_is_refused() {
    let host = Host::new().await;
    let scope = Scope::Filter(parse("colour = \"red\"").unwrap());
    let error = host.engine.import(&host.connection, Account, scope).await.unwrap_err();
    assert_eq!(error.code(), ErrorCode::InvalidFilter);
}

#[tokio::test]
async fn an_automatic_push_sends_what_is_new_since_the_last() {
    let host = Host::new().await;
    host.create(Account, fields([("name", "One")])).await;
    assert_eq!(host.engine.auto_push(&host.connection, Account).await.unwrap().counts.created, 1);
    host.create(Account, fields([("name", "Two")])).await;
    assert_eq!(host.engine.auto_push(&host.connection, Account).await.unwrap().counts.created, 1);
    assert_eq!(host.engine.auto_push(&host.connection, Account).await.unwrap().counts.read, 0);
    assert_eq!(host.crm.records(Account).len(), 2);
}

#[tokio::test]
async fn an_empty_account_is_a_run_of_nothing() {
    let host = Host::new().await;
    let report = host.sync(Account).await;
    assert_eq!((report.status, report.counts.read), (RunStatus::Completed, 0));
}

#[tokio::test]
async fn an_update_that_arrived_right_before_a_crash_gets_its_line_later() {
    let host = Host::new().await;
    let remote = host.crm.create(Account, fields([("name", "Acme"), ("domain", "acme.com")]));
    host.import(Account).await;
    let local = host.link_of(Account, &remote).await.unwrap().local_id;
    host.tick();
    host.edit(Account, &local, fields([("name", "Beta")])).await;
    {
        let mut run = std::pin::pin!(host.engine.sync(&host.connection, Account, Scope::All));
        loop {
            assert!(futures::poll!(run.as_mut()).is_pending());
            if text(&host.crm.record(Account, &remote).unwrap().fields, "name") == "Beta" {
                break;
            }
            tokio::task::yield_now().await;
        }
    }
    // The lease of the run that is no more has to run out.
    host.clock.advance(1_000);
    let report = host.sync(Account).await;
    assert_eq!(report.counts.updated, 1);
    let entries = host.engine.log(&LogQuery::new("tenant").with_status(Status::Updated)).await.unwrap();
    let change = &entries[0].changes[0];
    assert_eq!((entries.len(), &change.old, &change.new), (1, &Value::text("Acme"), &Value::text("Beta")));
    assert_eq!(host.sync(Account).await.counts.updated, 0);
}
