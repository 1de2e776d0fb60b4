//! Notes of version 1.

use serde_json::{Value, json};

use crate::desk::Desk;

#[test]
fn a_note_hangs_on_something() {
    let desk = Desk::new();
    let org = desk.make("organizations", &json!({"name": "Acme"}));
    assert_eq!(desk.post("/api/v1/notes", &json!({"content": "x"})).0, 400);
    assert_eq!(desk.post("/api/v1/notes", &json!({"org_id": org})).0, 400);
    assert_eq!(desk.post("/api/v1/notes", &json!({"content": "x", "org_id": 99})).0, 400);
    let sent = json!({"content": "<p>Visited</p>", "org_id": org, "add_time": "2026-03-04 10:30:00", "pinned_to_organization_flag": 1});
    let (status, made) = desk.post("/api/v1/notes", &sent);
    let note = &made["data"];
    assert_eq!(
        (status, &note["add_time"], &note["update_time"]),
        (200, &json!("2026-03-04 10:30:00"), &json!("2026-11-24 16:00:00"))
    );
    assert_eq!((&note["organization"], &note["deal"]), (&json!({"name": "Acme"}), &Value::Null));
    assert_eq!((&note["pinned_to_organization_flag"], &note["user"]["is_you"]), (&json!(true), &json!(true)));
    assert_eq!(desk.call("PUT", "/api/v1/notes/1", &json!({"content": "y"})).1["data"]["content"], "y");
    assert_eq!(desk.call("DELETE", "/api/v1/notes/1", &Value::Null).1, json!({"success": true, "data": true}));
    assert_eq!(desk.get("/api/v1/notes/1").0, 404);
}

#[test]
fn notes_are_listed_by_what_they_hang_on_and_when_they_changed() {
    let desk = Desk::new();
    let org = desk.make("organizations", &json!({"name": "Acme"}));
    let person = desk.make("persons", &json!({"name": "Jane Roe"}));
    for (content, on) in [("a", "org_id"), ("b", "person_id"), ("c", "org_id")] {
        let id = if on == "org_id" { org } else { person };
        desk.post("/api/v1/notes", &json!({"content": content, on: id}));
        desk.0.advance_ms(1000);
    }
    let contents = |target: &str| -> Vec<String> {
        let (_, body) = desk.get(&format!("/api/v1/notes{target}"));
        body["data"].as_array().unwrap().iter().map(|note| note["content"].as_str().unwrap().to_owned()).collect()
    };
    assert_eq!(contents(&format!("?org_id={org}")), ["a", "c"]);
    assert_eq!(contents("?sort=update_time%20DESC"), ["c", "b", "a"]);
    assert_eq!(contents("?updated_since=2026-11-24T16:00:01Z"), ["b", "c"]);
    let (_, page) = desk.get("/api/v1/notes?start=1&limit=1");
    assert_eq!(
        page["additional_data"],
        json!({"pagination": {"start": 1, "limit": 1, "more_items_in_collection": true, "next_start": 2}})
    );
}
