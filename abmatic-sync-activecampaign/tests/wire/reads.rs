//! Lists and what stands beside them; rows in their odd types; fields as an account has them.

use std::collections::BTreeSet;
use std::sync::atomic::{AtomicU64, Ordering};

use abmatic_sync_core::connector::contract::CrmConnector;
use abmatic_sync_core::connector::request::{FindRequest, Read, ReadRequest};
use abmatic_sync_core::error::{ErrorCode, ErrorKind};
use abmatic_sync_core::ids::{FieldName, RemoteId};
use abmatic_sync_core::model::resource::Resource;
use abmatic_sync_core::model::value::Value;
use rust_decimal::Decimal;
use serde_json::{Value as Json, json};
use wiremock::matchers::path;
use wiremock::{Mock, ResponseTemplate};

use crate::account::{Account, association, company, contact, datum, value};

fn request(resource: Resource, read: Read, fields: &[&str]) -> ReadRequest {
    let relations: &[&str] = match resource {
        Resource::Contact => &["account"],
        Resource::Opportunity => &["account", "contacts"],
        _ => &[],
    };
    ReadRequest::new(resource, read)
        .with_fields(fields.iter().map(|name| FieldName::from(*name)))
        .with_relations(relations.iter().map(|name| FieldName::from(*name)))
}

#[tokio::test]
async fn contacts_are_walked_by_their_ids_with_all_that_stands_beside_them() {
    let account = Account::start().await;
    let rows: Vec<Json> = (1..=100).map(|id| contact(id, &format!("n{id}@x.test"))).collect();
    let first = json!({
        "scoreValues": [], "fieldValues": [value(1, 1, "plus"), value(1, 2, "||Ads||SMS||"), value(2, 2, "||Ads||")],
        "accountContacts": [association(17, 7, 1, "CTO")], "contacts": rows,
        "meta": {"page_input": {"limit": 100, "status": -1}, "total": "101", "sortable": true},
    });
    account.query("contacts", &[("orders[id]", "ASC")], first).await;
    let second = json!({
        "fieldValues": [], "accountContacts": [], "contacts": [contact(140, "last@x.test")], "meta": {"total": "1"},
    });
    account.query("contacts", &[("id_greater", "100")], second).await;
    let asked = request(Resource::Contact, Read::All, &["email", "jobTitle", "PLAN", "INTERESTS"]);
    let page = account.read(asked.clone()).await;
    assert_eq!((page.records.len(), page.total), (100, Some(101)));
    let jane = &page.records[0];
    assert_eq!((jane.id.as_str(), jane.modified_at), ("1", Some("2026-05-28T08:43:45Z".parse().unwrap())));
    let options = |options: &[&str]| Value::MultiChoice(options.iter().map(|one| (*one).to_owned()).collect());
    assert_eq!(jane.fields.get("PLAN"), Some(&Value::Choice("plus".to_owned())));
    assert_eq!(jane.fields.get("INTERESTS"), Some(&options(&["Ads", "SMS"])));
    assert_eq!(jane.fields.get("jobTitle"), Some(&Value::text("CTO")));
    assert_eq!(jane.fields.get("account"), Some(&Value::reference("7")));
    assert_eq!(page.records[1].fields.get("INTERESTS"), Some(&options(&["Ads"])));
    assert_eq!(page.records[2].fields.get("account"), Some(&Value::Null));
    let last = account.read(asked.at(page.next)).await;
    assert_eq!((last.records[0].id.as_str(), last.next), ("140", None));
    assert_eq!(
        account.queries("contacts").await,
        [
            "limit=100&orders[id]=ASC&include=fieldValues,accountContacts",
            "limit=100&orders[id]=ASC&id_greater=100&include=fieldValues,accountContacts",
        ]
    );
    let all = account.server.received_requests().await.unwrap();
    assert_eq!(all.len(), 3, "the fields and two pages");
}

#[tokio::test]
async fn ids_that_do_not_rise_end_the_walk() {
    let account = Account::start().await;
    account
        .answer("GET", "contacts", 200, json!({"contacts": [contact(9, "a@x.test")], "meta": {"total": "500"}}))
        .await;
    let asked = ReadRequest::new(Resource::Contact, Read::All);
    let first = account.read(asked.clone()).await;
    let error = account.connector.read(&account.on, asked.at(first.next)).await.unwrap_err();
    assert_eq!(error.code(), ErrorCode::RepeatedPage);
}

#[tokio::test]
async fn a_walk_through_accounts_reads_all_custom_values_once() {
    let account = Account::start().await;
    let rows = |ids: std::ops::RangeInclusive<u64>| ids.map(|id| company(id, &format!("A{id}"))).collect::<Vec<_>>();
    account.query("accounts", &[("offset", "0")], json!({"accounts": rows(1..=100), "meta": {"total": "150"}})).await;
    account
        .query("accounts", &[("offset", "99")], json!({"accounts": rows(100..=150), "meta": {"total": "150"}}))
        .await;
    let values = |data: Vec<Json>| json!({"accountCustomFieldData": data, "meta": {"total": 102}});
    let mut first: Vec<Json> = (1..=99).map(|id| datum(id, id, 11, json!("Retail"))).collect();
    first.push(datum(100, 120, 20, json!(["North", "South"])));
    account.query("accountCustomFieldData", &[("offset", "0")], values(first.clone())).await;
    let rest = vec![first.remove(99), datum(101, 120, 10, json!(10_050)), datum(102, 150, 9, json!("1 - 10"))];
    account.query("accountCustomFieldData", &[("offset", "99")], values(rest)).await;
    let names = ["name", "industry", "annual_revenue", "employee_range", "field_20"];
    let asked = request(Resource::Account, Read::All, &names);
    let page = account.read(asked.clone()).await;
    assert_eq!(page.records[0].fields.get("industry"), Some(&Value::Choice("Retail".to_owned())));
    let last = account.read(asked.at(page.next)).await;
    assert_eq!((last.records.len(), last.next), (50, None), "the row that was there before is not there twice");
    let held = &last.records[19].fields;
    assert_eq!(held.get("annual_revenue"), Some(&Value::Decimal(Decimal::new(10_050, 2))));
    assert_eq!(held.get("field_20"), Some(&Value::MultiChoice(["North", "South"].map(str::to_owned).into())));
    assert_eq!(account.queries("accountCustomFieldData").await, ["limit=100&offset=0", "limit=100&offset=99"]);
}

#[tokio::test]
async fn what_changed_after_the_values_were_read_is_asked_for_alone() {
    let account = Account::start().await;
    let mut late = company(150, "Late");
    late["updatedTimestamp"] = "2096-06-01T07:00:03-05:00".into();
    let rows: Vec<Json> = (1..=100).map(|id| company(id, &format!("A{id}"))).collect();
    let end = vec![rows[99].clone(), late];
    account.query("accounts", &[("offset", "0")], json!({"accounts": rows, "meta": {"total": "101"}})).await;
    account.query("accounts", &[("offset", "99")], json!({"accounts": end, "meta": {"total": "101"}})).await;
    let data = |rows: Vec<Json>| json!({"accountCustomFieldData": rows, "meta": {"total": 1}});
    account.query("accountCustomFieldData", &[("offset", "0")], data(vec![datum(1, 150, 11, json!("Old"))])).await;
    let alone = data(vec![datum(1, 150, 11, json!("New"))]);
    account.query("accountCustomFieldData", &[("filters[customerAccountId]", "150")], alone).await;
    let asked = request(Resource::Account, Read::All, &["industry"]);
    let page = account.read(asked.clone()).await;
    let last = account.read(asked.at(page.next)).await;
    assert_eq!(last.records[0].fields.get("industry"), Some(&Value::Choice("New".to_owned())));
}

#[tokio::test]
async fn rows_that_move_up_are_not_missed() {
    let account = Account::start().await;
    let rows = |ids: std::ops::RangeInclusive<u64>| ids.map(|id| company(id, "A")).collect::<Vec<_>>();
    let page = |rows: Vec<Json>, total: &str| json!({"accounts": rows, "meta": {"total": total}});
    account.query("accounts", &[("offset", "0")], page(rows(1..=100), "120")).await;
    // The first three are deleted meanwhile: the 100th stands at 96.
    account.query("accounts", &[("offset", "99")], page(rows(103..=120), "117")).await;
    account.query("accounts", &[("offset", "0")], page(rows(4..=103), "117")).await;
    account.query("accounts", &[("offset", "99")], page(rows(103..=120), "117")).await;
    let (mut seen, mut cursor) = (Vec::new(), None);
    loop {
        let page = account.read(request(Resource::Account, Read::All, &["name"]).at(cursor)).await;
        seen.extend(page.records.iter().map(|record| record.id.as_str().parse::<u64>().unwrap()));
        cursor = page.next;
        if cursor.is_none() {
            break;
        }
    }
    assert!((4..=120).all(|id| seen.contains(&id)), "{seen:?}");
}

#[tokio::test]
async fn a_list_that_moves_now_and_then_is_read_to_its_end_and_one_that_always_moves_is_not() {
    for (calls_between, good) in [(3, true), (1, false)] {
        let account = Account::start().await;
        let calls = AtomicU64::new(0);
        // Before every so many calls the first row vanishes.
        let answer = move |request: &wiremock::Request| {
            let gone = calls.fetch_add(1, Ordering::SeqCst) / calls_between;
            let offset =
                request.url.query_pairs().find(|(name, _)| name == "offset").unwrap().1.parse::<u64>().unwrap();
            let rows: Vec<Json> = (gone + 1 + offset..=3_500).take(100).map(|id| company(id, "A")).collect();
            ResponseTemplate::new(200)
                .set_body_json(json!({"accounts": rows, "meta": {"total": (3_500 - gone).to_string()}}))
        };
        Mock::given(path("/api/3/accounts")).respond_with(answer).mount(&account.server).await;
        let (mut seen, mut cursor) = (BTreeSet::new(), None);
        let ended = loop {
            let asked = request(Resource::Account, Read::All, &["name"]).at(cursor);
            match account.connector.read(&account.on, asked).await {
                Ok(page) => {
                    seen.extend(page.records.iter().map(|record| record.id.as_str().parse::<u64>().unwrap()));
                    cursor = page.next;
                }
                Err(error) => break Some(error.kind()),
            }
            if cursor.is_none() {
                break None;
            }
        };
        let expected = if good { None } else { Some(ErrorKind::Unavailable) };
        assert_eq!(ended, expected, "{calls_between} calls between");
        assert!(!good || (100..=3_500).all(|id| seen.contains(&id)), "{} were seen", seen.len());
    }
}

#[tokio::test]
async fn a_row_without_an_id_ends_no_walk() {
    let account = Account::start().await;
    let nameless = json!({"name": "?"});
    let page = |rows: Vec<Json>| json!({"accounts": rows, "meta": {"total": "4"}});
    account.query("accounts", &[("offset", "0")], page(vec![company(1, "A"), company(2, "B"), nameless.clone()])).await;
    account.query("accounts", &[("offset", "1")], page(vec![company(2, "B"), nameless, company(4, "D")])).await;
    let asked = request(Resource::Account, Read::All, &["name"]);
    let first = account.read(asked.clone()).await;
    let last = account.read(asked.clone().at(first.next)).await;
    assert_eq!((last.records[0].id.as_str(), last.undecodable.len(), last.next), ("4", 1, None));
    account.answer("GET", "accounts", 200, page(vec![json!({"name": "?"})])).await;
    let error = account.connector.read(&account.on, asked).await.unwrap_err();
    assert_eq!(error.code(), ErrorCode::InvalidAnswer);
}

#[tokio::test]
async fn deals_come_in_cents_with_their_stage_by_name_and_those_that_may_not_be_seen_do_not_come() {
    let account = Account::start().await;
    let deal = |id: u64, stage: &str| {
        json!({
            "owner": "1", "contact": "51", "organization": "45", "group": "4", "stage": stage, "title": "Renewal",
            "value": "45600", "currency": "eur", "status": "1", "cdate": "2026-05-28T04:05:28-05:00",
            "mdate": "2026-05-28T04:05:29-05:00", "edate": null, "id": id.to_string(), "isDisabled": false, "account": null,
            "customerAccount": null,
        })
    };
    let hidden = json!({"title": "Secret deal", "status": "0", "id": "2", "isDisabled": true});
    let body = json!({"deals": [deal(1, "9"), hidden, deal(3, "12")], "meta": {"currencies": {}, "total": 3}});
    account.query("deals", &[("orders[cdate]", "ASC"), ("limit", "100"), ("offset", "0")], body).await;
    let page = account.read(request(Resource::Opportunity, Read::All, &["value", "stage", "status", "currency"])).await;
    assert_eq!(page.records.iter().map(|record| record.id.as_str()).collect::<Vec<_>>(), ["1", "3"]);
    let held = &page.records[0].fields;
    assert_eq!(held.get("value"), Some(&Value::Decimal(Decimal::new(45_600, 2))));
    let texts = ["stage", "status", "currency"].map(|name| held.get(name).unwrap().to_string());
    assert_eq!(texts, ["In Contact", "won", "eur"]);
    assert_eq!(held.get("account"), Some(&Value::reference("45")), "one of three keys says so");
    assert_eq!(held.get("contacts"), Some(&Value::reference("51")));
    assert_eq!(page.records[1].fields.get("stage").unwrap().to_string(), "To Contact (Renewals)");
    assert_eq!(page.records[0].modified_at, Some("2026-05-28T09:05:29Z".parse().unwrap()));
}

#[tokio::test]
async fn records_are_asked_for_by_id_a_hundred_at_once_or_alone() {
    let account = Account::start().await;
    let everybody = json!({"contacts": [contact(1, "a@x.test"), contact(3, "c@x.test")], "meta": {"total": "2"}});
    account.answer("GET", "contacts", 200, everybody).await;
    let ids = |ids: &[&str]| Read::Ids(ids.iter().map(|id| RemoteId::from(*id)).collect());
    let asked = ReadRequest::new(Resource::Contact, ids(&["1", "2"])).with_fields([FieldName::from("email")]);
    let page = account.read(asked).await;
    assert_eq!(page.records.len(), 1, "a parameter that is not known is ignored there");
    assert_eq!(account.queries("contacts").await, ["limit=100&ids[]=1&ids[]=2"]);
    account.answer("GET", "accounts/7", 200, json!({"account": company(7, "Acme")})).await;
    let missing = json!({"message": "No Result found for CustomerAccount with id 8"});
    account.answer("GET", "accounts/8", 403, missing).await;
    for (id, count) in [("7", 1), ("8", 0)] {
        let page = account.read(request(Resource::Account, ids(&[id]), &["name"])).await;
        assert_eq!(page.records.len(), count, "{id}");
    }
}

#[tokio::test]
async fn one_address_is_one_call_and_is_compared_here() {
    let account = Account::start().await;
    let both =
        json!({"contacts": [contact(1, "Jane+x@ACME.test"), contact(2, "other@x.test")], "meta": {"total": "2"}});
    account.answer("GET", "contacts", 200, both).await;
    let found = FindRequest::new(Resource::Contact, vec!["jane+x@acme.test".to_owned()]);
    let found = account.connector.find(&account.on, found).await.unwrap();
    assert_eq!(found.iter().map(|record| record.id.as_str()).collect::<Vec<_>>(), ["1"]);
    let all = account.server.received_requests().await.unwrap();
    let query = all.last().unwrap().url.query().unwrap();
    assert_eq!(query, "limit=100&email=jane%2Bx%40acme.test".replace("limit=100&", "") + "&limit=100");
}

#[tokio::test]
async fn custom_fields_are_described_by_stable_names_with_types_and_options() {
    let account = Account::start().await;
    let names = async |resource: Resource| {
        let schema = account.connector.describe(&account.on, resource).await.unwrap();
        let shown = |name: &str| {
            let field = schema.field(name)?;
            let options: Vec<String> =
                field.options.iter().map(|option| format!("{}={}", option.value, option.label)).collect();
            Some(format!("{} {}", field.field_type.as_str(), options.join(",")))
        };
        ["PLAN", "INTERESTS", "employee_range", "annual_revenue", "industry", "field_20", "stage"].map(shown)
    };
    let some = |text: &str| Some(text.to_owned());
    let none = || None;
    assert_eq!(
        names(Resource::Contact).await,
        [some("choice plus=Plus plan"), some("multi-choice Ads=Ads,SMS=SMS"), none(), none(), none(), none(), none()]
    );
    assert_eq!(
        names(Resource::Account).await,
        [
            none(),
            none(),
            some("choice 1 - 10=1 - 10,51 - 200=51 - 200"),
            some("decimal "),
            some("choice Retail=Retail"),
            some("multi-choice North=North,South=South"),
            none()
        ]
    );
    let stages = "choice To Contact (Sales)=To Contact (Sales),In Contact=In Contact,To Contact (Renewals)=To Contact (Renewals)";
    assert_eq!(names(Resource::Opportunity).await[6], some(stages));
}

#[tokio::test]
async fn fields_are_read_to_their_last_page() {
    let account = Account::start().await;
    let page = |id: u64, tag: &str| json!({"fieldOptions": [], "fields": [{"id": id.to_string(), "title": tag, "type": "text", "perstag": tag}], "meta": {"total": "2"}});
    account.query("fields", &[("limit", "100"), ("offset", "0")], page(1, "FIRST")).await;
    account.query("fields", &[("limit", "100"), ("offset", "1")], page(2, "SECOND")).await;
    let schema = account.connector.describe(&account.on, Resource::Contact).await.unwrap();
    assert!(schema.field("FIRST").is_some() && schema.field("SECOND").is_some());
}

#[tokio::test]
async fn bodies_that_are_cut_off_are_asked_for_again_and_rows_without_an_id_fail_alone() {
    let account = Account::start().await;
    let cut = ResponseTemplate::new(200).set_body_raw(br#"{"contacts": [{"id": "1""#.to_vec(), "application/json");
    account.once("GET", "contacts", cut).await;
    let html = ResponseTemplate::new(503).set_body_raw(b"<html>cloudflare</html>".to_vec(), "text/html");
    account.once("GET", "contacts", html).await;
    let rows = json!({"contacts": [contact(1, "a@x.test"), {"email": "b@x.test"}]});
    account.answer("GET", "contacts", 200, rows).await;
    let asked = ReadRequest::new(Resource::Contact, Read::All).with_fields([FieldName::from("email")]);
    let page = account.read(asked).await;
    assert_eq!((page.records.len(), page.undecodable.len()), (1, 1));
    account.server.reset().await;
    account.answer("GET", "contacts", 200, Json::Null).await;
    let error = account.connector.read(&account.on, ReadRequest::new(Resource::Contact, Read::All)).await.unwrap_err();
    assert_eq!(error.code(), ErrorCode::InvalidAnswer);
}
