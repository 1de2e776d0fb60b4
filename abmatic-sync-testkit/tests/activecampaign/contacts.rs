//! Contacts: identity by address, keyset paging, what moves their clock, and the words of refusals.

use serde_json::json;

use crate::desk::Desk;

#[test]
fn an_address_is_one_contact_s_whatever_its_case() {
    let desk = Desk::new();
    let (status, made) = desk.post("/contacts", &json!({"contact": {"email": "Jane@Acme.test", "firstName": "Jane"}}));
    assert_eq!(status, 201);
    assert_eq!(
        made["contact"],
        json!({
            "email": "Jane@Acme.test", "firstName": "Jane", "lastName": "", "cdate": "2026-11-24T10:00:00-06:00",
            "udate": "2026-11-24T10:00:00-06:00", "phone": "", "orgid": "0", "orgname": "", "links": {}, "id": "1",
            "organization": null,
        })
    );
    let (status, refused) = desk.post("/contacts", &json!({"contact": {"email": "jane@acme.TEST"}}));
    let duplicate = json!({"errors": [{
        "title": "Email address already exists in the system", "detail": "", "code": "duplicate",
        "source": {"pointer": "/data/attributes/email"},
    }]});
    assert_eq!((status, &refused), (422, &duplicate));
    desk.post("/contacts", &json!({"contact": {"email": "other@acme.test"}}));
    assert_eq!(desk.put("/contacts/2", &json!({"contact": {"email": "JANE@acme.test"}})), (422, duplicate));
    let (status, refused) = desk.post("/contacts", &json!({"contact": {"email": "no address"}}));
    assert_eq!(status, 422);
    assert_eq!(refused["errors"][0]["code"], "email_invalid");
    assert_eq!(refused["errors"][0]["error"], "must_be_valid_email_address");
}

#[test]
fn sync_makes_once_and_changes_what_is_sent() {
    let desk = Desk::new();
    let (status, made) = desk.post("/contact/sync", &json!({"contact": {"email": "a@x.test", "firstName": "A"}}));
    assert_eq!((status, &made["contact"]["email_empty"]), (201, &json!(false)));
    desk.0.advance_ms(5_000);
    let (status, held) = desk.post("/contact/sync", &json!({"contact": {"email": "A@x.test", "lastName": "B"}}));
    assert_eq!(status, 200);
    let held = &held["contact"];
    assert_eq!((&held["id"], &held["firstName"], &held["lastName"]), (&json!("1"), &json!("A"), &json!("B")));
    assert_eq!(held["udate"], "2026-11-24T10:00:05-06:00");
    assert_eq!(held["updated_utc_timestamp"], "2026-11-24 10:00:05", "it is called UTC and is not");
}

#[test]
fn pages_go_by_id_and_totals_are_texts() {
    let desk = Desk::with(|builder| builder.seed_records(45));
    let (_, page) = desk.get("/contacts");
    assert_eq!((page["contacts"].as_array().unwrap().len(), &page["meta"]["total"]), (20, &json!("45")));
    assert_eq!(page["meta"]["page_input"]["limit"], 20);
    let ids = desk.ids("/contacts?limit=30&orders[id]=ASC&id_greater=20", "contacts");
    assert_eq!((ids.len(), ids[0].as_str(), ids[24].as_str()), (25, "21", "45"));
    assert_eq!(desk.ids("/contacts?limit=30&offset=40", "contacts").len(), 5);
    assert_eq!(desk.ids("/contacts?ids[]=3&ids[]=999&ids[]=1", "contacts"), ["1", "3"]);
    let (_, all) = desk.get("/contacts?limit=1000&filters[nobody_knows]=7");
    assert_eq!(all["contacts"].as_array().unwrap().len(), 45, "an unknown filter is ignored");
    let first = desk.get("/contacts/1").1["contact"]["email"].as_str().unwrap().to_uppercase();
    assert_eq!(desk.ids(&format!("/contacts?email={first}"), "contacts"), ["1"]);
}

#[test]
fn rows_come_beside_contacts_where_they_are_asked_for() {
    let desk = Desk::with(|builder| builder.seed_records(20));
    let (_, page) = desk.get("/contacts?include=fieldValues,accountContacts&limit=100");
    let associations = page["accountContacts"].as_array().unwrap();
    assert!(!associations.is_empty() && !page["fieldValues"].as_array().unwrap().is_empty());
    let owner =
        page["contacts"].as_array().unwrap().iter().find(|row| row["id"] == associations[0]["contact"]).unwrap();
    assert_eq!(owner["accountContacts"], json!([associations[0]["id"]]));
    let plain = Desk::with(|builder| builder.seed_records(20).includes(false));
    assert_eq!(plain.get("/contacts?include=fieldValues").1.get("fieldValues"), None);
    let (_, one) = plain.get("/contacts/1");
    assert!(one["fieldValues"].is_array() && one["accountContacts"].is_array());
}

#[test]
fn the_clock_of_a_contact_moves_with_what_hangs_on_it() {
    let desk = Desk::new();
    desk.post("/contacts", &json!({"contact": {"email": "a@x.test"}}));
    let moved = |what: &str, body: &serde_json::Value| {
        desk.0.advance_ms(1_000);
        let (status, answer) = desk.post(what, body);
        assert!((200..300).contains(&status), "{answer}");
        desk.get("/contacts/1").1["contact"]["udate"].as_str().unwrap().to_owned()
    };
    assert_eq!(
        moved("/fieldValues", &json!({"fieldValue": {"contact": 1, "field": 2, "value": "Plus"}})),
        "2026-11-24T10:00:01-06:00"
    );
    assert_eq!(moved("/contactTags", &json!({"contactTag": {"contact": 1, "tag": 1}})), "2026-11-24T10:00:02-06:00");
    assert_eq!(
        moved("/notes", &json!({"note": {"note": "n", "relid": 1, "reltype": "Subscriber"}})),
        "2026-11-24T10:00:03-06:00"
    );
    let since = |text: &str| desk.ids(&format!("/contacts?filters[updated_after]={text}"), "contacts").len();
    assert_eq!((since("2026-11-24"), since("2026-11-25"), since("2026-11-24T16:00:04Z")), (1, 0, 0));
    assert_eq!(moved("/contactTags", &json!({"contactTag": {"contact": 1, "tag": 1}})), "2026-11-24T10:00:03-06:00");
}

#[test]
fn what_is_gone_is_said_in_two_ways() {
    let desk = Desk::new();
    let (status, body) = desk.get("/contacts/7");
    assert_eq!((status, body), (404, json!({"message": "No Result found for Subscriber with id 7"})));
    desk.post("/contacts", &json!({"contact": {"email": "a@x.test"}}));
    assert_eq!(desk.delete("/contacts/1"), (200, json!({})));
    assert_eq!(desk.delete("/contacts/1"), (404, json!({"message": "No result found for contact with id 1"})));
    let (status, body) = desk.get("/notes/3");
    assert_eq!((status, body), (403, json!({"message": "No Result found for Note with id 3"})));
}

#[test]
fn a_segment_is_found_while_one_looks_and_then_frozen() {
    let desk = Desk::new();
    desk.post("/contacts", &json!({"contact": {"email": "a@x.test"}}));
    let segment = desk.0.user().create_segment("X", "x.test");
    let target = format!("/contacts?segmentid={segment}&forceQuery=1");
    assert_eq!(desk.get(&target).1.get("contacts"), None);
    assert_eq!(desk.ids(&target, "contacts"), ["1"]);
    desk.0.advance_ms(1_000);
    desk.post("/contacts", &json!({"contact": {"email": "b@x.test"}}));
    assert_eq!(desk.ids(&target, "contacts"), ["1"]);
    desk.0.advance_ms(3_600_000);
    assert_eq!(desk.get(&target).1.get("contacts"), None);
    assert_eq!(desk.ids(&target, "contacts"), ["1", "2"]);
}

#[test]
fn a_list_and_a_tag_are_read_by_their_numbers() {
    let desk = Desk::new();
    assert_eq!(desk.get("/lists/1").1["list"]["name"], "Newsletter");
    assert_eq!(desk.get("/tags/1").1["tag"]["tag"], "customer");
    assert_eq!(desk.get("/lists/9"), (404, json!({"message": "No Result found for List with id 9"})));
    assert_eq!(desk.get("/tags/9").0, 404);
}
