//! Accounts, who works there, and deals.

use serde_json::json;

use crate::desk::Desk;

fn furnished() -> Desk {
    let desk = Desk::new();
    desk.post("/contacts", &json!({"contact": {"email": "a@x.test"}}));
    desk.post("/accounts", &json!({"account": {"name": "Acme Oy"}}));
    desk.post("/accounts", &json!({"account": {"name": "Other"}}));
    desk
}

#[test]
fn names_of_accounts_are_theirs_alone() {
    let desk = furnished();
    let (status, body) = desk.post("/accounts", &json!({"account": {"name": "acme oy"}}));
    assert_eq!(status, 422);
    assert_eq!(body["errors"][0]["code"], "duplicate");
    assert_eq!(body["errors"][0]["title"], "An account named \"acme oy\" already exists. Please choose a new name.");
    assert_eq!(desk.put("/accounts/2", &json!({"account": {"name": "Acme Oy"}})).0, 422);
    let (status, body) = desk.post("/accounts", &json!({"account": {"accountUrl": "https://acme.test"}}));
    let missing = json!({
        "title": "The account name was not provided.", "detail": "", "code": "field_missing",
        "source": {"pointer": "/data/attributes/name"},
    });
    assert_eq!((status, &body["errors"][0]), (422, &missing));
    assert_eq!(desk.ids("/accounts?search=acme", "accounts"), ["1"]);
    assert_eq!(desk.get("/accounts").1["meta"]["total"], "2");
}

#[test]
fn an_account_s_answer_says_only_what_was_sent_and_what_became_of_its_fields() {
    let desk = Desk::new();
    let fields = json!([{"customFieldId": 9, "fieldValue": "51 - 200"}, {"customFieldId": 10, "fieldValue": 1234, "fieldCurrency": "gbp"}]);
    let (status, made) = desk.post("/accounts", &json!({"account": {"name": "Acme", "owner": 1, "fields": fields}}));
    let made = &made["account"];
    assert_eq!((status, &made["customFieldSaveStatus"]), (201, &json!({"status": "success"})));
    assert_eq!((made.get("accountUrl"), &made["owner"], &made["id"]), (None, &json!(1), &json!("1")));
    let bad = json!({"account": {"name": "Bad", "fields": [{"customFieldId": 10, "fieldValue": "much"}]}});
    let (status, made) = desk.post("/accounts", &bad);
    assert_eq!((status, &made["account"]["customFieldSaveStatus"]["status"]), (201, &json!("failure")));
    let (_, data) = desk.get("/accountCustomFieldData?filters[customerAccountId]=1");
    let rows = data["accountCustomFieldData"].as_array().unwrap();
    assert_eq!((rows.len(), &rows[0]["accountId"], &rows[0]["id"]), (2, &json!(1), &json!("1")));
    assert_eq!((&rows[1]["fieldValue"], &rows[1]["fieldCurrency"]), (&json!(1234), &json!("gbp")));
    let (_, columns) = desk.get("/accounts/1/accountCustomFieldData");
    assert_eq!(columns["customerAccountCustomFieldData"][1]["custom_field_currency_value"], "1234");
}

#[test]
fn a_contact_has_one_account() {
    let desk = furnished();
    let (status, made) =
        desk.post("/accountContacts", &json!({"accountContact": {"account": 1, "contact": 1, "jobTitle": "CEO"}}));
    assert_eq!(
        (status, &made["accountContact"]["account"], &made["accountContact"]["id"]),
        (201, &json!(1), &json!("1"))
    );
    let (status, refused) = desk.post("/accountContacts", &json!({"accountContact": {"account": 2, "contact": 1}}));
    assert_eq!((status, &refused["errors"][0]["code"]), (422, &json!("field_invalid")));
    assert_eq!(refused["errors"][0]["source"]["pointer"], "/data/attributes/account,contact");
    let (status, refused) = desk.post("/accountContacts", &json!({"accountContact": {"contact": 1}}));
    assert_eq!((status, &refused["errors"][0]["title"]), (422, &json!("The account attribute was not provided")));
    assert_eq!(desk.put("/accountContacts/1", &json!({"accountContact": {"account": 2}})).0, 200);
    let (_, list) = desk.get("/accountContacts?filters[contact]=1");
    let row = &list["accountContacts"][0];
    assert_eq!((&row["account"], &row["jobTitle"]), (&json!("2"), &json!("CEO")));
    assert_eq!(desk.delete("/accountContacts/1").0, 200);
    let missing = json!({"message": "No Result found for CustomerAccountSubscriber with id 1"});
    assert_eq!(desk.delete("/accountContacts/1"), (404, missing));
}

#[test]
fn deals_are_in_cents_and_stand_in_a_stage() {
    let desk = furnished();
    let deal = json!({"deal": {"title": "Renewal", "value": 45600, "currency": "usd", "contact": "1", "group": "1", "status": 0}});
    let (status, made) = desk.post("/deals", &deal);
    assert_eq!((status, &made["deal"]["value"], &made["deal"]["stage"]), (201, &json!(45600), &json!("1")));
    assert_eq!(made["dealStages"][0]["title"], "To Contact");
    let (_, read) = desk.get("/deals/1");
    assert_eq!((&read["deal"]["value"], &read["deal"]["status"]), (&json!("45600"), &json!("0")));
    for (without, pointer) in
        [("title", "title"), ("value", "value"), ("currency", "currency"), ("contact", "contact"), ("group", "group")]
    {
        let mut body = deal.clone();
        body["deal"].as_object_mut().unwrap().remove(without);
        let (status, refused) = desk.post("/deals", &body);
        assert_eq!((status, &refused["errors"][0]["code"]), (422, &json!("field_missing")));
        assert_eq!(refused["errors"][0]["source"]["pointer"], format!("/data/attributes/{pointer}"));
    }
    assert_eq!(desk.get("/deals").1["meta"]["total"], 1, "here the total is a number");
    assert_eq!(desk.get("/deals?filters[minimum_value]=457").1["meta"]["total"], 0, "filters are in dollars");
    desk.0.user().hide_deal(1, true);
    let stub = json!({"title": "Renewal", "status": "0", "id": "1", "isDisabled": true});
    assert_eq!(
        (desk.get("/deals/1").1["deal"].clone(), desk.get("/deals").1["deals"][0].clone()),
        (stub.clone(), stub)
    );
    let (_, groups) = desk.get("/dealGroups");
    assert_eq!(
        (groups["dealGroups"][0]["stages"].clone(), groups["dealStages"].as_array().unwrap().len()),
        (json!(["1", "2", "3"]), 3)
    );
}

#[test]
fn deals_and_their_windows_go_by_their_own_clock() {
    let desk = furnished();
    for title in ["one", "two"] {
        let deal = json!({"deal": {"title": title, "value": 1, "currency": "usd", "contact": 1, "group": 1}});
        desk.post("/deals", &deal);
        desk.0.advance_ms(60_000);
    }
    desk.put("/deals/1", &json!({"deal": {"title": "changed"}}));
    let found = |filter: &str| desk.ids(&format!("/deals?filters[updated_after]={filter}&orders[cdate]=ASC"), "deals");
    assert_eq!(found("2026-11-24T10:02:00-06:00"), ["1"]);
    assert_eq!(found("2026-11-24 10:01:00"), ["1", "2"]);
    assert_eq!(found("2026-11-25"), Vec::<String>::new());
}
