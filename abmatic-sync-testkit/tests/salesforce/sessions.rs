//! Sessions, versions, limits and describes.

use abmatic_sync_testkit::fake::exchange::Request;
use abmatic_sync_testkit::fake::salesforce::Field;
use serde_json::{Value, json};

use crate::desk::Desk;

#[test]
fn tokens_that_are_missing_wrong_or_dead() {
    let desk = Desk::new();
    let expired = json!([{"message": "Session expired or invalid", "errorCode": "INVALID_SESSION_ID"}]);
    let limits = "/services/data/v62.0/limits";
    for request in [Request::new("GET", limits), Request::new("GET", limits).bearer("nonsense")] {
        let answer = desk.0.answer(&request);
        assert_eq!((answer.status, answer.json()), (401, expired.clone()));
    }
    let malformed = desk.0.answer(&Request::new("GET", limits).with_header("Authorization", "nonsense"));
    assert_eq!((malformed.status, &malformed.json()[0]["errorCode"]), (401, &json!("INVALID_AUTH_HEADER")));
    let older = format!("OAuth {}", desk.0.token());
    assert_eq!(desk.0.answer(&Request::new("GET", limits).with_header("Authorization", &older)).status, 200);
    desk.0.expire_sessions();
    assert_eq!(desk.get("/limits"), (401, expired));
}

#[test]
fn versions_come_and_go() {
    let desk = Desk::new();
    let open = desk.0.answer(&Request::new("GET", "/services/data/"));
    let versions = open.json();
    assert_eq!((open.status, open.header("Sforce-Limit-Info")), (200, None));
    assert!(
        versions
            .as_array()
            .unwrap()
            .contains(&json!({"label": "Winter '26", "url": "/services/data/v65.0", "version": "65.0"}))
    );
    assert_eq!(versions.as_array().unwrap().last().unwrap()["label"], "Winter '27");
    assert_eq!(desk.get("/services/data/v69.0/limits").1[0]["errorCode"], "NOT_FOUND");
    assert_eq!(desk.get("/services/data/v30.0/limits").0, 410);
    let old = desk.send("GET", "/services/data/v40.0/limits", &Value::Null);
    assert_eq!(old.status, 200);
    assert!(old.header("Warning").unwrap().starts_with("299 - "));
    assert_eq!(
        desk.get("/nothing/here"),
        (404, json!([{"errorCode": "NOT_FOUND", "message": "The requested resource does not exist"}]))
    );
    assert_eq!(desk.get("/sobjects/Widget__c").0, 404);
    assert_eq!(desk.get("//limits").0, 404, "an empty segment is no segment");
    assert_eq!(desk.get("").1["sobjects"], "/services/data/v62.0/sobjects");
}

#[test]
fn the_daily_limit_is_told_and_enforced() {
    let desk = Desk::with(|builder| builder.daily_limit(3));
    let first = desk.send("GET", "/limits", &Value::Null);
    assert_eq!(first.header("Sforce-Limit-Info"), Some("api-usage=1/3"));
    assert_eq!(first.json()["DailyApiRequests"], json!({"Max": 3, "Remaining": 2}));
    desk.0.use_calls(1);
    assert_eq!(desk.get("/limits").0, 200);
    assert_eq!(
        desk.get("/limits"),
        (403, json!([{"errorCode": "REQUEST_LIMIT_EXCEEDED", "message": "TotalRequests Limit exceeded."}]))
    );
    let (status, _) = desk.get("/services/data");
    assert_eq!(status, 200, "the list of versions is free");
}

#[test]
fn long_addresses_are_refused_in_html() {
    let desk = Desk::new();
    let (long, longer) = ("x".repeat(17_000), "y".repeat(10_000));
    let mut request = desk.request("GET", "/query");
    request.query.push(("q".to_owned(), long));
    let answer = desk.0.answer(&request);
    assert_eq!(
        (answer.status, answer.text().as_ref()),
        (414, "<h1>Bad Message 414</h1><pre>reason: URI Too Long</pre>")
    );
    let heavy = desk.request("GET", &format!("/query?q={longer}")).with_header("X-Long", &longer);
    assert_eq!(desk.0.answer(&heavy).status, 431);
}

#[test]
fn describes_tell_what_may_be_written() {
    let desk = Desk::with(|builder| {
        let other = Field::picklist("segment__c", &["Other"]).restricted();
        builder.hide_field("Account", "Website").hide_object("Campaign").field("Account", other)
    });
    let (_, global) = desk.get("/sobjects");
    let names: Vec<&str> =
        global["sobjects"].as_array().unwrap().iter().map(|one| one["name"].as_str().unwrap()).collect();
    assert!(names.contains(&"Lead") && !names.contains(&"Campaign"));
    let (_, account) = desk.get("/sobjects/ACCOUNT/describe");
    assert_eq!((&account["name"], &account["keyPrefix"]), (&json!("Account"), &json!("001")));
    let field = |name: &str| account["fields"].as_array().unwrap().iter().find(|field| field["name"] == name).cloned();
    assert_eq!(field("Website"), None);
    let key = field("Abmatic_Id__c").unwrap();
    assert_eq!((&key["externalId"], &key["unique"], &key["idLookup"]), (&json!(true), &json!(true), &json!(true)));
    let name = field("Name").unwrap();
    assert_eq!((&name["nillable"], &name["createable"], &name["length"]), (&json!(false), &json!(true), &json!(255)));
    assert_eq!(field("segment__c").unwrap()["restrictedPicklist"], true, "the admin's own definition");
    assert_eq!(field("BillingAddress").unwrap()["type"], "address");
    assert_eq!(field("BillingCity").unwrap()["compoundFieldName"], "BillingAddress");
    assert_eq!(field("Tier__c").unwrap()["picklistValues"][3]["active"], false);
    assert_eq!(field("OwnerId").unwrap()["referenceTo"], json!(["User"]));
    let contacts =
        account["childRelationships"].as_array().unwrap().iter().find(|one| one["relationshipName"] == "Contacts");
    assert_eq!(contacts.unwrap()["field"], "AccountId");
    assert_eq!(key.as_object().unwrap().len(), 57, "every key, nulls included");
}

#[test]
fn answers_are_zipped_for_those_who_ask() {
    let desk = Desk::new();
    let plain = desk.send("GET", "/sobjects/Account/describe", &Value::Null);
    let request = desk.request("GET", "/sobjects/Account/describe").with_header("Accept-Encoding", "gzip, deflate");
    let zipped = desk.0.answer(&request);
    assert_eq!((plain.header("Content-Encoding"), zipped.header("Content-Encoding")), (None, Some("gzip")));
    assert!(zipped.body.len() * 4 < plain.body.len());
    assert_eq!(plain.header("Date"), Some("Tue, 24 Nov 2026 16:00:00 GMT"));
}
