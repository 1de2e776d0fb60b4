//! The conformance suite itself: a sound connector passes every check, and each check fails for a fault of its own.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "tests")]

mod crm;
mod fault;
mod reading;
mod schema;
mod writing;

use std::collections::BTreeSet;
use std::sync::Arc;

use abmatic_sync_core::clock::Clock;
use abmatic_sync_core::connector::contract::CrmConnector;
use abmatic_sync_core::connector::request::{Write, WriteOutcome};
use abmatic_sync_core::ids::RemoteId;
use abmatic_sync_core::model::connection::{Connection, Credentials};
use abmatic_sync_core::model::fields::Fields;
use abmatic_sync_core::model::resource::Resource;
use abmatic_sync_testkit::conformance::check::Scope;
use abmatic_sync_testkit::conformance::report::Report;
use abmatic_sync_testkit::conformance::subject::Subject;
use abmatic_sync_testkit::conformance::suite::Suite;

use crate::crm::{Crm, MEMBERS, StillClock};
use crate::fault::{Fault, WHAT_EACH_FAILS};

fn connection(id: &str, token: &str) -> Connection {
    Connection::new("tenant", id, "memory", Credentials::token(token))
}

async fn subject(fault: Option<Fault>) -> Subject {
    let clock = Arc::new(StillClock::default());
    let crm = Crm::new(fault, Arc::clone(&clock) as Arc<dyn Clock>);
    let on = connection("connection", crm::TOKEN);
    let member = Write::Create { intent: "member".into(), fields: Fields::from_iter([("name", "Member".into())]) };
    let outcome = crm.memory().write(&on, Resource::Account, vec![member]).await.unwrap().remove(0);
    let WriteOutcome::Written(member) = outcome else { panic!("{outcome:?}") };
    let members: Vec<RemoteId> = vec![member.id];
    crm.remember_members(&members);
    let mut subject = Subject::new(crm.clone(), on, clock)
        .with_twin(crm.twin())
        .with_unreachable(connection("nobody", crm::TOKEN))
        .with_losing(connection("loses", crm::TOKEN))
        .with_list(Resource::Account, MEMBERS, members);
    for resource in [Resource::Account, Resource::Contact, Resource::Lead, Resource::Opportunity] {
        subject = subject.exactly_once(resource);
    }
    for field in schema::TYPED {
        subject = subject.with_field(Resource::Account, field);
    }
    subject
}

async fn report(fault: Option<Fault>, checks: &[&str]) -> Report {
    Suite::new(subject(fault).await).only(checks).run().await
}

#[tokio::test]
async fn a_sound_connector_passes() {
    let report = Suite::new(subject(None).await).run().await;
    report.assert_passed();
    let passed: BTreeSet<&str> =
        report.rows.iter().filter(|row| row.verdict.is_passed()).map(|row| row.check).collect();
    let without: Vec<&str> =
        Suite::checks().iter().map(|check| check.name).filter(|name| !passed.contains(name)).collect();
    assert!(without.is_empty(), "not even one resource of a connector that offers all passes {without:?}");
    assert_eq!(report.left_behind, 0);
}

#[tokio::test(start_paused = true)]
async fn each_fault_is_found() {
    let mut missed = Vec::new();
    for (fault, checks) in WHAT_EACH_FAILS {
        let report = report(Some(*fault), checks).await;
        let found: BTreeSet<&str> = report.failures().map(|row| row.check).collect();
        missed.extend(checks.iter().filter(|check| !found.contains(**check)).map(|check| (fault, *check)));
    }
    assert!(missed.is_empty(), "not found: {missed:#?}");
}

#[test]
fn each_check_can_fail() {
    let failing: BTreeSet<&str> = WHAT_EACH_FAILS.iter().flat_map(|(_, checks)| *checks).copied().collect();
    let names: BTreeSet<&str> = Suite::checks().iter().map(|check| check.name).collect();
    assert_eq!(names.len(), Suite::checks().len(), "a name stands for one check");
    assert_eq!(failing, names);
    assert!(Suite::checks().iter().all(|check| !check.reason.is_empty() && !check.remedy.is_empty()));
}

#[tokio::test]
async fn what_is_not_claimed_is_not_applicable() {
    let clock = Arc::new(StillClock::default());
    let memory = Crm::new(None, Arc::clone(&clock) as Arc<dyn Clock>).memory().clone();
    let subject = Subject::new(memory, connection("connection", crm::TOKEN), clock);
    let names =
        ["a_list_holds_its_members", "the_archive_tells_what_was_deleted", "a_create_that_comes_again_makes_one"];
    let report = Suite::new(subject).only(&names).run().await;
    assert_eq!((report.passed(), report.not_applicable(), report.failed()), (0, 12, 0), "{report}");
}

#[tokio::test]
async fn a_report_says_why_and_how_to_mend_it() {
    let report = report(Some(Fault::LosesEmoji), &["emoji_are_kept", "the_descriptor_is_whole"]).await;
    let text = report.to_string();
    let rows: Vec<&str> = text.lines().take(3).map(str::trim_end).collect();
    assert_eq!(
        rows,
        [
            "Memory CRM                             connector     account       contact       lead          opportunity",
            "describe      the_descriptor_is_whole  pass",
            "values        emoji_are_kept                         FAILED        FAILED        FAILED        FAILED",
        ]
    );
    assert!(text.contains("1 passed, 0 not applicable, 4 failed"), "{text}");
    assert!(text.contains("  remedy: send and read UTF-8"), "{text}");
    let json = report.to_json();
    assert_eq!(json["failed"], 4);
    assert_eq!(json["rows"][1]["check"], "emoji_are_kept");
    assert_eq!(json["rows"][1]["verdict"], "failed");
    assert_eq!(json["rows"][1]["resource"], "account");
    let scopes = Suite::checks().into_iter().filter(|check| check.scope == Scope::Connector).count();
    assert!(scopes > 0 && scopes < Suite::checks().len());
}

#[tokio::test]
#[should_panic(expected = "4 conformance checks of Memory CRM failed")]
async fn a_failed_report_ends_a_test() {
    report(Some(Fault::LosesEmoji), &["emoji_are_kept"]).await.assert_passed();
}

#[tokio::test]
async fn a_connector_that_panics_fails_and_stops_no_other_check() {
    let report = report(Some(Fault::PanicsOnEmoji), &["emoji_are_kept", "markup_is_kept"]).await;
    assert_eq!((report.passed(), report.failed()), (4, 4), "{report}");
    assert!(report.to_string().contains("it panicked: what is that?"), "{report}");
}

#[tokio::test]
async fn a_resource_that_cannot_be_described_fails() {
    let report = report(Some(Fault::CannotDescribe), &["emoji_are_kept", "the_descriptor_is_whole"]).await;
    assert_eq!((report.passed(), report.failed()), (0, 5), "{report}");
}
