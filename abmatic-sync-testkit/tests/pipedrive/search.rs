//! Searches by term.

use abmatic_sync_testkit::fake::pipedrive::Field;
use serde_json::{Value, json};

use crate::desk::Desk;

fn found(desk: &Desk, target: &str) -> Vec<u64> {
    let (status, body) = desk.get(target);
    assert_eq!(status, 200, "{body}");
    body["data"]["items"].as_array().unwrap().iter().map(|one| one["item"]["id"].as_u64().unwrap()).collect()
}

#[test]
fn people_are_found_by_an_exact_address_whatever_its_case() {
    let desk = Desk::new();
    let org = desk.make("organizations", &json!({"name": "Acme Oy"}));
    let jane = json!({
        "name": "Jane Roe", "org_id": org, "emails": [{"value": "Jane@acme.test"}], "phones": [{"value": "+358 40"}],
    });
    desk.make("persons", &jane);
    desk.make("persons", &json!({"name": "Jane Roe jr", "emails": [{"value": "jane@acme.test.fi"}]}));
    assert_eq!(found(&desk, "/persons/search?term=jane%40ACME.test&fields=email&exact_match=true"), [1]);
    assert_eq!(found(&desk, "/persons/search?term=jane%40acme.test&fields=email"), [1, 2], "else a part is enough");
    assert_eq!(found(&desk, "/persons/search?term=jane%20roe&fields=phone"), Vec::<u64>::new());
    assert_eq!(found(&desk, "/persons/search?term=358&organization_id=1"), [1]);
    let (_, body) = desk.get("/persons/search?term=jane%40acme.test&fields=email&exact_match=true");
    assert_eq!(
        body,
        json!({"success": true, "data": {"items": [{"result_score": 0.5, "item": {
            "id": 1, "type": "person", "name": "Jane Roe", "phones": ["+358 40"], "emails": ["Jane@acme.test"],
            "visible_to": 3, "owner": {"id": 11}, "organization": {"id": 1, "name": "Acme Oy", "address": null},
            "custom_fields": [], "notes": [],
        }}]}, "additional_data": {"next_cursor": null}})
    );
}

#[test]
fn terms_have_a_length_and_fields_are_known() {
    let desk = Desk::new();
    assert!(desk.objection("GET", "/persons/search?term=a", &Value::Null).contains("at least 2"));
    assert!(desk.objection("GET", "/persons/search", &Value::Null).contains("at least 2"));
    assert_eq!(desk.get("/persons/search?term=a&exact_match=true").0, 200);
    assert!(desk.objection("GET", "/organizations/search?term=abc&fields=website", &Value::Null).contains("fields"));
}

#[test]
fn searches_lag_and_come_in_pages() {
    let desk = Desk::with(|builder| builder.search_lag_seconds(3));
    for number in 0..5 {
        desk.make("organizations", &json!({"name": format!("Acme {number}")}));
    }
    assert_eq!(found(&desk, "/organizations/search?term=acme"), Vec::<u64>::new());
    desk.0.advance_ms(3000);
    let (_, page) = desk.get("/organizations/search?term=acme&limit=3");
    let cursor = page["additional_data"]["next_cursor"].as_str().unwrap();
    assert_eq!(found(&desk, &format!("/organizations/search?term=acme&limit=3&cursor={cursor}")), [4, 5]);
    assert_eq!(found(&desk, "/itemSearch?term=acme&item_types=person,organization"), [1, 2, 3, 4, 5]);
}

#[test]
fn custom_texts_can_be_searched() {
    let desk = Desk::with(|builder| builder.field("deals", Field::new("Abmatic ID", "varchar")));
    let code = desk.0.user().field_code("deals", "Abmatic ID").unwrap();
    let id = desk.make("deals", &json!({"title": "D", "custom_fields": {code: "local-42"}}));
    assert_eq!(found(&desk, "/deals/search?term=LOCAL-42&fields=custom_fields&exact_match=true"), [id]);
}
