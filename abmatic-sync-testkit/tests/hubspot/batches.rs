//! Batches: partial success, trace ids, keys, order.

use serde_json::{Value, json};

use crate::desk::{Desk, ids};

const BATCH: &str = "/crm/objects/2026-09/contacts/batch";

fn row(email: &str, trace: Option<&str>) -> Value {
    let mut row = json!({"properties": {"email": email}});
    if let Some(trace) = trace {
        row["objectWriteTraceId"] = trace.into();
    }
    row
}

#[test]
fn a_read_with_missing_ids_is_207_with_one_error_for_all() {
    let desk = Desk::new();
    let id = desk.make("contacts", &[("email", "a@x.com")]);
    let body = json!({"idProperty": "email", "properties": ["email"], "inputs": [{"id": "A@x.com"}, {"id": "b@x.com"}, {"id": "c@x.com"}]});
    let (status, answer) = desk.post(&format!("{BATCH}/read"), &body);
    assert_eq!((status, ids(&answer)), (207, vec![id.clone()]));
    assert_eq!(answer["numErrors"], 1);
    assert_eq!(
        answer["errors"],
        json!([{
            "status": "error", "category": "OBJECT_NOT_FOUND",
            "message": "Could not get some CONTACT objects, they may be deleted or not exist. Check that ids are valid.",
            "context": {"ids": ["b@x.com", "c@x.com"]},
        }])
    );
    let (status, answer) = desk.post(&format!("{BATCH}/read"), &json!({"inputs": [{"id": id}]}));
    assert_eq!((status, &answer["status"]), (200, &json!("COMPLETE")));
    assert!(answer.get("numErrors").is_none());
}

#[test]
fn without_trace_ids_one_bad_row_rejects_all() {
    let desk = Desk::new();
    desk.make("contacts", &[("email", "a@x.com")]);
    let create = |rows: Value| desk.post(&format!("{BATCH}/create"), &json!({"inputs": rows}));
    let (status, body) = create(json!([row("new@x.com", None), row("a@x.com", None)]));
    assert_eq!((status, &body["message"]), (409, &json!("Contact already exists. Existing ID: 101")));
    assert_eq!(create(json!([row("new@x.com", None), row("nonsense", None)])).0, 400);
    let (status, body) = create(json!([row("twin@x.com", None), row("TWIN@x.com", None)]));
    assert_eq!((status, &body["message"]), (409, &json!("Contact already exists")));
    let same_trace = json!([row("new@x.com", Some("r")), row("a@x.com", Some("r"))]);
    assert_eq!(create(same_trace).0, 409, "trace ids count only when each is unique");
    assert_eq!(desk.0.user().count("contacts"), 1);
}

#[test]
fn with_trace_ids_rows_fail_alone() {
    let desk = Desk::new();
    desk.make("contacts", &[("email", "a@x.com")]);
    let rows = json!([row("new@x.com", Some("0")), row("a@x.com", Some("1")), row("bad", Some("2"))]);
    let (status, answer) = desk.post(&format!("{BATCH}/create"), &json!({"inputs": rows}));
    assert_eq!((status, answer["results"].as_array().unwrap().len()), (207, 1));
    assert!(answer["results"][0].get("objectWriteTraceId").is_none(), "results do not echo it");
    assert_eq!(answer["numErrors"], 2);
    assert_eq!(
        answer["errors"][0],
        json!({
            "status": "error", "category": "CONFLICT", "message": "Contact already exists. Existing ID: 101",
            "context": {"objectWriteTraceId": ["1"], "existingId": ["101"]},
        })
    );
    assert_eq!(answer["errors"][1]["context"], json!({"objectWriteTraceId": ["2"]}));
    assert!(answer["errors"][1]["message"].as_str().unwrap().starts_with("Property values were not valid: [{"));
    let rows = json!([row("more@x.com", Some("0"))]);
    assert_eq!(desk.post(&format!("{BATCH}/create"), &json!({"inputs": rows})).0, 201);
}

#[test]
fn results_come_in_an_order_of_their_own() {
    let desk = Desk::new();
    let rows: Vec<Value> = (0..50).map(|n| row(&format!("p{n}@x.com"), None)).collect();
    let (status, answer) = desk.post(&format!("{BATCH}/create"), &json!({"inputs": rows}));
    assert_eq!(status, 201);
    let shown: Vec<&str> =
        answer["results"].as_array().unwrap().iter().map(|r| r["properties"]["email"].as_str().unwrap()).collect();
    let sent: Vec<String> = (0..50).map(|n| format!("p{n}@x.com")).collect();
    assert_ne!(shown, sent);
    let mut sorted = shown.clone();
    sorted.sort_unstable();
    assert_eq!(sorted.len(), 50);
}

#[test]
fn more_than_a_hundred_and_one_id_twice_are_refused_whole() {
    let desk = Desk::new();
    let id = desk.make("contacts", &[("email", "a@x.com")]);
    let many: Vec<Value> = (0..101).map(|n| json!({"id": n.to_string()})).collect();
    assert_eq!(desk.post(&format!("{BATCH}/read"), &json!({"inputs": many})).0, 400);
    let update = |trace: &str| json!({"id": id, "properties": {"phone": "1"}, "objectWriteTraceId": trace});
    let (status, body) = desk.post(&format!("{BATCH}/update"), &json!({"inputs": [update("1"), update("2")]}));
    assert_eq!(
        (status, body),
        (
            400,
            json!({
                "status": "error", "message": format!("Duplicate IDs found in batch input: [{id}]. IDs must be unique"),
                "context": {"ids": [id]}, "category": "VALIDATION_ERROR",
            })
        )
    );
}

#[test]
fn an_update_names_the_missing_and_drops_the_merged_and_the_unnumbered() {
    let desk = Desk::new();
    let (one, two) = (desk.make("contacts", &[("email", "a@x.com")]), desk.make("contacts", &[("email", "b@x.com")]));
    let new = desk.0.user().merge("contacts", &one, &two).unwrap();
    let phone = json!({"phone": "1"});
    let inputs = json!([
        {"id": new, "properties": phone, "objectWriteTraceId": "r1"}, {"id": one, "properties": phone, "objectWriteTraceId": "r2"},
        {"id": "a@x.com", "properties": phone, "objectWriteTraceId": "r3"}, {"id": "7", "properties": phone, "objectWriteTraceId": "r4"},
    ]);
    let (status, answer) = desk.post(&format!("{BATCH}/update"), &json!({"inputs": inputs}));
    assert_eq!((status, ids(&answer)), (207, vec![new.clone()]));
    assert_eq!(answer["errors"][0]["category"], "OBJECT_NOT_FOUND");
    assert_eq!(answer["errors"][0]["context"], json!({"ids": ["7"], "objectWriteTraceId": ["r4"]}));
    let (status, answer) =
        desk.post(&format!("{BATCH}/update"), &json!({"inputs": [{"id": one, "properties": phone}]}));
    assert_eq!((status, ids(&answer)), (200, Vec::new()));
    let (_, answer) = desk.post(&format!("{BATCH}/read"), &json!({"inputs": [{"id": one}]}));
    assert_eq!(ids(&answer), [new]);
    let by_email = json!({"inputs": [{"id": "a@x.com", "idProperty": "email", "properties": phone}]});
    let (status, body) = desk.post(&format!("{BATCH}/update"), &by_email);
    assert_eq!(status, 400);
    assert!(
        body["message"].as_str().unwrap().starts_with("Unable to perform update/upsert by non-unique 0-1 property")
    );
}

#[test]
fn an_upsert_by_an_own_key_happens_once() {
    let desk = Desk::new();
    let property = json!({"name": "own_id", "label": "Own id", "type": "string", "fieldType": "text",
                          "groupName": "companyinformation", "hasUniqueValue": true});
    assert_eq!(desk.post("/crm/properties/2026-09/companies", &property).0, 201);
    let path = "/crm/objects/2026-09/companies/batch/upsert";
    let body = json!({"inputs": [{"id": "A1", "idProperty": "own_id", "properties": {"name": "X"}, "objectWriteTraceId": "t"}]});
    let (status, first) = desk.post(path, &body);
    assert_eq!((status, &first["results"][0]["new"]), (200, &json!(true)));
    let (status, again) = desk.post(path, &body);
    assert_eq!((status, &again["results"][0]["new"]), (200, &json!(false)));
    assert_eq!(first["results"][0]["id"], again["results"][0]["id"]);
    assert_eq!(desk.get("/crm/v3/objects/companies/A1?idProperty=own_id").0, 200);
    let (status, taken) = desk.post("/crm/v3/objects/companies", &json!({"properties": {"name": "Y", "own_id": "A1"}}));
    assert_eq!((status, &taken["errors"][0]["code"]), (400, &json!("CONFLICTING_UNIQUE_VALUE")));
    assert!(taken["message"].as_str().unwrap().contains("already has that value"));
    let by_name = json!({"inputs": [{"id": "X", "idProperty": "dealname", "properties": {}}]});
    let (status, body) = desk.post("/crm/v3/objects/deals/batch/upsert", &by_name);
    assert_eq!(
        (status, &body["message"]),
        (400, &json!("Unable to perform update/upsert by non-unique 0-3 property dealname"))
    );
}

#[test]
fn an_archive_answers_204_and_ignores_the_unknown() {
    let desk = Desk::new();
    let id = desk.make("contacts", &[("email", "a@x.com")]);
    let response = desk.send("POST", &format!("{BATCH}/archive"), &json!({"inputs": [{"id": id}, {"id": "77"}]}));
    assert_eq!((response.status, response.body.len(), desk.0.user().count("contacts")), (204, 0, 0));
}
