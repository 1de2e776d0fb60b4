//! Collections, their outcomes row by row, and what is done about those that were refused.

use abmatic_sync_core::connector::contract::CrmConnector;
use abmatic_sync_core::connector::request::{CreateInDoubt, VerifyRequest, Write, WriteOutcome};
use abmatic_sync_core::error::{ErrorCode, ErrorKind};
use abmatic_sync_core::ids::{IntentId, RemoteId};
use abmatic_sync_core::model::resource::Resource;
use abmatic_sync_core::model::value::Value;
use serde_json::{Value as Json, json};
use wiremock::matchers::{method, path};
use wiremock::{Mock, ResponseTemplate};

use crate::org::{DATA, Key, Org, create, fields_of, page, record, refused, saved, shown, update};

const A: &str = "001000000000001AAA";
const B: &str = "001000000000002AAA";

type FieldList = Vec<(&'static str, Value)>;

/// A person as a create takes it.
fn person(email: &str) -> FieldList {
    vec![("Email", email.into()), ("LastName", "Roe".into())]
}

#[tokio::test]
async fn creates_are_upserts_by_the_external_id_and_read_back() {
    let org = Org::start(Key::Present).await;
    let row = |key: &str, name: &str| json!({"attributes": {"type": "Account"}, "Abmatic_Id__c": key, "Name": name});
    let body = json!({"allOrNone": false, "records": [row("i1", " Acme "), row("i2", "Bolt")]});
    let answer = json!([saved(A), refused("FIELD_CUSTOM_VALIDATION_EXCEPTION", "No bolts here")]);
    org.expect("PATCH", "composite/sobjects/Account/Abmatic_Id__c", body, answer).await;
    let back = json!({"ids": [A], "fields": ["Name", "Id", "CreatedDate", "SystemModstamp"]});
    org.expect("POST", "composite/sobjects/Account", back, json!([record("Account", A, json!({"Name": "Acme"}))]))
        .await;
    let writes = vec![create("i1", &[("Name", " Acme ".into())]), create("i2", &[("Name", "Bolt".into())])];
    let outcomes = org.write(Resource::Account, writes).await;
    assert_eq!(shown(&outcomes), [A, "Invalid"]);
    let WriteOutcome::Written(written) = &outcomes[0] else { panic!("{outcomes:?}") };
    assert_eq!(written.fields, fields_of(&[("Name", "Acme".into())]), "the base takes what the CRM keeps");
    assert_eq!(written.modified_at, Some("2026-02-03T09:10:11Z".parse().unwrap()));
    let WriteOutcome::Failed(error) = &outcomes[1] else { panic!("{outcomes:?}") };
    assert_eq!(
        error.to_string(),
        "salesforce write Account: No bolts here [FIELD_CUSTOM_VALIDATION_EXCEPTION] (INVALID_FIELD)"
    );
    let sent = org.server.received_requests().await.unwrap();
    let upsert = sent.iter().find(|request| request.method.as_str() == "PATCH").unwrap();
    assert_eq!(upsert.headers.get("sforce-auto-assign").unwrap(), "FALSE", "owners stay as they were set");
}

#[tokio::test]
async fn what_somebody_edits_before_it_is_read_back_is_not_what_the_crm_keeps() {
    let org = Org::start(Key::Present).await;
    org.answer("PATCH", "composite/sobjects/Account/Abmatic_Id__c", 200, json!([saved(A)])).await;
    let held = json!({"Name": "Bolt", "Website": "acme.com"});
    org.answer("POST", "composite/sobjects/Account", 200, json!([record("Account", A, held)])).await;
    let fields = [("Name", "Acme".into()), ("Website", " acme.com ".into())];
    let outcomes = org.write(Resource::Account, vec![create("i1", &fields)]).await;
    let WriteOutcome::Written(written) = &outcomes[0] else { panic!("{outcomes:?}") };
    assert_eq!(written.fields, fields_of(&[("Website", "acme.com".into())]));
}

#[tokio::test]
async fn what_does_not_fit_is_refused_before_it_costs_a_call() {
    let org = Org::start(Key::Present).await;
    let cases: [(Resource, FieldList, ErrorCode, &str); 7] = [
        (
            Resource::Account,
            vec![("Website", "x.com".into())],
            ErrorCode::RequiredFieldMissing,
            "\"Name\" is required on create",
        ),
        (
            Resource::Lead,
            vec![("LastName", "Roe".into())],
            ErrorCode::RequiredFieldMissing,
            "\"Company\" is required on create",
        ),
        (
            Resource::Contact,
            vec![("Email", "a@x.com".into())],
            ErrorCode::RequiredFieldMissing,
            "\"LastName\" is required on create",
        ),
        (Resource::Account, vec![("Nme", "x".into())], ErrorCode::InvalidField, "Account has no field \"Nme\""),
        (
            Resource::Account,
            vec![("Name", "é".repeat(81).into())],
            ErrorCode::InvalidField,
            "\"Name\" takes 80 characters and was given 81",
        ),
        (
            Resource::Account,
            vec![("Rating", "Warm".into())],
            ErrorCode::InvalidField,
            "\"Rating\" has no option \"Warm\"; salesforce offers Hot, Cold",
        ),
        (
            Resource::Account,
            vec![("NumberOfEmployees", "many".into())],
            ErrorCode::InvalidField,
            "\"NumberOfEmployees\" takes a integer, not the text \"many\"",
        ),
    ];
    for (resource, fields, code, message) in cases {
        let outcomes = org.write(resource, vec![create("i1", &fields)]).await;
        let WriteOutcome::Failed(error) = &outcomes[0] else { panic!("{outcomes:?}") };
        assert_eq!((error.code(), error.message()), (code, message));
    }
    assert_eq!(org.on.calls.total(), 3, "three describes and nothing more");
}

#[tokio::test]
async fn a_duplicate_rule_is_asked_again_for_the_record_that_it_found() {
    let org = Org::start(Key::Absent).await;
    let found = |kind: &str, id: &str| {
        json!([{"errorCode": "DUPLICATES_DETECTED", "message": "Use one of these records?", "duplicateResult": {"allowSave": true,
            "matchResults": [{"entityType": kind, "matchRecords": [{"record": {"attributes": {"type": kind}, "Id": id}}]}]}}])
    };
    let detected = || refused("DUPLICATES_DETECTED", "Use one of these records?");
    org.answer("POST", "composite/sobjects", 200, json!([detected()])).await;
    org.answer("POST", "sobjects/Contact", 400, found("Contact", "003000000000007AAA")).await;
    org.answer("POST", "sobjects/Lead", 400, found("Contact", "003000000000007AAA")).await;
    let outcomes = org.write(Resource::Contact, vec![create("i1", &person("a@x.com"))]).await;
    assert_eq!(shown(&outcomes), ["Duplicate 003000000000007AAA"]);
    let lead = [person("a@x.com"), vec![("Company", "Acme".into())]].concat();
    let outcomes = org.write(Resource::Lead, vec![create("i1", &lead)]).await;
    assert_eq!(shown(&outcomes), ["Duplicate"], "a contact is no lead to link to");
}

#[tokio::test]
async fn a_taken_value_names_its_record_by_its_long_id() {
    let org = Org::start(Key::Absent).await;
    let taken = "duplicate value found: Ext__c duplicates value on record with id: 001000000000001";
    org.answer("POST", "composite/sobjects", 200, json!([refused("DUPLICATE_VALUE", taken)])).await;
    let outcomes = org.write(Resource::Account, vec![create("i1", &[("Name", "Acme".into())])]).await;
    assert_eq!(shown(&outcomes), [format!("Duplicate {A}")]);
}

#[tokio::test]
async fn locked_rows_wait_and_go_again_alone() {
    let org = Org::start(Key::Absent).await;
    let row = |id: &str| json!({"attributes": {"type": "Account"}, "id": id, "Industry": "Banking"});
    let both = json!({"allOrNone": false, "records": [row(A), row(B)]});
    let locked = refused("UNABLE_TO_LOCK_ROW", "unable to obtain exclusive access to this record");
    org.expect("PATCH", "composite/sobjects", both, json!([saved(A), locked])).await;
    org.expect("PATCH", "composite/sobjects", json!({"allOrNone": false, "records": [row(B)]}), json!([saved(B)]))
        .await;
    org.answer("POST", "composite/sobjects/Account", 200, json!([])).await;
    let change = [("Industry", Value::Choice("Banking".to_owned()))];
    let outcomes = org.write(Resource::Account, vec![update("001000000000001", &change), update(B, &change)]).await;
    assert_eq!(shown(&outcomes), [A, B]);
    assert_eq!(org.clock.waited().num_seconds(), 1);
}

#[tokio::test]
async fn siblings_share_a_call_and_calls_hold_200() {
    let org = Org::start(Key::Absent).await;
    let answer = |request: &wiremock::Request| {
        let body: Json = request.body_json().unwrap();
        let saved: Vec<Json> =
            body["records"].as_array().unwrap().iter().map(|row| saved(row["id"].as_str().unwrap())).collect();
        ResponseTemplate::new(200).set_body_json(saved)
    };
    Mock::given(method("PATCH"))
        .and(path(format!("{DATA}/composite/sobjects")))
        .respond_with(answer)
        .mount(&org.server)
        .await;
    org.answer("POST", "composite/sobjects/Contact", 200, json!([])).await;
    let parent = |n: usize| Value::reference(if n.is_multiple_of(2) { A } else { B });
    let contact = |n: usize| update(&format!("003{n:012}AAA"), &[("account", parent(n))]);
    let outcomes = org.write(Resource::Contact, (0..400).map(contact).collect()).await;
    assert_eq!(outcomes.len(), 400);
    let sent = org.sent("PATCH", "composite/sobjects").await;
    let parents = |body: &Json| {
        body["records"]
            .as_array()
            .unwrap()
            .iter()
            .map(|row| row["AccountId"].to_string())
            .collect::<std::collections::BTreeSet<_>>()
    };
    assert_eq!(sent.iter().map(|body| parents(body).len()).collect::<Vec<_>>(), [1, 1]);
    assert_eq!(org.on.calls.total(), 2 + 2 + 1, "describes, collections, one read of what they hold");
}

#[tokio::test]
async fn one_bad_row_does_not_spoil_its_call() {
    let org = Org::start(Key::Absent).await;
    let answer = |request: &wiremock::Request| {
        let body: Json = request.body_json().unwrap();
        let rows = body["records"].as_array().unwrap();
        if rows.iter().any(|row| row["Name"] == "bad") {
            let refusal = json!([{"errorCode": "JSON_PARSER_ERROR", "message": "Unexpected character"}]);
            return ResponseTemplate::new(400).set_body_json(refusal);
        }
        let saved: Vec<Json> = rows.iter().map(|row| saved(row["id"].as_str().unwrap())).collect();
        ResponseTemplate::new(200).set_body_json(saved)
    };
    Mock::given(method("PATCH"))
        .and(path(format!("{DATA}/composite/sobjects")))
        .respond_with(answer)
        .mount(&org.server)
        .await;
    org.answer("POST", "composite/sobjects/Account", 200, json!([])).await;
    let write = |n: usize, name: &str| update(&format!("001{n:012}AAA"), &[("Name", name.into())]);
    let outcomes =
        org.write(Resource::Account, vec![write(1, "a"), write(2, "bad"), write(3, "c"), write(4, "d")]).await;
    assert_eq!(shown(&outcomes), ["001000000000001AAA", "Invalid", "001000000000003AAA", "001000000000004AAA"]);
}

#[tokio::test]
async fn a_converted_lead_is_written_as_its_contact() {
    let org = Org::start(Key::Absent).await;
    let (lead, contact) = ("00Q000000000001AAA", "003000000000009AAA");
    let row = json!({"attributes": {"type": "Lead"}, "id": lead, "Company": "Acme", "Title": "CTO"});
    let gone = json!([refused("CANNOT_UPDATE_CONVERTED_LEAD", "cannot reference converted lead")]);
    org.expect("PATCH", "composite/sobjects", json!({"allOrNone": false, "records": [row]}), gone).await;
    let converted = json!({"IsConverted": true, "ConvertedContactId": contact});
    org.answer("POST", "composite/sobjects/Lead", 200, json!([record("Lead", lead, converted)])).await;
    org.answer("POST", "composite/sobjects/Contact", 200, json!([record("Contact", contact, json!({}))])).await;
    let row = json!({"attributes": {"type": "Contact"}, "id": contact, "Title": "CTO"});
    org.expect("PATCH", "composite/sobjects", json!({"allOrNone": false, "records": [row]}), json!([saved(contact)]))
        .await;
    let back = json!({"Account": {"Name": "Acme Inc"}, "Title": "CTO"});
    org.answer("GET", "query", 200, page(vec![record("Contact", contact, back)])).await;
    let outcomes =
        org.write(Resource::Lead, vec![update(lead, &[("Company", "Acme".into()), ("Title", "CTO".into())])]).await;
    assert_eq!(shown(&outcomes), [contact]);
    let WriteOutcome::Written(written) = &outcomes[0] else { panic!("{outcomes:?}") };
    assert_eq!(written.fields, fields_of(&[("Company", "Acme Inc".into()), ("Title", "CTO".into())]));
    assert!(written.warnings[0].contains("has become the contact"), "{:?}", written.warnings);
}

#[tokio::test]
async fn an_opportunity_gets_and_loses_contacts() {
    let org = Org::start(Key::Absent).await;
    let (deal, ann, bob, cat) =
        ("006000000000001AAA", "003000000000001AAA", "003000000000002AAA", "003000000000003AAA");
    let role =
        |id: &str, contact: &str| json!({"attributes": {}, "Id": id, "OpportunityId": deal, "ContactId": contact});
    let soql =
        format!("SELECT Id,OpportunityId,ContactId FROM OpportunityContactRole WHERE OpportunityId IN ('{deal}')");
    org.query("query", &soql, page(vec![role("00K1", ann), role("00K3", cat)])).await;
    let added = json!({"attributes": {"type": "OpportunityContactRole"}, "OpportunityId": deal, "ContactId": bob});
    org.expect("POST", "composite/sobjects", json!({"allOrNone": false, "records": [added]}), json!([saved("00K2")]))
        .await;
    org.answer("DELETE", "composite/sobjects", 200, json!([saved("00K1")])).await;
    org.answer("POST", "composite/sobjects/Opportunity", 200, json!([record("Opportunity", deal, json!({}))])).await;
    let write = Write::Update {
        id: RemoteId::from(deal),
        fields: fields_of(&[("contacts", Value::reference(bob))]),
        references_before: fields_of(&[("contacts", Value::reference(ann))]),
        unmodified_since: None,
    };
    assert_eq!(shown(&org.write(Resource::Opportunity, vec![write]).await), [deal]);
    let requests = org.server.received_requests().await.unwrap();
    let deleted = requests.iter().find(|request| request.method.as_str() == "DELETE").unwrap();
    assert_eq!(deleted.url.query(), Some("ids=00K1&allOrNone=false"), "whom somebody else added stays");
}

#[tokio::test]
async fn a_plain_create_that_may_have_happened_is_not_sent_again() {
    let org = Org::with(Key::Absent, |builder| builder.settle_seconds(5)).await;
    org.answer("POST", "composite/sobjects", 502, json!("<html>")).await;
    let outcomes = org.write(Resource::Contact, vec![create("i1", &person("a@x.com"))]).await;
    assert_eq!(shown(&outcomes), ["Ambiguous"]);
    assert_eq!(org.on.calls.total(), 3, "describes and one create");
    let soql = "SELECT Email,FirstName,LastName,Id,CreatedDate,SystemModstamp FROM Contact WHERE \
                (LastName IN ('Roe','Roe')) AND (CreatedDate >= 1970-01-01T00:00:00Z)";
    let made =
        record("Contact", "003000000000005AAA", json!({"Email": "A@x.com", "FirstName": null, "LastName": "Roe"}));
    let mock = Mock::given(path(format!("{DATA}/query"))).and(wiremock::matchers::query_param("q", soql));
    mock.respond_with(ResponseTemplate::new(200).set_body_json(page(vec![made]))).expect(1).mount(&org.server).await;
    org.answer("GET", "query", 200, page(Vec::new())).await;
    let announced = "1970-01-01T00:05:00Z".parse().unwrap();
    let doubt =
        |intent: &str, email: &str| CreateInDoubt::new(IntentId::from(intent), announced, fields_of(&person(email)));
    let request = VerifyRequest::new(Resource::Contact, vec![doubt("i1", "a@x.com"), doubt("i2", "b@x.com")]);
    let verified = org.connector.verify(&org.on, request).await.unwrap();
    assert_eq!(verified[0].as_ref().unwrap().id, RemoteId::from("003000000000005AAA"));
    assert!(verified[1].is_none());
    assert!(org.clock.waited().num_seconds() >= 300, "one that lost its caller may still be at work");
}

#[tokio::test]
async fn a_create_in_doubt_is_found_by_the_external_id() {
    let org = Org::start(Key::Present).await;
    let soql = "SELECT Abmatic_Id__c,Name,Website,Id,CreatedDate,SystemModstamp,IsDeleted,MasterRecordId FROM Account \
                WHERE Abmatic_Id__c IN ('i1','i2')";
    org.query(
        "queryAll",
        soql,
        page(vec![record("Account", A, json!({"Abmatic_Id__c": "I2", "Name": "x", "Website": null}))]),
    )
    .await;
    let doubt = |intent: &str| {
        CreateInDoubt::new(IntentId::from(intent), "2026-01-01T00:00:00Z".parse().unwrap(), fields_of(&[]))
    };
    let verified = org
        .connector
        .verify(&org.on, VerifyRequest::new(Resource::Account, vec![doubt("i1"), doubt("i2")]))
        .await
        .unwrap();
    assert_eq!(verified.iter().map(|one| one.as_ref().map(|one| one.id.as_str())).collect::<Vec<_>>(), [None, Some(A)]);
}

#[tokio::test]
async fn what_is_gone_already_is_archived() {
    let org = Org::start(Key::Absent).await;
    org.answer(
        "DELETE",
        "composite/sobjects",
        200,
        json!([saved(A), refused("ENTITY_IS_DELETED", "entity is deleted")]),
    )
    .await;
    let archive = |id: &str| Write::Archive { id: RemoteId::from(id) };
    assert_eq!(shown(&org.write(Resource::Account, vec![archive(B), archive(A)]).await), [B, A]);
}

#[tokio::test]
async fn activities_are_tasks_and_memberships() {
    let org = Org::start(Key::Absent).await;
    let (campaign, contact, member) = ("701000000000001AAA", "003000000000001AAA", "00v000000000001AAA");
    let task = json!({"attributes": {"type": "Task"}, "Subject": "Opened", "WhoId": contact});
    org.expect(
        "POST",
        "composite/sobjects",
        json!({"allOrNone": false, "records": [task]}),
        json!([saved("00T000000000001AAA")]),
    )
    .await;
    let joined = json!({"attributes": {"type": "CampaignMember"}, "CampaignId": campaign, "ContactId": contact, "Status": "Responded"});
    let twice = json!([refused("DUPLICATE_VALUE", "Already a campaign member.")]);
    org.expect("POST", "composite/sobjects", json!({"allOrNone": false, "records": [joined]}), twice).await;
    let held = json!({"attributes": {}, "Id": member, "CampaignId": campaign, "ContactId": contact, "LeadId": null});
    org.answer("GET", "query", 200, page(vec![held])).await;
    let row = json!({"attributes": {"type": "CampaignMember"}, "id": member, "Status": "Responded"});
    org.expect("PATCH", "composite/sobjects", json!({"allOrNone": false, "records": [row]}), json!([saved(member)]))
        .await;
    for object in ["Task", "CampaignMember"] {
        org.answer("POST", &format!("composite/sobjects/{object}"), 200, json!([])).await;
    }
    let who = ("WhoId", Value::reference(contact));
    let writes = vec![
        create("i1", &[("Subject", "Opened".into()), who.clone()]),
        create("i2", &[("CampaignId", Value::reference(campaign)), who, ("Status", "Responded".into())]),
        create("i3", &[("CampaignId", Value::reference(campaign)), ("Status", "Responded".into())]),
    ];
    assert_eq!(shown(&org.write(Resource::Activity, writes).await), ["00T000000000001AAA", member, "Invalid"]);
}

#[tokio::test]
async fn a_named_external_id_has_to_be_one() {
    let org = Org::with(Key::Absent, |builder| builder.external_id(Resource::Account, "Host_Id__c")).await;
    let error = org.connector.prepare(&org.on, Resource::Account).await.unwrap_err();
    assert_eq!(error.code(), ErrorCode::InvalidSettings);
    assert!(error.message().starts_with("Account has no field Host_Id__c that is an external id"), "{error}");
    assert!(org.connector.prepare(&org.on, Resource::Contact).await.is_ok());
    assert_eq!(error.kind(), ErrorKind::Invalid);
}

#[tokio::test]
async fn a_mapped_external_id_is_the_hosts_own_key() {
    let org = Org::start(Key::Present).await;
    let row = json!({"attributes": {"type": "Account"}, "Abmatic_Id__c": "host/7", "Name": "Acme"});
    let body = json!({"allOrNone": false, "records": [row]});
    let answer = json!([refused("DUPLICATES_DETECTED", "Use one of these records?")]);
    org.expect("PATCH", "composite/sobjects/Account/Abmatic_Id__c", body, answer).await;
    let fields = [("Name", "Acme".into()), ("abmatic_id__c", "host/7".into())];
    let outcomes = org.write(Resource::Account, vec![create("i1", &fields)]).await;
    assert_eq!(shown(&outcomes), ["Duplicate"], "a slash is not to be put into a path");
}

#[tokio::test]
async fn an_update_of_what_is_gone_says_so() {
    let org = Org::start(Key::Absent).await;
    let gone = json!([refused("INVALID_CROSS_REFERENCE_KEY", "invalid cross reference id")]);
    org.answer("PATCH", "composite/sobjects", 200, gone).await;
    org.answer("POST", "composite/sobjects/Account", 200, json!([null])).await;
    org.answer("GET", "queryAll", 200, page(Vec::new())).await;
    assert_eq!(shown(&org.write(Resource::Account, vec![update(A, &[("Name", "x".into())])]).await), ["NotFound"]);
}

#[tokio::test]
async fn few_updates_are_made_on_condition_in_one_call() {
    let org = Org::start(Key::Absent).await;
    let since = "Tue, 03 Feb 2026 09:10:11 GMT";
    let request = |place: usize, id: &str, name: &str| {
        json!({"method": "PATCH", "url": format!("{DATA}/sobjects/Account/{id}"), "referenceId": format!("r{place}"),
            "httpHeaders": {"If-Unmodified-Since": since, "Sforce-Auto-Assign": "FALSE"}, "body": {"Name": name}})
    };
    let body = json!({"allOrNone": false, "collateSubrequests": false,
        "compositeRequest": [request(0, A, "Acme"), request(1, B, "Bolt")]});
    let refusal = json!([{"errorCode": "PRECONDITION_FAILED", "message": "evaluated to false"}]);
    let answer = json!({"compositeResponse": [
        {"body": null, "httpHeaders": {}, "httpStatusCode": 204, "referenceId": "r0"},
        {"body": refusal, "httpHeaders": {}, "httpStatusCode": 412, "referenceId": "r1"}]});
    org.expect("POST", "composite", body, answer).await;
    org.answer("POST", "composite/sobjects/Account", 200, json!([record("Account", A, json!({"Name": "Acme"}))])).await;
    let conditional = |id: &str, name: &str| Write::Update {
        id: RemoteId::from(id),
        fields: fields_of(&[("Name", name.into())]),
        references_before: fields_of(&[]),
        unmodified_since: Some("2026-02-03T09:10:11Z".parse().unwrap()),
    };
    let outcomes = org.write(Resource::Account, vec![conditional(A, "Acme"), conditional(B, "Bolt")]).await;
    assert_eq!(shown(&outcomes), [A, "Conflict"]);
    let WriteOutcome::Failed(error) = &outcomes[1] else { panic!("{outcomes:?}") };
    assert_eq!(error.code(), ErrorCode::ConcurrentChange);
    // Many are worth a Collection's fewer calls more.
    let ids: Vec<String> = (0..26).map(|number| format!("001{number:012}AAA")).collect();
    let saves: Vec<Json> = ids.iter().map(|id| saved(id)).collect();
    org.answer("PATCH", "composite/sobjects", 200, json!(saves)).await;
    let outcomes = org.write(Resource::Account, ids.iter().map(|id| conditional(id, "Many")).collect()).await;
    assert!(outcomes.iter().all(|outcome| matches!(outcome, WriteOutcome::Written(_))), "{outcomes:?}");
}
