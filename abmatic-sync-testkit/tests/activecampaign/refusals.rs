//! Refusals word for word, and the headers of every answer, as ActiveCampaign documents them or as they were recorded.

use abmatic_sync_testkit::fake::exchange::Request;
use abmatic_sync_testkit::fake::fault::{Fault, FaultKind};
use serde_json::{Value, json};

use crate::desk::Desk;

/// An account with a company, two contacts of which the first belongs to it, and a deal.
fn peopled() -> Desk {
    let desk = Desk::new();
    for (path, body) in [
        ("/accounts", json!({"account": {"name": "Acme Oy"}})),
        ("/contacts", json!({"contact": {"email": "a@x.test"}})),
        ("/contacts", json!({"contact": {"email": "b@x.test"}})),
        ("/accountContacts", json!({"accountContact": {"account": 1, "contact": 1}})),
        ("/deals", json!({"deal": {"title": "Deal", "value": 1, "currency": "usd", "contact": 1, "group": 1}})),
        ("/fields", json!({"field": {"title": "Own", "type": "text"}})),
    ] {
        let (status, answer) = desk.post(path, &body);
        assert_eq!(status, 201, "{path}: {answer}");
    }
    desk
}

/// A refusal of one value of a row (shape A).
fn of_value(title: &str, code: &str, pointer: &str) -> Value {
    let source = json!({"pointer": format!("/data/attributes/{pointer}")});
    json!({"errors": [{"title": title, "detail": "", "code": code, "source": source}]})
}

fn message(text: &str) -> Value {
    json!({"message": text})
}

#[test]
fn rows_are_refused_word_for_word() {
    let desk = peopled();
    let taken = of_value("Email address already exists in the system", "duplicate", "email");
    let named = "An account named \"Acme Oy\" already exists. Please choose a new name.";
    let one_account = "This contact is already associated with an account. We currently do not support contacts on multiple accounts.";
    let mut no_email = of_value("Contact Email Address is not valid.", "email_invalid", "email");
    no_email["errors"][0]["error"] = "must_be_valid_email_address".into();
    let field = json!({
        "title": "There is already a field with this title",
        "detail": "There is already a field named 'Own' -- choose another name", "code": "duplicate",
    });
    let attribute = json!({
        "status": 422, "title": "Missing attribute", "source": {"pointer": "/data/attributes/contact"},
    });
    for (method, path, sent, body) in [
        ("POST", "/contacts", json!({"contact": {"email": "A@x.test"}}), taken.clone()),
        ("PUT", "/contacts/2", json!({"contact": {"email": "a@x.test"}}), taken),
        ("POST", "/contacts", json!({"contact": {"email": "nonsense"}}), no_email),
        (
            "POST",
            "/accounts",
            json!({"account": {}}),
            of_value("The account name was not provided.", "field_missing", "name"),
        ),
        ("POST", "/accounts", json!({"account": {"name": "Acme Oy"}}), of_value(named, "duplicate", "name")),
        (
            "POST",
            "/accountContacts",
            json!({"accountContact": {"account": 1, "contact": 1}}),
            of_value(one_account, "field_invalid", "account,contact"),
        ),
        (
            "POST",
            "/accountContacts",
            json!({"accountContact": {"contact": 2}}),
            of_value("The account attribute was not provided", "field_missing", "account"),
        ),
        (
            "POST",
            "/contactDeals",
            json!({"contactDeal": {"deal": 1, "contact": 1}}),
            of_value("The given contact is already associated to the deal", "field_invalid", "contact"),
        ),
        ("POST", "/fields", json!({"field": {"title": "Own", "type": "text"}}), json!({"errors": [field]})),
        ("POST", "/contactTags", json!({"contactTag": {"tag": 1}}), json!({"errors": [attribute]})),
    ] {
        assert_eq!(desk.call(method, path, &sent), (422, body), "{method} {path} {sent}");
    }
}

#[test]
fn what_is_not_there_is_told_by_the_name_of_its_model() {
    let desk = peopled();
    desk.delete("/contacts/2");
    let newer = |detail: Option<&str>| {
        let mut error = json!({"status": 404, "title": "Not Found"});
        if let Some(detail) = detail {
            error["detail"] = detail.into();
        }
        json!({"errors": [error]})
    };
    let tag = json!({"contactTag": {"contact": 99, "tag": 1}});
    let value = json!({"accountCustomFieldDatum": {"customerAccountId": 1, "customFieldId": 99, "fieldValue": "x"}});
    for (method, path, sent, status, body) in [
        ("GET", "/contacts/99", Value::Null, 404, message("No Result found for Subscriber with id 99")),
        ("PUT", "/contacts/99", json!({"contact": {}}), 404, message("No Result found for Subscriber with id 99")),
        ("DELETE", "/contacts/2", Value::Null, 404, message("No result found for contact with id 2")),
        ("GET", "/accounts/99", Value::Null, 404, message("No Result found for CustomerAccount with id 99")),
        (
            "DELETE",
            "/accountContacts/100",
            Value::Null,
            404,
            message("No Result found for CustomerAccountSubscriber with id 100"),
        ),
        ("GET", "/notes/99", Value::Null, 403, message("No Result found for Note with id 99")),
        ("POST", "/contactTags", tag, 404, newer(Some("Contact not found"))),
        ("POST", "/accountCustomFieldData", value, 404, newer(None)),
    ] {
        assert_eq!(desk.call(method, path, &sent), (status, body), "{method} {path}");
    }
}

#[test]
fn imports_are_refused_whole_and_word_for_word() {
    let desk = Desk::new();
    let import = |contacts: Value| desk.post("/import/bulk_import", &json!({"contacts": contacts}));
    let refused = json!({
        "success": 0,
        "message": "JSON payload did not pass validation. Please fix failureReasons and retry. The import was not queued for \
                    processing.",
        "failureReasons": [{"contact": 1, "failureReason": "Field 'email' not found"}],
    });
    assert_eq!(import(json!([{"first_name": "A"}])), (400, refused));
    let missing = json!({"success": 0, "message": "'batchId' is a required field."});
    assert_eq!(desk.get("/import/info"), (400, missing));
    for _ in 0..100 {
        import(json!([{"email": "a@x.test"}]));
    }
    let (status, limited) = import(json!([{"email": "a@x.test"}]));
    assert_eq!((status, &limited["success"], &limited["message"]), (400, &json!(0), &json!("Rate limit exceeded.")));
    assert!(limited["failureReasons"].as_array().unwrap().iter().all(Value::is_string), "{limited}");
    let mut torn = Request::new("POST", "/api/3/import/bulk_import").with_header("Api-Token", &desk.0.token());
    torn.body = b"{\"contacts\": [".to_vec();
    desk.0.advance_ms(60_000);
    let torn = desk.0.answer(&torn);
    assert_eq!((torn.status, &torn.json()["success"]), (400, &json!(0)));
    assert!(torn.json()["failureReasons"].as_array().unwrap().iter().all(Value::is_string), "{}", torn.text());
}

#[test]
fn keys_plans_and_bills_are_refused_as_they_were_seen() {
    let desk = Desk::new();
    let bare = desk.0.answer(&Request::new("GET", "/api/3/users/me"));
    assert_eq!((bare.status, bare.json()), (403, message("Forbidden")), "a missing key is no 401");
    let small = Desk::with(|builder| builder.crm(false));
    assert_eq!(small.get("/accounts"), (403, message("Forbidden")));
    desk.0.lapse(true);
    let unpaid = desk.send("GET", "/contacts", &Value::Null);
    assert_eq!((unpaid.status, unpaid.body.len()), (402, 0));
}

#[test]
fn answers_have_the_headers_that_were_recorded() {
    let desk = Desk::new();
    for (target, status) in [("/contacts", 200), ("/contacts/99", 404)] {
        let answer = desk.send("GET", target, &Value::Null);
        assert_eq!(answer.status, status);
        for (name, value) in [
            ("Content-Type", "application/json"),
            ("Cache-Control", "no-store, no-cache, must-revalidate,no-cache, private"),
            ("Server", "cloudflare"),
        ] {
            assert_eq!(answer.header(name), Some(value), "{target}");
        }
        assert_eq!(answer.header("X-Request-Id").map(str::len), Some(36), "{target}");
        assert!(answer.header("Set-Cookie").is_some_and(|cookie| cookie.starts_with("PHPSESSID=")), "{target}");
        assert!(
            answer.header("X-Envoy-Upstream-Service-Time").is_some_and(|time| time.parse::<u32>().is_ok()),
            "{target}"
        );
        assert!(answer.headers.iter().all(|(name, _)| !name.starts_with("RateLimit")), "live answers had none");
    }
    let desk = Desk::with(|builder| builder.rate_limits(true).rate_headers(true));
    let answer = desk.send("GET", "/contacts", &Value::Null);
    assert_eq!((answer.header("RateLimit-Limit"), answer.header("RateLimit-Remaining")), (Some("5"), Some("4")));
    desk.0.inject(Fault::new(FaultKind::RateLimited).with_retry_after_seconds(30));
    let limited = desk.send("GET", "/contacts", &Value::Null);
    assert_eq!((limited.status, limited.header("Retry-After")), (429, Some("30")));
    desk.0.inject(Fault::new(FaultKind::ServerError).with_status(503).as_html());
    let edge = desk.send("GET", "/contacts", &Value::Null);
    assert!(edge.status == 503 && edge.header("Content-Type").is_some_and(|kind| kind.starts_with("text/html")));
}
