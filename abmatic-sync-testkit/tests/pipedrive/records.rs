//! Single records: made, read, changed, deleted, merged, and what is refused.

use abmatic_sync_testkit::fake::pipedrive::Field;
use serde_json::{Value, json};

use crate::desk::Desk;

#[test]
fn an_organization_is_made_read_changed_and_deleted() {
    let desk = Desk::new();
    let (status, made) = desk.post("/organizations", &json!({"name": "Acme Oy", "website": "https://acme.test"}));
    assert_eq!(
        (status, &made["data"]),
        (
            200,
            &json!({
                "id": 1, "name": "Acme Oy", "owner_id": 11, "add_time": "2026-11-24T16:00:00Z",
                "update_time": "2026-11-24T16:00:00Z", "is_deleted": false, "visible_to": 3, "address": null,
                "label_ids": [], "website": "https://acme.test", "linkedin": null, "industry": null,
                "annual_revenue": null, "employee_count": null, "custom_fields": {},
            })
        )
    );
    desk.0.advance_ms(5_700);
    let change = json!({"website": null, "industry": 3, "address": {"value": "Main St 1", "locality": "Oulu"}});
    let (_, changed) = desk.patch("/organizations/1", &change);
    assert_eq!(changed["data"]["update_time"], "2026-11-24T16:00:05Z", "whole seconds");
    assert_eq!((&changed["data"]["website"], &changed["data"]["industry"]), (&Value::Null, &json!(3)));
    let (_, changed) = desk.patch("/organizations/1", &json!({"address": {"value": "Side St 2"}}));
    assert_eq!(changed["data"]["address"]["locality"], Value::Null, "a part that is left out becomes null");

    assert_eq!(
        desk.call("DELETE", "/organizations/1", &Value::Null),
        (200, json!({"success": true, "data": {"id": 1}}))
    );
    assert_eq!(desk.get("/organizations/1").1["data"]["is_deleted"], true);
    assert_eq!(desk.patch("/organizations/1", &json!({"name": "B"})).0, 404);
    desk.0.advance_ms(30 * 86_400_000);
    let gone = json!({
        "success": false, "error": "Entity was not found", "error_info": "Object was not found.", "data": null,
        "additional_data": null,
    });
    assert_eq!(desk.get("/organizations/1"), (404, gone), "thirty days later it is purged");
    let hiding = Desk::with(|builder| builder.shows_deleted(false));
    let id = hiding.make("organizations", &json!({"name": "A"}));
    hiding.call("DELETE", &format!("/organizations/{id}"), &Value::Null);
    assert_eq!(hiding.get(&format!("/organizations/{id}")).0, 404);
}

#[test]
fn a_name_is_split_and_its_parts_are_joined() {
    let desk = Desk::new();
    let name = |body: &Value| {
        let one = &body["data"];
        (one["name"].clone(), one["first_name"].clone(), one["last_name"].clone())
    };
    let (_, jane) = desk.post("/persons", &json!({"name": "Jane van Roe"}));
    assert_eq!(name(&jane), (json!("Jane van Roe"), json!("Jane"), json!("van Roe")));
    let (_, jane) = desk.patch("/persons/1", &json!({"last_name": "Doe"}));
    assert_eq!(name(&jane), (json!("Jane Doe"), json!("Jane"), json!("Doe")));
    let (_, cher) = desk.post("/persons", &json!({"name": "Cher"}));
    assert_eq!(name(&cher), (json!("Cher"), json!("Cher"), Value::Null));
    let (_, roe) = desk.post("/persons", &json!({"first_name": "", "last_name": "Roe"}));
    assert_eq!(name(&roe).0, "Roe");
    assert!(
        desk.objection("POST", "/persons", &json!({"first_name": "", "last_name": ""})).contains("name is a required")
    );
    let whole_only = Desk::with(|builder| builder.name_parts(false));
    let refused = whole_only.objection("POST", "/persons", &json!({"name": "A B", "first_name": "A"}));
    assert_eq!(refused, "Validation failed: first_name: Parameter 'first_name' is not allowed for this request");
}

#[test]
fn addresses_and_numbers_of_a_person_are_lists_that_are_replaced() {
    let desk = Desk::new();
    let emails = |body: &Value| body["data"]["emails"].clone();
    let sent = json!({"name": "Jane Roe", "emails": [{"value": "a@x.test"}, {"value": "b@x.test", "label": "home"}]});
    let (_, made) = desk.post("/persons", &sent);
    assert_eq!(
        emails(&made),
        json!([
            {"label": "work", "value": "a@x.test", "primary": true}, {"label": "home", "value": "b@x.test", "primary": false},
        ]),
        "the first is the primary one where none was named"
    );
    let (_, changed) = desk.patch("/persons/1", &json!({"emails": [{"value": "c@x.test", "primary": true}]}));
    assert_eq!(emails(&changed), json!([{"label": "work", "value": "c@x.test", "primary": true}]));
    assert_eq!(emails(&desk.patch("/persons/1", &json!({"emails": null})).1), json!([]));
    assert!(desk.objection("PATCH", "/persons/1", &json!({"emails": ["c@x.test"]})).contains("Expected 'object'"));
    assert_eq!(
        desk.make("persons", &json!({"name": "Twin", "emails": [{"value": "c@x.test"}]})),
        2,
        "no rule against twins"
    );
}

#[test]
fn contact_sync_brings_fields() {
    let plain = Desk::new();
    assert!(plain.objection("POST", "/persons", &json!({"name": "A B", "job_title": "CEO"})).contains("not allowed"));
    let synced = Desk::with(|builder| builder.contact_sync(true));
    let id = synced.make("persons", &json!({"name": "A B", "job_title": "CEO", "birthday": "1990-01-31"}));
    assert_eq!(synced.get(&format!("/persons/{id}")).1["data"]["job_title"], "CEO");
}

#[test]
fn everything_that_is_wrong_is_said_at_once() {
    let desk = Desk::new();
    assert_eq!(
        desk.objection("POST", "/organizations", &json!({"owner_id": "11", "foo": 1, "label_ids": [77]})),
        "Validation failed: foo: Parameter 'foo' is not allowed for this request; label_ids: Option 77 is not valid for \
         field 'label_ids'; owner_id: Expected 'number'; name: name is a required field"
    );
    let org = desk.make("organizations", &json!({"name": "A"}));
    let path = format!("/organizations/{org}");
    assert!(desk.objection("PATCH", &path, &json!({"name": null})).contains("name is a required field"));
    assert!(desk.objection("PATCH", &path, &json!({"update_time": "2026-01-01T00:00:00Z"})).contains("not allowed"));
    assert!(desk.objection("PATCH", &path, &json!({"employee_count": "12"})).contains("Expected 'integer'"));
    assert!(
        desk.objection("POST", "/persons", &json!({"name": "A", "org_id": 99})).contains("not valid or not visible")
    );
    assert_eq!(desk.post("/persons", &json!([])).0, 400);
}

#[test]
fn custom_fields_stand_in_a_place_of_their_own() {
    let desk = Desk::with(|builder| {
        builder
            .field("deals", Field::new("Tier", "enum").with_options(&["Gold", "Silver"]))
            .field("deals", Field::new("Topics", "set").with_options(&["A", "B"]))
            .field("deals", Field::new("Budget", "monetary"))
            .field("deals", Field::new("Start", "time"))
    });
    let user = desk.0.user();
    let code = |name: &str| user.field_code("deals", name).unwrap();
    let (tier, topics, budget, start) = (code("Tier"), code("Topics"), code("Budget"), code("Start"));
    assert_eq!((tier.len(), tier.bytes().all(|byte| byte.is_ascii_hexdigit())), (40, true));
    let gold = user.option_id("deals", &tier, "Gold").unwrap();
    let both = [user.option_id("deals", &topics, "A").unwrap(), user.option_id("deals", &topics, "B").unwrap()];
    let values = json!({
        &tier: gold, &topics: both, &budget: {"value": 500, "currency": "USD"}, &start: {"value": "09:00"},
    });
    let id = desk.make("deals", &json!({"title": "D", "custom_fields": values}));
    let shown = desk.get(&format!("/deals/{id}")).1["data"]["custom_fields"].clone();
    assert_eq!(
        shown,
        json!({
            &tier: gold, &topics: both, &budget: {"value": 500, "currency": "USD"},
            &start: {"value": "09:00:00", "timezone_name": null},
        })
    );
    let (_, labelled) = desk.get(&format!("/deals/{id}?include_option_labels=true&custom_fields={tier}"));
    assert_eq!(labelled["data"]["custom_fields"], json!({&tier: {"id": gold, "label": "Gold"}}));

    let path = format!("/deals/{id}");
    let refuse = |values: Value| desk.objection("PATCH", &path, &json!({"custom_fields": values}));
    assert!(
        refuse(json!({&tier: gold.to_string()}))
            .contains("custom_fields: Expected 'number' as value for single option custom")
    );
    assert!(refuse(json!({&topics: []})).contains("non-empty"), "an empty list does not clear a set");
    assert!(refuse(json!({"0000": 1})).contains("not allowed"));
    assert!(desk.objection("PATCH", &path, &json!({&tier: gold})).contains("not allowed"), "not at the top");
    let (status, body) = desk.patch(&path, &json!({"custom_fields": {"custom_fields": {&tier: gold}}}));
    assert_eq!((status, &body["code"]), (500, &json!("ERR_UNKNOWN")));
    assert_eq!(
        desk.patch(&path, &json!({"custom_fields": {&topics: null}})).1["data"]["custom_fields"][&topics],
        Value::Null
    );
}

#[test]
fn a_deal_follows_its_status_and_its_stage() {
    let desk = Desk::new();
    let id = desk.make("deals", &json!({"title": "D", "value": 12.5, "currency": "USD"}));
    let (_, deal) = desk.get(&format!("/deals/{id}"));
    let deal = &deal["data"];
    assert_eq!((&deal["status"], &deal["pipeline_id"], &deal["stage_id"]), (&json!("open"), &json!(1), &json!(1)));
    assert!(deal.get("won_time").is_none(), "an open deal has no such key");
    let path = format!("/deals/{id}");
    assert!(
        desk.objection("PATCH", &path, &json!({"lost_reason": "Price"})).contains("only be set if deal status is lost")
    );
    let (_, lost) = desk.patch(&path, &json!({"status": "lost", "lost_reason": "Price"}));
    assert_eq!(
        (&lost["data"]["lost_time"], &lost["data"]["lost_reason"]),
        (&json!("2026-11-24T16:00:00Z"), &json!("Price"))
    );
    let (_, moved) = desk.patch(&path, &json!({"stage_id": 7, "status": "open"}));
    assert_eq!((&moved["data"]["pipeline_id"], &moved["data"]["lost_reason"]), (&json!(2), &Value::Null));
    assert!(desk.objection("PATCH", &path, &json!({"stage_id": 1, "pipeline_id": 2})).contains("does not belong"));
    desk.patch(&path, &json!({"is_archived": true}));
    assert_eq!(desk.patch(&path, &json!({"title": "E"})).0, 403);
    assert_eq!(desk.ids("/deals").0, Vec::<u64>::new());
    assert_eq!(desk.ids("/deals/archived").0, [id]);
}

#[test]
fn an_activity_takes_its_person_from_its_participants() {
    let desk = Desk::new();
    let person = desk.make("persons", &json!({"name": "Jane Roe"}));
    let body = json!({
        "subject": "Opened campaign", "type": "email", "done": true, "due_date": "2026-03-04", "due_time": "10:30",
        "participants": [{"person_id": person, "primary": true}],
    });
    let id = desk.make("activities", &body);
    let (_, shown) = desk.get(&format!("/activities/{id}"));
    assert_eq!((&shown["data"]["person_id"], &shown["data"]["due_time"]), (&json!(person), &json!("10:30:00")));
    assert_eq!(shown["data"]["marked_as_done_time"], "2026-11-24T16:00:00Z");
    assert!(
        desk.objection("PATCH", &format!("/activities/{id}"), &json!({"person_id": person})).contains("not allowed")
    );
    assert_eq!(desk.ids(&format!("/activities?person_id={person}&done=true")).0, [id]);
}

#[test]
fn a_merge_fills_the_survivor_and_moves_what_hung_on_the_loser() {
    let desk = Desk::new();
    let survivor = desk.make("organizations", &json!({"name": "Acme", "label_ids": [5]}));
    let loser = desk.make("organizations", &json!({"name": "ACME", "website": "acme.test", "label_ids": [6]}));
    let person = desk.make("persons", &json!({"name": "Jane Roe", "org_id": loser}));
    let merge = format!("/api/v1/organizations/{loser}/merge");
    assert_eq!(desk.call("PUT", &merge, &json!({"merge_with_id": survivor})).1["data"]["id"], survivor);
    let (_, left) = desk.get(&format!("/organizations/{survivor}"));
    let left = &left["data"];
    assert_eq!(
        (&left["name"], &left["website"], &left["label_ids"]),
        (&json!("Acme"), &json!("acme.test"), &json!([5, 6]))
    );
    assert_eq!(desk.ids("/organizations").0, [survivor]);
    assert_eq!(desk.get(&format!("/persons/{person}")).1["data"]["org_id"], survivor);
    assert_eq!(desk.call("PUT", &merge, &json!({"merge_with_id": survivor})).0, 404);
    assert_eq!(desk.call("PUT", &merge, &json!({})).0, 400);
}
