//! Fields: listed in both versions, made, renamed, deleted, with their options.

use abmatic_sync_testkit::fake::pipedrive::Field;
use serde_json::{Value, json};

use crate::desk::Desk;

fn codes(desk: &Desk, object: &str) -> Vec<String> {
    let (_, fields) = desk.get(&format!("/{object}Fields?limit=500"));
    fields["data"].as_array().unwrap().iter().map(|one| one["field_code"].as_str().unwrap().to_owned()).collect()
}

#[test]
fn features_bring_fields() {
    let (plain, without) = (Desk::new(), Desk::with(|builder| builder.firmographics(false)));
    assert!(codes(&plain, "organization").contains(&"website".to_owned()));
    assert!(!codes(&without, "organization").contains(&"website".to_owned()));
    assert!(
        without.objection("POST", "/organizations", &json!({"name": "A", "website": "a.test"})).contains("not allowed")
    );
    assert!(!codes(&plain, "person").contains(&"job_title".to_owned()));
    assert!(codes(&Desk::with(|builder| builder.contact_sync(true)), "person").contains(&"job_title".to_owned()));
}

#[test]
fn a_field_is_made_shown_renamed_and_deleted() {
    let desk = Desk::new();
    let body = json!({"field_name": "Tier", "field_type": "enum", "options": [{"label": "A"}, {"label": "B"}]});
    let (_, made) = desk.post("/organizationFields", &body);
    let made = &made["data"];
    let code = made["field_code"].as_str().unwrap();
    let option = made["options"][0]["id"].as_u64().unwrap();
    assert_eq!(
        *made,
        json!({
            "field_name": "Tier", "field_code": code, "field_type": "enum",
            "options": [{"id": option, "label": "A"}, {"id": option + 1, "label": "B"}], "subfields": null,
            "is_custom_field": true, "is_optional_response_field": false,
        })
    );
    let path = format!("/organizationFields/{code}");
    assert_eq!(desk.patch(&path, &json!({"field_name": "Level"})).1["data"]["field_name"], "Level");
    assert!(desk.objection("PATCH", &path, &json!({"field_type": "set"})).contains("not allowed"));
    assert_eq!(desk.patch("/organizationFields/name", &json!({"field_name": "X"})).0, 403);

    let org = desk.make("organizations", &json!({"name": "A", "custom_fields": {code: option}}));
    let options = format!("{path}/options");
    assert_eq!(desk.post(&options, &json!([{"label": "C"}])).1["data"], json!([{"id": option + 2, "label": "C"}]));
    assert_eq!(desk.patch(&options, &json!([{"id": option, "label": "A+"}])).1["data"][0]["label"], "A+");
    assert_eq!(desk.call("DELETE", &options, &json!([{"id": 1}])).0, 404);
    assert_eq!(desk.call("DELETE", &options, &json!([{"id": option}])).0, 200);
    let shown = desk.get(&format!("/organizations/{org}")).1;
    assert_eq!(shown["data"]["custom_fields"][code], Value::Null, "a record loses an option that is no more");
    assert_eq!(desk.call("DELETE", &path, &Value::Null).0, 200);
    assert_eq!(desk.get(&path).0, 404);
    assert_eq!(desk.get(&format!("/organizations/{org}")).1["data"]["custom_fields"], json!({}));
    assert!(
        desk.objection("POST", "/dealFields", &json!({"field_name": "X", "field_type": "boolean"}))
            .contains("field_type")
    );
    assert!(
        desk.objection("POST", "/dealFields", &json!({"field_name": "X", "field_type": "set"})).contains("options")
    );
}

#[test]
fn fields_come_in_pages_in_both_versions() {
    let desk = Desk::with(|mut builder| {
        for number in 0..120 {
            builder = builder.field("persons", Field::new(&format!("Custom {number}"), "varchar"));
        }
        builder
    });
    let (_, first) = desk.get("/personFields");
    let cursor = first["additional_data"]["next_cursor"].as_str().unwrap();
    let (_, second) = desk.get(&format!("/personFields?cursor={cursor}"));
    let count = |body: &Value| body["data"].as_array().unwrap().len();
    assert_eq!((count(&first), count(&second)), (100, codes(&desk, "person").len() - 100));
    let (_, old) = desk.get("/api/v1/personFields?start=100&limit=10");
    assert_eq!(old["additional_data"], json!({"start": 100, "limit": 10, "more_items_in_collection": true}));
    let one = &old["data"][0];
    assert_eq!(
        (one["key"].as_str().unwrap().len(), &one["edit_flag"], &one["field_type"]),
        (40, &json!(true), &json!("varchar"))
    );
    let number = one["id"].as_u64().unwrap();
    assert_eq!(desk.get(&format!("/api/v1/personFields/{number}")).1["data"]["id"], number);
    assert_eq!(desk.get("/api/v1/personFields/1"), (410, json!({"success": false, "error": "The field is not found"})));
}

#[test]
fn built_in_fields_say_what_they_are() {
    let desk = Desk::new();
    let (_, address) = desk.get("/organizationFields/address?include_fields=required_fields");
    let parts = address["data"]["subfields"].as_array().unwrap();
    assert_eq!(
        (&parts[0]["field_code"], &address["data"]["required_fields"]),
        (&json!("value"), &json!({"enabled": false}))
    );
    let (_, visible) = desk.get("/organizationFields/visible_to");
    assert_eq!(visible["data"]["options"][0]["id"], "1", "ids of built-in options can be texts");
    let (_, industry) = desk.get("/organizationFields/industry");
    assert_eq!((&industry["data"]["field_type"], &industry["data"]["options"][0]["id"]), (&json!("enum"), &json!(1)));
    let (_, phone) = desk.get("/personFields/phone");
    assert_eq!((&phone["data"]["field_type"], &phone["data"]["is_custom_field"]), (&json!("phone"), &json!(false)));
}

#[test]
fn what_is_set_up_once_can_be_read() {
    let desk = Desk::new();
    assert_eq!(desk.get("/stages?pipeline_id=2").1["data"].as_array().unwrap().len(), 2);
    assert_eq!(desk.get("/pipelines/1").1["data"]["name"], "Sales");
    let (_, types) = desk.get("/api/v1/activityTypes");
    assert_eq!(types["data"][0]["key_string"], "call");
    let (_, made) = desk.post("/api/v1/activityTypes", &json!({"name": "Abmatic engagement", "icon_key": "bulb"}));
    assert_eq!(
        (&made["data"]["key_string"], &made["data"]["icon_key"]),
        (&json!("abmatic_engagement"), &json!("bulb"))
    );
    assert_eq!(desk.get("/api/v1/users/me").1["data"]["company_domain"], "acme");
    assert_eq!(desk.get("/api/v1/users").1["data"].as_array().unwrap().len(), 4);
    assert_eq!(desk.get("/api/v1/users/find?term=sam@&search_by_email=1").1["data"][0]["id"], 12);
    assert_eq!(desk.get("/api/v1/users/99").1["error"], "User not found or not accessible.");
    assert_eq!(desk.get("/api/v1/currencies").1["data"][0]["code"], "EUR");
}
