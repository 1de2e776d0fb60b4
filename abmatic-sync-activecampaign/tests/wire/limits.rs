//! The pace of an account, and those who are not let in.

use std::time::Duration;

use abmatic_sync_activecampaign::Pacing;
use abmatic_sync_core::connector::contract::CrmConnector;
use abmatic_sync_core::connector::request::{Read, ReadRequest};
use abmatic_sync_core::error::{ErrorCode, ErrorKind};
use abmatic_sync_core::model::resource::Resource;
use serde_json::json;
use wiremock::matchers::{method, path};
use wiremock::{Mock, ResponseTemplate};

use crate::account::Account;

fn request() -> ReadRequest {
    ReadRequest::new(Resource::Contact, Read::All)
}

fn page() -> ResponseTemplate {
    ResponseTemplate::new(200).set_body_json(json!({"contacts": [], "meta": {"total": "0"}}))
}

async fn always(account: &Account, at: &str, answer: ResponseTemplate) {
    let mock = Mock::given(method("GET")).and(path(format!("/api/3/{at}")));
    mock.respond_with(answer).with_priority(2).mount(&account.server).await;
}

#[tokio::test]
async fn nearly_five_calls_go_in_a_second() {
    let account = Account::of(|builder| builder.pacing(Pacing::Documented)).await;
    always(&account, "contacts", page()).await;
    for _ in 0..20 {
        account.read(request()).await;
    }
    let waited = account.clock.waited();
    assert_eq!(waited.as_millis(), 20 * 4_000 / 19, "the fields were asked for as well");
}

#[tokio::test]
async fn headers_that_say_that_enough_is_left_slow_nothing_down() {
    for (left, seconds) in [("4", 5.0), ("3", 5.0), ("2", 5.5), ("1", 10.5)] {
        let account = Account::of(|builder| builder.pacing(Pacing::Documented)).await;
        let told = page().insert_header("RateLimit-Limit", "5").insert_header("RateLimit-Remaining", left);
        always(&account, "contacts", told).await;
        for _ in 0..21 {
            account.read(request()).await;
        }
        let waited = account.clock.waited().as_secs_f64();
        assert!(waited <= seconds, "{left} left: {waited} s for 21 calls");
    }
}

#[tokio::test]
async fn whoever_is_told_to_wait_waits() {
    let account = Account::start().await;
    let limited = ResponseTemplate::new(429).insert_header("retry-after", "30");
    account.once("GET", "contacts", limited).await;
    always(&account, "contacts", page()).await;
    account.read(request()).await;
    assert_eq!(account.clock.waited(), Duration::from_secs(30));
}

#[tokio::test]
async fn a_bad_key_a_missing_permission_and_a_mood_are_told_apart() {
    let forbidden = || ResponseTemplate::new(403).set_body_json(json!({"message": "Forbidden"}));
    let me = || ResponseTemplate::new(200).set_body_json(json!({"user": {"id": "1"}}));
    let account = Account::start().await;
    account.once("GET", "contacts", forbidden()).await;
    always(&account, "users/me", me()).await;
    always(&account, "contacts", page()).await;
    account.read(request()).await;
    for (answer, kind, code) in [
        (me(), ErrorKind::Forbidden, ErrorCode::InsufficientAccess),
        (forbidden(), ErrorKind::Unauthorized, ErrorCode::InvalidSession),
    ] {
        let account = Account::start().await;
        always(&account, "contacts", forbidden()).await;
        always(&account, "users/me", answer).await;
        let error = account.connector.read(&account.on, request()).await.unwrap_err();
        assert_eq!((error.kind(), error.code()), (kind, code));
    }
    let account = Account::start().await;
    always(&account, "contacts", ResponseTemplate::new(402)).await;
    let error = account.connector.read(&account.on, request()).await.unwrap_err();
    assert_eq!(
        error.to_string(),
        "activecampaign read contacts: the account is lapsed or not paid for (INSUFFICIENT_ACCESS)"
    );
}

#[tokio::test]
async fn the_key_goes_to_the_accounts_host_only() {
    let account = Account::start().await;
    for (base, good) in [
        ("https://acme.example.com", false),
        ("http://acme.api-us1.com", false),
        ("https://acme.api-us1.com.evil.net", false),
        ("https://u:p@acme.api-us1.com", false),
    ] {
        let on = account.on.clone().with_base_url(base.parse().unwrap());
        let error = account.connector.read(&on, request()).await.unwrap_err();
        assert_eq!(error.code() == ErrorCode::InvalidSettings, !good, "{base}: {error}");
    }
    always(&account, "contacts", page()).await;
    for pasted in ["", "/", "/api/3", "/api/3/"] {
        let base = format!("{}{pasted}", account.server.uri());
        let on = account.on.clone().with_base_url(base.parse().unwrap());
        account.connector.read(&on, request()).await.unwrap();
    }
    assert_eq!(account.queries("contacts").await.len(), 4);
}
