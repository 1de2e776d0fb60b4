//! Bulk import: whole or not at all, later, and without pairing ids with rows.

use serde_json::{Value, json};

use crate::desk::Desk;

fn import(desk: &Desk, contacts: Value) -> (u16, Value) {
    desk.post("/import/bulk_import", &json!({"contacts": contacts, "exclude_automations": true}))
}

#[test]
fn an_import_is_carried_out_later() {
    let desk = Desk::with(|builder| builder.import_polls(2));
    desk.post("/contacts", &json!({"contact": {"email": "a@x.test", "firstName": "Old"}}));
    let rows = json!([
        {"email": "a@x.test", "first_name": "New", "fields": [{"id": 2, "value": "Plus"}], "firstName": "ignored"},
        {"email": "b@x.test", "last_name": "B", "customer_acct_name": "Acme"},
        {"email": "bad@invalid"},
    ]);
    let (status, queued) = import(&desk, rows);
    assert_eq!((status, &queued["Success"], &queued["queued_contacts"]), (200, &json!(1), &json!(3)));
    let info = format!("/import/info?batchId={}", queued["batchId"].as_str().unwrap());
    assert_eq!(desk.get(&info).1["status"], "active");
    assert_eq!(desk.get("/contacts").1["meta"]["total"], "1");
    desk.get(&info);
    let (_, done) = desk.get(&info);
    assert_eq!(done, json!({"status": "completed", "success": ["1", "2"], "failure": ["bad@invalid"]}));
    let (_, one) = desk.get("/contacts/1");
    assert_eq!((&one["contact"]["firstName"], &one["fieldValues"][0]["value"]), (&json!("New"), &json!("Plus")));
    assert_eq!(desk.get("/contacts/2").1["contact"]["orgname"], "Acme");
    assert_eq!(desk.get(&info).1["success"], json!(["1", "2"]), "asked again, nothing happens again");
}

#[test]
fn one_bad_row_refuses_them_all() {
    let desk = Desk::new();
    let (status, refused) = import(&desk, json!([{"email": "a@x.test"}, {"first_name": "B"}]));
    assert_eq!((status, &refused["success"]), (400, &json!(0)));
    assert_eq!(refused["failureReasons"], json!([{"contact": 2, "failureReason": "Field 'email' not found"}]));
    let many: Vec<Value> = (0..251).map(|number| json!({"email": format!("{number}@x.test")})).collect();
    assert_eq!(import(&desk, many.into()).0, 400);
    assert_eq!(desk.get("/import/info"), (400, json!({"success": 0, "message": "'batchId' is a required field."})));
    assert_eq!(desk.get("/import/info?batchId=unknown").1["status"], false);
}

#[test]
fn imports_have_a_limit_of_their_own() {
    let desk = Desk::new();
    for _ in 0..100 {
        assert_eq!(import(&desk, json!([{"email": "a@x.test"}])).0, 200);
    }
    let (status, refused) = import(&desk, json!([{"email": "a@x.test"}]));
    assert_eq!((status, &refused["message"]), (400, &json!("Rate limit exceeded.")));
    desk.0.advance_ms(60_000);
    assert_eq!(import(&desk, json!([{"email": "a@x.test"}])).0, 200);
}
