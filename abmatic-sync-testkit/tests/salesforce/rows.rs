//! Single records: made, read, changed, upserted, deleted, and what is refused.

use abmatic_sync_testkit::fake::salesforce::Field;
use serde_json::{Value, json};

use crate::desk::Desk;

#[test]
fn a_record_is_made_read_changed_and_deleted() {
    let desk = Desk::new();
    let made = desk.send("POST", "/sobjects/account", &json!({"name": "  Acme  ", "Website": "acme.test", "Fax": ""}));
    let id = made.json()["id"].as_str().unwrap().to_owned();
    assert_eq!((made.status, made.json()), (201, json!({"id": id, "success": true, "errors": []})));
    assert_eq!(made.header("Location"), Some(format!("/services/data/v62.0/sobjects/Account/{id}").as_str()));
    assert_eq!((id.len(), &id[..3]), (18, "001"));

    let url = format!("/services/data/v62.0/sobjects/Account/{id}");
    let (_, shown) = desk.get(&format!("/sobjects/Account/{}?fields=Id,Name,Fax,CreatedDate", &id[..15]));
    assert_eq!(
        shown,
        json!({
            "attributes": {"type": "Account", "url": url}, "Id": id, "Name": "Acme", "Fax": null,
            "CreatedDate": "2026-11-24T16:00:00.000+0000",
        })
    );
    desk.0.advance_ms(5_500);
    assert_eq!(desk.patch(&url, &json!({"Website": null, "BillingCity": "Oulu"})), (204, Value::Null));
    let (_, all) = desk.get(&url);
    assert_eq!((&all["Website"], &all["SystemModstamp"]), (&Value::Null, &json!("2026-11-24T16:00:05.000+0000")));
    assert_eq!(all["BillingAddress"]["city"], "Oulu");
    assert_eq!(desk.call("DELETE", &url, &Value::Null).0, 204);
    let gone = json!([{"errorCode": "ENTITY_IS_DELETED", "message": "entity is deleted", "fields": []}]);
    assert_eq!(desk.get(&url), (404, gone));
    assert!(desk.0.user().record("Account", &id).unwrap().deleted);
    desk.0.advance_ms(15 * 86_400_000);
    assert_eq!(desk.get(&url).1[0]["errorCode"], "NOT_FOUND", "fifteen days later it is gone");
}

#[test]
fn what_is_wrong_with_a_record_is_said() {
    let desk = Desk::new();
    let account = desk.make("Account", &json!({"Name": "A"}));
    let refuse = |object: &str, body: Value| desk.post(&format!("/sobjects/{object}"), &body).1[0].clone();
    assert_eq!(
        refuse("Contact", json!({"FirstName": "Ann"})),
        json!({"errorCode": "REQUIRED_FIELD_MISSING", "message": "Required fields are missing: [LastName]", "fields": ["LastName"]})
    );
    assert_eq!(
        refuse("Account", json!({"Name": "A", "Foo": 1})),
        json!({"errorCode": "INVALID_FIELD", "message": "No such column 'Foo' on sobject of type Account"})
    );
    assert_eq!(
        refuse("Account", json!({"Name": "A", "Id": account})),
        json!({"errorCode": "INVALID_FIELD", "message": "The Id field should not be specified in the sobject data."})
    );
    assert_eq!(
        refuse("Contact", json!({"LastName": "x".repeat(81)})),
        json!({
            "errorCode": "STRING_TOO_LONG", "fields": ["LastName"],
            "message": format!("Last Name: data value too large: {} (max length=80)", "x".repeat(81)),
        })
    );
    assert_eq!(
        refuse("Contact", json!({"LastName": "Roe", "Email": "nope"})),
        json!({"errorCode": "INVALID_EMAIL_ADDRESS", "message": "Email: invalid email address: nope", "fields": ["Email"]})
    );
    for (object, body, code) in [
        ("Contact", json!({"LastName": "Roe", "Name": "Ann Roe"}), "INVALID_FIELD_FOR_INSERT_UPDATE"),
        ("Account", json!({"Name": "A", "BillingAddress": "x"}), "INVALID_FIELD_FOR_INSERT_UPDATE"),
        ("Account", json!({"Name": "A", "Tier__c": "Z"}), "INVALID_OR_NULL_FOR_RESTRICTED_PICKLIST"),
        ("Account", json!({"Name": "A", "Renewal_Date__c": "31.12.2026"}), "JSON_PARSER_ERROR"),
        ("Account", json!({"Name": "A", "NumberOfEmployees": 123_456_789}), "NUMBER_OUTSIDE_VALID_RANGE"),
        ("Contact", json!({"LastName": "Roe", "AccountId": "banana"}), "MALFORMED_ID"),
        ("Contact", json!({"LastName": "Roe", "AccountId": "001D000000IqhSLIAZ"}), "INVALID_CROSS_REFERENCE_KEY"),
        ("Contact", json!({"LastName": "Roe", "ReportsToId": account}), "FIELD_INTEGRITY_EXCEPTION"),
        ("Lead", json!({"LastName": "Roe", "Company": " "}), "REQUIRED_FIELD_MISSING"),
        ("User", json!({"LastName": "Roe"}), "CANNOT_INSERT_UPDATE_ACTIVATE_ENTITY"),
    ] {
        assert_eq!(refuse(object, body.clone())["errorCode"], code, "{body}");
    }
    assert_eq!(
        desk.call("PUT", &format!("/sobjects/Account/{account}"), &json!({})).1,
        json!([{
            "errorCode": "METHOD_NOT_ALLOWED", "message": "HTTP Method 'PUT' not allowed. Allowed are HEAD,GET,PATCH,DELETE",
        }])
    );
    let mut broken = desk.request("POST", "/sobjects/Account").with_header("Content-Type", "application/json");
    broken.body = b"{\"Name\": ".to_vec();
    assert_eq!(desk.0.answer(&broken).json()[0]["errorCode"], "JSON_PARSER_ERROR");
}

#[test]
fn ids_are_told_apart() {
    let desk = Desk::new();
    let contact = desk.make("Contact", &json!({"LastName": "Roe"}));
    for (path, status, code) in [
        (format!("/sobjects/Account/{contact}"), 400, "MALFORMED_ID"),
        ("/sobjects/Account/banana".to_owned(), 404, "NOT_FOUND"),
        ("/sobjects/Contact/003D000000IqhSLIAZ".to_owned(), 404, "NOT_FOUND"),
    ] {
        let (found, body) = desk.get(&path);
        assert_eq!((found, &body[0]["errorCode"]), (status, &json!(code)), "{path}");
    }
    assert_eq!(desk.get(&format!("/sobjects/Contact/{}", contact.to_lowercase())).0, 200, "18 characters have no case");
}

#[test]
fn upserts_by_external_id() {
    let desk = Desk::with(|builder| builder.field("Account", Field::text("Loose__c", 20).external_id()));
    let path = "/sobjects/Account/Abmatic_Id__c/h-42";
    let made = desk.send("PATCH", path, &json!({"Name": "Acme"}));
    let id = made.json()["id"].as_str().unwrap().to_owned();
    assert_eq!((made.status, made.json()), (201, json!({"id": id, "success": true, "errors": [], "created": true})));
    let again = desk.patch("/sobjects/Account/abmatic_id__c/H-42", &json!({"Name": "Acme Oy"}));
    assert_eq!(again, (200, json!({"id": id, "success": true, "errors": [], "created": false})));
    assert_eq!(desk.patch("/services/data/v45.0/sobjects/Account/Abmatic_Id__c/h-42", &json!({})), (204, Value::Null));
    assert_eq!(desk.get(path).1["Name"], "Acme Oy");
    assert_eq!(
        desk.patch(path, &json!({"Name": "A", "Abmatic_Id__c": "h-42"})).1[0]["message"],
        "The Abmatic_Id__c field should not be specified in the sobject data."
    );
    assert_eq!(
        desk.patch("/sobjects/Account/Industry/x", &json!({"Name": "A"})).1,
        json!([{
            "errorCode": "NOT_FOUND", "message": "Provided external ID field does not exist or is not accessible: Industry",
        }])
    );
    let twice = desk.post("/sobjects/Account", &json!({"Name": "B", "Abmatic_Id__c": "H-42"}));
    let message = format!("duplicate value found: Abmatic_Id__c duplicates value on record with id: {}", &id[..15]);
    assert_eq!(twice, (400, json!([{"errorCode": "DUPLICATE_VALUE", "message": message, "fields": []}])));
    for name in ["C", "D"] {
        desk.make("Account", &json!({"Name": name, "Loose__c": "same"}));
    }
    let (status, several) = desk.patch("/sobjects/Account/Loose__c/same", &json!({"Name": "E"}));
    assert_eq!((status, several.as_array().unwrap().len()), (300, 2));
    assert!(several[0].as_str().unwrap().starts_with("/services/data/v62.0/sobjects/Account/001"));
    let child = json!({"LastName": "Roe", "Account": {"Abmatic_Id__c": "h-42"}});
    let contact = desk.make("Contact", &child);
    assert_eq!(desk.0.user().record("Contact", &contact).unwrap().get("AccountId"), id);
    let orphan = json!({"LastName": "Roe", "Account": {"Abmatic_Id__c": "h-43"}});
    assert_eq!(
        desk.post("/sobjects/Contact", &orphan).1[0]["message"],
        "Foreign key external ID: h-43 not found for field Abmatic_Id__c in entity Account"
    );
    assert_eq!(desk.patch("/sobjects/Account/Abmatic_Id__c/new?updateOnly=true", &json!({"Name": "F"})).0, 404);
}

#[test]
fn conditions_guard_single_rows() {
    let desk = Desk::new();
    let id = desk.make("Contact", &json!({"LastName": "Roe"}));
    let path = format!("/sobjects/Contact/{id}");
    let with = |method: &str, name: &str, value: &str| {
        let request = desk.request(method, &path).with_header(name, value);
        desk.0.answer(&if method == "PATCH" { request.json(&json!({"Title": "CEO"})) } else { request }).status
    };
    assert_eq!(with("PATCH", "If-Unmodified-Since", "Tue, 24 Nov 2026 15:59:59 GMT"), 412);
    assert_eq!(with("PATCH", "If-Unmodified-Since", "Tue, 24 Nov 2026 16:00:00 GMT"), 204);
    assert_eq!(with("GET", "If-Modified-Since", "Tue, 24 Nov 2026 16:00:00 GMT"), 304);
    assert_eq!(with("GET", "If-Modified-Since", "Tue, 24 Nov 2026 15:00:00 GMT"), 200);
    assert_eq!(with("PATCH", "If-Unmodified-Since", "yesterday"), 400);
    let account = desk.make("Account", &json!({"Name": "A"}));
    let read = desk.send("GET", &format!("/sobjects/Account/{account}"), &Value::Null);
    let tag = read.header("ETag").unwrap().to_owned();
    let none_match = desk.request("GET", &format!("/sobjects/Account/{account}")).with_header("If-None-Match", &tag);
    assert_eq!(desk.0.answer(&none_match).status, 304);
}

#[test]
fn duplicate_rules_and_assignment_rules_can_be_switched() {
    let desk = Desk::with(|builder| {
        builder.duplicate_rule("Contact", &["Email"], true).assignment_rule("Lead", "ada.okafor@acme.test")
    });
    let first = desk.make("Contact", &json!({"LastName": "Roe", "Email": "ann@x.com"}));
    let again = json!({"LastName": "Rowe", "Email": "ANN@x.com"});
    let (status, body) = desk.post("/sobjects/Contact", &again);
    assert_eq!((status, &body[0]["errorCode"]), (400, &json!("DUPLICATES_DETECTED")));
    let matched = &body[0]["duplicateResult"]["matchResults"][0]["matchRecords"][0]["record"]["Id"];
    assert_eq!((matched, &body[0]["message"]), (&json!(first), &json!("Use one of these records?")));
    let (_, old) = desk.post("/services/data/v54.0/sobjects/Contact", &again);
    assert_eq!(old[0]["duplicateResut"]["allowSave"], true, "the platform's spelling of old");
    let (_, items) = desk.post(
        "/composite/sobjects",
        &json!({"records": [
            {"attributes": {"type": "Contact"}, "LastName": "Rowe", "Email": "ann@x.com"},
        ]}),
    );
    assert_eq!(
        items,
        json!([{"success": false, "errors": [
            {"statusCode": "DUPLICATES_DETECTED", "message": "Use one of these records?", "fields": []},
        ]}])
    );
    let insist =
        desk.request("POST", "/sobjects/Contact").with_header("Sforce-Duplicate-Rule-Header", "allowSave=true");
    assert_eq!(desk.0.answer(&insist.json(&again)).status, 201);

    let lead = json!({"LastName": "Doe", "Company": "X"});
    let owner =
        |id: &str| desk.column(&format!("SELECT Owner.Name FROM Lead WHERE Id = '{id}'"), "Owner")[0]["Name"].clone();
    assert_eq!(owner(&desk.make("Lead", &lead)), "Ada Okafor");
    let own = desk.request("POST", "/sobjects/Lead").with_header("Sforce-Auto-Assign", "FALSE").json(&lead);
    assert_eq!(owner(desk.0.answer(&own).json()["id"].as_str().unwrap()), "Integration");
}

#[test]
fn stages_and_statuses_say_more_than_their_names() {
    let desk = Desk::new();
    let deal = json!({"Name": "D", "StageName": "Closed Won", "CloseDate": "2026-12-31", "Amount": 100});
    let id = desk.make("Opportunity", &deal);
    let path = format!("/sobjects/Opportunity/{id}");
    let (_, won) = desk.get(&path);
    assert_eq!(
        (&won["IsWon"], &won["Probability"], &won["ExpectedRevenue"]),
        (&json!(true), &json!(100.0), &json!(100.0))
    );
    desk.patch(&path, &json!({"StageName": "Prospecting", "Probability": 15}));
    let (_, open) = desk.get(&path);
    assert_eq!(
        (&open["IsClosed"], &open["Probability"], &open["Amount"]),
        (&json!(false), &json!(15.0), &json!(100.0))
    );
    let user = desk.column("SELECT Id FROM User WHERE IsActive = FALSE", "Id")[0].clone();
    assert_eq!(desk.patch(&path, &json!({"OwnerId": user})).1[0]["errorCode"], "INACTIVE_OWNER_OR_USER");
}

#[test]
fn verbs_can_travel_in_the_query() {
    let desk = Desk::new();
    let id = desk.make("Contact", &json!({"LastName": "Roe"}));
    let path = format!("/sobjects/Contact/{id}?_HttpMethod=PATCH");
    assert_eq!(desk.post(&path, &json!({"Title": "CEO"})).0, 204);
    assert_eq!(desk.0.user().record("Contact", &id).unwrap().get("Title"), "CEO");
    let form = desk.request("POST", "/sobjects/Contact").form(&[("LastName", "Roe")]);
    assert_eq!(desk.0.answer(&form).status, 415);
}

#[test]
fn one_role_of_an_opportunity_is_primary() {
    let desk = Desk::new();
    let [ann, bob] = ["Ann", "Bob"].map(|name| desk.make("Contact", &json!({"LastName": name})));
    let deal = json!({"Name": "D", "StageName": "Prospecting", "CloseDate": "2026-12-31", "ContactId": ann});
    let deal = desk.make("Opportunity", &deal);
    let primary = "SELECT ContactId FROM OpportunityContactRole WHERE IsPrimary = TRUE";
    assert_eq!(desk.column(primary, "ContactId"), [ann]);
    desk.make("OpportunityContactRole", &json!({"OpportunityId": deal, "ContactId": bob, "IsPrimary": true}));
    assert_eq!(desk.column(primary, "ContactId"), [bob.as_str()]);
    let later = desk.patch(&format!("/sobjects/Opportunity/{deal}"), &json!({"ContactId": bob}));
    assert_eq!(later.1[0]["errorCode"], "INVALID_FIELD_FOR_INSERT_UPDATE", "only when it is made");
}

#[test]
fn field_level_security_refuses_writes() {
    let desk = Desk::with(|builder| builder.read_only_field("Account", "Phone"));
    let (_, refused) = desk.post("/sobjects/Account", &json!({"Name": "A", "Phone": "1"}));
    assert_eq!(
        refused,
        json!([{
            "errorCode": "INVALID_FIELD_FOR_INSERT_UPDATE", "fields": ["Phone"],
            "message": "Unable to create/update fields: Phone. Please check the security settings of this field and verify \
                that it is read/write for your profile or permission set.",
        }])
    );
}
