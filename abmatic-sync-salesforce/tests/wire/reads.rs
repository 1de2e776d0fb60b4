//! Queries, pages, changes, ids, list views and look-ups.

use abmatic_sync_core::connector::contract::CrmConnector;
use abmatic_sync_core::connector::request::{FindRequest, PageCursor, Read, ReadRequest};
use abmatic_sync_core::error::{ErrorCode, ErrorKind};
use abmatic_sync_core::filter::expr::field;
use abmatic_sync_core::ids::RemoteId;
use abmatic_sync_core::model::resource::Resource;
use abmatic_sync_core::model::schema::FieldType;
use abmatic_sync_core::model::value::Value;
use chrono::{DateTime, Utc};
use serde_json::json;
use wiremock::matchers::{header, method, path, query_param};
use wiremock::{Mock, ResponseTemplate};

use crate::org::{DATA, Key, Org, STAMP, TOKEN, fields_of, ids, names, page, record};

const A: &str = "001000000000001AAA";
const B: &str = "001000000000002AAA";
const C: &str = "001000000000003AAA";

fn time(text: &str) -> DateTime<Utc> {
    text.parse().unwrap()
}

#[tokio::test]
async fn a_read_selects_the_mapped_fields_and_goes_by_the_locator() {
    let org = Org::start(Key::Absent).await;
    let first = json!({"totalSize": 3, "done": false, "nextRecordsUrl": format!("{DATA}/query/01gRO-2000"), "records": [
        record("Account", A, json!({"AnnualRevenue": 999_999_999.99, "Name": "Acme", "NumberOfEmployees": 100})),
        {"attributes": {"type": "Account"}, "Id": B, "Name": {"odd": 1}}]});
    let soql = "SELECT AnnualRevenue,name,NumberOfEmployees,Id,CreatedDate,SystemModstamp FROM Account ORDER BY Id";
    org.query("query", soql, first).await;
    let last =
        page(vec![record("Account", C, json!({"AnnualRevenue": null, "Name": null, "NumberOfEmployees": null}))]);
    org.answer("GET", "query/01gRO-2000", 200, last).await;
    // Names have no case: a field comes back under the name that it was asked for by.
    let request = || {
        ReadRequest::new(Resource::Account, Read::All).with_fields(names([
            "AnnualRevenue",
            "name",
            "NumberOfEmployees",
        ]))
    };
    let first = org.read(request()).await;
    let expected = [
        ("AnnualRevenue", Value::Decimal("999999999.99".parse().unwrap())),
        ("NumberOfEmployees", 100.into()),
        ("name", "Acme".into()),
    ];
    assert_eq!(first.records[0].fields, fields_of(&expected));
    assert_eq!((first.total, first.records[0].modified_at), (Some(3), Some(time("2026-02-03T09:10:11Z"))));
    assert_eq!(first.undecodable[0].id, Some(RemoteId::from(B)), "a bad record fails alone");
    let second = org.read(request().at(first.next)).await;
    assert_eq!((ids(&second), &second.next), (vec![C], &None));
    let sent = &org.server.received_requests().await.unwrap()[1];
    let header = |name| sent.headers.get(name).unwrap().to_str().unwrap().to_owned();
    assert_eq!(header("authorization"), format!("Bearer {TOKEN}"));
    assert_eq!(header("sforce-call-options"), "client=abmatic-sync");
}

#[tokio::test]
async fn a_dead_locator_is_replaced_by_the_keyset() {
    let org = Org::start(Key::Absent).await;
    let first = json!({"totalSize": 2, "done": false, "nextRecordsUrl": format!("{DATA}/query/01g-1"),
        "records": [record("Contact", "003000000000001AAA", json!({"Email": "a@x.com"}))]});
    org.query("query", "SELECT Email,Id,CreatedDate,SystemModstamp FROM Contact ORDER BY Id", first).await;
    let gone = json!([{"errorCode": "INVALID_QUERY_LOCATOR", "message": "invalid query locator"}]);
    org.answer("GET", "query/01g-1", 400, gone).await;
    let rest = page(vec![record("Contact", "003000000000002AAA", json!({"Email": null}))]);
    let soql = "SELECT Email,Id,CreatedDate,SystemModstamp FROM Contact WHERE Id > '003000000000001AAA' ORDER BY Id";
    org.query("query", soql, rest).await;
    let request = || ReadRequest::new(Resource::Contact, Read::All).with_fields(names(["Email"]));
    let first = org.read(request()).await;
    assert_eq!(ids(&org.read(request().at(first.next)).await), ["003000000000002AAA"]);
}

#[tokio::test]
async fn a_page_that_comes_again_ends_the_read() {
    let org = Org::start(Key::Absent).await;
    let page = json!({"totalSize": 2, "done": false, "nextRecordsUrl": format!("{DATA}/query/01g-1"),
        "records": [record("Contact", "003000000000001AAA", json!({}))]});
    org.answer("GET", "query", 200, page.clone()).await;
    org.answer("GET", "query/01g-1", 200, page).await;
    let request = || ReadRequest::new(Resource::Contact, Read::All);
    let first = org.read(request()).await;
    let error = org.connector.read(&org.on, request().at(first.next)).await.unwrap_err();
    assert_eq!(error.code(), ErrorCode::RepeatedPage);
    assert!(error.to_string().starts_with("salesforce read Contact: "), "{error}");
}

#[tokio::test]
async fn relations_come_with_their_record() {
    let org = Org::start(Key::Absent).await;
    let roles = json!({"totalSize": 2, "done": true, "records": [
        {"attributes": {}, "ContactId": "003000000000001"}, {"attributes": {}, "ContactId": "003000000000002AAA"}]});
    let opportunity = json!({"Account": {"attributes": {"type": "Account"}, "Name": "Acme"}, "AccountId": A,
        "CloseDate": "2026-03-31", "OpportunityContactRoles": roles});
    let bare = json!({"Account": null, "AccountId": null, "CloseDate": null, "OpportunityContactRoles": null});
    let soql = "SELECT Account.Name,AccountId,CloseDate,Id,CreatedDate,SystemModstamp,\
                (SELECT ContactId FROM OpportunityContactRoles WHERE IsDeleted = FALSE) FROM Opportunity ORDER BY Id";
    let records = vec![
        record("Opportunity", "006000000000001AAA", opportunity),
        record("Opportunity", "006000000000002AAA", bare),
    ];
    org.query("query", soql, page(records)).await;
    let request = ReadRequest::new(Resource::Opportunity, Read::All).with_fields(names(["Account.Name", "CloseDate"]));
    let page = org.read(request.with_relations(names(["account", "contacts"]))).await;
    let contacts = Value::Reference(["003000000000001AAA".to_owned(), "003000000000002AAA".to_owned()].into());
    let day = Value::Date("2026-03-31".parse().unwrap());
    let expected =
        [("Account.Name", "Acme".into()), ("CloseDate", day), ("account", Value::reference(A)), ("contacts", contacts)];
    assert_eq!(page.records[0].fields, fields_of(&expected));
    let none = ["Account.Name", "CloseDate", "account", "contacts"].map(|name| (name, Value::Null));
    assert_eq!(page.records[1].fields, fields_of(&none));
}

#[tokio::test]
async fn changes_go_over_the_bin_and_follow_merges() {
    let org = Org::start(Key::Absent).await;
    let binned = |id: &str, master: Option<&str>| {
        record("Account", id, json!({"Name": "x", "IsDeleted": true, "MasterRecordId": master}))
    };
    let live = record("Account", A, json!({"Name": "Acme", "IsDeleted": false, "MasterRecordId": null}));
    let soql = "SELECT Name,Id,CreatedDate,SystemModstamp,IsDeleted,MasterRecordId FROM Account WHERE \
                (SystemModstamp >= 2026-02-03T00:00:00Z) AND (SystemModstamp <= 2026-02-04T00:00:00Z) AND (Name = 'Acme') \
                ORDER BY SystemModstamp,Id";
    org.query("queryAll", soql, page(vec![binned(B, Some(A)), live, binned(C, None)])).await;
    let (since, until) = (time("2026-02-03T00:00:00Z"), time("2026-02-04T00:00:00Z"));
    let read = Read::Changed { since, until, filter: Some(field("Name").equals("Acme")) };
    let page = org.read(ReadRequest::new(Resource::Account, read).with_fields(names(["Name"]))).await;
    assert_eq!((ids(&page), &page.records[0].merged_ids), (vec![A], &vec![RemoteId::from(B)]));
}

#[tokio::test]
async fn a_converted_lead_comes_as_its_contact() {
    let org = Org::start(Key::Absent).await;
    let (lead, contact) = ("00Q000000000001AAA", "003000000000009AAA");
    let converted = json!({"Company": "Acme", "Email": "a@x.com", "IsConverted": true, "ConvertedContactId": contact,
        "IsDeleted": false, "MasterRecordId": null});
    org.answer("GET", "queryAll", 200, page(vec![record("Lead", lead, converted)])).await;
    let person = json!({"Account": {"Name": "Acme Inc"}, "Email": "a@x.com"});
    let soql = format!(
        "SELECT Account.Name,Email,Id,CreatedDate,SystemModstamp,IsDeleted,MasterRecordId FROM Contact WHERE Id IN ('{contact}')"
    );
    org.query("query", &soql, page(vec![record("Contact", contact, person)])).await;
    let (since, until) = (time("2026-02-03T00:00:00Z"), time("2026-02-04T00:00:00Z"));
    let read = Read::Changed { since, until, filter: None };
    let page = org.read(ReadRequest::new(Resource::Lead, read).with_fields(names(["Company", "Email"]))).await;
    assert_eq!((ids(&page), &page.records[0].merged_ids), (vec![contact], &vec![RemoteId::from(lead)]));
    assert_eq!(page.records[0].fields, fields_of(&[("Company", "Acme Inc".into()), ("Email", "a@x.com".into())]));
}

#[tokio::test]
async fn deleted_records_are_told() {
    let org = Org::start(Key::Absent).await;
    let soql = "SELECT Id,CreatedDate,SystemModstamp,IsDeleted,MasterRecordId FROM Account WHERE \
                (IsDeleted = TRUE) AND (SystemModstamp >= 2026-02-03T00:00:00Z) \
                ORDER BY SystemModstamp,Id";
    org.query("queryAll", soql, page(vec![record("Account", A, json!({"IsDeleted": true, "MasterRecordId": null}))]))
        .await;
    let read = Read::Archived { since: Some(time("2026-02-03T00:00:00Z")) };
    let page = org.read(ReadRequest::new(Resource::Account, read)).await;
    assert!(page.records[0].deleted);
}

#[tokio::test]
async fn ids_are_retrieved_in_one_call_and_missing_ones_followed() {
    let org = Org::start(Key::Absent).await;
    let fields = json!(["Name", "Id", "CreatedDate", "SystemModstamp"]);
    let both = json!({"ids": [A, B], "fields": fields});
    org.expect("POST", "composite/sobjects/Account", both, json!([record("Account", A, json!({"Name": "A"})), null]))
        .await;
    let lost = page(vec![record("Account", B, json!({"IsDeleted": true, "MasterRecordId": C}))]);
    let soql = format!("SELECT Id,SystemModstamp,IsDeleted,MasterRecordId FROM Account WHERE Id IN ('{B}')");
    org.query("queryAll", &soql, lost).await;
    let survivor = json!({"ids": [C], "fields": fields});
    org.expect("POST", "composite/sobjects/Account", survivor, json!([record("Account", C, json!({"Name": "C"}))]))
        .await;
    // Fifteen characters are the same id.
    let read = Read::Ids(vec![RemoteId::from("001000000000001"), RemoteId::from(B)]);
    let page = org.read(ReadRequest::new(Resource::Account, read).with_fields(names(["Name"]))).await;
    assert_eq!((ids(&page), &page.records[1].merged_ids), (vec![A, C], &vec![RemoteId::from(B)]));
}

#[tokio::test]
async fn people_are_found_by_email_and_accounts_by_whatever_mentions_their_domain() {
    let org = Org::start(Key::Absent).await;
    let soql = "SELECT Email,Id,CreatedDate,SystemModstamp,IsConverted,ConvertedContactId FROM Lead WHERE \
                (IsConverted = FALSE) AND (Email IN ('a@x.com','o\\'b@x.com'))";
    let lead = json!({"Email": "A@x.com", "IsConverted": false, "ConvertedContactId": null});
    org.query("query", soql, page(vec![record("Lead", "00Q000000000001AAA", lead)])).await;
    let request = FindRequest::new(Resource::Lead, vec!["a@x.com".to_owned(), "o'b@x.com".to_owned()]);
    assert_eq!(org.connector.find(&org.on, request).await.unwrap()[0].fields.get("Email"), Some(&"A@x.com".into()));
    let soql = "SELECT Website,Id,CreatedDate,SystemModstamp FROM Account WHERE Website LIKE '%x.com%' OR Website LIKE '%y\\_z.com%'";
    org.query("query", soql, page(vec![record("Account", A, json!({"Website": "https://www.x.com/about"}))])).await;
    let request = FindRequest::new(Resource::Account, vec!["x.com".to_owned(), "y_z.com".to_owned()]);
    assert_eq!(org.connector.find(&org.on, request).await.unwrap()[0].id, RemoteId::from(A));
}

#[tokio::test]
async fn a_list_view_is_a_scope_by_its_own_condition() {
    let org = Org::start(Key::Absent).await;
    let view = "00B000000000001AAA";
    let views =
        json!({"done": true, "listviews": [{"id": view, "developerName": "MyAccounts", "label": "My Accounts"}]});
    org.answer("GET", "sobjects/Account/listviews", 200, views).await;
    let query = "SELECT name FROM Account WHERE Name LIKE 'A%' ORDER BY Name ASC NULLS FIRST, Id ASC NULLS FIRST";
    org.answer(
        "GET",
        &format!("sobjects/Account/listviews/{view}/describe"),
        200,
        json!({"query": query, "scope": "mine"}),
    )
    .await;
    let soql =
        "SELECT Name,Id,CreatedDate,SystemModstamp FROM Account USING SCOPE mine WHERE Name LIKE 'A%' ORDER BY Id";
    org.query("query", soql, page(vec![record("Account", A, json!({"Name": "Acme"}))])).await;
    let soql = "SELECT COUNT() FROM Account USING SCOPE mine WHERE Name LIKE 'A%'";
    org.query("query", soql, json!({"totalSize": 14, "done": true, "records": []})).await;
    let list = Read::List("my accounts".to_owned());
    assert_eq!(org.connector.count(&org.on, Resource::Account, &list).await.unwrap(), Some(14));
    let page = org.read(ReadRequest::new(Resource::Account, list).with_fields(names(["Name"]))).await;
    assert_eq!(ids(&page), [A]);
    let nowhere = ReadRequest::new(Resource::Account, Read::List("Nowhere".to_owned()));
    let error = org.connector.read(&org.on, nowhere).await.unwrap_err();
    assert_eq!(
        (error.code(), error.message()),
        (ErrorCode::InvalidSettings, "there is no list view \"Nowhere\" of Account")
    );
}

#[tokio::test]
async fn a_list_view_without_a_query_gives_its_ids() {
    let org = Org::start(Key::Absent).await;
    let view = "00B000000000001AAA";
    org.answer("GET", &format!("sobjects/Account/listviews/{view}/describe"), 200, json!({"query": null})).await;
    let row = json!({"columns": [{"fieldNameOrPath": "Name", "value": "Acme"}, {"fieldNameOrPath": "Id", "value": A}]});
    let results = Mock::given(path(format!("{DATA}/sobjects/Account/listviews/{view}/results")))
        .and(query_param("limit", "2000"));
    let answer = ResponseTemplate::new(200).set_body_json(json!({"done": true, "records": [row], "size": 1}));
    results.respond_with(answer).expect(1).mount(&org.server).await;
    org.answer("POST", "composite/sobjects/Account", 200, json!([record("Account", A, json!({"Name": "Acme"}))])).await;
    let request = ReadRequest::new(Resource::Account, Read::List(view.to_owned())).with_fields(names(["Name"]));
    assert_eq!(ids(&org.read(request).await), [A]);
}

#[tokio::test]
async fn filters_are_counted_and_refused_with_a_reason() {
    let org = Org::start(Key::Absent).await;
    let soql = "SELECT COUNT() FROM Lead WHERE (IsConverted = FALSE) AND (Company = 'O\\'Brien')";
    org.query("query", soql, json!({"totalSize": 3222, "done": true, "records": []})).await;
    let filter = Read::Filter(field("Company").equals("O'Brien"));
    assert_eq!(org.connector.count(&org.on, Resource::Lead, &filter).await.unwrap(), Some(3222));
    let long = Read::Filter(field("Description").equals("x"));
    let error = org.connector.read(&org.on, ReadRequest::new(Resource::Account, long)).await.unwrap_err();
    assert_eq!(error.code(), ErrorCode::InvalidFilter);
    assert_eq!(error.message(), "salesforce does not filter by Description: it is a long or encrypted field");
}

#[tokio::test]
async fn fields_are_described_with_those_of_the_account() {
    let org = Org::start(Key::Present).await;
    let schema = org.connector.describe(&org.on, Resource::Contact).await.unwrap();
    let last = schema.field("LastName").unwrap();
    assert!(last.required_on_create && last.writable && last.length_max == Some(80));
    assert!(schema.field("Abmatic_Id__c").unwrap().unique);
    let parent = schema.field("Account.Industry").unwrap();
    assert_eq!((parent.field_type, parent.writable), (FieldType::Choice, false));
    assert!(schema.field("Account.BillingAddress").is_none(), "no compound fields");
    assert_eq!(schema.recommended, [abmatic_sync_core::ids::FieldName::from("Email")]);
    let schema = org.connector.describe(&org.on, Resource::Account).await.unwrap();
    assert_eq!(schema.field("Rating").unwrap().options.len(), 2);
}

#[tokio::test]
async fn person_accounts_are_people_and_no_accounts() {
    let org = Org::start(Key::Absent).await;
    org.server.reset().await;
    for object in ["Account", "Contact"] {
        let mut described = crate::org::describe(object, Key::Absent);
        let flag = json!({"name": "IsPersonAccount", "type": "boolean", "filterable": true});
        described["fields"].as_array_mut().unwrap().push(flag);
        org.answer("GET", &format!("sobjects/{object}/describe"), 200, described).await;
    }
    let soql = "SELECT Id,CreatedDate,SystemModstamp FROM Account WHERE IsPersonAccount = FALSE ORDER BY Id";
    org.query("query", soql, page(Vec::new())).await;
    org.read(ReadRequest::new(Resource::Account, Read::All)).await;
    let soql = "SELECT AccountId,Id,CreatedDate,SystemModstamp,IsPersonAccount FROM Contact ORDER BY Id";
    let person = json!({"AccountId": A, "IsPersonAccount": true});
    org.query("query", soql, page(vec![record("Contact", "003000000000001AAA", person)])).await;
    let request = ReadRequest::new(Resource::Contact, Read::All).with_relations(names(["account"]));
    assert_eq!(org.read(request).await.records[0].fields, fields_of(&[("account", Value::Null)]));
}

#[tokio::test]
async fn bad_answers_are_clear_errors_without_secrets() {
    let org = Org::start(Key::Absent).await;
    Mock::given(method("GET"))
        .and(path(format!("{DATA}/query")))
        .and(header("accept", "application/json"))
        .respond_with(ResponseTemplate::new(200).set_body_string("{}"))
        .mount(&org.server)
        .await;
    let request = || ReadRequest::new(Resource::Contact, Read::All);
    let garbage = org.connector.read(&org.on, request()).await.unwrap_err();
    assert_eq!((garbage.kind(), garbage.code()), (ErrorKind::Undocumented, ErrorCode::InvalidAnswer));
    let cursor = org.connector.read(&org.on, request().at(Some(PageCursor::new("garbage")))).await.unwrap_err();
    assert_eq!(cursor.code(), ErrorCode::InvalidRequest);
    for text in [format!("{garbage:?} {cursor:?}"), format!("{:?} {:?}", org.connector, org.on)] {
        assert!(!text.contains(TOKEN), "{text}");
    }
    assert!(STAMP.ends_with("+0000"), "times come without a colon");
}

#[tokio::test]
async fn a_thousand_keys_are_looked_up_in_one_call() {
    let org = Org::start(Key::Absent).await;
    let found = |place: usize, id: &str| {
        let body = page(vec![record("Contact", id, json!({"Email": "x@x.com"}))]);
        json!({"httpStatusCode": 200, "referenceId": format!("q{place}"), "httpHeaders": {}, "body": body})
    };
    let refusal = json!([{"errorCode": "QUERY_TIMEOUT", "message": "too long"}]);
    let slow = json!({"httpStatusCode": 400, "referenceId": "q1", "body": refusal});
    let answers = json!({"compositeResponse": [found(2, "003000000000002AAA"), slow, found(0, "003000000000001AAA")]});
    let answer = ResponseTemplate::new(200).set_body_json(answers);
    let composite = Mock::given(method("POST")).and(path(format!("{DATA}/composite")));
    composite.respond_with(answer).up_to_n_times(1).expect(1).mount(&org.server).await;
    let halves = json!({"compositeResponse": [found(0, "003000000000003AAA"), found(1, "003000000000004AAA")]});
    org.answer("POST", "composite", 200, halves).await;
    let keys = (0..1_000).map(|n| format!("somebody{n}@example.com")).collect();
    let found = org.connector.find(&org.on, FindRequest::new(Resource::Contact, keys)).await.unwrap();
    assert_eq!(found.len(), 4, "what took too long was halved");
    let sent = org.sent("POST", "composite").await;
    let queries = sent[0]["compositeRequest"].as_array().unwrap();
    assert!(queries.iter().all(|query| query["url"].as_str().unwrap().len() < 12_500));
    let first = queries[0]["url"].as_str().unwrap();
    assert!(first.starts_with(&format!("{DATA}/query?q=SELECT+Email%2CId")), "{first}");
    assert_eq!(sent[1]["compositeRequest"].as_array().unwrap().len(), 2);
}
