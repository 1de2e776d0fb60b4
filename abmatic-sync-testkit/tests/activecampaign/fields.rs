//! The three families of custom fields.

use serde_json::json;

use crate::desk::Desk;

#[test]
fn options_stand_beside_the_fields_of_contacts() {
    let desk = Desk::new();
    let (_, fields) = desk.get("/fields");
    let language = &fields["fields"][0];
    assert_eq!((&language["perstag"], &language["type"]), (&json!("PREFERRED_LANGUAGE"), &json!("dropdown")));
    assert_eq!(language["options"], json!(["1", "2"]));
    let german = &fields["fieldOptions"][1];
    assert_eq!((&german["field"], &german["value"], &german["label"]), (&json!("1"), &json!("de"), &json!("German")));
    let (status, made) =
        desk.post("/fields", &json!({"field": {"title": "Tier", "type": "dropdown", "perstag": "TIER"}}));
    let id = made["field"]["id"].clone();
    assert_eq!((status, &made["field"]["perstag"]), (201, &json!("TIER")));
    let options =
        json!({"fieldOptions": [{"orderid": 1, "value": "X", "label": "X", "isdefault": false, "field": id}]});
    assert_eq!(desk.post("/fieldOption/bulk", &options).0, 201);
    let (status, refused) = desk.post("/fields", &json!({"field": {"title": "Tier", "type": "text"}}));
    let duplicate = json!({"errors": [{
        "title": "There is already a field with this title",
        "detail": "There is already a field named 'Tier' -- choose another name", "code": "duplicate",
    }]});
    assert_eq!((status, refused), (422, duplicate));
}

#[test]
fn a_value_is_kept_once_for_contact_and_field() {
    let desk = Desk::new();
    let contact = json!({"contact": {"email": "a@x.test", "fieldValues": [{"field": "3", "value": "||Ads||SMS||"}]}});
    let (_, made) = desk.post("/contacts", &contact);
    assert_eq!(made["fieldValues"][0]["value"], "||Ads||SMS||");
    desk.post(
        "/fieldValues",
        &json!({"fieldValue": {"contact": 1, "field": 3, "value": "||Email||"}, "useDefaults": true}),
    );
    let (_, values) = desk.get("/contacts/1/fieldValues");
    assert_eq!(values["fieldValues"].as_array().unwrap().len(), 1);
    assert_eq!(values["fieldValues"][0]["value"], "||Email||");
    assert_eq!(desk.get("/fieldValues?filters[fieldid]=3&filters[val]=||Email||").1["meta"]["total"], "1");
}

#[test]
fn standard_fields_of_accounts_are_known_by_a_number() {
    let desk = Desk::new();
    let (_, meta) = desk.get("/accountCustomFieldMeta?limit=100");
    let rows = meta["accountCustomFieldMeta"].as_array().unwrap();
    let industry = rows.iter().find(|row| row["fieldLabel"] == "Industry/Vertical").unwrap();
    assert_eq!(
        (&industry["id"], &industry["fieldType"], &industry["knownFieldId"]),
        (&json!("11"), &json!("dropdown"), &json!(11))
    );
    assert!(industry["fieldOptions"].as_array().unwrap().contains(&json!("Banking")));
    assert_eq!((&industry["isRequired"], &industry["createdTimestamp"]), (&json!(0), &json!("2026-11-24 10:00:00")));
}

#[test]
fn values_of_accounts_are_of_their_type() {
    let desk = Desk::new();
    desk.post("/accounts", &json!({"account": {"name": "Acme"}}));
    let write = |field: u64, value: serde_json::Value| {
        let datum =
            json!({"accountCustomFieldDatum": {"customerAccountId": "1", "customFieldId": field, "fieldValue": value}});
        desk.post("/accountCustomFieldData", &datum)
    };
    let (status, refused) = write(10, json!("abc"));
    let detail = "The custom field value `abc` could not be saved to the custom field of type `currency`.";
    assert_eq!((status, refused), (422, json!({"errors": [{"detail": detail}]})));
    assert_eq!(write(10, json!(10050)).0, 200);
    assert_eq!(write(10, json!(777)).1["accountCustomFieldDatum"]["id"], "1", "the same value is changed");
    assert_eq!(write(99, json!("x")), (404, json!({"errors": [{"status": 404, "title": "Not Found"}]})));
    assert_eq!(desk.delete("/accountCustomFieldData/1"), (200, json!({"message": "AccountCustomFieldData deleted."})));
}
