//! Injected faults, and the counts of calls.

use abmatic_sync_testkit::fake::exchange::Delivery;
use abmatic_sync_testkit::fake::fault::{Fault, FaultKind};
use serde_json::{Value, json};

use crate::desk::Desk;

#[test]
fn every_fault_does_what_it_says() {
    let desk = Desk::new();
    let create = |name: &str| desk.send("POST", "/sobjects/Account", &json!({"Name": name}));
    let count = || desk.0.user().count("Account");
    for (fault, status, code) in [
        (Fault::new(FaultKind::RateLimited), 403, "REQUEST_LIMIT_EXCEEDED"),
        (Fault::new(FaultKind::ExpiredToken), 401, "INVALID_SESSION_ID"),
        (Fault::new(FaultKind::Locked), 400, "UNABLE_TO_LOCK_ROW"),
        (Fault::new(FaultKind::Migrating), 503, "ORG_IN_MAINTENANCE"),
        (Fault::new(FaultKind::ServerError), 500, "UNKNOWN_EXCEPTION"),
        (Fault::new(FaultKind::ServerError).with_status(503), 503, "SERVER_UNAVAILABLE"),
        (Fault::new(FaultKind::ServerError).with_policy("STORAGE_LIMIT_EXCEEDED"), 400, "STORAGE_LIMIT_EXCEEDED"),
    ] {
        desk.0.inject(fault.clone());
        let answer = create("A");
        assert_eq!((answer.status, &answer.json()[0]["errorCode"], count()), (status, &json!(code), 0), "{fault}");
    }
    desk.0.inject(Fault::new(FaultKind::RateLimited).with_policy("CONCURRENT"));
    assert_eq!(create("A").json()[0]["message"], "ConcurrentPerOrgLongTxn Limit exceeded.");
    desk.0.inject(Fault::new(FaultKind::ServerError).with_status(502).as_html());
    assert_eq!(create("A").header("Content-Type"), Some("text/html;charset=UTF-8"));
    desk.0.inject(Fault::new(FaultKind::GarbageJson));
    assert_eq!((create("A").json(), count()), (Value::Null, 0));
    desk.0.inject(Fault::new(FaultKind::ConnectionReset));
    assert_eq!((create("A").delivery, count()), (Delivery::Refused, 0));
    desk.0.inject(Fault::new(FaultKind::AnswerLost).with_method("POST").on("sobjects/Account"));
    assert_eq!((create("A").delivery, count()), (Delivery::Lost, 1));
    desk.0.inject(Fault::new(FaultKind::ServerErrorAfterWrite).with_status(504));
    assert_eq!((create("B").status, count()), (504, 2));
    desk.0.inject(Fault::new(FaultKind::TruncatedBody));
    assert!(matches!(create("C").delivery, Delivery::Truncated(length) if length > 0));
}

#[test]
fn a_locked_call_fails_row_by_row() {
    let desk = Desk::new();
    desk.0.inject(Fault::new(FaultKind::Locked).on("composite"));
    let body = json!({"records": [{"attributes": {"type": "Account"}, "Name": "A"}]});
    let (status, results) = desk.post("/composite/sobjects", &body);
    assert_eq!((status, &results[0]["errors"][0]["statusCode"]), (200, &json!("UNABLE_TO_LOCK_ROW")));
}

#[test]
fn a_repeated_page_names_itself_as_the_next_one() {
    let desk = Desk::with(|builder| builder.seed_records(30).query_page_max(10));
    let (_, first) = desk.query("SELECT Id FROM Contact");
    let next = first["nextRecordsUrl"].as_str().unwrap();
    desk.0.inject(Fault::new(FaultKind::RepeatedPage));
    assert_eq!(desk.get(next).1["nextRecordsUrl"], next);
}

#[test]
fn calls_are_counted_by_route() {
    let desk = Desk::new();
    let id = desk.make("Account", &json!({"Name": "A"}));
    desk.get(&format!("/sobjects/account/{id}"));
    desk.get(&format!("/services/data/v61.0/sobjects/Account/{id}"));
    desk.query("SELECT Id FROM Account");
    let calls = desk.0.calls();
    assert_eq!((calls.total, calls.of("GET /services/data/{v}/sobjects/Account/{id}")), (4, 2));
    assert_eq!((calls.matching("query"), calls.by_status[&201]), (1, 1));
    desk.0.reset_calls();
    assert_eq!(desk.0.calls().total, 0);
}
