//! What a two-way sync costs goes by what changed, not by what is linked: calls counted, against the least that the API
//! allows.

#![allow(clippy::unwrap_used, clippy::expect_used, reason = "tests")]

use abmatic_sync_core::clock::Clock as _;
use abmatic_sync_core::model::fields::Fields;
use abmatic_sync_core::model::link::{Link, LinkScope};
use abmatic_sync_core::model::resource::Resource;
use abmatic_sync_core::model::value::Value;
use abmatic_sync_core::store::state::{LinkEnds, StateStore as _};
use abmatic_sync_http::clock::SystemClock;
use abmatic_sync_sql::store::SqliteStore;
use abmatic_sync_testkit::fake::hubspot::FakeHubspot;
use assert_cmd::Command;
use tempfile::TempDir;

struct Desk {
    crm: FakeHubspot,
    folder: TempDir,
}

impl Desk {
    /// An account whose contacts are all linked, and synced once.
    async fn linked(contacts: usize) -> Self {
        let crm = FakeHubspot::builder().seed_records(contacts).search_lag_seconds(0.0).start().await.unwrap();
        let desk = Self { crm, folder: TempDir::new().unwrap() };
        desk.run("import", "accounts");
        assert_eq!(desk.run("import", "contacts")["created"], contacts);
        desk.run("sync", "contacts");
        desk
    }

    fn run(&self, operation: &str, resource: &str) -> serde_json::Value {
        let mut command = Command::cargo_bin("crm-cli").unwrap();
        command.args([operation, "--json", "--resource", resource, "--base-url", &self.crm.base_url(), "--db"]);
        let output = command.arg(self.folder.path().join("host.db")).env("CRM_TOKEN", self.crm.token()).output();
        let output = output.unwrap();
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        let text = String::from_utf8(output.stdout).unwrap();
        serde_json::from_str(text.lines().next_back().unwrap()).unwrap()
    }

    /// Edits `changed` contacts here, and as many others there.
    async fn edit(&self, changed: usize) {
        let store = SqliteStore::open(self.folder.path().join("host.db")).await.unwrap();
        let scope = LinkScope::new("default".into(), "default/hubspot/main".into(), Resource::Contact);
        let links = store.links(&scope, &LinkEnds::All { after: None, limit: 2 * changed }).await.unwrap();
        let (here, there): (&[Link], &[Link]) = links.split_at(changed);
        for link in here {
            let mut fields = Fields::new();
            fields.insert("job_title", Value::text("Edited here"));
            let (tenant, id) = ("default".into(), &link.local_id);
            store.edit(&tenant, Resource::Contact, id, fields, SystemClock.now()).await.unwrap();
        }
        for link in there {
            self.crm.user().update("contacts", link.remote_id.as_str(), &[("jobtitle", "Edited there")]).unwrap();
        }
        store.close().await;
    }
}

/// The calls of a sync where so many contacts changed on each side, and no more than 1,000: by route, the least that
/// HubSpot allows, and what is made beyond that.
fn calls_for(changed: u64) -> [(&'static str, u64, u64); 6] {
    let batches = changed.div_ceil(100);
    [
        // Which fields there are.
        ("GET /crm/properties/{v}/contacts", 1, 0),
        // The recycle bin: what was deleted there.
        ("GET /crm/objects/{v}/contacts", 1, 0),
        // What changed there, 200 a page. After a full page comes one more: its total is not relied on.
        ("POST /crm/objects/{v}/contacts/search", changed.div_ceil(200), u64::from(changed.is_multiple_of(200))),
        // What changed here is read there before it is written: somebody may have changed it meanwhile.
        ("POST /crm/objects/{v}/contacts/batch/read", batches, 0),
        ("POST /crm/objects/{v}/contacts/batch/update", batches, 0),
        // Whose companies, of 1,000 at once, for each side. Those of a search are asked for page by page.
        ("POST /crm/associations/{v}/contacts/companies/batch/read", 2, changed.div_ceil(200) - 1),
    ]
}

async fn a_sync_costs_by_what_changed(linked: usize, changed: usize) {
    let desk = Desk::linked(linked).await;
    desk.edit(changed).await;
    desk.crm.reset_calls();
    let summary = desk.run("sync", "contacts");
    let calls = desk.crm.calls();
    println!("{linked} linked, {changed} changed on each side: {summary}\n{:#?}", calls.by_route);

    let changed = changed as u64;
    assert_eq!(summary["updated"], 2 * changed, "{summary}");
    // What was written here comes by among the changes here, and is known.
    assert_eq!((&summary["read"], &summary["unchanged"]), (&(3 * changed).into(), &changed.into()), "{summary}");
    let wanted = calls_for(changed);
    for (route, least, beyond) in wanted {
        assert_eq!(calls.of(route), least + beyond, "{route}");
    }
    assert_eq!(calls.total, wanted.iter().map(|(_, least, beyond)| least + beyond).sum::<u64>(), "{calls:?}");
    assert_eq!(summary["calls"], calls.total);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn it_makes_the_least_calls_however_much_is_linked() {
    assert!(calls_for(150).iter().all(|(_, _, beyond)| *beyond == 0));
    for linked in [600, 3_000] {
        a_sync_costs_by_what_changed(linked, 150).await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn full_pages_cost_one_search_more() {
    a_sync_costs_by_what_changed(3_000, 200).await;
}

/// `cargo test --release -p crm-cli --test proportional -- --ignored --nocapture`
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "a hundred thousand contacts: for the release profile"]
async fn of_100_000_linked_it_costs_what_1_000_changed_on_each_side_cost() {
    a_sync_costs_by_what_changed(100_000, 1_000).await;
}
