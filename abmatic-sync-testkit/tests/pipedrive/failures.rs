//! What goes wrong: tokens, routes, limits, and faults that a test hangs on.

use abmatic_sync_testkit::fake::exchange::{Delivery, Request};
use abmatic_sync_testkit::fake::fault::{Fault, FaultKind};
use abmatic_sync_testkit::fake::pipedrive::{FakePipedrive, OAUTH_CLIENT};
use serde_json::{Value, json};

use crate::desk::{Desk, NOW_MS};

fn unauthorized() -> Value {
    json!({
        "success": false, "error": "unauthorized access", "errorCode": 401,
        "error_info": "Please check developers.pipedrive.com",
    })
}

#[test]
fn a_token_comes_in_its_header_or_as_bearer() {
    let desk = Desk::new();
    let status = |request: Request| desk.0.answer(&request).status;
    let me = || Request::new("GET", "/v1/users/me");
    assert_eq!(desk.0.answer(&me()).json(), unauthorized());
    assert_eq!(status(me().with_header("X-Api-Token", &desk.0.token())), 200);
    assert_eq!(status(me().bearer(&desk.0.token())), 200);
    assert_eq!(status(Request::new("GET", &format!("/api/v1/users/me?api_token={}", desk.0.token()))), 200);
    assert_eq!(status(me().with_header("x-api-token", "wrong")), 401);
    desk.0.uninstall();
    assert_eq!(status(me().with_header("x-api-token", &desk.0.token())), 401);
}

#[test]
fn oauth_gives_tokens_that_end() {
    let desk = Desk::new();
    let [id, secret, code, refresh] = OAUTH_CLIENT;
    let ask = |fields: &[(&str, &str)]| {
        let mut all = vec![("client_id", id), ("client_secret", secret)];
        all.extend(fields);
        let response = desk.0.answer(&Request::new("POST", "/oauth/token").form(&all));
        (response.status, response.json())
    };
    let first = [("grant_type", "authorization_code"), ("code", code), ("redirect_uri", "https://app.test/cb")];
    let (status, given) = ask(&first);
    assert_eq!((status, &given["token_type"], &given["expires_in"]), (200, &json!("Bearer"), &json!(3599)));
    assert_eq!(given["api_domain"], "https://acme.pipedrive.com");
    assert_eq!(ask(&first).1["error"], "invalid_grant", "a code can be used once");
    let access = given["access_token"].as_str().unwrap();
    let call = || desk.0.answer(&Request::new("GET", "/api/v2/persons").bearer(access)).status;
    assert_eq!(call(), 200);
    desk.0.advance_ms(3_600_000);
    assert_eq!(call(), 401);
    let again = [("grant_type", "refresh_token"), ("refresh_token", refresh)];
    assert_eq!(ask(&again).1["refresh_token"], refresh, "a refresh gives the same refresh token");
    let revoke = [("token", refresh), ("token_type_hint", "refresh_token")];
    assert_eq!(desk.0.answer(&Request::new("POST", "/oauth/revoke").form(&revoke)).status, 200);
    assert_eq!(ask(&again).0, 400);
}

#[test]
fn unknown_routes_and_methods_are_told_apart() {
    let desk = Desk::new();
    let (status, body) = desk.get("/foo");
    assert_eq!((status, &body["success"], &body["data"]), (404, &json!(false), &Value::Null));
    assert_eq!(desk.call("PUT", "/persons/1", &json!({})).0, 405);
    assert_eq!(desk.get("/api/v1/persons").0, 404, "out of support, and gone here");
    assert_eq!(desk.0.answer(&Request::new("GET", "/v2/persons")).status, 404, "v2 has only the long prefix");
    assert_eq!(desk.get("/persons/abc").0, 404);
}

#[test]
fn a_day_has_so_many_tokens() {
    let desk = Desk::with(|builder| builder.rate_limits(true).daily_tokens(30));
    let list = || desk.send("GET", "/persons", &Value::Null);
    let first = list();
    assert_eq!(first.header("x-daily-ratelimit-token-limit"), Some("30"));
    assert_eq!(first.header("x-daily-ratelimit-token-remaining"), Some("20"));
    assert_eq!((first.header("x-ratelimit-limit"), first.header("x-ratelimit-remaining")), (Some("20"), Some("19")));
    assert_eq!(list().status, 200);
    assert_eq!(desk.post("/persons", &json!({"name": "A"})).0, 200, "a write costs five");
    let refused = list();
    assert_eq!(
        (refused.status, refused.json()),
        (429, json!({"success": false, "error": "daily request budget exceeded", "errorCode": 429}))
    );
    assert_eq!(refused.header("retry-after"), Some("28800"), "until midnight");
    assert_eq!(desk.get("/persons/1").0, 200, "what is cheaper than the rest still goes");
    desk.0.advance_ms(8 * 3_600_000);
    assert_eq!(list().status, 200);
    assert_eq!(desk.0.tokens_spent(), 10);
    desk.0.spend_tokens(20);
    assert_eq!(list().status, 429);
}

#[test]
fn two_seconds_have_so_many_calls_and_fewer_searches() {
    let desk = Desk::with(|builder| builder.rate_limits(true).daily_tokens(1_000_000).burst(12));
    let search = || desk.send("GET", "/persons/search?term=abc", &Value::Null);
    let passed = (0..11).filter(|_| search().status == 200).count();
    assert_eq!(passed, 10);
    assert_eq!((desk.get("/persons").0, desk.get("/persons").0, desk.get("/persons").0), (200, 200, 429));
    let refused = search();
    assert_eq!((refused.header("x-ratelimit-remaining"), refused.header("x-ratelimit-reset")), (Some("0"), Some("2")));
    assert_eq!(refused.header("retry-after"), None);
    desk.0.advance_ms(2000);
    assert_eq!(search().status, 200);
}

#[test]
fn faults_speak_as_pipedrive_does() {
    let desk = Desk::new();
    let answer = |fault: Fault| {
        desk.0.inject(fault);
        desk.send("GET", "/persons", &Value::Null)
    };
    let status = |fault: Fault| answer(fault).status;
    assert_eq!(answer(Fault::new(FaultKind::ExpiredToken)).json(), unauthorized());
    let burst = answer(Fault::new(FaultKind::RateLimited).with_retry_after_seconds(1));
    assert_eq!((burst.status, burst.header("retry-after")), (429, Some("1")));
    let daily = answer(Fault::new(FaultKind::RateLimited).with_policy("daily").with_retry_after_seconds(3939));
    assert_eq!((daily.header("retry-after"), &daily.json()["errorCode"]), (Some("3939"), &json!(429)));
    assert_eq!(answer(Fault::new(FaultKind::ServerError)).json()["code"], "ERR_UNKNOWN");
    assert!(answer(Fault::new(FaultKind::ServerError).with_status(524).as_html()).text().starts_with("<!DOCTYPE"));
    for (policy, expected) in [
        ("CLOUDFLARE", 403),
        ("FEATURE_CAPPING", 403),
        ("FEATURE_DISABLED", 415),
        ("GONE", 410),
        ("NULL_BODY", 200),
        ("PAYMENT_REQUIRED", 402),
        ("SCOPE", 403),
        ("VISIBILITY", 403),
    ] {
        assert_eq!(status(Fault::new(FaultKind::ServerError).with_policy(policy)), expected, "{policy}");
    }
    assert_eq!(answer(Fault::new(FaultKind::GarbageJson)).json(), Value::Null);
    assert_eq!(desk.0.calls().of("GET /api/v2/persons"), 14);
}

#[test]
fn a_lost_answer_is_a_call_that_was_carried_out() {
    let desk = Desk::new();
    desk.0.inject(Fault::new(FaultKind::AnswerLost).on("POST /api/v2/persons"));
    let lost = desk.send("POST", "/persons", &json!({"name": "Jane Roe"}));
    assert_eq!((lost.delivery, desk.0.user().count("persons")), (Delivery::Lost, 1));
    desk.0.inject(Fault::new(FaultKind::ServerErrorAfterWrite).with_status(502));
    assert_eq!((desk.post("/persons", &json!({"name": "John Doe"})).0, desk.0.user().count("persons")), (502, 2));
    desk.0.inject(Fault::new(FaultKind::RepeatedPage));
    let (ids, cursor) = desk.ids("/persons?limit=1");
    assert_eq!(desk.ids(&format!("/persons?limit=1&cursor={}", cursor.unwrap())).0, ids);
}

#[test]
fn the_present_stands_in_the_date() {
    let fake = FakePipedrive::builder().simulated_clock(NOW_MS).build();
    let answer = fake.answer(&Request::new("GET", "/api/v2/persons"));
    assert_eq!(answer.header("date"), Some("Tue, 24 Nov 2026 16:00:00 GMT"));
}
