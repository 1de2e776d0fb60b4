//! Single records: create, read, change, archive, merge, erase.

use serde_json::{Value, json};

use crate::desk::{Desk, NOW_MS};

const CONTACTS: &str = "/crm/objects/2026-09/contacts";

#[test]
fn a_create_answers_201_with_location_and_every_stored_property() {
    let desk = Desk::new();
    let body = json!({"properties": {"email": "Ann@Example.COM", "firstname": "Ann"}});
    let response = desk.send("POST", CONTACTS, &body);
    assert_eq!(response.status, 201);
    assert_eq!(response.header("Location"), Some("https://api.hubapi.com/crm/objects/2026-09/contacts/101"));
    assert_eq!(response.header("content-type"), Some("application/json;charset=utf-8"));
    assert!(response.header("X-HubSpot-Correlation-Id").is_some());
    assert!(response.header("X-HubSpot-RateLimit-Remaining").is_some());
    let record = response.json();
    let properties = &record["properties"];
    assert_eq!(record["id"], "101");
    assert_eq!(record["archived"], false);
    for (name, value) in [
        ("email", "ann@example.com"),
        ("hs_object_id", "101"),
        ("hs_all_contact_vids", "101"),
        ("hs_email_domain", "example.com"),
        ("hs_full_name_or_email", "Ann"),
        ("lifecyclestage", "lead"),
        ("num_notes", "0"),
        ("createdate", "2026-11-24T16:00:00.000Z"),
    ] {
        assert_eq!(properties[name], value, "{name}");
    }
    assert!(properties.get("phone").is_none(), "a create shows what is stored, no nulls");
}

#[test]
fn a_read_shows_nulls_for_what_is_unset_and_nothing_for_what_is_unknown() {
    let desk = Desk::new();
    let id = desk.make("contacts", &[("email", "a@x.com")]);
    for path in [
        format!("{CONTACTS}/{id}?properties=jobtitle,nonsense"),
        format!("/crm/v3/objects/0-1/{id}?properties=jobtitle&properties=nonsense"),
    ] {
        let (status, record) = desk.get(&path);
        assert_eq!(status, 200);
        let names: Vec<&String> = record["properties"].as_object().unwrap().keys().collect();
        assert_eq!(names, ["createdate", "hs_object_id", "jobtitle", "lastmodifieddate"]);
        assert_eq!(record["properties"]["jobtitle"], Value::Null);
    }
}

#[test]
fn reads_that_find_nothing_say_so_in_hubspots_words() {
    let desk = Desk::new();
    assert_eq!(
        desk.get(&format!("{CONTACTS}/999")),
        (404, json!({"status": "error", "message": "resource not found"}))
    );
    let not_numeric = json!({
        "status": "error", "message": "Object not found.  objectId are usually numeric.",
        "context": {"id": ["abc"]}, "category": "OBJECT_NOT_FOUND",
    });
    assert_eq!(desk.get(&format!("{CONTACTS}/abc")), (404, not_numeric));
    let unknown = json!({"status": "error", "message": "Unable to infer object type from: butterflies"});
    assert_eq!(desk.get("/crm/v3/objects/butterflies"), (400, unknown));
    let (status, body) = desk.get("/crm/v3/nowhere");
    assert_eq!((status, &body["status"]), (404, &json!("error")));
}

#[test]
fn an_unknown_property_is_told_in_message_and_errors() {
    let desk = Desk::with(|builder| builder.portal_id(1_234_567));
    let (status, body) = desk.post(CONTACTS, &json!({"properties": {"email": "a@x.com", "testproperty": "1"}}));
    assert_eq!(status, 400);
    let message = "Property values were not valid: [{\"isValid\":false,\"message\":\"Property \\\"testproperty\\\" does \
                   not exist\",\"error\":\"PROPERTY_DOESNT_EXIST\",\"name\":\"testproperty\",\"localizedErrorMessage\":\
                   \"Property \\\"testproperty\\\" does not exist\",\"portalId\":1234567}]";
    let expected = json!({
        "status": "error", "message": message, "category": "VALIDATION_ERROR",
        "errors": [{"message": "Property \"testproperty\" does not exist", "code": "PROPERTY_DOESNT_EXIST",
                    "context": {"propertyName": ["testproperty"]}}],
    });
    assert_eq!(body, expected);
}

#[test]
fn every_kind_of_wrong_value_has_its_code() {
    let desk = Desk::new();
    for (object, property, value, code) in [
        ("contacts", "email", "foo", "INVALID_EMAIL"),
        ("contacts", "lifecyclestage", "Lead", "INVALID_OPTION"),
        ("contacts", "num_notes", "3", "READ_ONLY_VALUE"),
        ("contacts", "hs_additional_emails", "a@b.c", "READ_ONLY_VALUE"),
        ("contacts", "closedate", "soon", "INVALID_LONG"),
        ("companies", "numberofemployees", "many", "INVALID_INTEGER"),
        ("companies", "hubspot_owner_id", "1", "INVALID_OWNER_ID"),
        ("deals", "dealstage", "nowhere", "INVALID_OPTION"),
    ] {
        let body = json!({"properties": {property: value}});
        let (status, answer) = desk.post(&format!("/crm/v3/objects/{object}"), &body);
        assert_eq!((status, &answer["errors"][0]["code"]), (400, &json!(code)), "{property}={value}");
    }
    let (_, answer) = desk.post(CONTACTS, &json!({"properties": {"email": "foo"}}));
    assert_eq!(answer["errors"][0]["message"], "Email address foo is invalid");
    let (_, answer) = desk.post(CONTACTS, &json!({"properties": {"num_notes": "3"}}));
    assert_eq!(answer["errors"][0]["message"], "\"num_notes\" is a calculated property; its value cannot be set.");
}

#[test]
fn emails_are_unique_whatever_their_case_and_domains_are_not() {
    let desk = Desk::new();
    desk.make("contacts", &[("email", "a@x.com")]);
    let conflict =
        json!({"status": "error", "message": "Contact already exists. Existing ID: 101", "category": "CONFLICT"});
    assert_eq!(desk.post(CONTACTS, &json!({"properties": {"email": "A@X.com"}})), (409, conflict.clone()));
    let other = desk.make("contacts", &[("email", "b@x.com")]);
    let (status, body) =
        desk.call("PATCH", &format!("{CONTACTS}/{other}"), &json!({"properties": {"email": "a@x.com"}}));
    assert_eq!((status, body), (409, conflict));
    for _ in 0..2 {
        let body = json!({"properties": {"domain": "https://www.Acme.com/about"}});
        let (status, company) = desk.post("/crm/v3/objects/companies", &body);
        assert_eq!((status, &company["properties"]["domain"]), (201, &json!("acme.com")));
    }
}

#[test]
fn what_is_required_on_create_is_named() {
    let desk = Desk::new();
    let (status, body) = desk.post("/crm/v3/objects/deals", &json!({"properties": {"amount": "1"}}));
    assert_eq!((status, &body["context"]), (400, &json!({"properties": ["dealname", "dealstage"]})));
    let (status, _) = desk.post("/crm/v3/objects/contacts", &json!({"properties": {"phone": "1"}}));
    assert_eq!(status, 400);
}

#[test]
fn admin_rules_hold_from_2026_09_on() {
    let desk = Desk::with(|builder| {
        builder.require_on_create("contacts", "firstname").require_with("contacts", "country", "state")
    });
    let body = json!({"properties": {"email": "a@x.com"}});
    let expected = json!({
        "status": "error", "category": "VALIDATION_ERROR", "message": "The property values provided are invalid",
        "errors": [{"code": "MISSING_REQUIRED_PROPERTY", "message": "A value for firstname must be provided",
                    "context": {"propertyName": ["firstname"]}}],
    });
    assert_eq!(desk.post(CONTACTS, &body), (400, expected));
    assert_eq!(desk.post("/crm/objects/2026-03/contacts", &body).0, 201);
    let (status, answer) = desk.call("PATCH", &format!("{CONTACTS}/101"), &json!({"properties": {"country": "US"}}));
    let expected = json!({"category": "VALIDATION_ERROR", "errors": [{
        "code": "MISSING_CONDITIONAL_REQUIRED_PROPERTY",
        "message": "state is required because of a conditional property rule based on [country]",
        "context": {"propertyName": ["state"]}}]});
    assert_eq!((status, answer), (400, expected));
    assert_eq!(desk.call("PATCH", "/crm/v3/objects/contacts/101", &json!({"properties": {"country": "US"}})).0, 200);
}

#[test]
fn from_2026_09_on_an_odd_date_is_repaired_with_a_warning() {
    let desk = Desk::new();
    let property = json!({"name": "birth", "label": "Birth", "type": "date", "fieldType": "date", "groupName": "contactinformation"});
    assert_eq!(desk.post("/crm/v3/properties/contacts", &property).0, 201);
    let body = json!({"properties": {"email": "a@x.com", "birth": "1990-01-01T00:00:00Z"}});
    assert_eq!(desk.post("/crm/v3/objects/contacts", &body).1["errors"][0]["code"], "INVALID_DATE");
    let (status, record) = desk.post(CONTACTS, &body);
    assert_eq!((status, &record["properties"]["birth"]), (201, &json!("1990-01-01")));
    assert_eq!(record["warnings"][0]["category"], "PROPERTY_VALUE_NORMALIZED");
    assert_eq!(record["warnings"][0]["context"]["rawValue"], "1990-01-01T00:00:00Z");
}

#[test]
fn an_update_clears_bumps_the_modified_date_and_keeps_history() {
    let desk = Desk::new();
    let id = desk.make("contacts", &[("email", "a@x.com"), ("phone", "1"), ("lifecyclestage", "customer")]);
    desk.0.advance_ms(60_000);
    let path = "/crm/v3/objects/contacts/a@x.com?idProperty=email";
    let body = json!({"properties": {"phone": "", "lifecyclestage": "lead"}});
    let (status, record) = desk.call("PATCH", path, &body);
    assert_eq!(status, 200);
    assert_eq!(record["properties"]["phone"], Value::Null);
    assert_eq!(record["properties"]["lifecyclestage"], "customer", "stages move forward only");
    assert_eq!(record["updatedAt"], "2026-11-24T16:01:00.000Z");
    desk.0.user().update("contacts", &id, &[("phone", "2")]).unwrap();
    let (_, record) = desk.get(&format!("{CONTACTS}/{id}?propertiesWithHistory=phone"));
    let history = record["propertiesWithHistory"]["phone"].as_array().unwrap();
    let values: Vec<&str> = history.iter().map(|entry| entry["value"].as_str().unwrap()).collect();
    assert_eq!(values, ["2", "", "1"]);
    assert_eq!(history[0]["sourceType"], "CRM_UI");
}

#[test]
fn the_archive_is_a_bin_of_its_own_and_frees_the_email() {
    let desk = Desk::new();
    let id = desk.make("contacts", &[("email", "a@x.com")]);
    let response = desk.send("DELETE", &format!("{CONTACTS}/{id}"), &Value::Null);
    assert_eq!((response.status, response.body.len()), (204, 0));
    assert_eq!(desk.send("DELETE", &format!("{CONTACTS}/{id}"), &Value::Null).status, 204);
    assert_eq!(desk.get(&format!("{CONTACTS}/{id}")).0, 404);
    let (status, record) = desk.get(&format!("{CONTACTS}/{id}?archived=true"));
    assert_eq!(
        (status, &record["archived"], &record["archivedAt"]),
        (200, &json!(true), &json!("2026-11-24T16:00:00.000Z"))
    );
    assert_eq!(desk.get(&format!("{CONTACTS}?archived=True")).1["results"][0]["id"], json!(id), "Python writes True");
    desk.make("contacts", &[("email", "a@x.com")]);
    assert!(!desk.0.user().restore("contacts", &id), "its e-mail has gone to another contact");
}

#[test]
fn a_list_pages_to_an_end_without_paging() {
    let desk = Desk::with(|builder| builder.seed_records(250));
    let (mut after, mut seen) = (String::new(), Vec::new());
    loop {
        let (status, page) = desk.get(&format!("{CONTACTS}?limit=100&properties=email&associations=companies{after}"));
        assert_eq!(status, 200);
        seen.extend(
            page["results"]
                .as_array()
                .unwrap()
                .iter()
                .map(|record| record["id"].as_str().unwrap().parse::<u64>().unwrap()),
        );
        match page.get("paging") {
            Some(paging) => after = format!("&after={}", paging["next"]["after"].as_str().unwrap()),
            None => break,
        }
    }
    assert_eq!(seen.len(), 250);
    assert!(seen.is_sorted());
    assert_eq!(desk.get(&format!("{CONTACTS}?limit=101")).0, 400);
    assert_eq!(desk.get(CONTACTS).1["results"].as_array().unwrap().len(), 10);
}

#[test]
fn a_merge_makes_a_third_record_that_both_ids_stand_for() {
    let desk = Desk::new();
    let one = desk.make("contacts", &[("email", "a@x.com"), ("firstname", "Ann")]);
    let two = desk.make("contacts", &[("email", "b@x.com"), ("phone", "7")]);
    let company = desk.make("companies", &[("name", "X")]);
    assert!(desk.0.user().associate(("contacts", &two), ("companies", &company)));
    desk.0.advance_ms(1000);
    let (status, merged) =
        desk.post(&format!("{CONTACTS}/merge"), &json!({"primaryObjectId": one, "objectIdToMerge": two}));
    assert_eq!(status, 200);
    let new = merged["id"].as_str().unwrap();
    assert!(new != one && new != two);
    for old in [&one, &two] {
        let names = "hs_merged_object_ids,hs_additional_emails,phone,email,associatedcompanyid";
        let (status, record) = desk.get(&format!("{CONTACTS}/{old}?properties={names}"));
        assert_eq!((status, record["id"].as_str().unwrap()), (200, new));
        let properties = &record["properties"];
        assert_eq!(properties["hs_merged_object_ids"], format!("{one};{two}"));
        assert_eq!(properties["hs_additional_emails"], "b@x.com");
        assert_eq!((&properties["email"], &properties["phone"]), (&json!("a@x.com"), &json!("7")));
        assert_eq!(properties["associatedcompanyid"], json!(company));
        assert_eq!(properties["lastmodifieddate"], "2026-11-24T16:00:01.000Z");
    }
    assert_eq!(desk.get(&format!("{CONTACTS}?archived=true")).1["results"], json!([]), "losers are not in the bin");
    let secondary = desk.post(CONTACTS, &json!({"properties": {"email": "b@x.com"}}));
    assert_eq!(secondary.1["message"], format!("Contact already exists. Existing ID: {new}"));
    assert_eq!(desk.get(&format!("{CONTACTS}/b@x.com?idProperty=email")).1["id"], new);
}

#[test]
fn an_erased_address_is_blocked_when_nobody_has_it() {
    let desk = Desk::new();
    let erase = json!({"objectId": "gone@x.com", "idProperty": "email"});
    assert_eq!(desk.post(&format!("{CONTACTS}/gdpr-delete"), &erase).0, 204);
    let (status, body) = desk.post(CONTACTS, &json!({"properties": {"email": "gone@x.com"}}));
    assert_eq!(status, 400);
    assert!(body["message"].as_str().unwrap().contains("email has been GDPR blacklisted"));
}

#[test]
fn a_fake_of_one_seed_is_always_the_same() {
    let page = || Desk::with(|builder| builder.seed_records(70).rng_seed(9)).get(&format!("{CONTACTS}?limit=100")).1;
    assert_eq!(page(), page());
    let desk = Desk::with(|builder| builder.seed_records(70).rng_seed(10));
    assert_ne!(page(), desk.get(&format!("{CONTACTS}?limit=100")).1);
    assert_eq!((desk.0.user().count("contacts"), desk.0.user().count("companies")), (70, 10));
    assert_eq!(desk.0.now_ms(), NOW_MS);
}
