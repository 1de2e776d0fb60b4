//! The command line against a fake ActiveCampaign over its socket: the whole round, and how few calls it takes.

#![allow(clippy::unwrap_used, clippy::expect_used, reason = "tests")]

mod support;

use abmatic_sync_testkit::fake::activecampaign::FakeActiveCampaign;
use serde_json::json;
use support::{Desk, counts};

async fn desk(contacts: usize) -> Desk<FakeActiveCampaign> {
    let crm = FakeActiveCampaign::builder().seed_records(contacts).start().await.unwrap();
    let (base_url, token) = (crm.base_url(), crm.token());
    Desk::new("activecampaign", crm, base_url, token)
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
    let person = ["work_email=jo@aurora-demo.com", "last_name=Smith", "job_title=CTO", &format!("account={account}")];
    let contact = desk.add("contacts", &person);
    let deal = ["name=Big deal", "stage=In Contact", "amount=10.50", &format!("contacts={contact}")];
    desk.add("opportunities", &deal);
    for resource in resources {
        let pushed = desk.summary(&["push", "--resource", resource]);
        assert_eq!(counts(&pushed, &["created", "failed"]), [1, 0], "{resource} {pushed}");
    }
    let user = desk.crm.user();
    let last = |object: &str| user.records(object).pop().unwrap();
    let (company, person, deal) = (last("accounts"), last("contacts"), last("deals"));
    let association = last("accountContacts");
    assert_eq!((&company["name"], &company["accountUrl"]), (&json!("Aurora"), &json!("https://www.aurora-demo.com/")));
    assert_eq!((&association["account"], &association["contact"]), (&company["id"], &person["id"]));
    assert_eq!(association["jobTitle"], "CTO");
    assert_eq!((&deal["value"], &deal["stage"], &deal["contact"]), (&json!("1050"), &json!("2"), &person["id"]));
    desk.crm.advance_ms(2_000);
    let id: u64 = person["id"].as_str().unwrap().parse().unwrap();
    user.update("contacts", id, &json!({"firstName": "Joanna"})).unwrap();
    for resource in resources {
        let synced = desk.summary(&["sync", "--resource", resource]);
        assert_eq!(counts(&synced, &["created", "failed"]), [0, 0], "{resource} {synced}");
    }
    let records =
        String::from_utf8(desk.local(&["records", "--resource", "contacts", "--limit", "2000"]).stdout).unwrap();
    assert!(records.contains("\"first_name\":\"Joanna\""), "{records}");
    for resource in resources {
        desk.crm.reset_calls();
        let idle = desk.summary(&["sync", "--resource", resource]);
        assert_eq!(counts(&idle, &["created", "updated", "failed"]), [0, 0, 0], "{resource} {idle}");
        assert_eq!(idle["calls"].as_u64(), Some(desk.crm.calls().total));
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn lists_tags_and_segments_choose_what_is_imported_and_filters_are_evaluated_here() {
    let desk = desk(350).await;
    let filter = "industry = \"Retail\" AND name CONTAINS \"a\"";
    let preview = desk.summary(&["preview", "--resource", "accounts", "--filter", filter]);
    let filtered = desk.summary(&["import", "--resource", "accounts", "--filter", filter]);
    assert!(filtered["read"].as_u64().unwrap() > 0, "{preview} {filtered}");
    let segment = format!("segment:{}", desk.crm.user().create_segment("Mail", "gmail.com"));
    let gmail = desk.crm.user().records("contacts").iter().filter(|row| row["email_domain"] == "gmail.com").count();
    let read =
        |list: &str| desk.summary(&["import", "--resource", "contacts", "--list", list])["read"].as_u64().unwrap();
    assert_eq!(read(&segment), gmail as u64);
    assert!(read("1") > 0 && read("tag:1") > 0);
    let (status, _, errors) = desk.run(&["import", "--resource", "contacts", "--list", "friends"]);
    assert_eq!(status, 2);
    assert!(errors.contains("names no list of ActiveCampaign"), "{errors}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_large_push_goes_as_imports_whose_outcomes_are_followed_up() {
    let desk = desk(0).await;
    for number in 0..120 {
        desk.add("contacts", &[&format!("work_email=person{number}@aurora-demo.com"), &format!("last_name=N{number}")]);
    }
    desk.add("contacts", &["work_email=bad@invalid", "last_name=Bad"]);
    desk.crm.reset_calls();
    let (status, pushed, errors) = desk.run(&["push", "--resource", "contacts"]);
    assert_eq!((status, counts(&pushed, &["created", "failed"])), (1, vec![120, 1]), "{pushed} {errors}");
    assert_eq!(desk.crm.user().records("contacts").len(), 120);
    assert_eq!(desk.crm.calls().of("POST /api/3/import/bulk_import"), 1, "{:?}", desk.crm.calls());
    assert_eq!(desk.crm.calls().of("POST /api/3/contacts"), 0);
    let again = desk.run(&["sync", "--resource", "contacts"]).1;
    assert_eq!(counts(&again, &["created", "updated"]), [0, 0], "{again}");
}
