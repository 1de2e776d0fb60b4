//! Headers, budgets, compression, and what each refusal means for the run.

use std::io::Read as _;

use abmatic_sync_core::connector::contract::CrmConnector;
use abmatic_sync_core::connector::request::{Read, ReadRequest};
use abmatic_sync_core::error::{ErrorCode, ErrorKind};
use abmatic_sync_core::model::resource::Resource;
use abmatic_sync_salesforce::Compression;
use flate2::read::GzDecoder;
use serde_json::{Value as Json, json};
use wiremock::matchers::{method, path};
use wiremock::{Mock, ResponseTemplate};

use crate::org::{DATA, Key, Org, create, page, saved};

#[tokio::test]
async fn a_run_pauses_before_the_orgs_calls_are_used_up() {
    let org = Org::start(Key::Absent).await;
    let answer = ResponseTemplate::new(200)
        .set_body_json(page(Vec::new()))
        .insert_header("sforce-limit-info", "api-usage=80/100");
    Mock::given(method("GET")).and(path(format!("{DATA}/query"))).respond_with(answer).mount(&org.server).await;
    let request = || ReadRequest::new(Resource::Account, Read::All);
    org.read(request()).await;
    let calls = org.on.calls.total();
    let error = org.connector.read(&org.on, request()).await.unwrap_err();
    assert_eq!((error.kind(), error.code()), (ErrorKind::RateLimited, ErrorCode::RequestLimitExceeded));
    assert!(error.stops_run() && error.retry_after().is_some());
    assert_eq!(org.on.calls.total(), calls, "nothing was asked");
}

#[tokio::test]
async fn refusals_say_what_to_do() {
    let table = [
        (401, "INVALID_SESSION_ID", ErrorKind::Unauthorized, ErrorCode::InvalidSession, 1),
        (403, "REQUEST_LIMIT_EXCEEDED", ErrorKind::RateLimited, ErrorCode::RequestLimitExceeded, 1),
        (403, "API_DISABLED_FOR_ORG", ErrorKind::Forbidden, ErrorCode::InsufficientAccess, 1),
        (400, "INVALID_FIELD", ErrorKind::Invalid, ErrorCode::InvalidField, 1),
        (503, "SERVER_UNAVAILABLE", ErrorKind::Unavailable, ErrorCode::ServerUnavailable, 2),
        (500, "UNKNOWN_EXCEPTION", ErrorKind::Unavailable, ErrorCode::ServerUnavailable, 2),
        (400, "SOME_NEW_CODE", ErrorKind::Invalid, ErrorCode::InvalidRequest, 1),
    ];
    for (status, code, kind, own, calls) in table {
        let org = Org::start(Key::Absent).await;
        org.answer("GET", "query", status, json!([{"errorCode": code, "message": "TotalRequests Limit exceeded."}]))
            .await;
        let error = org.connector.read(&org.on, ReadRequest::new(Resource::Account, Read::All)).await.unwrap_err();
        assert_eq!((error.kind(), error.code()), (kind, own), "{code}");
        assert_eq!(org.on.calls.total(), 1 + calls, "{code}");
        assert!(!error.cause().is_empty() && !error.solution().is_empty());
    }
}

#[tokio::test]
async fn large_bodies_are_compressed() {
    let org = Org::with(Key::Absent, |builder| builder.compression(Compression::Gzip)).await;
    let saved: Vec<Json> = (0..100).map(|n| saved(&format!("001{n:012}AAA"))).collect();
    org.answer("POST", "composite/sobjects", 200, json!(saved)).await;
    org.answer("POST", "composite/sobjects/Account", 200, json!([])).await;
    let writes = (0..100).map(|n| create(&format!("i{n}"), &[("Name", format!("Company number {n}").into())]));
    org.write(Resource::Account, writes.collect()).await;
    let requests = org.server.received_requests().await.unwrap();
    let sent = requests.iter().find(|request| request.url.path().ends_with("composite/sobjects")).unwrap();
    assert_eq!(sent.headers.get("content-encoding").unwrap(), "gzip");
    let mut text = String::new();
    GzDecoder::new(sent.body.as_slice()).read_to_string(&mut text).unwrap();
    let body: Json = serde_json::from_str(&text).unwrap();
    assert_eq!(body["records"].as_array().unwrap().len(), 100);
    assert!(sent.body.len() * 4 < text.len());
}

#[tokio::test]
async fn tokens_are_sent_to_salesforce_only() {
    let org = Org::start(Key::Absent).await;
    let elsewhere = org.on.clone().with_base_url("https://example.com".parse().unwrap());
    let error = org.connector.describe(&elsewhere, Resource::Account).await.unwrap_err();
    assert_eq!((error.code(), elsewhere.calls.total()), (ErrorCode::InvalidSettings, 0));
}
