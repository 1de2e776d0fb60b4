//! Bodies of POST and PUT, and what is made of their answers.

use abmatic_sync_core::connector::request::{Write, WriteOutcome};
use abmatic_sync_core::error::{ErrorCode, ErrorKind};
use abmatic_sync_core::ids::{FieldName, RemoteId};
use abmatic_sync_core::model::fields::Fields;
use abmatic_sync_core::model::resource::Resource;
use abmatic_sync_core::model::value::Value;
use serde_json::{Value as Json, json};
use wiremock::ResponseTemplate;

use crate::account::{Account, association, company, contact, create, datum, failed, update};

fn options(options: &[&str]) -> Value {
    Value::MultiChoice(options.iter().map(|one| (*one).to_owned()).collect())
}

fn refusal(title: &str, code: &str, pointer: &str) -> Json {
    let source = json!({"pointer": format!("/data/attributes/{pointer}")});
    json!({"errors": [{"title": title, "detail": "", "code": code, "source": source}]})
}

/// What a create is answered: only what was sent, and that as it was sent.
fn made(id: u64) -> Json {
    json!({"contact": {"email": "jane@acme.test", "udate": "2026-05-28T04:33:44-05:00", "links": {}, "id": id.to_string()}})
}

#[tokio::test]
async fn a_contact_goes_with_its_values_and_then_its_association() {
    let account = Account::start().await;
    let body = json!({"contact": {"email": "jane@acme.test", "lastName": "Roe", "fieldValues": [
        {"field": "2", "value": "||Ads||"}, {"field": "1", "value": "plus"},
    ]}});
    account.expect("POST", "contacts", body, 201, made(15)).await;
    let body = json!({"accountContact": {"contact": "15", "account": "7", "jobTitle": "CTO"}});
    account.expect("POST", "accountContacts", body, 201, json!({"accountContact": {"id": "3"}})).await;
    let fields = [
        ("email", Value::text("jane@acme.test")),
        ("lastName", Value::text("Roe")),
        ("PLAN", Value::Choice("plus".into())),
        ("INTERESTS", options(&["Ads"])),
        ("jobTitle", Value::text("CTO")),
        ("account", Value::reference("7")),
    ];
    let written = account.written(Resource::Contact, create(&fields)).await;
    assert_eq!((written.id.as_str(), written.unwritten.len()), ("15", 0), "{:?}", written.warnings);
    assert_eq!(written.modified_at, Some("2026-05-28T09:33:44Z".parse().unwrap()));
}

#[tokio::test]
async fn an_association_is_changed_removed_and_made_anew() {
    let account = Account::start().await;
    let held = |rows: &[Json]| json!({"accountContacts": rows, "meta": {"total": "1", "queryLog": []}});
    account.answer("GET", "accountContacts", 200, held(&[association(17, 7, 1, "CEO")])).await;
    let body = json!({"accountContact": {"account": "7", "jobTitle": "CTO"}});
    account.expect("PUT", "accountContacts/17", body, 200, json!({})).await;
    account.written(Resource::Contact, update("1", &[("jobTitle", Value::text("CTO"))])).await;
    let body = json!({"accountContact": {"account": "8"}});
    account.expect("PUT", "accountContacts/17", body, 200, json!({})).await;
    account.written(Resource::Contact, update("1", &[("account", Value::reference("8"))])).await;
    account.once("DELETE", "accountContacts/17", ResponseTemplate::new(200).set_body_json(json!({}))).await;
    account.written(Resource::Contact, update("1", &[("account", Value::Null), ("jobTitle", Value::Null)])).await;
    assert_eq!(account.queries("accountContacts").await, ["filters[contact]=1&limit=100"; 3]);
}

#[tokio::test]
async fn the_associations_of_several_are_asked_for_at_once_and_again_where_they_have_changed() {
    let account = Account::start().await;
    let ids = [("ids[]", "1"), ("ids[]", "2"), ("ids[]", "3"), ("include", "accountContacts")];
    let beside = [association(17, 7, 1, "CEO"), association(18, 7, 2, "CEO")];
    account.query("contacts", &ids, json!({"accountContacts": beside, "contacts": []})).await;
    let body = |account: &str| json!({"accountContact": {"account": account, "jobTitle": "CTO"}});
    account.expect("PUT", "accountContacts/17", body("7"), 200, json!({})).await;
    let gone = json!({"message": "No Result found for CustomerAccountSubscriber with id 18"});
    account.expect("PUT", "accountContacts/18", body("7"), 404, gone).await;
    let now = json!({"accountContacts": [association(19, 8, 2, "")]});
    account.query("accountContacts", &[("filters[contact]", "2")], now).await;
    account.expect("PUT", "accountContacts/19", body("8"), 200, json!({})).await;
    let writes = ["1", "2", "3"].map(|id| update(id, &[("jobTitle", Value::text("CTO"))])).to_vec();
    let outcomes = account.write(Resource::Contact, writes).await;
    let told = outcomes.iter().map(|outcome| match outcome {
        WriteOutcome::Written(written) => written.warnings.len(),
        WriteOutcome::Failed(error) => panic!("{error}"),
        other => panic!("{other:?}"),
    });
    assert_eq!(told.collect::<Vec<_>>(), [0, 0, 1], "the third has no account for its title to stand on");
}

#[tokio::test]
async fn an_association_that_somebody_made_first_is_changed() {
    let account = Account::start().await;
    account.answer("POST", "contacts", 201, made(15)).await;
    let taken = refusal("This contact is already associated with an account.", "field_invalid", "account,contact");
    account.answer("POST", "accountContacts", 422, taken).await;
    account.answer("GET", "accountContacts", 200, json!({"accountContacts": [association(17, 9, 15, "")]})).await;
    account.expect("PUT", "accountContacts/17", json!({"accountContact": {"account": "7"}}), 200, json!({})).await;
    let fields = [("email", Value::text("jane@acme.test")), ("account", Value::reference("7"))];
    let written = account.written(Resource::Contact, create(&fields)).await;
    assert!(written.unwritten.is_empty() && written.warnings.is_empty(), "{:?}", written.warnings);
}

#[tokio::test]
async fn a_contact_is_written_even_where_its_association_is_not() {
    let account = Account::start().await;
    account.answer("POST", "contacts", 201, made(15)).await;
    account.answer("POST", "accountContacts", 503, json!({})).await;
    let fields = [("email", Value::text("jane@acme.test")), ("account", Value::reference("7"))];
    let written = account.written(Resource::Contact, create(&fields)).await;
    assert_eq!((written.id.as_str(), written.unwritten), ("15", [FieldName::from("account")].into()));
}

#[tokio::test]
async fn a_create_without_an_answer_is_upserted_and_a_change_is_sent_again() {
    let account = Account::start().await;
    account.once("POST", "contacts", ResponseTemplate::new(502)).await;
    let body = json!({"contact": {"email": "jane@acme.test"}});
    let held = json!({"fieldValues": [], "contact": contact(15, "jane@acme.test")});
    account.expect("POST", "contact/sync", body.clone(), 200, held).await;
    let email = [("email", Value::text("jane@acme.test"))];
    let written = account.written(Resource::Contact, create(&email)).await;
    assert_eq!(written.id.as_str(), "15");
    account.once("PUT", "contacts/15", ResponseTemplate::new(502)).await;
    account.expect("PUT", "contacts/15", body, 200, json!({"contact": contact(15, "jane@acme.test")})).await;
    account.written(Resource::Contact, update("15", &email)).await;
    account.once("POST", "accounts", ResponseTemplate::new(502)).await;
    let error = account.refused(Resource::Account, create(&[("name", Value::text("Acme"))])).await;
    assert_eq!(error.kind(), ErrorKind::Ambiguous);
    assert_eq!(account.queries("accounts").await.len(), 1, "a create is never just sent again");
}

#[tokio::test]
async fn an_account_goes_with_its_fields_in_one_call_and_amounts_in_their_currency() {
    let account = Account::start().await;
    let body = json!({"account": {"name": "Acme", "accountUrl": "https://acme.test", "fields": [
        {"customFieldId": 10, "fieldValue": 10050, "fieldCurrency": "eur"},
        {"customFieldId": 20, "fieldValue": ["North", "South"]},
        {"customFieldId": 11, "fieldValue": "Retail"},
    ]}});
    let answer = json!({"account": {
        "name": "Acme", "updatedTimestamp": "2026-05-28T04:05:48-05:00", "customFieldSaveStatus": {"status": "success"},
        "fields": [], "id": "14",
    }});
    account.expect("POST", "accounts", body, 201, answer).await;
    let fields = [
        ("accountUrl", Value::text("https://acme.test")),
        ("name", Value::text("Acme")),
        ("annual_revenue", Value::Decimal("100.5".parse().unwrap())),
        ("field_20", options(&["South", "North"])),
        ("industry", Value::Choice("Retail".into())),
    ];
    assert_eq!(account.written(Resource::Account, create(&fields)).await.id.as_str(), "14");
}

#[tokio::test]
async fn an_amount_keeps_the_currency_that_the_record_has_for_it() {
    let account = Account::start().await;
    let mut held = datum(3, 14, 10, json!(500));
    held["fieldCurrency"] = "GBP".into();
    let held = json!({"accountCustomFieldData": [datum(2, 14, 11, json!("Retail")), held]});
    account.query("accountCustomFieldData", &[("filters[customerAccountId]", "14")], held).await;
    let body = json!({"account": {"fields": [{"customFieldId": 10, "fieldValue": 700, "fieldCurrency": "gbp"}]}});
    account.expect("PUT", "accounts/14", body, 200, json!({"account": company(14, "Acme")})).await;
    let amount = [("annual_revenue", Value::Integer(7))];
    account.written(Resource::Account, update("14", &amount)).await;
    let cleared = json!([{"customFieldId": 20, "fieldValue": []}, {"customFieldId": 11, "fieldValue": ""}]);
    let body = json!({"account": {"fields": cleared}});
    account.expect("PUT", "accounts/14", body, 200, json!({"account": company(14, "Acme")})).await;
    account.written(Resource::Account, update("14", &[("industry", Value::Null), ("field_20", Value::Null)])).await;
}

#[tokio::test]
async fn fields_that_were_not_saved_although_the_record_was_are_tried_again() {
    let account = Account::start().await;
    let answer = json!({"account": {"id": "14", "customFieldSaveStatus": {"status": "failure", "error": "no"}}});
    account.answer("POST", "accounts", 201, answer).await;
    let fields = [("name", Value::text("Acme")), ("industry", Value::Choice("Retail".into()))];
    let written = account.written(Resource::Account, create(&fields)).await;
    assert_eq!(written.unwritten, [FieldName::from("industry")].into());
    assert!(written.warnings[0].contains("custom fields were not saved"), "{:?}", written.warnings);
}

#[tokio::test]
async fn a_deal_belongs_to_the_keys_user_and_begins_where_its_pipeline_does() {
    let account = Account::start().await;
    let me = json!({"user": {"username": "admin", "email": "a@x.test", "links": {}, "id": "3"}});
    account.once("GET", "users/me", ResponseTemplate::new(200).set_body_json(me)).await;
    let answer = || json!({"contacts": [], "deal": {"value": 1050, "status": 0, "mdate": "2026-05-28T04:05:28-05:00", "id": "21"}});
    let body = json!({"deal": {
        "title": "Renewal", "value": 1050, "currency": "eur", "contact": "51", "group": "4", "owner": "3",
    }});
    account.expect("POST", "deals", body, 201, answer()).await;
    let deal = |more: &[(&'static str, Value)]| {
        let mut fields = vec![
            ("title", Value::text("Renewal")),
            ("value", Value::Decimal("10.50".parse().unwrap())),
            ("contacts", Value::reference("51")),
        ];
        fields.extend(more.iter().cloned());
        create(&fields)
    };
    account.written(Resource::Opportunity, deal(&[])).await;
    let body = json!({"deal": {
        "title": "Renewal", "value": 1050, "currency": "gbp", "contact": "51", "stage": "12", "owner": "8",
    }});
    account.expect("POST", "deals", body, 201, answer()).await;
    let stage = Value::Choice("To Contact (Renewals)".into());
    account.written(Resource::Opportunity, deal(&[("stage", stage), ("owner", Value::text("8"))])).await;
    let alone = create(&[("title", Value::text("x")), ("value", Value::Integer(1))]);
    let error = account.refused(Resource::Opportunity, alone).await;
    assert_eq!((error.code(), error.fields().len()), (ErrorCode::RequiredFieldMissing, 2));
    assert_eq!(account.queries("deals").await.len(), 2, "what lacks something is not sent");
}

#[tokio::test]
async fn a_deal_keeps_its_contact_among_several_and_says_that_it_takes_one() {
    let account = Account::start().await;
    account.expect("PUT", "deals/21", json!({"deal": {"contact": "52"}}), 200, json!({"deal": {"id": "21"}})).await;
    account.once("PUT", "deals/22", ResponseTemplate::new(200)).await;
    account.written(Resource::Opportunity, update("22", &[("title", Value::text("no answer but 200"))])).await;
    let contacts = |ids: &[&str]| Value::Reference(ids.iter().map(|id| (*id).to_owned()).collect());
    let write = Write::Update {
        id: RemoteId::from("21"),
        fields: Fields::from_iter([("contacts", contacts(&["51", "52"]))]),
        references_before: Fields::from_iter([("contacts", contacts(&["52"]))]),
        unmodified_since: None,
    };
    let written = account.written(Resource::Opportunity, write).await;
    assert_eq!(written.warnings, ["a deal of ActiveCampaign has one primary contact: of 2 one was set"]);
}

#[tokio::test]
async fn refusals_name_the_field_and_the_record_that_was_there() {
    let account = Account::start().await;
    let taken = refusal("An account named \"Acme\" already exists. Please choose a new name.", "duplicate", "name");
    account.answer("POST", "accounts", 422, taken).await;
    let found = json!({"accounts": [company(1, "Acme Oy"), company(2, "ACME")], "meta": {"total": "2"}});
    account.query("accounts", &[("search", "Acme")], found).await;
    let error = account.refused(Resource::Account, create(&[("name", Value::text("Acme"))])).await;
    assert_eq!((error.kind(), error.existing_id()), (ErrorKind::Duplicate, Some(&RemoteId::from("2"))));
    let bad = json!({"errors": [{
        "title": "Contact Email Address is not valid.", "detail": "", "code": "email_invalid",
        "error": "must_be_valid_email_address", "source": {"pointer": "/data/attributes/email"},
    }]});
    account.answer("POST", "contacts", 422, bad).await;
    let error = account.refused(Resource::Contact, create(&[("email", Value::text("jane"))])).await;
    assert_eq!(
        error.to_string(),
        "activecampaign write contacts: Contact Email Address is not valid. [email_invalid] (INVALID_FIELD)"
    );
    assert_eq!(error.fields(), ["email".to_owned()]);
    let gone = json!({"message": "No result found for contact with id 15"});
    account.answer("DELETE", "contacts/15", 404, gone).await;
    let error = account.refused(Resource::Contact, Write::Archive { id: RemoteId::from("15") }).await;
    assert_eq!(error.kind(), ErrorKind::NotFound);
    let error = account.refused(Resource::Contact, create(&[("nickname", Value::text("J"))])).await;
    assert_eq!((error.code(), error.fields()), (ErrorCode::InvalidField, ["nickname".to_owned()].as_slice()));
}

#[tokio::test]
async fn nothing_more_is_sent_once_nothing_gets_through() {
    let account = Account::of(|builder| builder.calls_at_once(1)).await;
    let shut = ResponseTemplate::new(429).insert_header("retry-after", "3600");
    account.once("PUT", "contacts/1", shut).await;
    let writes = (1..=5).map(|id| update(&id.to_string(), &[("lastName", Value::text("N"))])).collect();
    let outcomes: Vec<WriteOutcome> = account.write(Resource::Contact, writes).await;
    assert!(outcomes.into_iter().map(failed).all(|error| error.kind() == ErrorKind::RateLimited));
    let calls = account.server.received_requests().await.unwrap();
    assert!(calls.iter().all(|call| !call.url.path().ends_with("contacts/2")));
}

#[tokio::test]
async fn notes_and_events_have_forms_of_their_own() {
    let account = Account::start().await;
    let body = json!({"note": {"note": "Opened the proposal", "relid": "2", "reltype": "Subscriber"}});
    let answer = json!({"note": {"relid": 2, "owner": {"type": "contact", "id": 2}, "id": "9"}});
    account.expect("POST", "notes", body, 201, answer).await;
    let note = [("note", Value::text("Opened the proposal")), ("contact_id", Value::text("2"))];
    assert_eq!(account.written(Resource::Activity, create(&note)).await.id.as_str(), "9");
    let event = create(&[("event", Value::text("intent_spike")), ("email", Value::text("a@x.test"))]);
    let error = account.refused(Resource::Activity, event).await;
    assert_eq!(error.code(), ErrorCode::Unsupported, "nobody has set event tracking up");
}
