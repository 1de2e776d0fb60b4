//! The command line against a fake Pipedrive over its socket: the whole round, and how few calls it takes.

#![allow(clippy::unwrap_used, clippy::expect_used, reason = "tests")]

mod support;

use abmatic_sync_testkit::fake::pipedrive::FakePipedrive;
use serde_json::json;
use support::{Desk, counts};

async fn desk(persons: usize) -> Desk<FakePipedrive> {
    let crm = FakePipedrive::builder().seed_records(persons).start().await.unwrap();
    let (base_url, token) = (crm.base_url(), crm.token());
    Desk::new("pipedrive", crm, base_url, token)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn import_push_sync_and_then_nothing_is_left_to_do() {
    let desk = desk(700).await;
    let resources = ["accounts", "contacts", "opportunities"];
    for resource in resources {
        let first = desk.summary(&["import", "--resource", resource]);
        assert_eq!(counts(&first, &["updated", "failed"]), [0, 0], "{resource} {first}");
        assert!(first["created"].as_u64().unwrap() > 0, "{resource} {first}");
    }
    let account = desk.add("accounts", &["name=Aurora", "website=https://www.aurora-demo.com/", "industry=Retail"]);
    desk.add("contacts", &["work_email=jo@aurora-demo.com", "last_name=Smith", &format!("account={account}")]);
    desk.add("opportunities", &["name=Big deal", "stage=Demo scheduled", "close_date=2027-01-31", "amount=10.50"]);
    for resource in resources {
        let pushed = desk.summary(&["push", "--resource", resource]);
        assert_eq!(counts(&pushed, &["created", "failed"]), [1, 0], "{resource} {pushed}");
    }
    let user = desk.crm.user();
    let last = |object: &str| user.records(object).pop().unwrap();
    let (company, person) = (last("organizations"), last("persons"));
    assert_eq!((company.text("name"), person.get("org_id")), ("Aurora", &json!(company.id)));
    assert_eq!((last("deals").get("stage_id"), last("deals").get("value")), (&json!(3), &json!(10.5)));
    desk.crm.advance_ms(2_000);
    user.update("persons", person.id, &json!({"name": "Joanna Smith"})).unwrap();
    for resource in resources {
        desk.summary(&["sync", "--resource", resource]);
    }
    let records =
        String::from_utf8(desk.local(&["records", "--resource", "contacts", "--limit", "2000"]).stdout).unwrap();
    assert!(records.contains("\"first_name\":\"Joanna\""), "{records}");
    for resource in resources {
        desk.crm.reset_calls();
        let idle = desk.summary(&["sync", "--resource", resource]);
        assert_eq!(counts(&idle, &["created", "updated", "failed"]), [0, 0, 0], "{resource} {idle}");
        let calls = desk.crm.calls();
        assert_eq!(idle["calls"].as_u64(), Some(calls.total));
        let described = if resource == "opportunities" { 3 } else { 1 };
        assert!(calls.total <= described + 2, "changes, deletions and no more: {calls:?}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_filter_and_a_saved_filter_choose_what_is_imported() {
    let desk = desk(700).await;
    let filter = "industry = \"Retail\" AND employee_count > 10";
    let preview = desk.summary(&["preview", "--resource", "accounts", "--filter", filter]);
    let filtered = desk.summary(&["import", "--resource", "accounts", "--filter", filter]);
    assert!(filtered["read"].as_u64().unwrap() > 0, "{preview} {filtered}");
    let saved = desk.crm.user().create_filter("persons", "With a title", ("owner_id", "=", "11")).unwrap().to_string();
    let owned = desk.crm.user().records("persons").iter().filter(|one| one.get("owner_id") == 11).count();
    let listed = desk.summary(&["import", "--resource", "contacts", "--list", &saved]);
    assert_eq!(listed["read"].as_u64(), Some(owned as u64));
    assert_eq!(desk.crm.user().filters(), ["Target accounts", "With a title"]);
}
