//! Search: operators, limits, the lag of the index, the cap.

use serde_json::{Value, json};

use crate::desk::{Desk, ids};

const SEARCH: &str = "/crm/objects/2026-09/companies/search";

fn filter(property: &str, operator: &str, value: Value) -> Value {
    let field = if value.is_array() { "values" } else { "value" };
    json!({"filterGroups": [{"filters": [{"propertyName": property, "operator": operator, field: value}]}]})
}

fn companies(desk: &Desk) {
    for (name, employees, industry, city) in [
        ("Acme Software GmbH", "5", "COMPUTER_SOFTWARE", "Berlin"),
        ("Beta Bank", "1000", "BANKING", ""),
        ("Gamma", "20", "COMPUTER_SOFTWARE", "Paris"),
    ] {
        desk.make(
            "companies",
            &[("name", name), ("numberofemployees", employees), ("industry", industry), ("city", city)],
        );
    }
    desk.0.advance_ms(2000);
}

#[test]
fn operators_compare_by_the_propertys_type() {
    let desk = Desk::new();
    companies(&desk);
    for (property, operator, value, expected) in [
        ("name", "EQ", json!("beta BANK"), vec!["102"]),
        ("name", "CONTAINS_TOKEN", json!("software"), vec!["101"]),
        ("name", "CONTAINS_TOKEN", json!("soft"), vec![]),
        ("name", "NOT_CONTAINS_TOKEN", json!("software"), vec!["102", "103"]),
        ("name", "IN", json!(["gamma"]), vec!["103"]),
        ("name", "IN", json!(["Gamma"]), vec![]),
        ("numberofemployees", "GT", json!("9"), vec!["102", "103"]),
        ("numberofemployees", "LTE", json!("20"), vec!["101", "103"]),
        ("industry", "EQ", json!("BANKING"), vec!["102"]),
        ("industry", "EQ", json!("banking"), vec![]),
        ("city", "NEQ", json!("Paris"), vec!["101"]),
        ("city", "HAS_PROPERTY", Value::Null, vec!["101", "103"]),
        ("city", "NOT_HAS_PROPERTY", Value::Null, vec!["102"]),
        ("hs_object_id", "GT", json!("102"), vec!["103"]),
        ("createdate", "GTE", json!("1795536000000"), vec!["101", "102", "103"]),
    ] {
        let (status, answer) = desk.post(SEARCH, &filter(property, operator, value.clone()));
        assert_eq!(
            (status, ids(&answer)),
            (200, expected.iter().map(ToString::to_string).collect()),
            "{property} {operator} {value}"
        );
    }
    let between = json!({"filters": [{"propertyName": "numberofemployees", "operator": "BETWEEN", "value": "5", "highValue": "20"}]});
    assert_eq!(ids(&desk.post(SEARCH, &json!({"filterGroups": [between]})).1), ["101", "103"]);
    assert_eq!(ids(&desk.post(SEARCH, &json!({"query": "beta"})).1), ["102"]);
}

#[test]
fn sorts_pages_and_totals() {
    let desk = Desk::new();
    companies(&desk);
    let body = json!({"sorts": [{"propertyName": "numberofemployees", "direction": "DESCENDING"}], "limit": 2});
    let (_, page) = desk.post(SEARCH, &body);
    let order: Vec<&str> =
        page["results"].as_array().unwrap().iter().map(|record| record["id"].as_str().unwrap()).collect();
    assert_eq!((order, &page["total"], &page["paging"]["next"]["after"]), (vec!["102", "103"], &json!(3), &json!("2")));
    let (_, last) = desk.post(SEARCH, &json!({"sorts": ["-numberofemployees"], "limit": 2, "after": "2"}));
    assert_eq!(ids(&last), ["101"]);
    assert!(last.get("paging").is_none());
}

#[test]
fn limits_of_groups_filters_page_and_depth() {
    let desk = Desk::new();
    let one = json!({"propertyName": "name", "operator": "HAS_PROPERTY"});
    let group = |filters: usize| json!({"filters": vec![one.clone(); filters]});
    for (groups, expected) in [
        (vec![group(1); 5], 200),
        (vec![group(1); 6], 400),
        (vec![group(7)], 400),
        (vec![group(6); 3], 200),
        (vec![group(5); 4], 400),
    ] {
        assert_eq!(desk.post(SEARCH, &json!({"filterGroups": groups})).0, expected);
    }
    for (body, expected) in [
        (json!({"limit": 200}), 200),
        (json!({"limit": 201}), 400),
        (json!({"after": "9999"}), 200),
        (json!({"after": "10000"}), 400),
        (json!({"after": ""}), 200),
        (json!({"sorts": ["name", "city"]}), 400),
        (filter("nonsense", "EQ", json!("1")), 400),
        (filter("name", "LIKE", json!("1")), 400),
        (filter("name", "EQ", Value::Null), 200),
    ] {
        assert_eq!(desk.post(SEARCH, &body).0, expected, "{body}");
    }
    let wrong = filter("hs_lastmodifieddate", "GTE", json!("0"));
    let (status, answer) = desk.post("/crm/v3/objects/contacts/search", &wrong);
    assert_eq!((status, &answer["total"]), (200, &json!(0)), "contacts accept the wrong property and find nothing");
}

#[test]
fn ten_thousand_results_are_all_one_query_gives() {
    let desk = Desk::with(|builder| builder.seed_records(10_050));
    let (_, page) = desk.post("/crm/v3/objects/contacts/search", &json!({"limit": 200, "after": "9800"}));
    assert_eq!((&page["total"], &page["paging"]["next"]["after"]), (&json!(10_050), &json!("10000")));
    assert_eq!(page["results"].as_array().unwrap().len(), 200);
}

#[test]
fn the_index_lags_behind_creates_and_changes() {
    let desk = Desk::new();
    let id = desk.make("companies", &[("name", "Old")]);
    let total = |name: &str| desk.post(SEARCH, &filter("name", "EQ", json!(name))).1["total"].clone();
    assert_eq!(total("Old"), 0, "just created");
    desk.0.advance_ms(2000);
    assert_eq!(total("Old"), 1);
    desk.0.user().update("companies", &id, &[("name", "New")]).unwrap();
    assert_eq!((total("Old"), total("New")), (json!(1), json!(0)), "the index still shows the old state");
    desk.0.advance_ms(2000);
    assert_eq!((total("Old"), total("New")), (json!(0), json!(1)));
    desk.0.user().archive("companies", &id);
    assert_eq!(total("New"), 0, "archived records are never found");
}

#[test]
fn a_search_sends_no_rate_limit_headers() {
    let desk = Desk::new();
    let response = desk.send("POST", SEARCH, &json!({}));
    assert!(response.headers.iter().all(|(name, _)| !name.contains("RateLimit")));
}
