//! What was said to a fake, as a program in any language reads it: JSON lines, from the library, the admin route and the binary.

#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a test that cannot go on should stop where it is")]

use std::io::{BufRead as _, BufReader};
use std::path::Path;
use std::process::{Command, Stdio};

use abmatic_sync_testkit::fake::activecampaign::FakeActiveCampaign;
use abmatic_sync_testkit::fake::exchange::Request;
use abmatic_sync_testkit::fake::fault::{Fault, FaultKind};
use abmatic_sync_testkit::fake::hubspot::FakeHubspot;
use abmatic_sync_testkit::fake::pipedrive::FakePipedrive;
use abmatic_sync_testkit::fake::salesforce::FakeSalesforce;
use abmatic_sync_testkit::fake::{hubspot, pipedrive, salesforce};
use serde_json::{Value, json};

/// No system certificates: nothing here speaks TLS.
fn client() -> reqwest::Client {
    reqwest::Client::builder().tls_certs_only([]).build().unwrap()
}

fn parsed(lines: &str) -> Vec<Value> {
    lines.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

/// A recording is whole, and has none of these in it.
fn keeps_secrets(lines: &str, calls: usize, secrets: &[&str]) {
    let told = parsed(lines);
    assert_eq!(told.len(), calls);
    assert!(told.iter().enumerate().all(|(at, one)| one["number"] == at + 1));
    assert!(lines.contains("REDACTED"));
    for secret in secrets {
        assert!(secret.len() > 3 && !lines.contains(secret), "{secret} in {lines}");
    }
}

/// A member of an answer that is a secret.
fn member(answer: &Value, name: &str) -> String {
    answer[name].as_str().unwrap().to_owned()
}

#[test]
fn nothing_is_kept_before_it_is_asked_for_and_faults_are_told() {
    let fake = FakeHubspot::builder().build();
    let list = Request::new("GET", "/crm/objects/2026-09/contacts?limit=5").bearer(&fake.token());
    let _ = fake.answer(&list);
    assert!(fake.recorded().is_empty() && fake.recorded_lines().is_empty());
    fake.record();
    fake.inject(Fault::new(FaultKind::AnswerLost));
    fake.inject(Fault::new(FaultKind::ConnectionReset));
    for _ in 0..3 {
        let _ = fake.answer(&list);
    }
    let told = parsed(&fake.recorded_lines());
    let shown: Vec<(&Value, &Value)> = told.iter().map(|one| (&one["status"], &one["delivery"])).collect();
    assert_eq!(shown, [(&json!(200), &json!("lost")), (&json!(0), &json!("refused")), (&json!(200), &json!("whole"))]);
    assert_eq!(
        (&told[0]["query"], &told[0]["route"]),
        (&json!([["limit", "5"]]), &json!("GET /crm/objects/{v}/contacts"))
    );
}

#[test]
fn no_secret_of_hubspot_is_told() {
    let fake = FakeHubspot::builder().build();
    fake.record();
    let [client, secret, code, refresh] = hubspot::OAUTH_CLIENT;
    let form = [
        ("grant_type", "authorization_code"),
        ("client_id", client),
        ("client_secret", secret),
        ("code", code),
        ("redirect_uri", "https://a.test/"),
    ];
    let granted = fake.answer(&Request::new("POST", "/oauth/v3/token").form(&form)).json();
    let access = member(&granted, "access_token");
    let _ = fake.answer(&Request::new("GET", "/crm/objects/2026-09/contacts").bearer(&access));
    let _ = fake.answer(&Request::new("GET", &format!("/oauth/v1/access-tokens/{access}")));
    let _ = fake.answer(&Request::new("GET", &format!("/oauth/v1/refresh-tokens/{refresh}")));
    let about =
        [("client_id", client), ("client_secret", secret), ("token", &access), ("token_type_hint", "access_token")];
    let _ = fake.answer(&Request::new("POST", "/oauth/2026-03/token/introspect").form(&about));
    let page = format!("/oauth/authorize?client_id={client}&redirect_uri=https%3A%2F%2Fa.test%2F&state=s&scope=oauth");
    let sent = fake.answer(&Request::new("GET", &page));
    let back = sent.header("location").and_then(|to| to.split("code=").nth(1)).unwrap().split('&').next().unwrap();
    keeps_secrets(&fake.recorded_lines(), 6, &[secret, code, refresh, &access, back, &fake.token()]);
}

#[test]
fn no_secret_of_salesforce_is_told() {
    let fake = FakeSalesforce::builder().build();
    fake.record();
    let [client, secret, refresh] = salesforce::OAUTH_CLIENT;
    let page = format!(
        "/services/oauth2/authorize?response_type=code&client_id={client}&redirect_uri=https%3A%2F%2Fa.test%2F"
    );
    let sent = fake.answer(&Request::new("GET", &page));
    let back = sent.header("location").and_then(|to| to.split("code=").nth(1)).unwrap();
    let form =
        [("grant_type", "refresh_token"), ("client_id", client), ("client_secret", secret), ("refresh_token", refresh)];
    let granted = fake.answer(&Request::new("POST", "/services/oauth2/token").form(&form)).json();
    let access = member(&granted, "access_token");
    let _ = fake.answer(&Request::new("GET", "/services/oauth2/userinfo").bearer(&access));
    let _ = fake.answer(&Request::new("GET", &format!("/services/oauth2/revoke?token={access}")));
    keeps_secrets(&fake.recorded_lines(), 4, &[secret, refresh, &access, back, &fake.token()]);
}

#[test]
fn no_secret_of_pipedrive_is_told() {
    let fake = FakePipedrive::builder().build();
    fake.record();
    let [_, secret, code, refresh] = pipedrive::OAUTH_CLIENT;
    // HTTP Basic of the two.
    let basic = "Basic ZmE0ZWMxMWU0NzAwMDAwMDpmYWtlLWNsaWVudC1zZWNyZXQ=";
    let form = [("grant_type", "authorization_code"), ("code", code), ("redirect_uri", "https://a.test/")];
    let granted =
        fake.answer(&Request::new("POST", "/oauth/token").with_header("Authorization", basic).form(&form)).json();
    let access = member(&granted, "access_token");
    let _ = fake.answer(&Request::new("GET", "/api/v1/users/me").bearer(&access));
    let hook = json!({
        "subscription_url": "https://hooks.host.test/", "event_action": "*", "event_object": "deal", "name": "n",
        "http_auth_user": "u", "http_auth_password": "hook-password",
    });
    let _ =
        fake.answer(&Request::new("POST", "/api/v1/webhooks").with_header("x-api-token", &fake.token()).json(&hook));
    let _ = fake.answer(&Request::new("GET", &format!("/api/v1/users?api_token={}", fake.token())));
    keeps_secrets(
        &fake.recorded_lines(),
        4,
        &[secret, code, refresh, &access, "hook-password", &fake.token(), &basic["Basic ".len()..]],
    );
}

#[test]
fn no_secret_of_activecampaign_is_told() {
    let fake = FakeActiveCampaign::builder().build();
    fake.record();
    let _ = fake.answer(&Request::new("GET", "/api/3/contacts").with_header("Api-Token", &fake.token()));
    let _ = fake.answer(&Request::new("POST", "/event").form(&[
        ("actid", "1"),
        ("key", "event-key"),
        ("event", "Visited"),
    ]));
    keeps_secrets(&fake.recorded_lines(), 2, &[&fake.token(), "event-key"]);
}

#[tokio::test]
async fn the_admin_route_begins_tells_and_ends() {
    let fake = FakePipedrive::builder().start().await.unwrap();
    let (client, at) = (client(), format!("{}/__fake/recording", fake.base_url()));
    let me = format!("{}/api/v1/users/me", fake.base_url());
    assert_eq!(client.get(&at).send().await.unwrap().status(), 409, "nobody has asked for it");
    client.post(&at).send().await.unwrap();
    client.get(&me).header("x-api-token", fake.token()).send().await.unwrap();
    let answer = client.get(&at).send().await.unwrap();
    assert_eq!(answer.headers()["content-type"], "application/x-ndjson");
    let told = parsed(&answer.text().await.unwrap());
    assert_eq!((told.len(), &told[0]["path"], &told[0]["status"]), (1, &json!("/api/v1/users/me"), &json!(200)));
    assert_eq!(told[0]["response_body"]["data"]["company_domain"], "acme");
    client.delete(&at).send().await.unwrap();
    client.get(&me).send().await.unwrap();
    assert_eq!(client.get(&at).send().await.unwrap().status(), 409);
}

#[tokio::test]
async fn the_program_writes_a_file() {
    let file = Path::new(env!("CARGO_TARGET_TMPDIR")).join("calls.jsonl");
    let mut program = Command::new(env!("CARGO_BIN_EXE_fake-crm"));
    program.args(["hubspot", "--seed-records", "7", "--record"]).arg(&file).stdout(Stdio::piped());
    let mut child = program.spawn().unwrap();
    let mut line = String::new();
    BufReader::new(child.stdout.take().unwrap()).read_line(&mut line).unwrap();
    let announced: Value = serde_json::from_str(&line).unwrap();
    let url = format!("{}/crm/objects/2026-09/contacts?limit=2", member(&announced, "base_url"));
    let token = member(&announced, "token");
    let answer = client().get(&url).bearer_auth(&token).send().await.unwrap();
    let body: Value = answer.json().await.unwrap();
    // Whoever is killed loses nothing.
    child.kill().unwrap();
    child.wait().unwrap();
    let lines = std::fs::read_to_string(&file).unwrap();
    keeps_secrets(&lines, 1, &[&token]);
    assert_eq!(parsed(&lines)[0]["response_body"], body);

    let nowhere = Command::new(env!("CARGO_BIN_EXE_fake-crm"))
        .args(["hubspot", "--record", "/no/such/folder/x"])
        .output()
        .unwrap();
    assert_eq!(nowhere.status.code(), Some(2));
    assert!(String::from_utf8_lossy(&nowhere.stderr).starts_with("fake-crm: /no/such/folder/x: "));
}
