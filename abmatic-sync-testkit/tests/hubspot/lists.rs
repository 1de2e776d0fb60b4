//! Lists and their members; owners, pipelines and the account beside them.

use serde_json::{Value, json};

use crate::desk::Desk;

#[test]
fn lists_are_found_and_their_members_paged() {
    let desk = Desk::with(|builder| builder.seed_records(70));
    let (_, found) = desk.post("/crm/lists/2026-09/search", &json!({"query": "webinar", "objectTypeId": "0-1"}));
    assert_eq!((&found["total"], &found["hasMore"]), (&json!(1), &json!(false)));
    assert_eq!(found["lists"][0]["additionalProperties"]["hs_list_size"], "14");
    let id = found["lists"][0]["listId"].as_str().unwrap();
    for path in ["/crm/lists/2026-09", "/crm/v3/lists"] {
        assert_eq!(desk.get(&format!("{path}/{id}")).1["list"]["size"], 14);
    }
    let (mut after, mut seen) = (String::new(), 0);
    loop {
        let (_, page) = desk.get(&format!("/crm/v3/lists/{id}/memberships?limit=5{after}"));
        seen += page["results"].as_array().unwrap().len();
        assert_eq!(page["total"], 14);
        match page.get("paging") {
            Some(paging) => after = format!("&after={}", paging["next"]["after"].as_str().unwrap()),
            None => break,
        }
    }
    assert_eq!(seen, 14);
    assert_eq!(desk.get(&format!("/crm/v3/lists/{id}/memberships?limit=251")).0, 400);
}

#[test]
fn members_are_added_and_removed_by_hand() {
    let desk = Desk::new();
    let contact = desk.make("contacts", &[("email", "a@x.com")]);
    let (status, made) =
        desk.post("/crm/v3/lists/", &json!({"name": "L", "objectTypeId": "0-1", "processingType": "MANUAL"}));
    assert_eq!(status, 200);
    let path = format!("/crm/lists/2026-09/{}/memberships", made["list"]["listId"].as_str().unwrap());
    let (status, body) = desk.call("PUT", &format!("{path}/add"), &json!([contact, "999"]));
    assert_eq!(
        (status, body),
        (200, json!({"recordsIdsAdded": [contact], "recordIdsMissing": ["999"], "recordIdsRemoved": []}))
    );
    let swap = json!({"recordIdsToAdd": [], "recordIdsToRemove": [contact]});
    assert_eq!(desk.call("PUT", &format!("{path}/add-and-remove"), &swap).1["recordIdsRemoved"], json!([contact]));
    assert_eq!(desk.get(&path).1, json!({"total": 0, "results": []}));
}

#[test]
fn owners_answer_with_and_without_a_slash_and_hide_the_deactivated() {
    let desk = Desk::new();
    for path in ["/crm/v3/owners", "/crm/v3/owners/", "/crm/owners/2026-09"] {
        assert_eq!(desk.get(path).1["results"].as_array().unwrap().len(), 3, "{path}");
    }
    let (_, page) = desk.get("/crm/owners/2026-09?limit=2");
    let (_, rest) =
        desk.get(&format!("/crm/owners/2026-09?limit=2&after={}", page["paging"]["next"]["after"].as_str().unwrap()));
    assert_eq!(rest["results"].as_array().unwrap().len(), 1);
    let (_, gone) = desk.get("/crm/v3/owners?archived=true");
    assert_eq!(gone["results"][0]["userId"], Value::Null);
    assert_eq!(desk.get("/crm/v3/owners/9586504?idProperty=userId").1["id"], "41629779");
}

#[test]
fn pipelines_and_account() {
    let desk = Desk::new();
    let (_, pipelines) = desk.get("/crm/pipelines/2026-09/deals");
    assert_eq!(pipelines["results"][0]["id"], "default");
    assert_eq!(pipelines["results"][0]["stages"][5]["metadata"], json!({"isClosed": "true", "probability": "1.0"}));
    assert_eq!(desk.get("/account-info/2026-09/details").1["portalId"], desk.0.portal_id());
    assert_eq!(desk.get("/account-info/v3/api-usage/daily/private-apps").1["results"][0]["fetchStatus"], "SUCCESS");
    assert_eq!(desk.get("/crm/limits/2026-09/records").0, 200);
    assert_eq!(desk.get("/crm/property-validations/2026-09/0-1"), (200, json!({"results": []})));
}
