//! Associations: primary labels, batches with partial success, the contact's company.

use serde_json::{Value, json};

use crate::desk::Desk;

const BATCH: &str = "/crm/associations/2026-09/contacts/companies/batch";

fn pair(desk: &Desk) -> (String, String) {
    (desk.make("contacts", &[("email", "a@x.com")]), desk.make("companies", &[("name", "X")]))
}

#[test]
fn a_default_link_is_primary_from_both_sides() {
    let desk = Desk::new();
    let (contact, company) = pair(&desk);
    let path = format!("/crm/objects/2026-09/contacts/{contact}/associations/default/companies/{company}");
    let (status, body) = desk.call("PUT", &path, &Value::Null);
    assert_eq!((status, &body["status"]), (200, &json!("COMPLETE")));
    let types = json!([
        {"category": "HUBSPOT_DEFINED", "typeId": 1, "label": "Primary"},
        {"category": "HUBSPOT_DEFINED", "typeId": 279, "label": null},
    ]);
    for family in ["/crm/objects/2026-09", "/crm/v4/objects"] {
        let (status, body) = desk.get(&format!("{family}/contacts/{contact}/associations/companies"));
        assert_eq!((status, body), (200, json!({"results": [{"toObjectId": 101, "associationTypes": types}]})));
    }
    let (_, record) =
        desk.get(&format!("/crm/v3/objects/contacts/{contact}?associations=companies&properties=associatedcompanyid"));
    assert_eq!(record["properties"]["associatedcompanyid"], json!(company));
    assert_eq!(
        record["associations"],
        json!({"companies": {"results": [
            {"id": company, "type": "contact_to_company"}, {"id": company, "type": "contact_to_company_unlabeled"},
        ]}})
    );
}

#[test]
fn a_labelled_link_moves_primacy_and_answers_201() {
    let desk = Desk::new();
    let (contact, first) = pair(&desk);
    let second = desk.make("companies", &[("name", "Y")]);
    assert!(desk.0.user().associate(("contacts", &contact), ("companies", &first)));
    let body = json!([{"associationCategory": "HUBSPOT_DEFINED", "associationTypeId": 1}]);
    let path = format!("/crm/v4/objects/contacts/{contact}/associations/companies/{second}");
    let (status, answer) = desk.call("PUT", &path, &body);
    assert_eq!(
        (status, answer),
        (
            201,
            json!({
                "fromObjectTypeId": "0-1", "fromObjectId": 101, "toObjectTypeId": "0-2", "toObjectId": 102, "labels": ["Primary"],
            })
        )
    );
    assert_eq!(desk.0.user().record("contacts", &contact).unwrap().get("associatedcompanyid"), second);
    assert_eq!(desk.call("DELETE", &path, &Value::Null).0, 204);
    assert_eq!(desk.0.user().record("contacts", &contact).unwrap().get("associatedcompanyid"), first);
}

#[test]
fn a_batch_read_is_207_for_those_who_have_none() {
    let desk = Desk::new();
    let (contact, company) = pair(&desk);
    desk.0.user().associate(("contacts", &contact), ("companies", &company));
    let lonely = desk.make("contacts", &[("email", "b@x.com")]);
    let (status, body) = desk.post(&format!("{BATCH}/read"), &json!({"inputs": [{"id": contact}, {"id": lonely}]}));
    assert_eq!((status, body["results"].as_array().unwrap().len()), (207, 1));
    assert_eq!(
        body["errors"],
        json!([{
            "status": "error", "category": "OBJECT_NOT_FOUND", "subCategory": "crm.associations.NO_ASSOCIATIONS_FOUND",
            "message": format!("No company is associated with contact {lonely}."),
            "context": {"fromObjectId": [lonely], "fromObjectType": ["contact"], "toObjectType": ["company"]},
        }])
    );
    let many: Vec<Value> = (0..101).map(|n| json!({"id": n.to_string()})).collect();
    let many = json!({"inputs": many});
    assert_eq!(desk.post("/crm/v3/associations/contacts/companies/batch/read", &many).0, 400);
    assert_eq!(desk.post("/crm/v4/associations/contacts/companies/batch/read", &many).0, 207);
}

#[test]
fn a_batch_create_tells_good_from_bad_and_may_be_repeated() {
    let desk = Desk::new();
    let (contact, company) = pair(&desk);
    let row = |from: &str| {
        json!({"from": {"id": from}, "to": {"id": company},
                                  "types": [{"associationCategory": "HUBSPOT_DEFINED", "associationTypeId": 279}]})
    };
    for _ in 0..2 {
        assert_eq!(desk.post(&format!("{BATCH}/create"), &json!({"inputs": [row(&contact)]})).0, 201);
    }
    let (status, body) = desk.post(&format!("{BATCH}/create"), &json!({"inputs": [row(&contact), row("unknown_id")]}));
    assert_eq!((status, &body["numErrors"]), (207, &json!(1)));
    assert_eq!(body["errors"][0]["subCategory"], "crm.associations.INVALID_IDENTIFIER");
    assert_eq!(body["errors"][0]["message"], "unknown_id is not a valid ID");
    assert_eq!(desk.0.user().associated(("companies", &company), "contacts"), std::slice::from_ref(&contact));
    let unlink = json!({"inputs": [{"from": {"id": contact}, "to": [{"id": company}]}]});
    assert_eq!(desk.post("/crm/v4/associations/contacts/companies/batch/archive", &unlink).0, 204);
    assert_eq!(desk.post(&format!("{BATCH}/archive"), &unlink).0, 200);
    assert!(desk.0.user().associated(("companies", &company), "contacts").is_empty());
}

#[test]
fn inline_associations_are_all_or_nothing() {
    let desk = Desk::new();
    let (contact, company) = pair(&desk);
    let create = |to: &str, type_id: u64| {
        let link = json!({"to": {"id": to}, "types": [{"associationCategory": "HUBSPOT_DEFINED", "associationTypeId": type_id}]});
        let body = json!({"properties": {"dealname": "D", "dealstage": "closedwon"}, "associations": [link]});
        desk.post("/crm/objects/2026-09/deals", &body)
    };
    let (status, deal) = create(&company, 341);
    assert_eq!((status, &deal["properties"]["hs_primary_associated_company"]), (201, &json!(company)));
    assert_eq!(
        (&deal["properties"]["pipeline"], &deal["properties"]["hs_is_closed_won"]),
        (&json!("default"), &json!("true"))
    );
    let (status, body) = create("999", 3);
    assert_eq!((status, &body["message"]), (400, &json!("One or more associations are invalid")));
    assert_eq!(desk.0.user().count("deals"), 1);
    assert_eq!(create(&contact, 3).0, 201);
}

#[test]
fn a_note_shows_on_the_records_that_it_hangs_on() {
    let desk = Desk::new();
    let (contact, _) = pair(&desk);
    desk.0.advance_ms(5000);
    let body = json!({"properties": {"hs_timestamp": "2026-11-24T16:00:00Z", "hs_note_body": "hello", "unknown": "ignored"},
                      "associations": [{"to": {"id": contact}, "types": [{"associationCategory": "HUBSPOT_DEFINED", "associationTypeId": 202}]}]});
    assert_eq!(desk.post("/crm/objects/2026-09/notes", &body).0, 201);
    let record = desk.0.user().record("contacts", &contact).unwrap();
    assert_eq!(record.get("num_notes"), "1");
    assert_eq!(record.get("lastmodifieddate"), "2026-11-24T16:00:05.000Z");
}

#[test]
fn labels_are_listed_on_all_their_paths() {
    let desk = Desk::new();
    let expected = json!({"results": [
        {"category": "HUBSPOT_DEFINED", "typeId": 279, "label": null},
        {"category": "HUBSPOT_DEFINED", "typeId": 1, "label": "Primary"},
    ]});
    for path in ["/crm/associations/2026-09", "/crm/v4/associations", "/crm/associations/v4"] {
        assert_eq!(desk.get(&format!("{path}/contacts/companies/labels")), (200, expected.clone()));
    }
    let label = json!({"name": "buyer", "label": "Buyer", "inverseLabel": "Bought by"});
    let (status, made) = desk.post("/crm/v4/associations/contacts/companies/labels", &label);
    assert_eq!((status, made["results"].as_array().unwrap().len()), (200, 2));
}

#[test]
fn auto_association_makes_the_company_of_an_email() {
    let desk = Desk::with(|builder| builder.auto_association(true));
    for email in ["a@acme.com", "b@acme.com", "c@gmail.com"] {
        assert_eq!(desk.post("/crm/v3/objects/contacts", &json!({"properties": {"email": email}})).0, 201);
    }
    let companies = desk.0.user().records("companies");
    assert_eq!(companies.len(), 1);
    assert_eq!((companies[0].get("domain"), companies[0].get("num_associated_contacts")), ("acme.com", "2"));
}
