//! Saved filters: made, read, applied, deleted, and what they cannot say.

use serde_json::{Value, json};

use crate::desk::Desk;

/// The number of a field in version 1.
fn number(desk: &Desk, object: &str, key: &str) -> String {
    let (_, fields) = desk.get(&format!("/api/v1/{object}Fields?limit=500"));
    let found = fields["data"].as_array().unwrap().iter().find(|field| field["key"] == key).cloned();
    found.unwrap()["id"].to_string()
}

fn body(kind: &str, all: &[Value], any: &[Value]) -> Value {
    let groups = json!([{"glue": "and", "conditions": all}, {"glue": "or", "conditions": any}]);
    json!({"name": "test", "type": kind, "conditions": {"glue": "and", "conditions": groups}})
}

fn condition(object: &str, number: &str, operator: &str, value: &Value) -> Value {
    json!({"object": object, "field_id": number, "operator": operator, "value": value, "extra_value": null})
}

fn some_organizations() -> Desk {
    let desk = Desk::new();
    for (name, website, employees) in [("Acme", "https://www.acme.test", 10), ("Globex", "globex.test", 200)] {
        desk.make("organizations", &json!({"name": name, "website": website, "employee_count": employees}));
    }
    desk.make("organizations", &json!({"name": "Nameless & Co"}));
    desk
}

/// The ids that a filter of these conditions finds.
fn found(desk: &Desk, list: &str, filter: &Value) -> Vec<u64> {
    let (status, made) = desk.post("/api/v1/filters", filter);
    assert_eq!(status, 200, "{made}");
    desk.ids(&format!("/{list}?filter_id={}", made["data"]["id"])).0
}

#[test]
fn all_of_one_group_and_any_of_the_other() {
    let desk = some_organizations();
    let (name, website) = (number(&desk, "organization", "name"), number(&desk, "organization", "website"));
    let employees = number(&desk, "organization", "employee_count");
    let org = |number: &str, operator: &str, value: Value| condition("organization", number, operator, &value);
    for (all, any, expected) in [
        (vec![org(&name, "=", json!("ACME"))], vec![], vec![1]),
        (vec![org(&name, "!=", json!("acme"))], vec![], vec![2, 3]),
        (vec![org(&website, "IS NULL", Value::Null)], vec![], vec![3]),
        (vec![org(&website, "LIKE '%$%'", json!("acme.test"))], vec![], vec![1]),
        (vec![org(&name, "LIKE '$%'", json!("glo"))], vec![], vec![2]),
        (vec![org(&name, "NOT LIKE '$%'", json!("glo"))], vec![], vec![1, 3]),
        (vec![org(&employees, ">=", json!("10"))], vec![], vec![1, 2]),
        (vec![org(&employees, ">", json!("10"))], vec![], vec![2]),
        (vec![], vec![org(&name, "=", json!("acme")), org(&name, "=", json!("globex"))], vec![1, 2]),
        (vec![org(&employees, ">", json!("10"))], vec![org(&name, "=", json!("acme"))], vec![]),
        (vec![], vec![], vec![1, 2, 3]),
    ] {
        assert_eq!(found(&desk, "organizations", &body("org", &all, &any)), expected, "{all:?} {any:?}");
    }
}

#[test]
fn people_are_found_by_any_address_and_by_their_organization() {
    let desk = some_organizations();
    let emails = json!([{"value": "a@x.test"}, {"value": "b@x.test"}]);
    desk.make("persons", &json!({"name": "Jane Roe", "org_id": 2, "emails": emails}));
    desk.make("persons", &json!({"name": "John Doe"}));
    let email = number(&desk, "person", "email");
    let by_email = body("people", &[], &[condition("person", &email, "=", &json!("B@x.test"))]);
    assert_eq!(found(&desk, "persons", &by_email), [1]);
    let name = number(&desk, "organization", "name");
    let by_organization = body("people", &[condition("organization", &name, "=", &json!("globex"))], &[]);
    assert_eq!(found(&desk, "persons", &by_organization), [1]);
    let added = number(&desk, "person", "add_time");
    assert_eq!(
        found(&desk, "persons", &body("people", &[condition("person", &added, "=", &json!("today"))], &[])),
        [1, 2]
    );
    let since = body("people", &[condition("person", &added, ">=", &json!("3_weeks_ago"))], &[]);
    desk.0.advance_ms(22 * 86_400_000);
    assert_eq!(found(&desk, "persons", &since), Vec::<u64>::new());
}

#[test]
fn a_filter_is_shown_changed_and_deleted() {
    let desk = some_organizations();
    let name = number(&desk, "organization", "name");
    let filter = body("org", &[condition("organization", &name, "=", &json!("acme"))], &[]);
    let (_, made) = desk.post("/api/v1/filters?include_field_code=true", &filter);
    let id = made["data"]["id"].as_u64().unwrap();
    assert_eq!(
        made["data"],
        json!({
            "id": id, "name": "test", "filter_code": null, "is_editable": true, "active_flag": true, "type": "org",
            "temporary_flag": false, "user_id": 11, "add_time": "2026-11-24 16:00:00",
            "update_time": "2026-11-24 16:00:00", "visible_to": "1", "last_used_time": null, "custom_view_id": null,
            "conditions": {"glue": "and", "conditions": [
                {"glue": "and", "conditions": [{
                    "object": "organization", "field_id": name, "operator": "=", "value": "acme", "extra_value": null,
                    "json_value_flag": false, "field_code": "name",
                }]},
                {"glue": "or", "conditions": []},
            ]},
        })
    );
    let (_, listed) = desk.get("/api/v1/filters?type=org");
    assert_eq!((listed["data"].as_array().unwrap().len(), listed["data"][0].get("conditions")), (1, None));
    assert_eq!(desk.get("/api/v1/filters?type=people").1["data"], json!([]));
    let (_, renamed) =
        desk.call("PUT", &format!("/v1/filters/{id}").replace("/v1", "/api/v1"), &json!({"name": "New"}));
    assert_eq!(renamed["data"]["name"], "New");
    assert_eq!(
        desk.ids(&format!("/organizations?filter_id={id}&ids=2&owner_id=12")).0,
        [1],
        "a filter makes others be ignored"
    );
    assert_eq!(desk.call("DELETE", &format!("/api/v1/filters/{id}"), &Value::Null).1["data"], json!({"id": id}));
    assert_eq!(desk.get(&format!("/organizations?filter_id={id}")).0, 404);
    let other = desk.post("/api/v1/filters", &filter).1["data"]["id"].as_u64().unwrap();
    let (_, gone) = desk.call("DELETE", &format!("/api/v1/filters?ids={other},{id}"), &Value::Null);
    assert_eq!(gone["data"]["id"], json!([other]));
}

#[test]
fn what_a_filter_cannot_say_is_refused() {
    let desk = some_organizations();
    let name = number(&desk, "organization", "name");
    let one = condition("organization", &name, "=", &json!("a"));
    let refused = |filter: &Value| desk.post("/api/v1/filters", filter).0;
    assert_eq!(refused(&body("org", &vec![one.clone(); 16], &[])), 200);
    assert_eq!(refused(&body("org", &vec![one.clone(); 9], &vec![one.clone(); 8])), 400, "seventeen conditions");
    assert_eq!(refused(&body("organization", std::slice::from_ref(&one), &[])), 400, "the type is called org");
    assert_eq!(refused(&body("org", &[condition("org", &name, "=", &json!("a"))], &[])), 400, "the object is not");
    assert_eq!(refused(&body("org", &[condition("organization", "1", "=", &json!("a"))], &[])), 400);
    assert_eq!(refused(&body("org", &[condition("organization", &name, ">", &json!("a"))], &[])), 400);
    assert_eq!(refused(&body("org", &[condition("organization", &name, "=", &Value::Null)], &[])), 400);
    let swapped = json!([{"glue": "or", "conditions": []}, {"glue": "and", "conditions": []}]);
    let swapped = json!({"name": "x", "type": "org", "conditions": {"glue": "and", "conditions": swapped}});
    assert_eq!(refused(&swapped), 400);
}

#[test]
fn deals_are_counted_by_a_summary() {
    let desk = Desk::new();
    for (title, value, currency) in [("A", 10, "EUR"), ("B", 20, "EUR"), ("C", 5, "USD")] {
        desk.make("deals", &json!({"title": title, "value": value, "currency": currency}));
    }
    let (_, summary) = desk.get("/api/v1/deals/summary");
    assert_eq!(
        (&summary["data"]["total_count"], &summary["data"]["values_total"]["EUR"]["count"]),
        (&json!(3), &json!(2))
    );
    let title = number(&desk, "deal", "title");
    let filter = body("deals", &[condition("deal", &title, "!=", &json!("b"))], &[]);
    let id = desk.post("/api/v1/filters", &filter).1["data"]["id"].clone();
    assert_eq!(desk.get(&format!("/api/v1/deals/summary?filter_id={id}")).1["data"]["total_count"], 2);
}
