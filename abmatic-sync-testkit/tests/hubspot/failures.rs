//! Tokens, rate limits and injected faults.

use abmatic_sync_testkit::fake::exchange::{Delivery, Request};
use abmatic_sync_testkit::fake::fault::{Fault, FaultKind};
use abmatic_sync_testkit::fake::hubspot::OAUTH_CLIENT;
use serde_json::{Value, json};

use crate::desk::Desk;

const CONTACTS: &str = "/crm/objects/2026-09/contacts";

#[test]
fn tokens_that_are_missing_wrong_or_dead() {
    let desk = Desk::new();
    let bare = desk.0.answer(&Request::new("GET", CONTACTS));
    assert_eq!((bare.status, &bare.json()["category"]), (401, &json!("INVALID_AUTHENTICATION")));
    assert!(bare.json()["message"].as_str().unwrap().starts_with("Authentication credentials not found."));
    let wrong = desk.0.answer(&Request::new("GET", CONTACTS).bearer("nonsense"));
    assert_eq!(wrong.json()["message"], "The OAuth token used to make this call expired 20781 day(s) ago.");
    assert_eq!(wrong.json()["context"], json!({"expire time": ["1970-01-01T00:00:00Z"]}));
    desk.0.inject(Fault::new(FaultKind::ExpiredToken));
    let (status, body) = desk.get(CONTACTS);
    assert_eq!((status, &body["category"]), (401, &json!("EXPIRED_AUTHENTICATION")));
    assert_eq!(body["message"], "The OAuth token used to make this call expired 75 second(s) ago.");
    desk.0.inject(Fault::new(FaultKind::RevokedToken));
    assert_eq!(desk.get(CONTACTS).1["category"], "INVALID_AUTHENTICATION");
    assert_eq!(desk.get(CONTACTS).0, 200);
    desk.0.uninstall();
    assert_eq!(desk.get(CONTACTS).0, 401);
}

#[test]
fn oauth_tokens_are_refreshed_and_expire() {
    let desk = Desk::new();
    let [id, secret, _, refresh] = OAUTH_CLIENT;
    let ask = |refresh: &str| {
        let form =
            [("grant_type", "refresh_token"), ("client_id", id), ("client_secret", secret), ("refresh_token", refresh)];
        desk.0.answer(&Request::new("POST", "/oauth/2026-09/token").form(&form))
    };
    let answer = ask(refresh);
    assert_eq!((answer.status, &answer.json()["expires_in"]), (200, &json!(1800)));
    let token = answer.json()["access_token"].as_str().unwrap().to_owned();
    let call = || desk.0.answer(&Request::new("GET", CONTACTS).bearer(&token)).status;
    assert_eq!(call(), 200);
    desk.0.advance_ms(1_800_000);
    assert_eq!(call(), 401);
    let refused = ask("na1-dead");
    assert_eq!(
        (refused.status, refused.json()),
        (
            400,
            json!({
                "error": "invalid_grant", "error_description": "refresh token is invalid, expired or revoked",
                "status": "BAD_REFRESH_TOKEN", "message": "refresh token is invalid, expired or revoked",
            })
        )
    );
    let dead = desk.0.answer(&Request::new("POST", "/oauth/v3/token/introspect").form(&[("token", &token)]));
    assert_eq!(dead.json(), json!({"active": false}));
}

#[test]
fn the_burst_and_the_search_bucket_are_apart() {
    let desk = Desk::with(|builder| builder.rate_limits(true));
    for _ in 0..190 {
        assert_eq!(desk.get(CONTACTS).0, 200);
    }
    let limited = desk.send("GET", CONTACTS, &Value::Null);
    assert_eq!((limited.status, limited.header("X-HubSpot-RateLimit-Remaining")), (429, Some("0")));
    let body = limited.json();
    assert_eq!((&body["policyName"], &body["errorType"]), (&json!("TEN_SECONDLY_ROLLING"), &json!("RATE_LIMIT")));
    assert_eq!(body["message"], "You have reached your ten_secondly_rolling limit.");
    let search = || desk.post(&format!("{CONTACTS}/search"), &json!({}));
    assert!((0..5).all(|_| search().0 == 200));
    let (status, body) = search();
    assert_eq!((status, &body["message"]), (429, &json!("You have reached your secondly limit.")));
    desk.0.advance_ms(1000);
    assert_eq!(search().0, 200);
    desk.0.advance_ms(9000);
    assert_eq!(desk.get(CONTACTS).0, 200);
}

#[test]
fn every_fault_does_what_it_says() {
    let desk = Desk::new();
    let create = |email: &str| desk.send("POST", CONTACTS, &json!({"properties": {"email": email}}));
    let count = || desk.0.user().count("contacts");

    desk.0.inject(Fault::new(FaultKind::RateLimited).with_policy("DAILY").with_retry_after_seconds(7));
    let limited = create("a@x.com");
    assert_eq!((limited.status, limited.header("Retry-After"), count()), (429, Some("7"), 0));
    assert_eq!(limited.json()["message"], "You have reached your daily limit.");

    for (kind, status) in [(FaultKind::Locked, 423), (FaultKind::Migrating, 477), (FaultKind::ServerError, 500)] {
        desk.0.inject(Fault::new(kind));
        assert_eq!((create("a@x.com").status, count()), (status, 0));
    }
    desk.0.inject(Fault::new(FaultKind::ServerError).with_status(524).as_html());
    let page = create("a@x.com");
    assert_eq!((page.status, page.header("Content-Type")), (524, Some("text/html; charset=UTF-8")));
    desk.0.inject(Fault::new(FaultKind::GarbageJson));
    let garbage = create("a@x.com");
    assert_eq!((garbage.status, garbage.json(), count()), (200, Value::Null, 0));
    desk.0.inject(Fault::new(FaultKind::ConnectionReset));
    assert_eq!((create("a@x.com").delivery, count()), (Delivery::Refused, 0));
    desk.0.inject(Fault::new(FaultKind::Latency).with_milliseconds(50));
    desk.0.inject(Fault::new(FaultKind::AnswerLost).with_method("POST").on("contacts"));
    let lost = create("a@x.com");
    assert_eq!((lost.delivery, lost.delay_ms, count()), (Delivery::Lost, 50, 1));
    desk.0.inject(Fault::new(FaultKind::ServerErrorAfterWrite).with_status(502));
    assert_eq!((create("b@x.com").status, count()), (502, 2));
    desk.0.inject(Fault::new(FaultKind::TruncatedBody));
    assert!(matches!(create("c@x.com").delivery, Delivery::Truncated(length) if length > 0));
}

#[test]
fn a_repeated_page_names_itself_as_the_next_one() {
    let desk = Desk::with(|builder| builder.seed_records(30).search_lag_seconds(0.0));
    let (_, first) = desk.get(&format!("{CONTACTS}?limit=10"));
    let after = first["paging"]["next"]["after"].as_str().unwrap();
    desk.0.inject(Fault::new(FaultKind::RepeatedPage).times(2));
    let (_, second) = desk.get(&format!("{CONTACTS}?limit=10&after={after}"));
    assert_eq!(second["paging"]["next"]["after"], *after);
    let (_, found) = desk.post(&format!("{CONTACTS}/search"), &json!({"limit": 10, "after": "10"}));
    assert_eq!(found["paging"]["next"]["after"], "10");
}

#[test]
fn calls_are_counted_by_route() {
    let desk = Desk::new();
    let id = desk.make("contacts", &[("email", "a@x.com")]);
    desk.get(&format!("{CONTACTS}/{id}"));
    desk.get(&format!("/crm/v3/objects/contacts/{id}"));
    desk.post(&format!("{CONTACTS}/batch/read"), &json!({"inputs": [{"id": id}]}));
    let calls = desk.0.calls();
    assert_eq!((calls.total, calls.of("GET /crm/objects/{v}/contacts/{id}")), (3, 2));
    assert_eq!((calls.matching("batch"), calls.by_status[&200]), (1, 3));
    desk.0.reset_calls();
    assert_eq!(desk.0.calls().total, 0);
}

#[test]
fn malformed_bodies_are_refused_as_json_errors() {
    let desk = Desk::new();
    let mut request = Request::new("POST", CONTACTS).bearer(&desk.0.token());
    request.body = b"{\"properties\": ".to_vec();
    let answer = desk.0.answer(&request);
    assert_eq!(answer.status, 400);
    assert!(answer.json()["message"].as_str().unwrap().starts_with("Invalid input JSON on line 1, column"));
    assert!(answer.json().get("category").is_none());
}
