//! What users do: deletions, merges, restores, conversions, and how the API tells of them.

use serde_json::{Value, json};

use crate::desk::Desk;

fn query_all(desk: &Desk, soql: &str) -> Value {
    let mut request = desk.request("GET", "/queryAll");
    request.query.push(("q".to_owned(), soql.to_owned()));
    desk.0.answer(&request).json()["records"].clone()
}

#[test]
fn the_recycle_bin_shows_in_query_all_only() {
    let desk = Desk::new();
    let account = desk.make("Account", &json!({"Name": "A"}));
    let contact = desk.make("Contact", &json!({"LastName": "Roe", "AccountId": account}));
    let task = desk.make("Task", &json!({"Subject": "Call", "WhatId": account}));
    desk.0.advance_ms(60_000);
    assert!(desk.0.user().delete("Account", &account));
    assert_eq!(desk.column("SELECT Id FROM Contact", "Id"), Vec::<Value>::new(), "children go with their account");
    assert_eq!(desk.0.user().record("Task", &task).unwrap().get("WhatId"), "", "other references are cleared");
    let all =
        query_all(&desk, "SELECT Id, IsDeleted, MasterRecordId, SystemModstamp FROM Account WHERE IsDeleted = TRUE");
    assert_eq!((&all[0]["Id"], &all[0]["MasterRecordId"]), (&json!(account), &Value::Null));
    assert_eq!(all[0]["SystemModstamp"], "2026-11-24T16:01:00.000+0000");
    assert!(desk.0.user().undelete("Account", &account));
    assert_eq!(desk.column("SELECT Id FROM Contact", "Id"), [contact], "and come back with it");
    desk.0.user().delete("Account", &account);
    desk.0.advance_ms(15 * 86_400_000);
    assert_eq!(query_all(&desk, "SELECT Id FROM Account"), json!([]));
}

#[test]
fn losers_of_merges_name_their_survivor() {
    let desk = Desk::new();
    let [winner, loser] = ["A", "B"].map(|name| desk.make("Account", &json!({"Name": name})));
    let contact = desk.make("Contact", &json!({"LastName": "Roe", "AccountId": loser}));
    assert!(desk.0.user().merge("Account", &winner, &loser));
    let all = query_all(&desk, "SELECT Id, MasterRecordId FROM Account WHERE IsDeleted = TRUE");
    assert_eq!(all[0]["MasterRecordId"], json!(winner));
    assert_eq!(desk.0.user().record("Contact", &contact).unwrap().get("AccountId"), winner);
    assert_eq!(desk.0.user().record("Account", &loser).unwrap().master_id, Some(winner));
    assert!(!desk.0.user().undelete("Account", &loser), "what was merged away does not come back");
    assert_eq!(desk.get(&format!("/sobjects/Account/{loser}")).1[0]["errorCode"], "ENTITY_IS_DELETED");
}

#[test]
fn replication_tells_ids_in_a_span() {
    let desk = Desk::new();
    let [first, second] = ["A", "B"].map(|name| desk.make("Account", &json!({"Name": name})));
    desk.0.advance_ms(120_000);
    desk.0.user().delete("Account", &second);
    let span = "start=2026-11-24T15:59:00%2B00:00&end=2026-11-24T16:05:00%2B00:00";
    let (_, updated) = desk.get(&format!("/sobjects/Account/updated/?{span}"));
    assert_eq!(updated, json!({"ids": [first], "latestDateCovered": "2026-11-24T16:02:00.000+0000"}));
    let (_, deleted) = desk.get(&format!("/sobjects/Account/deleted/?{span}"));
    assert_eq!(deleted["deletedRecords"], json!([{"id": second, "deletedDate": "2026-11-24T16:02:00.000+0000"}]));
    assert_eq!(deleted["earliestDateAvailable"], "2026-11-09T16:02:00.000+0000");
    for wrong in
        ["start=2026-11-24T16:00:10Z&end=2026-11-24T16:00:50Z", "start=2026-11-01T00:00:00Z&end=2026-11-24T16:00:00Z"]
    {
        let (status, body) = desk.get(&format!("/sobjects/Account/deleted?{wrong}"));
        assert_eq!((status, &body[0]["errorCode"]), (400, &json!("INVALID_REPLICATION_DATE")), "{wrong}");
    }
    assert_eq!(
        desk.get("/limits/recordCount?sObjects=Account").1,
        json!({"sObjects": [{"count": 1, "name": "Account"}]})
    );
}

#[test]
fn converted_leads_are_closed() {
    let desk = Desk::new();
    let key =
        json!({"LastName": "Roe", "FirstName": "Ann", "Company": "Acme", "Email": "ann@x.com", "Abmatic_Id__c": "l-1"});
    let lead = desk.make("Lead", &key);
    let done = desk.0.user().convert(&lead, Some("Acme deal")).unwrap();
    let (_, body) = desk.query("SELECT IsConverted, ConvertedDate, ConvertedAccountId, ConvertedContactId, ConvertedOpportunityId, Status FROM Lead");
    let shown = &body["records"][0];
    assert_eq!((&shown["IsConverted"], &shown["ConvertedDate"]), (&json!(true), &json!("2026-11-24")));
    assert_eq!(
        (&shown["ConvertedContactId"], &shown["Status"]),
        (&json!(done.contact_id), &json!("Closed - Converted"))
    );
    assert_eq!(shown["ConvertedOpportunityId"], json!(done.opportunity_id));
    let contact = desk.0.user().record("Contact", &done.contact_id).unwrap();
    assert_eq!((contact.get("Email"), contact.get("AccountId")), ("ann@x.com", done.account_id.as_str()));
    assert_eq!(contact.get("Abmatic_Id__c"), "", "an external id does not move by itself");
    let refused = json!([{"errorCode": "CANNOT_UPDATE_CONVERTED_LEAD", "message": "cannot reference converted lead", "fields": []}]);
    assert_eq!(desk.patch(&format!("/sobjects/Lead/{lead}"), &json!({"Title": "CEO"})), (400, refused.clone()));
    assert_eq!(desk.patch("/sobjects/Lead/Abmatic_Id__c/l-1", &json!({"Title": "CEO"})), (400, refused));
    let task = desk.post("/sobjects/Task", &json!({"Subject": "Call", "WhoId": lead}));
    assert_eq!(task.1[0]["errorCode"], "CANNOT_UPDATE_CONVERTED_LEAD");
    assert!(desk.0.user().convert(&lead, None).is_none());
}

#[test]
fn locked_rows_and_roles_of_campaigns() {
    let desk = Desk::new();
    let account = desk.make("Account", &json!({"Name": "A"}));
    let contact = desk.make("Contact", &json!({"LastName": "Roe"}));
    desk.0.user().lock("Account", &account);
    let (status, body) = desk.patch(&format!("/sobjects/Contact/{contact}"), &json!({"AccountId": account}));
    let message = format!("unable to obtain exclusive access to this record or 1 records: {account}");
    assert_eq!((status, body), (400, json!([{"errorCode": "UNABLE_TO_LOCK_ROW", "message": message, "fields": []}])));
    desk.0.user().unlock("Account", &account);
    assert_eq!(desk.patch(&format!("/sobjects/Contact/{contact}"), &json!({"AccountId": account})).0, 204);
    let campaign = desk.make("Campaign", &json!({"Name": "Webinar"}));
    let member = json!({"CampaignId": campaign, "ContactId": contact, "Status": "Responded"});
    let id = desk.make("CampaignMember", &member);
    assert_eq!(desk.0.user().record("CampaignMember", &id).unwrap().get("HasResponded"), "true");
    assert_eq!(desk.post("/sobjects/CampaignMember", &member).1[0]["message"], "Already a campaign member.");
}

#[test]
fn what_is_committed_late_carries_an_older_stamp() {
    let desk = Desk::new();
    desk.make("Account", &json!({"Name": "A"}));
    desk.0.user().create_late("Account", &[("Name", "B")], 5_000).unwrap();
    let names = desk.column("SELECT Name FROM Account ORDER BY SystemModstamp", "Name");
    assert_eq!(names, ["B", "A"]);
}
