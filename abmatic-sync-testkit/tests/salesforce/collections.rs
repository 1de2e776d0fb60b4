//! Many records or many calls in one.

use serde_json::{Value, json};

use crate::desk::Desk;

fn account(name: &str) -> Value {
    json!({"attributes": {"type": "Account"}, "Name": name})
}

#[test]
fn results_stand_in_the_order_of_the_records() {
    let desk = Desk::new();
    let body = json!({"allOrNone": false, "records": [account("A"), account(""), account("B")]});
    let (status, results) = desk.post("/composite/sobjects", &body);
    assert_eq!((status, results.as_array().unwrap().len()), (200, 3));
    let flags: Vec<bool> = (0..3).map(|at| results[at]["success"] == true).collect();
    assert_eq!(flags, [true, false, true]);
    assert_eq!(
        results[1],
        json!({"success": false, "errors": [{
            "statusCode": "REQUIRED_FIELD_MISSING", "message": "Required fields are missing: [Name]", "fields": ["Name"],
        }]})
    );
    let strict = json!({"allOrNone": true, "records": [account("C"), account("")]});
    let (status, results) = desk.post("/composite/sobjects", &strict);
    assert_eq!((status, &results[0]["errors"][0]["statusCode"]), (200, &json!("ALL_OR_NONE_OPERATION_ROLLED_BACK")));
    assert_eq!(desk.0.user().count("Account"), 2);
}

#[test]
fn updates_deletes_and_retrieves() {
    let desk = Desk::new();
    let [first, second] = ["A", "B"].map(|name| desk.make("Account", &json!({"Name": name})));
    let change = |id: &str, name: &str| json!({"attributes": {"type": "Account"}, "id": id, "Name": name});
    let body = json!({"records": [change(&first, "A2"), change(&first, "A3"), change("001D000000IqhSLIAZ", "X")]});
    let (_, results) = desk.patch("/composite/sobjects", &body);
    assert_eq!(results[0], json!({"id": first, "success": true, "errors": []}));
    assert_eq!(results[1]["errors"][0]["statusCode"], "DUPLICATE_VALUE");
    assert_eq!(results[2]["errors"][0]["statusCode"], "INVALID_CROSS_REFERENCE_KEY");
    let (_, gone) = desk.call("DELETE", &format!("/composite/sobjects?ids={second},banana"), &Value::Null);
    assert_eq!((&gone[0]["success"], &gone[1]["errors"][0]["statusCode"]), (&json!(true), &json!("MALFORMED_ID")));
    let ask = json!({"ids": [second, first, "nonsense"], "fields": ["Name"]});
    let (_, found) = desk.post("/composite/sobjects/Account", &ask);
    assert_eq!((&found[0], &found[1]["Name"], &found[2]), (&Value::Null, &json!("A2"), &Value::Null));
    let (status, _) = desk.get(&format!("/composite/sobjects/Account?ids={first}&fields=Name,Nope"));
    assert_eq!(status, 400);
}

#[test]
fn upserts_in_collections_carry_their_key() {
    let desk = Desk::new();
    let row = |key: &str, name: &str| json!({"attributes": {"type": "Account"}, "Abmatic_Id__c": key, "Name": name});
    let body = json!({"records": [row("1", "A"), row("2", "B"), row("1", "C"), json!({"attributes": {"type": "Account"}, "Name": "D"})]});
    let (_, results) = desk.patch("/composite/sobjects/Account/Abmatic_Id__c", &body);
    assert_eq!((&results[0]["created"], &results[1]["created"]), (&json!(true), &json!(true)));
    assert_eq!(results[2]["errors"][0]["message"], "Duplicate external id specified: 1");
    assert_eq!(results[3]["errors"][0]["statusCode"], "MISSING_ARGUMENT");
    let (_, again) = desk.patch("/composite/sobjects/Account/Abmatic_Id__c", &json!({"records": [row("2", "B2")]}));
    assert_eq!(again[0], json!({"id": results[1]["id"], "success": true, "errors": [], "created": false}));
    assert_eq!(desk.0.user().count("Account"), 2);
}

#[test]
fn collections_have_limits() {
    let desk = Desk::new();
    let many: Vec<Value> = (0..201).map(|at| account(&format!("A{at}"))).collect();
    let (status, body) = desk.post("/composite/sobjects", &json!({"records": many}));
    assert_eq!((status, &body[0]["errorCode"]), (400, &json!("EXCEEDED_MAX_SIZE_REQUEST")));
    let lead = json!({"attributes": {"type": "Lead"}, "LastName": "L", "Company": "C"});
    let mixed: Vec<Value> = (0..12).map(|at| if at % 2 == 0 { account("A") } else { lead.clone() }).collect();
    assert_eq!(desk.post("/composite/sobjects", &json!({"records": mixed})).0, 400);
    let unreadable =
        json!({"records": [account("A"), {"attributes": {"type": "Account"}, "Name": "B", "AnnualRevenue": "x"}]});
    assert_eq!(desk.post("/composite/sobjects", &unreadable).1[0]["errorCode"], "JSON_PARSER_ERROR");
    assert_eq!(desk.0.user().count("Account"), 0, "an unreadable row fails the whole call");
}

#[test]
fn composite_calls_use_each_others_answers() {
    let desk = Desk::new();
    let call = |method: &str, url: &str, id: &str, body: Value| json!({"method": method, "url": format!("/services/data/v62.0{url}"), "referenceId": id, "body": body});
    let calls = |email: &str| {
        json!({"allOrNone": true, "compositeRequest": [
            call("POST", "/sobjects/Account", "acc", json!({"Name": "Acme"})),
            call("POST", "/sobjects/Contact", "con", json!({"LastName": "Roe", "AccountId": "@{acc.id}", "Email": email})),
            {"method": "GET", "url": "/services/data/v62.0/query?q=SELECT Id FROM Contact WHERE AccountId = '@{acc.id}'", "referenceId": "q"},
        ]})
    };
    let (status, good) = desk.post("/composite", &calls("ann@x.com"));
    let parts = &good["compositeResponse"];
    assert_eq!((status, &parts[0]["httpStatusCode"], &parts[2]["body"]["totalSize"]), (200, &json!(201), &json!(1)));
    assert!(parts[0]["httpHeaders"]["Location"].as_str().unwrap().contains("/sobjects/Account/001"));
    let (_, bad) = desk.post("/composite", &calls("nope"));
    let parts = &bad["compositeResponse"];
    assert_eq!(parts[0]["body"][0]["errorCode"], "PROCESSING_HALTED");
    assert_eq!(
        (&parts[1]["httpStatusCode"], &parts[1]["body"][0]["errorCode"]),
        (&json!(400), &json!("INVALID_EMAIL_ADDRESS"))
    );
    assert_eq!(desk.0.user().count("Account"), 1, "all or none");
    let wrong = json!({"compositeRequest": [call("GET", "/limits", "x[1]", Value::Null)]});
    assert_eq!(desk.post("/composite", &wrong).1[0]["errorCode"], "JSON_PARSER_ERROR");
}

#[test]
fn a_batch_counts_every_call() {
    let desk = Desk::with(|builder| builder.daily_limit(10));
    let id = desk.make("Account", &json!({"Name": "A"}));
    let body = json!({"haltOnError": true, "batchRequests": [
        {"method": "PATCH", "url": format!("v62.0/sobjects/account/{id}"), "richInput": {"Name": "B"}},
        {"method": "GET", "url": "v62.0/sobjects/Account/banana"},
        {"method": "GET", "url": "v62.0/limits"},
    ]});
    let answer = desk.send("POST", "/composite/batch", &body);
    assert_eq!(answer.header("Sforce-Limit-Info"), Some("api-usage=4/10"));
    let body = answer.json();
    assert_eq!((&body["hasErrors"], &body["results"][0]), (&json!(true), &json!({"statusCode": 204, "result": null})));
    assert_eq!(body["results"][2]["result"][0]["errorCode"], "BATCH_PROCESSING_HALTED");
}

#[test]
fn trees_grow_whole_or_not_at_all() {
    let desk = Desk::new();
    let tree = |email: &str| {
        json!({"records": [{
            "attributes": {"type": "Account", "referenceId": "ref1"}, "name": "A", "numberOfEmployees": "100",
            "Contacts": {"records": [{"attributes": {"type": "Contact", "referenceId": "ref2"}, "lastname": "Roe", "email": email}]},
        }]})
    };
    let (status, bad) = desk.post("/composite/tree/Account", &tree("123"));
    assert_eq!((status, desk.0.user().count("Account")), (400, 0));
    assert_eq!(
        bad["results"],
        json!([{"referenceId": "ref2", "errors": [
            {"statusCode": "INVALID_EMAIL_ADDRESS", "message": "Email: invalid email address: 123", "fields": ["Email"]},
        ]}])
    );
    let (status, good) = desk.post("/composite/tree/Account", &tree("a@x.com"));
    assert_eq!((status, good["results"].as_array().unwrap().len()), (201, 2));
    assert_eq!(desk.0.user().records("Contact")[0].get("AccountId"), good["results"][0]["id"]);
}
