//! The same fake over a real socket.

use abmatic_sync_testkit::fake::fault::{Fault, FaultKind};
use abmatic_sync_testkit::fake::hubspot::FakeHubspot;
use serde_json::{Value, json};

/// No system certificates: nothing here speaks TLS.
fn client() -> reqwest::Client {
    reqwest::Client::builder().tls_certs_only([]).build().unwrap()
}

async fn create(fake: &FakeHubspot, email: &str) -> Result<(u16, Option<Value>), reqwest::Error> {
    let url = format!("{}/crm/objects/2026-09/contacts", fake.base_url());
    let body = json!({"properties": {"email": email}});
    let answer = client().post(url).bearer_auth(fake.token()).json(&body).send().await?;
    let status = answer.status().as_u16();
    Ok((status, answer.json().await.ok()))
}

#[tokio::test]
async fn requests_come_and_go_on_one_connection() {
    let fake = FakeHubspot::builder().seed_records(250).start().await.unwrap();
    let client = client();
    let mut url = format!("{}/crm/v3/objects/contacts?limit=100", fake.base_url());
    let mut seen = 0;
    loop {
        let answer = client.get(&url).bearer_auth(fake.token()).send().await.unwrap();
        assert_eq!(answer.headers()["content-type"], "application/json;charset=utf-8");
        let page: Value = answer.json().await.unwrap();
        seen += page["results"].as_array().unwrap().len();
        match page["paging"]["next"]["link"].as_str() {
            Some(next) => url = next.to_owned(),
            None => break,
        }
    }
    assert_eq!((seen, fake.calls().total), (250, 3));
    let (status, record) = create(&fake, "over@the.wire").await.unwrap();
    assert_eq!((status, &record.unwrap()["properties"]["email"]), (201, &json!("over@the.wire")));
}

#[tokio::test]
async fn connections_break_where_a_fault_says() {
    let fake = FakeHubspot::builder().start().await.unwrap();
    for (kind, stored) in [(FaultKind::ConnectionReset, 0), (FaultKind::AnswerLost, 1)] {
        // A client may repeat by itself what was reset on a kept connection; there is none here.
        fake.inject(Fault::new(kind).always());
        assert!(create(&fake, "a@x.com").await.is_err(), "{kind:?}");
        assert_eq!(fake.user().count("contacts"), stored, "{kind:?}");
        fake.clear_faults();
    }
    fake.inject(Fault::new(FaultKind::TruncatedBody));
    assert_eq!(create(&fake, "b@x.com").await.unwrap(), (201, None), "half a body is no JSON");
}

#[tokio::test]
async fn a_call_that_hangs_is_told_of_and_holds_its_client() {
    let fake = FakeHubspot::builder().start().await.unwrap();
    for (kind, stored) in [(FaultKind::Hang, 0), (FaultKind::HangAfterWrite, 1)] {
        fake.reset_calls();
        fake.inject(Fault::new(kind));
        tokio::select! {
            answer = create(&fake, "a@x.com") => panic!("{kind:?}: {answer:?}"),
            () = fake.called(|calls| calls.total == 1) => {}
        }
        assert_eq!(fake.user().count("contacts"), stored, "{kind:?}");
        assert_eq!(fake.calls().by_status[&0], 1, "{kind:?}");
    }
    // The client has gone, and others are served.
    assert_eq!(create(&fake, "b@x.com").await.unwrap().0, 201);
}

#[tokio::test]
async fn the_admin_routes_need_no_token() {
    let fake = FakeHubspot::builder().start().await.unwrap();
    let (client, base) = (client(), format!("{}/__fake", fake.base_url()));
    let fault = json!({"kind": "server_error", "status": 503, "matches": "contacts", "times": 1});
    assert_eq!(client.post(format!("{base}/faults")).json(&fault).send().await.unwrap().status(), 200);
    assert_eq!(
        client.post(format!("{base}/faults")).json(&json!({"kind": "no such"})).send().await.unwrap().status(),
        400
    );
    assert_eq!(create(&fake, "a@x.com").await.unwrap().0, 503);
    let calls: Value = client.get(format!("{base}/calls")).send().await.unwrap().json().await.unwrap();
    assert_eq!(calls["by_route"], json!({"POST /crm/objects/{v}/contacts": 1}));
    let before = fake.now_ms();
    client.post(format!("{base}/clock/advance")).json(&json!({"seconds": 3600})).send().await.unwrap();
    assert!(fake.now_ms() >= before + 3_600_000);
    let state: Value = client.get(format!("{base}/state")).send().await.unwrap().json().await.unwrap();
    assert_eq!(state["objects"]["contacts"]["live"], 0);
}

#[tokio::test]
async fn the_socket_closes_with_the_handle() {
    let fake = FakeHubspot::builder().start().await.unwrap();
    let url = format!("{}/account-info/v3/details", fake.base_url());
    assert_eq!(client().get(&url).bearer_auth(fake.token()).send().await.unwrap().status(), 200);
    drop(fake);
    tokio::task::yield_now().await;
    assert!(client().get(&url).send().await.is_err());
}
