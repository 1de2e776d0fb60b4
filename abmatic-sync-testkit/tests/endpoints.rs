//! The lists of endpoints in the fakes' documentation are held against the fakes: what is listed is served, and on the paths
//! that are listed nothing else is.

#![allow(clippy::unwrap_used, clippy::panic, reason = "a test that cannot go on should stop where it is")]

use abmatic_sync_testkit::fake::activecampaign::FakeActiveCampaign;
use abmatic_sync_testkit::fake::exchange::{Request, Response};
use abmatic_sync_testkit::fake::hubspot::{self, FakeHubspot};
use abmatic_sync_testkit::fake::pipedrive::FakePipedrive;
use abmatic_sync_testkit::fake::salesforce::FakeSalesforce;
use serde_json::json;

const METHODS: &[&str] = &["GET", "POST", "PUT", "PATCH", "DELETE"];

/// A line of a list: its methods, and one of the paths that it stands for.
#[derive(Debug)]
struct Endpoint {
    methods: Vec<String>,
    path: String,
}

/// The list in a module's documentation, with `{a,b}` written out.
fn listed(documentation: &str) -> Vec<Endpoint> {
    let (_, list) = documentation.split_once("//! ```text\n").unwrap();
    let (list, _) = list.split_once("//! ```\n").unwrap();
    let mut endpoints = Vec::new();
    for line in list.lines() {
        let words: Vec<&str> = line.trim_start_matches("//!").split_whitespace().collect();
        let (path, methods) = words.split_last().unwrap();
        assert!(methods.iter().all(|method| METHODS.contains(method)), "{line}");
        let methods: Vec<String> = methods.iter().map(|method| (*method).to_owned()).collect();
        endpoints.extend(written_out(path).into_iter().map(|path| Endpoint { methods: methods.clone(), path }));
    }
    endpoints
}

fn written_out(path: &str) -> Vec<String> {
    let choice = path.split('/').find(|segment| segment.contains(','));
    let Some(choice) = choice else { return vec![path.to_owned()] };
    let words = choice.trim_matches(['{', '}']).split(',');
    words.flat_map(|word| written_out(&path.replacen(choice, word, 1))).collect()
}

/// Whether a path without parameters is one of an endpoint. `{id}` is a number, other parameters are anything.
fn fits(pattern: &str, path: &str) -> bool {
    let (wanted, given): (Vec<&str>, Vec<&str>) = (pattern.split('/').collect(), path.split('/').collect());
    let fits = |(wanted, given): (&&str, &&str)| match *wanted {
        "{id}" => given.bytes().all(|byte| byte.is_ascii_digit()),
        parameter if parameter.starts_with('{') => true,
        word => word == *given,
    };
    wanted.len() == given.len() && wanted.iter().zip(&given).all(fits)
}

/// Holds a list against a fake: `value` is what stands for a parameter, `is_served` makes a call on a new fake.
fn hold(documentation: &str, value: impl Fn(&str) -> String, is_served: impl Fn(&str, &str) -> bool) {
    let endpoints = listed(documentation);
    for endpoint in &endpoints {
        let segments = endpoint.path.split('/').map(|segment| match segment.strip_prefix('{') {
            Some(name) => value(name.trim_end_matches('}')),
            None => segment.to_owned(),
        });
        let path = segments.collect::<Vec<_>>().join("/");
        for method in METHODS {
            let is_listed =
                |other: &&Endpoint| other.methods.iter().any(|one| one == method) && fits(&other.path, &path);
            if endpoint.methods.iter().any(|one| one == method) {
                assert!(is_served(method, &path), "{method} {} is listed, and not served", endpoint.path);
            } else if !endpoints.iter().any(|other| is_listed(&other)) {
                assert!(!is_served(method, &path), "{method} {} is served, and not listed", endpoint.path);
            }
        }
    }
}

/// What says that a path is none, or not by that method.
fn says(answer: &Response, unknown: &str) -> bool {
    answer.status == 405 || (answer.status == 404 && answer.text().contains(unknown))
}

#[test]
fn of_hubspot() {
    let value = |name: &str| {
        match name {
            "v" => "2026-09",
            "type" => "contacts",
            "toType" => "companies",
            _ => "1",
        }
        .to_owned()
    };
    let is_served = |method: &str, path: &str| {
        let fake = FakeHubspot::builder().build();
        let mut token = fake.token();
        if path.starts_with("/webhooks-journal") {
            let [id, secret, ..] = hubspot::OAUTH_CLIENT;
            let form = [
                ("grant_type", "client_credentials"),
                ("client_id", id),
                ("client_secret", secret),
                ("scope", "developer.webhooks_journal.read developer.webhooks_journal.subscriptions.write"),
            ];
            let granted = fake.answer(&Request::new("POST", "/oauth/2026-09/token").form(&form)).json();
            granted["access_token"].as_str().unwrap().clone_into(&mut token);
        }
        !says(&fake.answer(&Request::new(method, path).bearer(&token).json(&json!({}))), "No route matches")
    };
    hold(include_str!("../src/fake/hubspot/mod.rs"), value, is_served);
}

#[test]
fn of_pipedrive() {
    let value = |name: &str| if name == "code" { "name" } else { "1" }.to_owned();
    let is_served = |method: &str, path: &str| {
        let fake = FakePipedrive::builder().build();
        let request = Request::new(method, path).with_header("x-api-token", &fake.token());
        !says(&fake.answer(&request.json(&json!({}))), "Unknown method .")
    };
    hold(include_str!("../src/fake/pipedrive/mod.rs"), value, is_served);
}

#[test]
fn of_activecampaign() {
    let is_served = |method: &str, path: &str| {
        let fake = FakeActiveCampaign::builder().build();
        let request = Request::new(method, path).with_header("Api-Token", &fake.token()).json(&json!({}));
        let answer = fake.answer(&request);
        !says(&answer, "{\"message\":\"Not Found\"}") && !says(&answer, "<html>")
    };
    hold(include_str!("../src/fake/activecampaign/mod.rs"), |_| "1".to_owned(), is_served);
}

/// An org in which everything that a path may name is there, and what it is called.
fn org() -> (FakeSalesforce, impl Fn(&str) -> String) {
    let fake = FakeSalesforce::builder().seed_records(30).query_page_max(5).build();
    let call = |method: &str, path: &str, body: serde_json::Value| {
        let request = Request::new(method, &format!("/services/data/v62.0{path}")).bearer(&fake.token());
        fake.answer(&if body.is_null() { request } else { request.json(&body) }).json()
    };
    let text = |value: &serde_json::Value| value.as_str().unwrap_or_else(|| panic!("{value}")).to_owned();
    let record = call("POST", "/sobjects/Account", json!({"Name": "A"}));
    call("PATCH", "/sobjects/Account/Abmatic_Id__c/x", json!({"Name": "B"}));
    let views = call("GET", "/sobjects/Account/listviews", json!(null));
    let page = call("GET", "/query?q=SELECT+Id+FROM+Contact", json!(null));
    let query = call("POST", "/jobs/query", json!({"operation": "query", "query": "SELECT Id FROM Contact"}));
    let ingest = call("POST", "/jobs/ingest", json!({"object": "Account", "operation": "insert"}));
    let next = text(&page["nextRecordsUrl"]);
    let me = fake.answer(&Request::new("GET", "/services/oauth2/userinfo").bearer(&fake.token())).json();
    let known = [
        ("v", "v62.0".to_owned()),
        ("Object", "Account".to_owned()),
        ("recordId", text(&record["id"])),
        ("field", "Abmatic_Id__c".to_owned()),
        ("value", "x".to_owned()),
        ("view", text(&views["listviews"][0]["id"])),
        ("locator", next.rsplit('/').next().unwrap().to_owned()),
        ("queryJob", text(&query["id"])),
        ("ingestJob", text(&ingest["id"])),
        ("org", text(&me["organization_id"])),
        ("user", text(&me["user_id"])),
    ];
    let value = move |name: &str| known.iter().find(|(known, _)| *known == name).unwrap().1.clone();
    (fake, value)
}

#[test]
fn of_salesforce() {
    // Each org is made in the same way, so that its ids are the same.
    let (_, value) = org();
    let is_served = |method: &str, path: &str| {
        let (fake, _) = org();
        let request = Request::new(method, path).bearer(&fake.token());
        let request = if method == "GET" || method == "DELETE" { request } else { request.json(&json!({})) };
        !says(&fake.answer(&request), "The requested resource does not exist")
    };
    hold(include_str!("../src/fake/salesforce/mod.rs"), value, is_served);
}
