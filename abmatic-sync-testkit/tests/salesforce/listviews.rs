//! List views.

use serde_json::{Value, json};

use crate::desk::Desk;

#[test]
fn views_are_listed_described_and_read() {
    let desk = Desk::with(|builder| builder.seed_records(70));
    let id = desk.0.user().create_list_view("Account", "Big_Ones", "NumberOfEmployees > 1000").unwrap();
    assert!(desk.0.user().create_list_view("Account", "Broken", "Nope = 1").unwrap_err().starts_with("INVALID_FIELD"));
    let (_, list) = desk.get("/sobjects/Account/listviews?limit=3");
    assert_eq!((&list["size"], &list["done"]), (&json!(4), &json!(false)));
    let (_, rest) = desk.get(list["nextRecordsUrl"].as_str().unwrap());
    let view = &rest["listviews"][0];
    assert_eq!(
        (&view["id"], &view["developerName"], &view["soqlCompatible"]),
        (&json!(id), &json!("Big_Ones"), &json!(true))
    );
    let (_, described) = desk.get(view["describeUrl"].as_str().unwrap());
    let query = described["query"].as_str().unwrap();
    assert!(
        query
            .contains(" FROM Account WHERE NumberOfEmployees > 1000 ORDER BY Name ASC NULLS FIRST, Id ASC NULLS FIRST"),
        "{query}"
    );
    assert_eq!(described["scope"], "everything");
    let found = desk.query(query).1["totalSize"].as_u64().unwrap();
    let (_, results) = desk.get(&format!("{}?limit=2000", view["resultsUrl"].as_str().unwrap()));
    assert_eq!((results["records"].as_array().unwrap().len() as u64, &results["done"]), (found, &json!(true)));
    let first = &results["records"][0]["columns"];
    assert_eq!(first[0]["fieldNameOrPath"], "Name");
    let date = first.as_array().unwrap().iter().find(|column| column["fieldNameOrPath"] == "CreatedDate").unwrap();
    assert!(date["value"].as_str().unwrap().contains(" GMT 202"), "a date for people: {date}");
    assert_eq!(desk.get("/sobjects/Contact/listviews/00B000000000000").0, 404);
}

#[test]
fn ones_own_records_are_a_scope() {
    let desk = Desk::with(|builder| builder.seed_records(70));
    let (_, list) = desk.get("/sobjects/Contact/listviews");
    let mine = list["listviews"].as_array().unwrap().iter().find(|view| view["developerName"] == "MyContacts").unwrap();
    let (_, described) = desk.get(mine["describeUrl"].as_str().unwrap());
    assert_eq!((&described["scope"], described["query"].as_str().unwrap().contains("SCOPE")), (&json!("mine"), false));
    let (_, results) = desk.get(mine["resultsUrl"].as_str().unwrap());
    let own = desk.query("SELECT COUNT() FROM Contact USING SCOPE mine").1["totalSize"].clone();
    assert_eq!(own, desk.query("SELECT COUNT() FROM Contact WHERE Owner.LastName = 'Integration'").1["totalSize"]);
    let shown = results["records"].as_array().map_or(0, Vec::len) as u64;
    assert_eq!(shown, own.as_u64().unwrap().min(25), "25 unless more are asked for");
    assert_eq!(desk.get(&format!("{}?limit=2001", mine["resultsUrl"].as_str().unwrap())).0, 400);
    assert_ne!(desk.query("SELECT COUNT() FROM Account WHERE Is_Target__c = TRUE").1["totalSize"], Value::from(0));
}
