//! Lists, windows, filters and fields, and what of their answers is odd.

use abmatic_sync_core::connector::contract::CrmConnector;
use abmatic_sync_core::connector::request::{Read, ReadRequest};
use abmatic_sync_core::error::{ErrorCode, ErrorKind};
use abmatic_sync_core::filter::parse::parse;
use abmatic_sync_core::ids::{FieldName, RemoteId};
use abmatic_sync_core::model::resource::Resource;
use abmatic_sync_core::model::value::Value;
use serde_json::{Value as Json, json};
use wiremock::matchers::{method, path};
use wiremock::{Mock, ResponseTemplate};

use crate::company::{Company, TIER, page, single};

const LIST: &str = "/api/v2/organizations";

fn request(read: Read, fields: &[&str]) -> ReadRequest {
    ReadRequest::new(Resource::Account, read).with_fields(fields.iter().map(|name| FieldName::from(*name)))
}

fn acme(id: u64) -> Json {
    json!({
        "id": id, "name": "Acme Oy", "owner_id": 11, "add_time": "2026-01-01T00:00:00Z",
        "update_time": "2026-02-03T09:10:11Z", "is_deleted": false, "website": null, "industry": 3,
        "custom_fields": {TIER: [12, 13]},
    })
}

#[tokio::test]
async fn a_list_is_followed_by_its_cursor_and_names_what_it_wants() {
    let company = Company::start().await;
    company.query(LIST, &[("limit", "500"), ("custom_fields", TIER)], page(&[acme(7)], Some("next=="))).await;
    company.query(LIST, &[("limit", "500"), ("custom_fields", TIER), ("cursor", "next==")], page(&[], None)).await;
    let request = request(Read::All, &["name", "industry", TIER, "website"]);
    let first = company.read(request.clone()).await;
    let record = &first.records[0];
    assert_eq!((record.id.as_str(), record.modified_at), ("7", Some("2026-02-03T09:10:11Z".parse().unwrap())));
    assert_eq!(record.fields.get("industry"), Some(&Value::Choice("Finance".to_owned())));
    assert_eq!(record.fields.get(TIER), Some(&Value::MultiChoice(["Gold", "Silver"].map(str::to_owned).into())));
    let last = company.read(request.at(first.next)).await;
    assert!(last.records.is_empty() && last.next.is_none());
}

#[tokio::test]
async fn a_window_is_asked_for_in_whole_seconds() {
    let company = Company::start().await;
    company.query(LIST, &[], page(&[], None)).await;
    let read = Read::Changed {
        since: "2026-01-01T00:00:00.123Z".parse().unwrap(),
        until: "2026-01-02T00:00:00.456Z".parse().unwrap(),
        filter: None,
    };
    company.read(request(read, &["name"])).await;
    assert_eq!(
        company.queries(LIST).await,
        [
            "limit=500&updated_since=2026-01-01T00%3A00%3A00Z&updated_until=2026-01-02T00%3A00%3A01Z&sort_by=update_time&sort_direction=asc"
        ]
    );
}

#[tokio::test]
async fn a_filter_is_saved_in_the_documented_form_and_removed() {
    let company = Company::start().await;
    let number =
        |id: u64, key: &str| json!({"id": id, "key": key, "name": key, "field_type": "varchar", "edit_flag": false});
    let numbers = |data: &[Json], more: bool| json!({"success": true, "data": data, "additional_data": {"start": 0, "limit": 500, "more_items_in_collection": more}});
    let fields = "/api/v1/organizationFields";
    company.query(fields, &[("start", "0"), ("limit", "500")], numbers(&[number(4003, "name")], true)).await;
    let rest = [number(4012, "industry"), number(4020, TIER)];
    company.query(fields, &[("start", "1"), ("limit", "500")], numbers(&rest, false)).await;
    let leftover = json!({"id": 900, "name": "abmatic-sync, removed after use (c)", "type": "org"});
    let others = json!({"id": 901, "name": "abmatic-sync, removed after use (other)", "type": "org"});
    company.query("/api/v1/filters", &[("type", "org")], single(json!([leftover, others]))).await;
    company.answer("DELETE", "/api/v1/filters/900", 200, single(json!({"id": 900}))).await;
    let condition = |id: &str, operator: &str, value: &str| json!({"object": "organization", "field_id": id, "operator": operator, "value": value, "extra_value": null});
    let body = json!({
        "name": "abmatic-sync, removed after use (c)", "type": "org",
        "conditions": {"glue": "and", "conditions": [
            {"glue": "and", "conditions": [condition("4012", "=", "3"), condition("4003", "LIKE '%$%'", "acme")]},
            {"glue": "or", "conditions": [condition("4020", "contains", "12"), condition("4003", "=", "x")]},
        ]},
    });
    company.expect("POST", "/api/v1/filters", body, single(json!({"id": 950, "name": "…"}))).await;
    company.query(LIST, &[("filter_id", "950")], page(&[acme(7)], None)).await;
    company.answer("DELETE", "/api/v1/filters/950", 404, json!({"success": false, "error": "Filter not found"})).await;
    let schema = company.connector.describe(&company.on, Resource::Account).await.unwrap();
    let text =
        format!("industry = \"finance\" AND name CONTAINS \"acme\" AND ({TIER} CONTAINS \"Gold\" OR name = \"x\")");
    let filter = abmatic_sync_core::filter::check::check(&parse(&text).unwrap(), &schema).unwrap();
    let found = company.read(request(Read::Filter(filter), &["name"])).await;
    assert_eq!((found.records.len(), found.next), (1, None));
}

#[tokio::test]
async fn a_page_that_comes_again_ends_the_read() {
    let company = Company::start().await;
    company.answer("GET", LIST, 200, page(&[acme(7)], Some("a"))).await;
    let first = company.read(request(Read::All, &["name"])).await;
    let error = company.connector.read(&company.on, request(Read::All, &["name"]).at(first.next)).await.unwrap_err();
    assert_eq!(error.code(), ErrorCode::RepeatedPage);
}

#[tokio::test]
async fn a_cursor_that_is_not_taken_any_more_begins_the_read_anew_once() {
    let company = Company::start().await;
    company.query(LIST, &[], page(&[acme(7)], Some("old"))).await;
    let refused = json!({
        "success": false, "error": "Validation failed: cursor: not a valid cursor", "code": "ERR_SCHEMA_VALIDATION_FAILED",
    });
    let old = Mock::given(method("GET")).and(path(LIST)).and(wiremock::matchers::query_param("cursor", "old"));
    old.respond_with(ResponseTemplate::new(400).set_body_json(&refused)).with_priority(2).mount(&company.server).await;
    let new = Mock::given(method("GET")).and(path(LIST)).and(wiremock::matchers::query_param("cursor", "new"));
    new.respond_with(ResponseTemplate::new(400).set_body_json(&refused)).with_priority(2).mount(&company.server).await;
    let first = company.read(request(Read::All, &["name"])).await;
    company.answer("GET", LIST, 200, page(&[acme(7)], Some("new"))).await;
    let again = company.read(request(Read::All, &["name"]).at(first.next)).await;
    assert_eq!(again.records.len(), 1, "a record may come again");
    let error = company.connector.read(&company.on, request(Read::All, &["name"]).at(again.next)).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Invalid, "not for ever");
}

#[tokio::test]
async fn bodies_that_are_null_or_broken_are_told() {
    let company = Company::start().await;
    company.answer("GET", LIST, 200, Json::Null).await;
    let error = company.connector.read(&company.on, request(Read::All, &["name"])).await.unwrap_err();
    assert_eq!((error.kind(), company.queries(LIST).await.len()), (ErrorKind::Unavailable, 3));
    company.server.reset().await;
    company
        .answer(
            "GET",
            LIST,
            200,
            page(&[json!({"id": 7, "name": "A"}), json!({"name": "B"}), json!({"id": 8, "add_time": 5})], None),
        )
        .await;
    let found = company.read(request(Read::All, &["name"])).await;
    assert_eq!(found.records.len(), 1);
    let broken: Vec<Option<&str>> = found.undecodable.iter().map(|one| one.id.as_ref().map(RemoteId::as_str)).collect();
    assert_eq!(broken, [None, Some("8")]);
}

#[tokio::test]
async fn fields_are_read_to_their_last_page() {
    let company = Company::start().await;
    let field =
        |code: &str| json!({"field_name": code, "field_code": code, "field_type": "varchar", "is_custom_field": false});
    company.server.reset().await;
    company.query("/api/v2/organizationFields", &[("limit", "500")], page(&[field("name")], Some("f2"))).await;
    company
        .query("/api/v2/organizationFields", &[("limit", "500"), ("cursor", "f2")], page(&[field("linkedin")], None))
        .await;
    let schema = company.connector.describe(&company.on, Resource::Account).await.unwrap();
    assert!(schema.field("linkedin").is_some() && schema.field("website").is_none());
}
