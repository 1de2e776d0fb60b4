//! The exact shapes on the wire: what HubSpot is sent, and what its answers become.

use std::time::Duration;

use abmatic_sync_core::connector::contract::CrmConnector;
use abmatic_sync_core::connector::request::{
    CreateInDoubt, FindRequest, PageCursor, Read, ReadRequest, VerifyRequest, Write, WriteOutcome,
};
use abmatic_sync_core::error::{ErrorCode, ErrorKind};
use abmatic_sync_core::filter::expr::{Comparison, Expr};
use abmatic_sync_core::ids::{FieldName, IntentId, RemoteId};
use abmatic_sync_core::model::connection::{Connection, Credentials};
use abmatic_sync_core::model::fields::Fields;
use abmatic_sync_core::model::resource::Resource;
use abmatic_sync_core::model::schema::FieldType;
use abmatic_sync_core::model::value::Value;
use abmatic_sync_http::retry::RetryOptions;
use abmatic_sync_hubspot::{HubspotConnector, Pacing};
use chrono::{DateTime, Utc};
use serde_json::{Value as Json, json};
use wiremock::matchers::{body_json, body_partial_json, header, method, path, query_param, query_param_is_missing};
use wiremock::{Mock, MockServer, ResponseTemplate};

const TOKEN: &str = "pat-na1-very-secret";

struct Hub {
    server: MockServer,
    connector: HubspotConnector,
    on: Connection,
}

impl Hub {
    /// A server that knows contacts, companies and deals by a few properties.
    #[expect(clippy::unwrap_used, reason = "a test's server has an address")]
    async fn start(own_key: bool) -> Self {
        let server = MockServer::start().await;
        let mut retry = RetryOptions::default();
        (retry.resends_max, retry.delay_min) = (1, Duration::from_millis(1));
        let connector = HubspotConnector::builder().retry(retry).visibility_lag_seconds(0).build();
        let on = Connection::new("t", "c", "hubspot", Credentials::token(TOKEN));
        let on = on.with_base_url(server.uri().parse().unwrap());
        let hub = Self { server, connector, on };
        for object in ["contacts", "companies", "deals"] {
            hub.answer("GET", &format!("/crm/properties/2026-09/{object}"), 200, properties(own_key)).await;
        }
        hub.answer(
            "GET",
            "/crm/pipelines/2026-09/deals",
            200,
            json!({"results": [{"id": "default", "stages": [{"id": "won", "label": "Won"}]}]}),
        )
        .await;
        hub
    }

    async fn answer(&self, verb: &str, at: &str, status: u16, body: Json) {
        let answer = ResponseTemplate::new(status).set_body_json(body);
        Mock::given(method(verb)).and(path(at)).respond_with(answer).mount(&self.server).await;
    }

    /// Answers one exact body.
    async fn expect(&self, at: &str, body: Json, status: u16, answer: Json) {
        let answer = ResponseTemplate::new(status).set_body_json(answer);
        let mock = Mock::given(method("POST")).and(path(at)).and(body_json(body)).respond_with(answer);
        mock.expect(1).mount(&self.server).await;
    }

    #[expect(clippy::unwrap_used, reason = "a test wants the outcomes")]
    async fn write(&self, resource: Resource, writes: Vec<Write>) -> Vec<WriteOutcome> {
        self.connector.write(&self.on, resource, writes).await.unwrap()
    }
}

fn properties(own_key: bool) -> Json {
    let mut results = vec![
        json!({"name": "amount", "label": "Amount", "type": "number", "fieldType": "number"}),
        json!({"name": "dealname", "label": "Deal", "type": "string", "fieldType": "text"}),
        json!({"name": "dealstage", "label": "Stage", "type": "enumeration", "fieldType": "radio"}),
        json!({"name": "domain", "label": "Domain", "type": "string", "fieldType": "text"}),
        json!({"name": "email", "label": "Email", "type": "string", "fieldType": "text"}),
        json!({"name": "firstname", "label": "First name", "type": "string", "fieldType": "text"}),
        json!({"name": "name", "label": "Name", "type": "string", "fieldType": "text"}),
    ];
    if own_key {
        results.push(json!({"name": "abmatic_sync_id", "type": "string", "fieldType": "text", "hasUniqueValue": true}));
    }
    json!({"results": results})
}

fn record(id: &str, properties: Json) -> Json {
    json!({"id": id, "properties": properties, "createdAt": "2026-01-01T00:00:00Z", "updatedAt": "2026-01-02T03:04:05.678Z", "archived": false})
}

fn create(intent: &str, fields: &[(&str, Value)]) -> Write {
    Write::Create { intent: IntentId::from(intent), fields: fields_of(fields) }
}

fn update(id: &str, fields: &[(&str, Value)]) -> Write {
    Write::Update {
        id: RemoteId::from(id),
        fields: fields_of(fields),
        references_before: Fields::new(),
        unmodified_since: None,
    }
}

fn fields_of(fields: &[(&str, Value)]) -> Fields {
    fields.iter().cloned().collect()
}

/// `id`, or the kind of the failure.
fn shown(outcomes: &[WriteOutcome]) -> Vec<String> {
    let shown = |outcome: &WriteOutcome| match outcome {
        WriteOutcome::Written(written) => written.id.to_string(),
        WriteOutcome::Failed(error) => {
            format!("{:?} {}", error.kind(), error.existing_id().map_or("", RemoteId::as_str))
        }
        _ => String::new(),
    };
    outcomes.iter().map(|outcome| shown(outcome).trim_end().to_owned()).collect()
}

#[tokio::test]
async fn creates_are_upserts_by_our_key_and_come_back_in_their_own_order() {
    let hub = Hub::start(true).await;
    let input = |key: &str, email: &str| json!({"id": key, "idProperty": "abmatic_sync_id", "objectWriteTraceId": key, "properties": {"abmatic_sync_id": key, "email": email}});
    let answer = json!({
        "status": "COMPLETE",
        "results": [
            record("22", json!({"abmatic_sync_id": "i2", "email": "b@x.com"})),
            record("11", json!({"abmatic_sync_id": "i1", "email": "a@x.com"})),
        ],
        "numErrors": 1,
        "errors": [{"status": "error", "category": "CONFLICT", "message": "Contact already exists. Existing ID: 7",
            "context": {"objectWriteTraceId": ["i3"], "existingId": ["7"]}}]
    });
    let body = json!({"inputs": [input("i1", "A@x.com"), input("i2", "b@x.com"), input("i3", "c@x.com")]});
    hub.expect("/crm/objects/2026-09/contacts/batch/upsert", body, 207, answer).await;
    let writes = [("i1", "A@x.com"), ("i2", "b@x.com"), ("i3", "c@x.com")];
    let writes = writes.map(|(intent, email)| create(intent, &[("email", email.into())])).to_vec();
    let outcomes = hub.write(Resource::Contact, writes).await;
    assert_eq!(shown(&outcomes), ["11", "22", "Duplicate 7"]);
    let WriteOutcome::Written(first) = &outcomes[0] else { panic!("{outcomes:?}") };
    assert_eq!(first.fields, fields_of(&[("email", "a@x.com".into())]), "the base takes what the CRM keeps");
    assert_eq!(first.modified_at, Some("2026-01-02T03:04:05.678Z".parse().unwrap()));
}

#[tokio::test]
async fn associations_of_an_upsert_follow_and_one_that_fails_is_a_warning() {
    let hub = Hub::start(true).await;
    hub.answer(
        "POST",
        "/crm/objects/2026-09/deals/batch/upsert",
        200,
        json!({"results": [record("5", json!({"abmatic_sync_id": "i1"}))]}),
    )
    .await;
    let link = |to: &str, type_id: u32| {
        json!({"inputs": [{"from": {"id": "5"}, "to": {"id": to},
            "types": [{"associationCategory": "HUBSPOT_DEFINED", "associationTypeId": type_id}]}]})
    };
    let refused = json!({"status": "COMPLETE", "results": [], "errors": [{"category": "VALIDATION_ERROR",
        "subCategory": "crm.associations.INVALID_IDENTIFIER", "message": "99 is not a valid ID"}]});
    hub.expect("/crm/associations/2026-09/deals/companies/batch/create", link("8", 5), 201, json!({"results": []}))
        .await;
    hub.expect("/crm/associations/2026-09/deals/contacts/batch/create", link("99", 3), 207, refused).await;
    let fields = [
        ("account", Value::reference("8")),
        ("contacts", Value::reference("99")),
        ("dealname", "D".into()),
        ("dealstage", Value::Choice("won".to_owned())),
    ];
    let outcomes = hub.write(Resource::Opportunity, vec![create("i1", &fields)]).await;
    let WriteOutcome::Written(written) = &outcomes[0] else { panic!("{outcomes:?}") };
    assert_eq!(written.warnings, ["contacts 99: 99 is not a valid ID (INVALID_REFERENCE)"]);
    let sent = &hub.server.received_requests().await.unwrap();
    let upsert = sent.iter().find(|request| request.url.path().ends_with("upsert")).unwrap();
    let properties = &upsert.body_json::<Json>().unwrap()["inputs"][0]["properties"];
    assert_eq!(properties["pipeline"], "default", "a stage is sent with its pipeline");
}

#[tokio::test]
async fn an_update_of_a_reference_adds_and_takes_away() {
    let hub = Hub::start(true).await;
    let types = json!([{"associationCategory": "HUBSPOT_DEFINED", "associationTypeId": 1}]);
    let added = json!({"inputs": [{"from": {"id": "5"}, "to": {"id": "8"}, "types": types}]});
    let taken = json!({"inputs": [{"from": {"id": "5"}, "to": [{"id": "7"}]}]});
    hub.expect("/crm/associations/2026-09/contacts/companies/batch/create", added, 201, json!({"results": []})).await;
    hub.expect("/crm/associations/2026-09/contacts/companies/batch/archive", taken, 200, json!({"results": []})).await;
    let write = Write::Update {
        id: RemoteId::from("5"),
        fields: fields_of(&[("account", Value::reference("8"))]),
        references_before: fields_of(&[("account", Value::reference("7"))]),
        unmodified_since: None,
    };
    assert_eq!(shown(&hub.write(Resource::Contact, vec![write]).await), ["5"]);
}

#[tokio::test]
async fn one_bad_row_does_not_spoil_its_batch() {
    let hub = Hub::start(true).await;
    let at = "/crm/objects/2026-09/contacts/batch/update";
    let refusal = ResponseTemplate::new(400).set_body_json(json!({"status": "error", "category": "VALIDATION_ERROR",
        "message": "bad", "errors": [{"code": "INVALID_EMAIL", "message": "Email address foo is invalid"}]}));
    let good = |id: &str| json!({"inputs": [{"id": id}]});
    for id in ["1", "2", "4"] {
        let answer = ResponseTemplate::new(200).set_body_json(json!({"results": [record(id, json!({}))]}));
        Mock::given(path(at))
            .and(body_partial_json(good(id)))
            .and(OneInput)
            .respond_with(answer)
            .mount(&hub.server)
            .await;
    }
    let pair = json!({"results": [record("2", json!({})), record("1", json!({}))]});
    Mock::given(path(at))
        .and(Ids(&["1", "2"]))
        .respond_with(ResponseTemplate::new(200).set_body_json(pair))
        .mount(&hub.server)
        .await;
    Mock::given(path(at)).respond_with(refusal).mount(&hub.server).await;
    let writes = ["1", "2", "3", "4"].map(|id| update(id, &[("email", "x@y.z".into())])).to_vec();
    let outcomes = hub.write(Resource::Contact, writes).await;
    assert_eq!(shown(&outcomes), ["1", "2", "Invalid", "4"]);
    assert_eq!(hub.on.calls.total(), 1 + 5, "describe; 4 rows, 2 + 2 rows, 1 + 1 rows");
}

struct OneInput;

impl wiremock::Match for OneInput {
    fn matches(&self, request: &wiremock::Request) -> bool {
        request.body_json::<Json>().is_ok_and(|body| body["inputs"].as_array().is_some_and(|inputs| inputs.len() == 1))
    }
}

struct Ids(&'static [&'static str]);

impl wiremock::Match for Ids {
    fn matches(&self, request: &wiremock::Request) -> bool {
        let body = request.body_json::<Json>().unwrap_or_default();
        let ids = body["inputs"].as_array().into_iter().flatten().filter_map(|input| input["id"].as_str());
        ids.eq(self.0.iter().copied())
    }
}

#[tokio::test]
async fn an_update_of_a_merged_record_goes_to_its_survivor() {
    let hub = Hub::start(true).await;
    hub.answer("POST", "/crm/objects/2026-09/contacts/batch/update", 200, json!({"status": "COMPLETE", "results": []}))
        .await;
    hub.answer("GET", "/crm/objects/2026-09/contacts/101", 200, record("7001", json!({}))).await;
    hub.answer("GET", "/crm/objects/2026-09/contacts/102", 404, json!({"message": "resource not found"})).await;
    let patched = record("7001", json!({"firstname": "Ann"}));
    hub.answer("PATCH", "/crm/objects/2026-09/contacts/7001", 200, patched).await;
    let writes = ["101", "102"].map(|id| update(id, &[("firstname", "Ann".into())])).to_vec();
    assert_eq!(shown(&hub.write(Resource::Contact, writes).await), ["7001", "NotFound"]);
}

#[tokio::test]
async fn a_plain_create_that_may_have_happened_is_not_sent_again() {
    let hub = Hub::start(false).await;
    hub.answer("POST", "/crm/objects/2026-09/companies/batch/create", 502, json!("<html>")).await;
    let outcomes = hub.write(Resource::Account, vec![create("i1", &[("name", "Acme".into())])]).await;
    assert_eq!(shown(&outcomes), ["Ambiguous"]);
    assert_eq!(hub.on.calls.total(), 2, "describe and one create");
    let found = json!({"total": 1, "results": [record("5", json!({"name": "Acme"}))]});
    let filters = json!({"filterGroups": [{"filters": [
        {"propertyName": "createdate", "operator": "GTE", "value": "0"},
        {"propertyName": "name", "operator": "EQ", "value": "Acme"}]}]});
    let search = Mock::given(path("/crm/objects/2026-09/companies/search")).and(body_partial_json(filters));
    search.respond_with(ResponseTemplate::new(200).set_body_json(found)).expect(1).mount(&hub.server).await;
    let announced = "1970-01-01T00:05:00Z".parse().unwrap();
    let doubt = CreateInDoubt::new(IntentId::from("i1"), announced, fields_of(&[("name", "Acme".into())]));
    let verified = hub.connector.verify(&hub.on, VerifyRequest::new(Resource::Account, vec![doubt])).await.unwrap();
    assert_eq!(verified[0].as_ref().unwrap().id, RemoteId::from("5"));
}

#[tokio::test]
async fn searches_go_by_record_id_until_all_is_told() {
    let hub = Hub::start(true).await;
    let body = |last: &str| {
        json!({
            "filterGroups": [{"filters": [
                {"propertyName": "name", "operator": "EQ", "value": "Acme"},
                {"propertyName": "hs_lastmodifieddate", "operator": "GTE", "value": "1000"},
                {"propertyName": "hs_lastmodifieddate", "operator": "LTE", "value": "2000"},
                {"propertyName": "hs_object_id", "operator": "GT", "value": last}]}],
            "sorts": [{"propertyName": "hs_object_id", "direction": "ASCENDING"}],
            "properties": ["hs_merged_object_ids", "name"],
            "limit": 200
        })
    };
    let at = "/crm/objects/2026-09/companies/search";
    let merged = record("9", json!({"name": "Acme", "hs_merged_object_ids": "3;4"}));
    hub.expect(at, body("0"), 200, json!({"total": 2, "results": [merged]})).await;
    hub.expect(at, body("9"), 200, json!({"total": 1, "results": [record("12", json!({"name": null}))]})).await;
    let filter = Expr::Compare { field: FieldName::from("name"), how: Comparison::Equal, value: "Acme".into() };
    let (since, until) = ("1970-01-01T00:00:01Z".parse().unwrap(), "1970-01-01T00:00:02Z".parse().unwrap());
    let read = Read::Changed { since, until, filter: Some(filter) };
    let request = || ReadRequest::new(Resource::Account, read.clone()).with_fields([FieldName::from("name")]);
    let first = hub.connector.read(&hub.on, request()).await.unwrap();
    assert_eq!(first.records[0].merged_ids, [RemoteId::from("3"), RemoteId::from("4")]);
    assert_eq!(first.records[0].fields, fields_of(&[("name", "Acme".into())]));
    let second = hub.connector.read(&hub.on, request().at(first.next)).await.unwrap();
    assert_eq!(second.records[0].fields, fields_of(&[("name", Value::Null)]));
    assert_eq!(second.next, None);
}

#[tokio::test]
async fn a_page_that_comes_again_ends_the_read() {
    let hub = Hub::start(true).await;
    let page = json!({"results": [record("1", json!({"email": "a@x.com"}))], "paging": {"next": {"after": "2"}}});
    hub.answer("GET", "/crm/objects/2026-09/contacts", 200, page).await;
    let request = ReadRequest::new(Resource::Contact, Read::All).with_fields([FieldName::from("email")]);
    let first = hub.connector.read(&hub.on, request.clone()).await.unwrap();
    let error = hub.connector.read(&hub.on, request.at(first.next)).await.unwrap_err();
    assert_eq!(error.code(), ErrorCode::RepeatedPage);
    assert!(error.to_string().starts_with("hubspot read contacts: "), "{error}");
}

#[tokio::test]
async fn lists_bring_properties_and_the_primary_company() {
    let hub = Hub::start(true).await;
    let mut ann = record("1", json!({"createdate": "x", "email": "a@x.com", "hs_object_id": "1"}));
    ann["associations"] = json!({"companies": {"results": [
        {"id": "50", "type": "contact_to_company_unlabeled"}, {"id": "60", "type": "contact_to_company"},
        {"id": "60", "type": "contact_to_company_unlabeled"}]}});
    let page = json!({"results": [ann, {"id": "2", "properties": 7}, record("3", json!({"email": null}))]});
    let list = Mock::given(path("/crm/objects/2026-09/contacts")).and(query_param("limit", "100"));
    let list = list.and(query_param("properties", "email")).and(query_param("associations", "companies"));
    let list = list.and(query_param_is_missing("after")).and(header("authorization", format!("Bearer {TOKEN}")));
    list.respond_with(ResponseTemplate::new(200).set_body_json(page)).expect(1).mount(&hub.server).await;
    let request = ReadRequest::new(Resource::Contact, Read::All).with_fields([FieldName::from("email")]);
    let page = hub.connector.read(&hub.on, request.with_relations([FieldName::from("account")])).await.unwrap();
    assert_eq!(page.records[0].fields, fields_of(&[("account", Value::reference("60")), ("email", "a@x.com".into())]));
    assert_eq!(page.records[1].fields, fields_of(&[("account", Value::Null), ("email", Value::Null)]));
    assert_eq!(page.undecodable[0].id, Some(RemoteId::from("2")), "a bad record fails alone");
}

#[tokio::test]
async fn ids_that_are_missing_are_followed_to_their_survivor_or_gone() {
    let hub = Hub::start(true).await;
    let missing = json!({"results": [record("1", json!({}))], "errors": [{"category": "OBJECT_NOT_FOUND", "message": "Could not get some"}]});
    let live = Mock::given(path("/crm/objects/2026-09/companies/batch/read")).and(query_param_is_missing("archived"));
    live.respond_with(ResponseTemplate::new(207).set_body_json(missing)).mount(&hub.server).await;
    let binned = Mock::given(path("/crm/objects/2026-09/companies/batch/read")).and(query_param("archived", "true"));
    let bin = json!({"results": [record("3", json!({}))]});
    binned.respond_with(ResponseTemplate::new(200).set_body_json(bin)).mount(&hub.server).await;
    hub.answer("GET", "/crm/objects/2026-09/companies/2", 200, record("9", json!({"name": "Both"}))).await;
    let ids = ["1", "2", "3"].map(RemoteId::from).to_vec();
    let page = hub.connector.read(&hub.on, ReadRequest::new(Resource::Account, Read::Ids(ids))).await.unwrap();
    let ids: Vec<&str> = page.records.iter().map(|record| record.id.as_str()).collect();
    assert_eq!(ids, ["1", "9"]);
    assert_eq!(page.records[1].merged_ids, [RemoteId::from("2")]);
}

#[tokio::test]
async fn edit_times_are_read_by_id() {
    let hub = Hub::start(true).await;
    let body = json!({"properties": ["email", "hs_merged_object_ids"], "propertiesWithHistory": ["email"],
        "inputs": [{"id": "1"}]});
    let mut ann = record("1", json!({"email": "a@x.com"}));
    ann["propertiesWithHistory"] = json!({"email": [{"value": "a@x.com", "timestamp": "2026-01-01T10:00:00.000Z"}]});
    hub.expect("/crm/objects/2026-09/contacts/batch/read", body, 200, json!({"results": [ann]})).await;
    let request = ReadRequest::new(Resource::Contact, Read::Ids(vec![RemoteId::from("1")]));
    let request = request.with_fields([FieldName::from("email")]).with_edit_times();
    let page = hub.connector.read(&hub.on, request).await.unwrap();
    assert_eq!(
        page.records[0].edited_at[&FieldName::from("email")],
        "2026-01-01T10:00:00Z".parse::<DateTime<Utc>>().unwrap()
    );
}

#[tokio::test]
async fn people_are_found_by_email_and_companies_by_domain() {
    let hub = Hub::start(true).await;
    let body = json!({"properties": ["email", "hs_additional_emails", "hs_merged_object_ids"], "idProperty": "email",
        "inputs": [{"id": "a@x.com"}]});
    let found = json!({"results": [record("1", json!({"email": "a@x.com"}))]});
    hub.expect("/crm/objects/2026-09/contacts/batch/read", body, 200, found).await;
    let request = FindRequest::new(Resource::Contact, vec!["a@x.com".to_owned()]);
    assert_eq!(hub.connector.find(&hub.on, request).await.unwrap()[0].id, RemoteId::from("1"));
    let filters = json!({"filterGroups": [{"filters": [
        {"propertyName": "domain", "operator": "IN", "values": ["x.com", "www.x.com"]},
        {"propertyName": "hs_object_id", "operator": "GT", "value": "0"}]}]});
    let found = json!({"total": 1, "results": [record("5", json!({"domain": "x.com"}))]});
    let search = Mock::given(path("/crm/objects/2026-09/companies/search")).and(body_partial_json(filters));
    search.respond_with(ResponseTemplate::new(200).set_body_json(found)).expect(1).mount(&hub.server).await;
    let request = FindRequest::new(Resource::Account, vec!["x.com".to_owned()]);
    assert_eq!(hub.connector.find(&hub.on, request).await.unwrap()[0].id, RemoteId::from("5"));
}

#[tokio::test]
async fn searches_are_paced_by_portal_where_the_documented_limits_count() {
    let hub = Hub::start(true).await;
    hub.answer("GET", "/account-info/2026-09/details", 200, json!({"portalId": 33})).await;
    hub.answer("POST", "/crm/objects/2026-09/contacts/search", 200, json!({"total": 7, "results": []})).await;
    let connector = HubspotConnector::builder().pacing(Pacing::Documented).build();
    for _ in 0..3 {
        let count = connector.count(&hub.on, Resource::Contact, &Read::All).await.unwrap();
        assert_eq!(count, Some(7));
    }
    assert_eq!(hub.on.calls.total(), 4, "the portal is asked for once");
}

#[tokio::test]
async fn the_own_property_is_made_once_and_a_refusal_is_no_error() {
    let hub = Hub::start(false).await;
    hub.answer("POST", "/crm/properties/2026-09/contacts/groups", 201, json!({"name": "abmatic"})).await;
    hub.answer("POST", "/crm/properties/2026-09/contacts", 403, json!({"category": "MISSING_SCOPES"})).await;
    hub.connector.prepare(&hub.on, Resource::Contact).await.unwrap();
    hub.connector.prepare(&hub.on, Resource::Contact).await.unwrap();
    assert_eq!(hub.on.calls.total(), 3, "describe, group, property; nothing the second time");
}

#[tokio::test]
async fn fields_are_described() {
    let hub = Hub::start(true).await;
    let schema = hub.connector.describe(&hub.on, Resource::Opportunity).await.unwrap();
    let stage = schema.field("dealstage").unwrap();
    assert_eq!(
        (stage.field_type, stage.required_on_create, stage.options[0].value.as_str()),
        (FieldType::Choice, true, "won")
    );
    let schema = hub.connector.describe(&hub.on, Resource::Contact).await.unwrap();
    assert_eq!(schema.recommended, [FieldName::from("email")]);
    assert!(schema.field("abmatic_sync_id").unwrap().unique);
}

#[tokio::test]
async fn bad_answers_are_clear_errors_without_secrets() {
    let hub = Hub::start(true).await;
    Mock::given(path("/crm/objects/2026-09/contacts"))
        .respond_with(ResponseTemplate::new(200).set_body_string("{}"))
        .mount(&hub.server)
        .await;
    hub.answer("GET", "/crm/lists/2026-09/7/memberships", 404, json!({"message": "nope"})).await;
    let read = |read| hub.connector.read(&hub.on, ReadRequest::new(Resource::Contact, read));
    let garbage = read(Read::All).await.unwrap_err();
    assert_eq!((garbage.kind(), garbage.code()), (ErrorKind::Undocumented, ErrorCode::InvalidAnswer));
    let no_list = read(Read::List("7".to_owned())).await.unwrap_err();
    assert_eq!((no_list.code(), no_list.message()), (ErrorCode::InvalidSettings, "there is no list \"7\""));
    let request = ReadRequest::new(Resource::Contact, Read::All).at(Some(PageCursor::new("garbage")));
    let cursor = hub.connector.read(&hub.on, request).await.unwrap_err();
    for text in [format!("{garbage:?} {no_list:?} {cursor:?}"), format!("{:?} {:?}", hub.connector, hub.on)] {
        assert!(!text.contains(TOKEN), "{text}");
    }
}
