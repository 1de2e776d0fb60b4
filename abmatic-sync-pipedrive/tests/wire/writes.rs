//! Bodies of POST and PATCH, and what is made of their answers.

use abmatic_sync_core::connector::request::{Write, WriteOutcome};
use abmatic_sync_core::error::{ErrorCode, ErrorKind};
use abmatic_sync_core::ids::RemoteId;
use abmatic_sync_core::model::resource::Resource;
use abmatic_sync_core::model::value::Value;
use serde_json::json;
use wiremock::matchers::{method, path};
use wiremock::{Mock, ResponseTemplate};

use crate::company::{Company, TIER, create, page, single, update};

#[tokio::test]
async fn a_create_nests_custom_fields_and_sends_options_by_number() {
    let company = Company::start().await;
    let body = json!({"name": " Acme ", "industry": 3, "custom_fields": {TIER: [12]}});
    let kept = json!({
        "id": 7, "name": "Acme", "industry": 3, "update_time": "2026-02-03T09:10:11Z", "custom_fields": {TIER: [12]},
    });
    company.expect("POST", "/api/v2/organizations", body, single(kept)).await;
    let fields = [
        ("name", Value::text(" Acme ")),
        ("industry", Value::Choice("finance".to_owned())),
        (TIER, Value::MultiChoice(["Gold".to_owned()].into())),
    ];
    let outcomes = company.write(Resource::Account, vec![create(&fields)]).await;
    let WriteOutcome::Written(written) = &outcomes[0] else { panic!("{outcomes:?}") };
    assert_eq!((written.id.as_str(), written.fields.get("name")), ("7", Some(&Value::text("Acme"))));
    assert_eq!(written.modified_at, Some("2026-02-03T09:10:11Z".parse().unwrap()));
    assert!(!written.fields.iter().any(|(_, value)| value.is_blank()));
}

#[tokio::test]
async fn a_value_is_cleared_by_null_and_a_field_that_is_not_answered_says_nothing() {
    let company = Company::start().await;
    let body = json!({"website": null, "custom_fields": {TIER: null}});
    let kept = json!({"id": 7, "name": "Acme", "custom_fields": {TIER: null}});
    company.expect("PATCH", "/api/v2/organizations/7", body, single(kept)).await;
    let fields = [("website", Value::Null), (TIER, Value::Null)];
    let outcomes = company.write(Resource::Account, vec![update("7", &fields)]).await;
    let WriteOutcome::Written(written) = &outcomes[0] else { panic!("{outcomes:?}") };
    assert_eq!((written.fields.get("website"), written.fields.get(TIER)), (None, Some(&Value::Null)));
}

#[tokio::test]
async fn what_is_changed_in_part_is_read_first_a_hundred_at_once() {
    let company = Company::start().await;
    let held = json!({
        "id": 9, "name": "Jane Roe", "first_name": "Jane", "last_name": "Roe",
        "emails": [{"value": "a@x.test", "primary": false, "label": "home"}, {"value": "b@x.test", "primary": true, "label": "work"}],
    });
    company.query("/api/v2/persons", &[("ids", "9")], page(&[held], None)).await;
    let body = json!({
        "first_name": "Jane", "last_name": "Doe",
        "emails": [{"value": "a@x.test", "primary": false, "label": "home"}, {"value": "c@x.test", "primary": true, "label": "work"}],
    });
    company.expect("PATCH", "/api/v2/persons/9", body, single(json!({"id": 9}))).await;
    let fields = [("email", Value::text("c@x.test")), ("last_name", Value::text("Doe"))];
    let outcomes = company.write(Resource::Contact, vec![update("9", &fields)]).await;
    assert!(matches!(outcomes[0], WriteOutcome::Written(_)), "{outcomes:?}");
}

#[tokio::test]
async fn a_create_without_an_answer_is_in_doubt_and_a_change_is_sent_again() {
    let company = Company::start().await;
    let failing = |verb: &'static str, at: &'static str| {
        Mock::given(method(verb)).and(path(at)).respond_with(ResponseTemplate::new(502)).up_to_n_times(1)
    };
    failing("POST", "/api/v2/organizations").mount(&company.server).await;
    failing("PATCH", "/api/v2/organizations/7").mount(&company.server).await;
    company.answer("POST", "/api/v2/organizations", 200, single(json!({"id": 8}))).await;
    company.answer("PATCH", "/api/v2/organizations/7", 200, single(json!({"id": 7}))).await;
    let outcomes = company
        .write(Resource::Account, vec![create(&[("name", "A".into())]), update("7", &[("name", "B".into())])])
        .await;
    let WriteOutcome::Failed(error) = &outcomes[0] else { panic!("{outcomes:?}") };
    assert_eq!(error.kind(), ErrorKind::Ambiguous);
    assert!(matches!(outcomes[1], WriteOutcome::Written(_)));
    assert_eq!(company.queries("/api/v2/organizations").await.len(), 1, "a create is never just sent again");
}

#[tokio::test]
async fn a_refusal_names_the_field_and_what_to_do() {
    let company = Company::start().await;
    let refused = json!({
        "success": false, "code": "ERR_SCHEMA_VALIDATION_FAILED",
        "error": "Validation failed: website: Parameter 'website' is not allowed for this request",
    });
    company.answer("POST", "/api/v2/organizations", 400, refused).await;
    let capped = json!({"success": false, "error": "Limit reached", "code": "feature_capping_deals_limit"});
    company.answer("DELETE", "/api/v2/organizations/7", 403, capped).await;
    let writes =
        vec![create(&[("name", "A".into()), ("website", "a.test".into())]), Write::Archive { id: RemoteId::from("7") }];
    let outcomes = company.write(Resource::Account, writes).await;
    let WriteOutcome::Failed(error) = &outcomes[0] else { panic!("{outcomes:?}") };
    assert_eq!((error.code(), error.fields()), (ErrorCode::InvalidField, ["website".to_owned()].as_slice()));
    assert_eq!(
        error.to_string(),
        "pipedrive write organizations: Validation failed: website: Parameter 'website' is not allowed for this request \
         [ERR_SCHEMA_VALIDATION_FAILED] (INVALID_FIELD)"
    );
    let WriteOutcome::Failed(error) = &outcomes[1] else { panic!("{outcomes:?}") };
    assert_eq!((error.kind(), error.code()), (ErrorKind::Forbidden, ErrorCode::InsufficientAccess));
}
