//! The command line against a fake Salesforce over its socket: the whole round, and how few calls it takes.

#![allow(clippy::unwrap_used, clippy::expect_used, reason = "tests")]

mod support;

use abmatic_sync_testkit::fake::salesforce::FakeSalesforce;
use support::{Desk, counts};

async fn desk(contacts: usize) -> Desk<FakeSalesforce> {
    let crm = FakeSalesforce::builder().seed_records(contacts).start().await.unwrap();
    let (base_url, token) = (crm.base_url(), crm.token());
    Desk::new("salesforce", crm, base_url, token)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn import_push_sync_and_then_nothing_is_left_to_do() {
    let desk = desk(700).await;
    let resources = ["accounts", "contacts", "leads", "opportunities"];
    for resource in resources {
        let first = desk.summary(&["import", "--resource", resource]);
        assert_eq!(counts(&first, &["updated", "failed"]), [0, 0], "{resource} {first}");
        assert!(first["created"].as_u64().unwrap() > 0, "{resource} {first}");
    }
    let account = desk.add("accounts", &["name=Aurora", "website=https://www.aurora-demo.com/"]);
    let person = ["work_email=jo@aurora-demo.com", "last_name=Smith", &format!("account={account}")];
    desk.add("contacts", &person);
    desk.add("leads", &["work_email=al@borealis-demo.com", "last_name=Lee", "company_name=Borealis"]);
    desk.add("opportunities", &["name=Big deal", "stage=Prospecting", "close_date=2027-01-31", "amount=10.50"]);
    for resource in resources {
        assert_eq!(
            counts(&desk.summary(&["push", "--resource", resource]), &["created", "failed"]),
            [1, 0],
            "{resource}"
        );
    }
    let user = desk.crm.user();
    let company = user.find("Account", "Name", "Aurora").remove(0);
    let contact = user.find("Contact", "Email", "jo@aurora-demo.com").remove(0);
    assert_eq!(contact.get("AccountId"), company.id);
    user.update("Contact", &contact.id, &[("Title", "CTO")]).unwrap();
    for resource in resources {
        desk.summary(&["sync", "--resource", resource]);
    }
    let records =
        String::from_utf8(desk.local(&["records", "--resource", "contacts", "--limit", "2000"]).stdout).unwrap();
    assert!(records.contains("\"job_title\":\"CTO\""), "{records}");
    for resource in resources {
        desk.crm.reset_calls();
        let idle = desk.summary(&["sync", "--resource", resource]);
        assert_eq!(counts(&idle, &["created", "updated", "failed"]), [0, 0, 0], "{resource} {idle}");
        let calls = desk.crm.calls();
        assert_eq!(idle["calls"].as_u64(), Some(calls.total));
        let described = if matches!(resource, "contacts" | "opportunities") { 2 } else { 1 };
        assert!(calls.total <= described + 2, "changes, deletions and no more: {calls:?}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_filter_and_a_list_view_choose_what_is_imported() {
    let desk = desk(700).await;
    let filter = "Industry = \"Banking\" AND NumberOfEmployees > 10 OR Name STARTS WITH \"A\"";
    let preview = desk.summary(&["preview", "--resource", "accounts", "--filter", filter]);
    let filtered = desk.summary(&["import", "--resource", "accounts", "--filter", filter]);
    assert_eq!(preview["matching"], filtered["read"]);
    let view = desk.crm.user().create_list_view("Contact", "With_Title", "Title != null").unwrap();
    let titled = desk.crm.user().records("Contact").iter().filter(|one| !one.get("Title").is_empty()).count();
    assert_eq!(
        desk.summary(&["import", "--resource", "contacts", "--list", &view])["read"].as_u64(),
        Some(titled as u64)
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn contacts_are_pushed_as_leads_with_their_account_s_name() {
    let desk = desk(0).await;
    let account = desk.add("accounts", &["name=Aurora", "website=https://www.aurora-demo.com/"]);
    desk.add("contacts", &["work_email=jo@aurora-demo.com", "last_name=Smith", &format!("account={account}")]);
    let pushed = desk.summary(&["push", "--resource", "contacts", "--people-as", "leads"]);
    assert_eq!(counts(&pushed, &["created", "failed"]), [1, 0], "{pushed}");
    let lead = desk.crm.user().find("Lead", "Email", "jo@aurora-demo.com").remove(0);
    assert_eq!(lead.get("Company"), "Aurora");
}
