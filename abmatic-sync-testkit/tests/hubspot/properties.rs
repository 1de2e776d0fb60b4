//! Property definitions.

use serde_json::{Value, json};

use crate::desk::Desk;

const CONTACTS: &str = "/crm/properties/2026-09/contacts";

fn property(name: &str) -> Value {
    json!({"name": name, "label": "Own id", "type": "string", "fieldType": "text", "groupName": "contactinformation", "hasUniqueValue": true})
}

#[test]
fn definitions_are_listed_without_paging_and_read_by_name() {
    let desk = Desk::new();
    let (status, list) = desk.get("/crm/v3/properties/contacts");
    assert_eq!(status, 200);
    assert!(list["results"].as_array().unwrap().len() >= 40);
    assert!(list.get("paging").is_none());
    let (_, email) = desk.get(&format!("{CONTACTS}/email"));
    assert_eq!(
        (&email["type"], &email["fieldType"], &email["hubspotDefined"]),
        (&json!("string"), &json!("text"), &json!(true))
    );
    let (_, owner) = desk.get(&format!("{CONTACTS}/hubspot_owner_id"));
    assert_eq!((&owner["referencedObjectType"], &owner["externalOptions"]), (&json!("OWNER"), &json!(true)));
    let (_, id) = desk.get(&format!("{CONTACTS}/hs_object_id"));
    assert_eq!(id["modificationMetadata"]["readOnlyValue"], true);
    let (_, stage) = desk.get("/crm/v3/properties/deals/dealstage");
    assert!(stage["options"].as_array().unwrap().iter().any(|option| option["value"] == "closedwon"));
    let (status, body) = desk.get(&format!("{CONTACTS}/nonsense"));
    assert_eq!((status, &body["category"]), (404, &json!("OBJECT_NOT_FOUND")));
}

#[test]
fn a_property_is_made_once_and_comes_back_from_the_archive() {
    let desk = Desk::new();
    let response = desk.send("POST", CONTACTS, &property("own_id"));
    assert_eq!(response.status, 201);
    assert_eq!(response.header("Location"), Some("https://api.hubapi.com/crm/properties/2026-09/contacts/own_id"));
    assert_eq!(response.json()["hasUniqueValue"], true);
    assert_eq!(
        desk.post(CONTACTS, &property("own_id")),
        (
            409,
            json!({
                "status": "error", "message": "A property named 'own_id' already exists.",
                "category": "OBJECT_ALREADY_EXISTS", "subCategory": "Properties.PROPERTY_WITH_NAME_EXISTS",
            })
        )
    );
    let id = desk.make("contacts", &[("email", "a@x.com"), ("own_id", "A1")]);
    assert_eq!(desk.call("DELETE", &format!("{CONTACTS}/own_id"), &Value::Null).0, 204);
    assert_eq!(desk.get(&format!("{CONTACTS}/own_id")).0, 404);
    assert_eq!(desk.post(CONTACTS, &property("own_id")).0, 201);
    assert_eq!(desk.0.user().record("contacts", &id).unwrap().get("own_id"), "A1");
    assert_eq!(desk.post(CONTACTS, &property("Bad Name")).0, 400);
}

#[test]
fn a_token_without_the_scope_may_not_make_any() {
    let desk = Desk::with(|builder| builder.allow_property_creation(false));
    let (status, body) = desk.post(CONTACTS, &property("own_id"));
    assert_eq!((status, &body["category"]), (403, &json!("MISSING_SCOPES")));
    assert_eq!(body["errors"][0]["context"]["requiredGranularScopes"], json!(["crm.schemas.contacts.write"]));
    assert_eq!(body["links"], json!({"scopes": "https://developers.hubspot.com/scopes"}));
    assert_eq!(desk.get(CONTACTS).0, 200);
}

#[test]
fn groups_hold_their_properties() {
    let desk = Desk::new();
    let group = json!({"name": "abmatic", "label": "Abmatic"});
    assert_eq!(desk.post(&format!("{CONTACTS}/groups"), &group).0, 201);
    assert_eq!(desk.post(&format!("{CONTACTS}/groups"), &group).0, 409);
    let (status, body) = desk.call("DELETE", &format!("{CONTACTS}/groups/contactinformation"), &Value::Null);
    assert_eq!((status, &body["subCategory"]), (400, &json!("PropertyGroupError.GROUP_WITH_ACTIVE_PROPERTIES")));
    assert_eq!(desk.call("DELETE", &format!("{CONTACTS}/groups/abmatic"), &Value::Null).0, 204);
    let (status, body) =
        desk.post(&format!("{CONTACTS}/batch/read"), &json!({"inputs": [{"name": "email"}, {"name": "x"}]}));
    assert_eq!((status, body["results"].as_array().unwrap().len()), (207, 1));
}
