//! The command line against a fake HubSpot over its socket: what a user types, and what comes back.

#![allow(clippy::unwrap_used, clippy::expect_used, reason = "tests")]

mod support;

use abmatic_sync_testkit::fake::fault::{Fault, FaultKind};
use abmatic_sync_testkit::fake::hubspot::FakeHubspot;
use support::{Desk, last_line};

async fn desk(contacts: usize) -> Desk<FakeHubspot> {
    let crm = FakeHubspot::builder().seed_records(contacts).search_lag_seconds(0.0).start().await.unwrap();
    let (base_url, token) = (crm.base_url(), crm.token());
    Desk::new("hubspot", crm, base_url, token)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_import_then_a_sync_then_nothing_to_do() {
    let desk = desk(350).await;
    let first = desk.summary(&["import", "--resource", "contacts"]);
    assert_eq!((first["read"].as_u64(), first["created"].as_u64()), (Some(350), Some(350)));
    let again = desk.summary(&["import", "--resource", "contacts"]);
    assert_eq!((again["created"].as_u64(), again["updated"].as_u64()), (Some(0), Some(0)));
    desk.summary(&["sync", "--resource", "contacts"]);
    desk.crm.reset_calls();
    let idle = desk.summary(&["sync", "--resource", "contacts"]);
    assert_eq!((idle["created"].as_u64(), idle["updated"].as_u64()), (Some(0), Some(0)));
    assert_eq!(desk.crm.calls().of("POST /crm/objects/{v}/contacts/search"), 1, "{:?}", desk.crm.calls());
    assert_eq!(idle["calls"].as_u64(), Some(desk.crm.calls().total));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn edits_travel_both_ways_and_contacts_carry_their_account() {
    let desk = desk(0).await;
    let account = desk.add("accounts", &["name=Aurora", "website=https://www.aurora.com/"]);
    let contact = desk.add("contacts", &["work_email=jo@aurora.com", "first_name=Jo", &format!("account={account}")]);
    assert_eq!(desk.summary(&["push", "--resource", "accounts"])["created"], 1);
    assert_eq!(desk.summary(&["push", "--resource", "contacts"])["created"], 1);
    let user = desk.crm.user();
    let company = user.find("companies", "domain", "aurora.com").remove(0);
    let person = user.find("contacts", "email", "jo@aurora.com").remove(0);
    assert_eq!(user.associated(("contacts", &person.id), "companies"), std::slice::from_ref(&company.id));

    user.update("contacts", &person.id, &[("jobtitle", "CTO")]).unwrap();
    desk.local(&["edit", "--resource", "contacts", "--id", &contact, "--set", "last_name=Smith"]);
    assert_eq!(desk.summary(&["sync", "--resource", "contacts"])["updated"], 1);
    assert_eq!(user.record("contacts", &person.id).unwrap().get("lastname"), "Smith");
    let records = String::from_utf8(desk.local(&["records", "--resource", "contacts"]).stdout).unwrap();
    assert!(records.contains("\"job_title\":\"CTO\""), "{records}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_filter_and_a_list_choose_what_is_imported() {
    let desk = desk(700).await;
    let preview = desk.summary(&["preview", "--resource", "accounts", "--filter", "type = \"PARTNER\""]);
    let filtered = desk.summary(&["import", "--resource", "accounts", "--filter", "type = \"PARTNER\""]);
    assert_eq!(preview["matching"], filtered["read"]);
    assert_eq!(filtered["read"].as_u64(), Some(desk.crm.user().find("companies", "type", "PARTNER").len() as u64));
    let people: Vec<String> = desk.crm.user().records("contacts").into_iter().take(3).map(|person| person.id).collect();
    let ids: Vec<&str> = people.iter().map(String::as_str).collect();
    let list = desk.crm.user().create_list("contacts", "Three", &ids).unwrap();
    assert_eq!(desk.summary(&["import", "--resource", "contacts", "--list", &list])["read"], 3);
    let here = desk.summary(&["import", "--resource", "accounts", "--filter", "name STARTS WITH \"Acme\""]);
    let acme = desk
        .crm
        .user()
        .records("companies")
        .iter()
        .filter(|one| one.get("name").to_lowercase().starts_with("acme"))
        .count();
    assert_eq!(here["read"].as_u64(), Some(acme as u64));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_answer_lost_after_the_write_makes_no_second_record() {
    let desk = desk(0).await;
    desk.add("opportunities", &["name=Big deal", "stage=appointmentscheduled", "amount=10.50"]);
    desk.crm.inject(Fault::new(FaultKind::AnswerLost).on("deals/batch"));
    assert_eq!(desk.summary(&["push", "--resource", "opportunities"])["created"], 1);
    assert_eq!(desk.crm.user().count("deals"), 1);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_is_wrong_is_said_and_nothing_is_lost() {
    let desk = desk(20).await;
    let wrong: [(&[&str], &str, &str); 5] = [
        (&["import", "--resource", "contacts", "--filter", "lastname = "], "INVALID_FILTER", "column 12"),
        (&["import", "--resource", "contacts", "--filter", "colour = \"red\""], "INVALID_FILTER", "colour"),
        (&["import", "--resource", "contacts", "--map", "field_01=colour"], "INVALID_FIELD", "colour"),
        (&["import", "--resource", "contacts", "--map", "field_01=email"], "INVALID_FIELD", "twice"),
        (&["import", "--resource", "contacts", "--list", "999"], "", "999"),
    ];
    for (arguments, code, text) in wrong {
        let (status, answer, errors) = desk.run(arguments);
        assert_eq!(status, 2, "{arguments:?} {answer}");
        assert!(answer["error"].as_str().unwrap().starts_with(code), "{arguments:?} {answer}");
        assert!(errors.contains(text), "{arguments:?} {errors}");
    }
    for (fault, code) in [
        (Fault::new(FaultKind::RevokedToken).always(), "INVALID_SESSION"),
        (Fault::new(FaultKind::GarbageJson).on("/contacts").with_method("GET").always(), "INVALID_ANSWER"),
    ] {
        desk.crm.inject(fault);
        let (status, answer, errors) = desk.run(&["import", "--resource", "contacts"]);
        desk.crm.clear_faults();
        assert_eq!((status, answer["error"].as_str()), (2, Some(code)), "{answer}");
        assert!(!errors.contains(&desk.crm.token()), "{errors}");
    }
    assert_eq!(desk.summary(&["import", "--resource", "contacts"])["created"], 20);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_record_that_fails_fails_alone() {
    let desk = desk(0).await;
    desk.add("contacts", &["work_email=not an email", "first_name=Jo"]);
    desk.add("contacts", &["work_email=al@aurora.com"]);
    desk.add("contacts", &["job_title=Nobody"]);
    let (status, summary, _) = desk.run(&["push", "--resource", "contacts"]);
    assert_eq!((status, summary["created"].as_u64(), summary["failed"].as_u64()), (1, Some(1), Some(2)));
    let log = String::from_utf8(desk.local(&["log", "--status", "failed"]).stdout).unwrap();
    assert!(log.contains("REQUIRED_FIELD_MISSING") && log.contains("INVALID_FIELD"), "{log}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_page_that_repeats_ends_the_run_with_an_error() {
    let desk = desk(350).await;
    desk.crm.inject(Fault::new(FaultKind::RepeatedPage).on("/contacts").with_method("GET").always());
    let (status, answer, _) = desk.run(&["import", "--resource", "contacts"]);
    assert_eq!((status, answer["error"].as_str()), (2, Some("REPEATED_PAGE")));
    desk.crm.clear_faults();
    assert_eq!(desk.summary(&["import", "--resource", "contacts"])["read"], 350);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_empty_account_is_no_failure() {
    let desk = desk(0).await;
    for resource in ["accounts", "contacts", "leads", "opportunities"] {
        assert_eq!(desk.summary(&["sync", "--resource", resource])["read"], 0);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_run_that_stopped_is_found_and_resumed() {
    let desk = desk(350).await;
    let runs = |more: &[&str]| last_line(&desk.local(&[&["runs"], more].concat()).stdout);
    assert_eq!(desk.run(&["resume", "--resource", "contacts"]).0, 2, "there is none");
    desk.crm.inject(Fault::new(FaultKind::RevokedToken).on("/contacts").with_method("GET").after(3));
    assert_eq!(desk.run(&["import", "--resource", "contacts"]).0, 2);
    desk.crm.clear_faults();
    assert_eq!((&runs(&[])["runs"], &runs(&[])["open"]), (&1.into(), &1.into()));
    assert_eq!(runs(&["--open", "--resource", "accounts"])["runs"], 0);
    assert_eq!(desk.summary(&["resume", "--resource", "contacts"])["created"], 350);
    assert_eq!((&runs(&[])["runs"], &runs(&["--open"])["runs"]), (&1.into(), &0.into()));
    let (status, answer, _) = desk.run(&["resume", "--resource", "contacts"]);
    assert_eq!(status, 2);
    assert!(answer["message"].as_str().unwrap().contains("reached its end"), "{answer}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_failed_is_set_aside_listed_and_released() {
    let desk = desk(0).await;
    let id = desk.add("contacts", &["work_email=not an email", "first_name=Jo"]);
    let push = ["auto-push", "--resource", "contacts"];
    assert_eq!(desk.run(&push).1["failed"], 1);
    assert_eq!(desk.summary(&push)["read"], 0, "it is not due");
    let listed = String::from_utf8(desk.local(&["quarantine", "list", "--resource", "contacts"]).stdout).unwrap();
    assert!(listed.contains(&id) && listed.contains("INVALID_FIELD") && listed.ends_with("{\"held\":1}\n"), "{listed}");
    let release = |more: &[&str]| {
        let arguments = [&["quarantine", "release", "--resource", "contacts"], more].concat();
        last_line(&desk.local(&arguments).stdout)["released"].clone()
    };
    assert_eq!(
        (release(&["--local", "nobody"]), release(&["--local", &id]), release(&[])),
        (0.into(), 1.into(), 1.into())
    );
    assert_eq!(desk.run(&push).1["failed"], 1, "it was tried again");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_sweep_sees_what_nobody_told_of() {
    let desk = desk(30).await;
    desk.summary(&["import", "--resource", "contacts"]);
    let person = desk.crm.user().records("contacts").remove(0);
    assert!(desk.crm.user().erase("contacts", &person.id));
    let swept = desk.summary(&["sweep", "--resource", "contacts"]);
    assert_eq!((&swept["read"], &swept["skipped"], &swept["deleted"]), (&30.into(), &1.into(), &0.into()), "{swept}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_check_says_what_the_token_may_not_do() {
    let crm = FakeHubspot::builder().without_scope("crm.objects.deals.read").start().await.unwrap();
    let (base_url, token) = (crm.base_url(), crm.token());
    let desk = Desk::new("hubspot", crm, base_url, token);
    let (status, summary, _) = desk.run(&["check"]);
    assert_eq!((status, &summary["checked"], &summary["stopped"]), (1, &4.into(), &1.into()), "one cannot be synced");
    let output = desk.local(&["check", "--base-url", &desk.crm.base_url()]);
    let said = String::from_utf8(output.stdout).unwrap();
    assert!(said.contains("\"reading\":{\"error\":\"INSUFFICIENT_ACCESS\""), "{said}");
    assert!(said.contains("crm.objects.deals.read"), "{said}");
}
