//! Bulk imports: their body, their status, and what is known of each contact afterwards.

use std::time::Duration;

use abmatic_sync_core::connector::request::{Write, WriteOutcome};
use abmatic_sync_core::error::ErrorKind;
use abmatic_sync_core::model::resource::Resource;
use abmatic_sync_core::model::value::Value;
use serde_json::{Value as Json, json};
use wiremock::ResponseTemplate;

use crate::account::{Account, association, contact, create, failed};

const QUEUE: &str = "import/bulk_import";

fn email(number: u64) -> String {
    format!("n{number}@x.test")
}

/// A hundred contacts, the first of which is at an account.
fn writes() -> Vec<Write> {
    let write = |number: u64| {
        let mut fields = vec![("email", Value::text(email(number))), ("firstName", Value::text("N"))];
        if number == 1 {
            fields.extend([("PLAN", Value::Choice("plus".into())), ("account", Value::reference("7"))]);
        }
        create(&fields)
    };
    (1..=100).map(write).collect()
}

fn queued() -> Json {
    json!({"Success": 1, "queued_contacts": 100, "batchId": "0641fbdd", "message": "Contact import queued"})
}

fn info(status: &str, success: &[u64], failure: &[&str]) -> ResponseTemplate {
    let ids: Vec<String> = success.iter().map(u64::to_string).collect();
    ResponseTemplate::new(200).set_body_json(json!({"status": status, "success": ids, "failure": failure}))
}

#[tokio::test]
async fn an_import_has_names_of_its_own_and_is_followed_up_contact_by_contact() {
    let account = Account::start().await;
    let rows: Vec<Json> = (1..=100)
        .map(|number| match number {
            1 => json!({"email": email(1), "first_name": "N", "fields": [{"id": 1, "value": "plus"}]}),
            _ => json!({"email": email(number), "first_name": "N"}),
        })
        .collect();
    account.expect("POST", QUEUE, json!({"contacts": rows, "exclude_automations": true}), 200, queued()).await;
    account.once("GET", "import/info", info("waiting", &[], &[])).await;
    account.once("GET", "import/info", info("active", &[], &[])).await;
    let success: Vec<u64> = (1..=98).collect();
    account.once("GET", "import/info", info("completed", &success, &["n99@x.test"])).await;
    let made: Vec<Json> = (1..=98).map(|id| contact(id, &email(id).to_uppercase())).collect();
    let body = json!({"accountContacts": [], "contacts": made, "meta": {"total": "98"}});
    account.query("contacts", &[("limit", "100"), ("ids[]", "98"), ("include", "accountContacts")], body).await;
    let body = json!({"accountContact": {"contact": "1", "account": "7"}});
    account.expect("POST", "accountContacts", body, 201, json!({"accountContact": {"id": "3"}})).await;
    let mut outcomes = account.write(Resource::Contact, writes()).await;
    let (last, refused) = (failed(outcomes.pop().unwrap()), failed(outcomes.pop().unwrap()));
    assert_eq!((refused.kind(), refused.fields()), (ErrorKind::Invalid, ["email".to_owned()].as_slice()));
    assert_eq!(last.kind(), ErrorKind::Ambiguous, "nothing is assumed of a contact of which nothing is said");
    for (outcome, number) in outcomes.iter().zip(1..) {
        let WriteOutcome::Written(written) = outcome else { panic!("{outcome:?}") };
        assert_eq!((written.id.as_str(), written.warnings.len()), (number.to_string().as_str(), 0));
    }
    assert_eq!(account.clock.waited(), Duration::from_secs(4));
    assert_eq!(account.queries("import/info").await, ["batchId=0641fbdd"; 3]);
    assert!(account.queries("accountContacts").await.len() == 1, "nobody's association is asked for");
}

#[tokio::test]
async fn a_contact_that_was_there_keeps_its_one_association() {
    let account = Account::start().await;
    account.answer("POST", QUEUE, 200, json!({"success": 1, "batchId": "b"})).await;
    let success: Vec<u64> = (1..=100).collect();
    account.once("GET", "import/info", info("completed", &success, &[])).await;
    let made: Vec<Json> = success.iter().map(|id| contact(*id, &email(*id))).collect();
    account
        .answer("GET", "contacts", 200, json!({"accountContacts": [association(17, 9, 1, "CEO")], "contacts": made}))
        .await;
    account.expect("PUT", "accountContacts/17", json!({"accountContact": {"account": "7"}}), 200, json!({})).await;
    let outcomes = account.write(Resource::Contact, writes()).await;
    assert!(outcomes.iter().all(|outcome| matches!(outcome, WriteOutcome::Written(one) if one.warnings.is_empty())));
}

#[tokio::test]
async fn one_bad_contact_refuses_the_import_and_none_of_the_others() {
    let account = Account::start().await;
    let reasons = json!([{"contact": 2, "failureReason": "Field 'email' is not valid"}]);
    let refused = json!({
        "success": 0, "message": "JSON payload did not pass validation. The import was not queued for processing.",
        "failureReasons": reasons,
    });
    account.answer("POST", QUEUE, 400, refused).await;
    let bad = json!({"errors": [{"title": "Contact Email Address is not valid.", "code": "email_invalid"}]});
    account.once("POST", "contacts", ResponseTemplate::new(422).set_body_json(bad)).await;
    account.answer("POST", "contacts", 201, json!({"contact": {"id": "15"}})).await;
    account.answer("POST", "accountContacts", 201, json!({"accountContact": {"id": "3"}})).await;
    let outcomes = account.write(Resource::Contact, writes()).await;
    let lost = outcomes.iter().filter(|outcome| matches!(outcome, WriteOutcome::Failed(_))).count();
    assert_eq!((outcomes.len(), lost), (100, 1));
}

#[tokio::test]
async fn an_import_that_does_not_end_or_tell_leaves_its_contacts_in_doubt() {
    let account = Account::of(|builder| builder.import_wait_seconds(20)).await;
    account.answer("POST", QUEUE, 200, queued()).await;
    account.answer("GET", "import/info", 200, json!({"status": false, "success": [], "failure": []})).await;
    let all_in_doubt = |outcomes: Vec<WriteOutcome>| {
        assert!(outcomes.into_iter().map(failed).all(|error| error.kind() == ErrorKind::Ambiguous));
    };
    all_in_doubt(account.write(Resource::Contact, writes()).await);
    assert_eq!(account.clock.waited(), Duration::from_secs(20));
    account.once("GET", "import/info", ResponseTemplate::new(200).set_body_string("<html>")).await;
    account.once("GET", "import/info", info("interrupted", &[], &[])).await;
    all_in_doubt(account.write(Resource::Contact, writes()).await);
    account.once("GET", "import/info", info("completed", &[1], &[])).await;
    account.answer("GET", "contacts", 403, json!({"message": "Forbidden"})).await;
    account.answer("GET", "users/me", 200, json!({"user": {"id": "1"}})).await;
    all_in_doubt(account.write(Resource::Contact, writes()).await);
    account.once("POST", QUEUE, ResponseTemplate::new(200).set_body_json(json!({"Success": 1}))).await;
    all_in_doubt(account.write(Resource::Contact, writes()).await);
}

#[tokio::test]
async fn the_imports_of_a_minute_are_waited_for() {
    let account = Account::of(|builder| builder.import_wait_seconds(0)).await;
    let limited = json!({"success": 0, "message": "Rate limit exceeded.", "failureReasons": ["Rate limit exceeded."]});
    account.once("POST", QUEUE, ResponseTemplate::new(400).set_body_json(limited)).await;
    account.answer("POST", QUEUE, 200, queued()).await;
    account.answer("GET", "import/info", 200, json!({"status": "active"})).await;
    account.write(Resource::Contact, writes()).await;
    assert_eq!(account.clock.waited(), Duration::from_secs(60));
    assert_eq!(account.queries(QUEUE).await.len(), 2);
}
