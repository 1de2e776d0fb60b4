//! Who may ask, how often, what else goes wrong, and the socket.

use abmatic_sync_testkit::fake::activecampaign::FakeActiveCampaign;
use abmatic_sync_testkit::fake::exchange::Request;
use abmatic_sync_testkit::fake::fault::{Fault, FaultKind};
use serde_json::{Value, json};

use crate::desk::Desk;

#[test]
fn a_bad_key_is_forbidden_and_a_lapsed_account_says_nothing() {
    let desk = Desk::new();
    for token in ["", "wrong"] {
        let request = Request::new("GET", "/api/3/users/me").with_header("Api-Token", token);
        let answer = desk.0.answer(&request);
        assert_eq!((answer.status, answer.json()), (403, json!({"message": "Forbidden"})));
    }
    assert_eq!(desk.get("/users/me").1["user"]["username"], "admin");
    desk.0.lapse(true);
    let lapsed = desk.send("GET", "/contacts", &Value::Null);
    assert_eq!((lapsed.status, lapsed.body.len()), (402, 0));
    desk.0.lapse(false);
    desk.0.revoke();
    assert_eq!(desk.get("/contacts").0, 403);
}

#[test]
fn more_than_five_calls_a_second_are_refused() {
    let desk = Desk::with(|builder| builder.rate_limits(true).rate_headers(true));
    for left in (0..5).rev() {
        let answer = desk.send("GET", "/contacts", &Value::Null);
        assert_eq!((answer.status, answer.header("RateLimit-Remaining")), (200, Some(left.to_string().as_str())));
    }
    let refused = desk.send("GET", "/contacts", &Value::Null);
    assert_eq!((refused.status, refused.header("Retry-After")), (429, Some("1")));
    desk.0.advance_ms(1_000);
    assert_eq!(desk.get("/contacts").0, 200);
}

#[test]
fn what_is_not_there_is_told_and_what_is_no_json_is_refused() {
    let desk = Desk::new();
    assert_eq!(desk.get("/nothing").0, 404);
    assert_eq!(desk.get("/contacts/abc").0, 404);
    assert_eq!(desk.call("OPTIONS", "/contacts", &Value::Null).0, 405);
    let mut request = Request::new("POST", "/api/3/contacts").with_header("Api-Token", &desk.0.token());
    request.body = b"{\"contact\":".to_vec();
    assert_eq!(desk.0.answer(&request).status, 400);
    assert_eq!(Desk::with(|builder| builder.crm(false)).get("/accounts").0, 403);
}

#[test]
fn faults_strike_in_the_words_of_the_api() {
    let desk = Desk::new();
    desk.0.inject(Fault::new(FaultKind::RateLimited).with_retry_after_seconds(30));
    let limited = desk.send("GET", "/contacts", &Value::Null);
    assert_eq!((limited.status, limited.header("Retry-After")), (429, Some("30")));
    desk.0.inject(Fault::new(FaultKind::ServerError).with_status(502).as_html());
    let failed = desk.send("GET", "/contacts", &Value::Null);
    assert_eq!(failed.status, 502);
    assert!(failed.text().contains("<html>"));
    desk.0.inject(Fault::new(FaultKind::ServerErrorAfterWrite));
    assert_eq!(desk.post("/contacts", &json!({"contact": {"email": "a@x.test"}})).0, 503);
    assert_eq!(desk.get("/contacts").1["meta"]["total"], "1", "it was written all the same");
}

#[test]
fn an_event_is_tracked_by_its_own_key() {
    let desk = Desk::new();
    let send = |event: &str| {
        let visit = r#"{"email":"a@x.test"}"#;
        let form =
            [("actid", "25"), ("key", "EVENTKEY"), ("event", event), ("eventdata", "score=80"), ("visit", visit)];
        desk.0.answer(&Request::new("POST", "/event").form(&form)).json()
    };
    assert_eq!(send("intent_spike"), json!({"success": 1, "message": "Event spawned"}));
    assert_eq!(send(&"x".repeat(33))["success"], 0);
    let tracked = ("a@x.test".to_owned(), "intent_spike".to_owned(), "score=80".to_owned());
    assert_eq!(desk.0.user().events(), [tracked]);
}

#[tokio::test]
async fn it_serves_over_a_socket() {
    let fake = FakeActiveCampaign::builder().seed_records(3).start().await.unwrap();
    let client = reqwest::Client::builder().tls_certs_only([]).build().unwrap();
    let url = format!("{}/api/3/contacts?filters%5Bupdated_after%5D=2000-01-01", fake.base_url());
    let answer = client.get(url).header("Api-Token", fake.token()).send().await.unwrap();
    assert_eq!(answer.status(), 200);
    assert!(answer.headers().contains_key("x-request-id"));
    let body: Value = answer.json().await.unwrap();
    assert_eq!(body["meta"]["total"], "3");
    assert!(body["contacts"][0]["links"]["fieldValues"].as_str().unwrap().starts_with(&fake.base_url()));
    assert_eq!(fake.calls().of("GET /api/3/contacts"), 1);
}
