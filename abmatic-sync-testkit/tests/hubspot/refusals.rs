//! Refusals word for word, and the headers of every answer, as HubSpot documents them or as they were recorded.

use abmatic_sync_testkit::fake::exchange::{Request, Response};
use abmatic_sync_testkit::fake::fault::{Fault, FaultKind};
use abmatic_sync_testkit::fake::hubspot::{FakeHubspot, OAUTH_CLIENT};
use serde_json::{Value, json};

use crate::desk::{Desk, NOW_MS};

const CONTACTS: &str = "/crm/objects/2026-09/contacts";

/// An answer's body without the id of its call, which has to stand in its header too.
fn body(answer: &Response) -> Value {
    let mut body = answer.json();
    let id = body.as_object_mut().and_then(|body| body.remove("correlationId"));
    assert_eq!(id.as_ref().and_then(Value::as_str), answer.header("X-HubSpot-Correlation-Id"), "{}", answer.text());
    body
}

#[test]
fn every_answer_names_its_call_and_what_it_is() {
    let desk = Desk::new();
    for (method, target, sent, status) in [
        ("GET", CONTACTS.to_owned(), Value::Null, 200),
        ("GET", format!("{CONTACTS}/999"), Value::Null, 404),
        ("POST", CONTACTS.to_owned(), json!({"properties": {"email": "foo"}}), 400),
        ("POST", format!("{CONTACTS}/search"), json!({}), 200),
    ] {
        let answer = desk.send(method, &target, &sent);
        assert_eq!(answer.status, status, "{method} {target}");
        assert_eq!(answer.header("Content-Type"), Some("application/json;charset=utf-8"), "{method} {target}");
        assert_eq!(answer.header("X-HubSpot-Correlation-Id").map(str::len), Some(36), "{method} {target}");
    }
}

#[test]
fn what_is_left_is_told_except_of_searches_and_tokens() {
    let desk = Desk::with(|builder| builder.rate_limits(true));
    let told = |answer: &Response, name: &str| answer.header(&format!("X-HubSpot-RateLimit-{name}")).map(str::to_owned);
    let ordinary = desk.send("GET", CONTACTS, &Value::Null);
    for (name, value) in [
        ("Daily", "625000"),
        ("Daily-Remaining", "624999"),
        ("Interval-Milliseconds", "10000"),
        ("Max", "190"),
        ("Remaining", "189"),
        ("Secondly", "19"),
        ("Secondly-Remaining", "18"),
    ] {
        assert_eq!(told(&ordinary, name).as_deref(), Some(value), "{name}");
    }
    let search = desk.send("POST", &format!("{CONTACTS}/search"), &json!({}));
    let granted = grant(&desk.0, &[]);
    for answer in [&search, &granted] {
        assert!(answer.headers.iter().all(|(name, _)| !name.starts_with("X-HubSpot-RateLimit")), "{answer:?}");
    }
    // An app has no day of its own.
    let token = granted.json()["access_token"].as_str().unwrap().to_owned();
    let of_app = desk.0.answer(&Request::new("GET", CONTACTS).bearer(&token));
    assert_eq!((told(&of_app, "Daily"), told(&of_app, "Max").as_deref()), (None, Some("190")));
}

#[test]
fn tokens_are_refused_word_for_word() {
    let desk = Desk::new();
    let none = json!({
        "status": "error", "category": "INVALID_AUTHENTICATION",
        "message": "Authentication credentials not found. This API supports OAuth 2.0 authentication and you can find more \
                    details at https://developers.hubspot.com/docs/methods/auth/oauth-overview",
    });
    let bare = desk.0.answer(&Request::new("GET", CONTACTS));
    assert_eq!((bare.status, body(&bare)), (401, none));
    desk.0.inject(Fault::new(FaultKind::ExpiredToken));
    let expired = desk.send("GET", CONTACTS, &Value::Null);
    let since = json!(["2026-11-24T15:58:45.000Z"]);
    assert_eq!(NOW_MS - 75_000, 1_795_535_925_000);
    let wanted = json!({
        "status": "error", "category": "EXPIRED_AUTHENTICATION", "context": {"expire time": since},
        "message": "The OAuth token used to make this call expired 75 second(s) ago.",
    });
    assert_eq!((expired.status, body(&expired)), (401, wanted));
    let desk = Desk::with(|builder| builder.without_scope("crm.objects.deals.read"));
    let refused = desk.send("GET", "/crm/objects/2026-09/deals", &Value::Null);
    let wanted = json!({
        "status": "error", "category": "MISSING_SCOPES",
        "message": "This app hasn't been granted all required scopes to make this call. Read more about required scopes \
                    here: https://developers.hubspot.com/scopes.",
        "errors": [{
            "message": "One or more of the following scopes are required.",
            "context": {"requiredGranularScopes": ["crm.objects.deals.read"]},
        }],
        "links": {"scopes": "https://developers.hubspot.com/scopes"},
    });
    assert_eq!((refused.status, body(&refused)), (403, wanted));
}

#[test]
fn limits_are_refused_word_for_word() {
    let desk = Desk::with(|builder| builder.portal_id(26_892_217));
    for (policy, name, more) in [
        (
            "TEN_SECONDLY_ROLLING",
            "ten_secondly_rolling",
            ("groupName", "publicapi:private_app-api-calls-ten-secondly:1512050:26892217"),
        ),
        ("SECONDLY", "secondly", ("groupName", "crm:search-per-second:26892217")),
        ("DAILY", "daily", ("requestId", "")),
    ] {
        desk.0.inject(Fault::new(FaultKind::RateLimited).with_policy(policy));
        let answer = desk.send("GET", CONTACTS, &Value::Null);
        let mut told = body(&answer);
        let (key, wanted) = more;
        let more = told.as_object_mut().and_then(|told| told.remove(key)).unwrap();
        assert!(more.as_str().unwrap() == wanted || key == "requestId", "{more}");
        let wanted = json!({
            "status": "error", "message": format!("You have reached your {name} limit."), "errorType": "RATE_LIMIT",
            "policyName": policy,
        });
        assert_eq!((answer.status, told), (429, wanted));
        assert_eq!(answer.header("Retry-After"), None, "it is not documented for these");
    }
    desk.0.inject(Fault::new(FaultKind::Migrating));
    let moving = desk.send("GET", CONTACTS, &Value::Null);
    let wait = moving.header("Retry-After").and_then(|seconds| seconds.parse::<u32>().ok());
    assert!(moving.status == 477 && wait.is_some_and(|seconds| seconds <= 86_400), "{moving:?}");
}

#[test]
fn values_are_refused_word_for_word() {
    let desk = Desk::new();
    // Dates that are none are longs in version 3.
    let refusal = |object: &str, property: &str, value: &str| {
        let sent = json!({"properties": {property: value}});
        let answer = desk.send("POST", &format!("/crm/v3/objects/{object}"), &sent);
        assert_eq!((answer.status, &answer.json()["category"]), (400, &json!("VALIDATION_ERROR")), "{property}");
        answer.json()["errors"][0].clone()
    };
    for (object, property, value, code, message) in [
        ("contacts", "email", "foo", "INVALID_EMAIL", "Email address foo is invalid"),
        (
            "contacts",
            "num_notes",
            "3",
            "READ_ONLY_VALUE",
            "\"num_notes\" is a calculated property; its value cannot be set.",
        ),
        (
            "contacts",
            "hs_additional_emails",
            "a@b.c",
            "READ_ONLY_VALUE",
            "\"hs_additional_emails\" is a read only property; its value cannot be set.",
        ),
        ("contacts", "closedate", "abc", "INVALID_LONG", "abc was not a valid long."),
        ("companies", "numberofemployees", "many", "INVALID_INTEGER", "many was not a valid number"),
    ] {
        let wanted = json!({"code": code, "message": message, "context": {"propertyName": [property]}});
        assert_eq!(refusal(object, property, value), wanted);
    }
    let option = refusal("contacts", "lifecyclestage", "xyz");
    let begins = "xyz was not one of the allowed options: [label: \"Subscriber\"\nvalue: \"subscriber\"\n\
                  display_order: 0\nhidden: false\nread_only: false\n, ";
    assert!(option["message"].as_str().unwrap().starts_with(begins), "{option}");
    assert_eq!(option["code"], "INVALID_OPTION");
}

/// What the token endpoint answers to a form of which some fields are other than good ones.
fn grant(fake: &FakeHubspot, other: &[(&str, &str)]) -> Response {
    let [id, secret, code, _] = OAUTH_CLIENT;
    let mut form = vec![
        ("grant_type", "authorization_code"),
        ("client_id", id),
        ("client_secret", secret),
        ("code", code),
        ("redirect_uri", "https://a.test/"),
    ];
    form.retain(|(name, _)| other.iter().all(|(changed, _)| changed != name));
    form.extend(other);
    fake.answer(&Request::new("POST", "/oauth/2026-09/token").form(&form))
}

#[test]
fn the_token_endpoint_refuses_by_a_status_of_its_own() {
    let desk = Desk::new();
    let [client, ..] = OAUTH_CLIENT;
    // A code that was asked for with a proof.
    let page = format!(
        "/oauth/authorize?client_id={client}&redirect_uri=https%3A%2F%2Fa.test%2F&scope=oauth&code_challenge=x&code_challenge_method=S256"
    );
    let sent = desk.0.answer(&Request::new("GET", &page));
    let (_, proven) = sent.header("Location").unwrap().split_once("code=").unwrap();
    for (other, error, status) in [
        (vec![("client_id", "x")], "invalid_client", "BAD_CLIENT_ID"),
        (vec![("client_secret", "x")], "invalid_client", "BAD_CLIENT_SECRET"),
        (vec![("grant_type", "x")], "unsupported_grant_type", "BAD_GRANT_TYPE"),
        (vec![("code", "x")], "invalid_grant", "BAD_AUTH_CODE"),
        (vec![("redirect_uri", "")], "invalid_request", "BAD_REDIRECT_URI"),
        (vec![("code", proven), ("code_verifier", "y")], "invalid_grant", "BAD_CODE_VERIFIER"),
        (vec![("grant_type", "client_credentials"), ("scope", "x")], "invalid_scope", "BAD_SCOPES"),
        (vec![("grant_type", "refresh_token"), ("refresh_token", "x")], "invalid_grant", "BAD_REFRESH_TOKEN"),
    ] {
        let answer = grant(&desk.0, &other);
        let told = answer.json();
        assert_eq!((answer.status, &told["error"], &told["status"]), (400, &json!(error), &json!(status)), "{other:?}");
        assert_eq!(told["error_description"], told["message"]);
        assert_eq!(told.as_object().unwrap().len(), 4, "{told}");
    }
}

#[test]
fn searches_and_associations_are_refused_where_they_go_too_far() {
    let desk = Desk::new();
    let filter = |name: &str| json!({"propertyName": name, "operator": "HAS_PROPERTY"});
    let group = |count: usize| json!({"filters": vec![filter("email"); count]});
    let search = |sent: Value| body(&desk.send("POST", &format!("{CONTACTS}/search"), &sent))["category"].clone();
    for sent in [
        json!({"filterGroups": vec![group(1); 6]}),
        json!({"filterGroups": [group(7)]}),
        json!({"filterGroups": vec![group(4); 5]}),
        json!({"filterGroups": [{"filters": [filter("nonsense")]}]}),
        json!({"limit": 201}),
        json!({"after": "10000"}),
    ] {
        assert_eq!(search(sent.clone()), "VALIDATION_ERROR", "{sent}");
    }
    let quiet = json!({"filterGroups": [{"filters": [filter("hs_lastmodifieddate")]}]});
    assert_eq!(desk.post(&format!("{CONTACTS}/search"), &quiet).1["total"], 0, "contacts take it, and find nothing");
    let types = json!([{"associationCategory": "HUBSPOT_DEFINED", "associationTypeId": 279}]);
    let sent = json!({
        "properties": {"email": "a@x.com"}, "associations": [{"to": {"id": "999"}, "types": types}],
    });
    let refused = desk.send("POST", CONTACTS, &sent);
    let told = body(&refused);
    assert_eq!((refused.status, &told["message"]), (400, &json!("One or more associations are invalid")));
    assert!(told["context"]["INVALID_OBJECT_IDS"].is_array(), "{told}");
    assert_eq!(desk.0.user().count("contacts"), 0);
}
