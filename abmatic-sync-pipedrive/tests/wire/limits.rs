//! The burst, the day's budget, and those who are shut out.

use std::time::Duration;

use abmatic_sync_core::connector::contract::CrmConnector;
use abmatic_sync_core::connector::request::{Read, ReadRequest};
use abmatic_sync_core::error::ErrorKind;
use abmatic_sync_core::model::resource::Resource;
use chrono::TimeDelta;
use serde_json::json;
use wiremock::matchers::{method, path};
use wiremock::{Mock, ResponseTemplate};

use crate::company::{Company, page};

const LIST: &str = "/api/v2/persons";

fn request() -> ReadRequest {
    ReadRequest::new(Resource::Contact, Read::All)
}

#[tokio::test]
async fn twenty_calls_go_in_two_seconds_until_headers_say_more() {
    let company = Company::start().await;
    company.answer("GET", LIST, 200, page(&[], None)).await;
    for _ in 0..40 {
        company.read(request()).await;
    }
    assert_eq!(company.clock.waited(), TimeDelta::seconds(4), "the fields were asked for as well");
}

#[tokio::test]
async fn headers_raise_what_is_allowed() {
    let company = Company::start().await;
    let answer = ResponseTemplate::new(200)
        .set_body_json(page(&[], None))
        .insert_header("x-ratelimit-limit", "80")
        .insert_header("x-ratelimit-remaining", "60");
    Mock::given(method("GET")).and(path(LIST)).respond_with(answer).mount(&company.server).await;
    for _ in 0..60 {
        company.read(request()).await;
    }
    assert!(company.clock.waited().is_zero());
}

#[tokio::test]
async fn a_burst_is_waited_for_and_a_spent_day_is_the_runs_affair() {
    let company = Company::start().await;
    let burst =
        ResponseTemplate::new(429).insert_header("x-ratelimit-reset", "2").set_body_json(json!({"success": false}));
    Mock::given(method("GET")).and(path(LIST)).respond_with(burst).up_to_n_times(1).mount(&company.server).await;
    company.answer("GET", LIST, 200, page(&[], None)).await;
    company.read(request()).await;
    assert_eq!(company.clock.waited(), TimeDelta::seconds(2));
    let daily = ResponseTemplate::new(429)
        .insert_header("retry-after", "3939")
        .set_body_json(json!({"success": false, "error": "daily request budget exceeded", "errorCode": 429}));
    Mock::given(method("GET")).and(path(LIST)).respond_with(daily).with_priority(1).mount(&company.server).await;
    let error = company.connector.read(&company.on, request()).await.unwrap_err();
    assert_eq!((error.kind(), error.retry_after()), (ErrorKind::RateLimited, Some(Duration::from_secs(3_600))));
    assert_eq!(company.clock.waited(), TimeDelta::seconds(2), "nobody waits an hour within a call");
}

#[tokio::test]
async fn the_reserve_of_the_day_is_not_touched() {
    let company = Company::start().await;
    let answer = ResponseTemplate::new(200)
        .set_body_json(page(&[], None))
        .insert_header("x-daily-ratelimit-token-limit", "1000")
        .insert_header("x-daily-ratelimit-token-remaining", "105");
    Mock::given(method("GET")).and(path(LIST)).respond_with(answer).mount(&company.server).await;
    company.read(request()).await;
    let error = company.connector.read(&company.on, request()).await.unwrap_err();
    assert_eq!(
        error.to_string(),
        "pipedrive read persons: 105 of the account's 1000 tokens a day are left, and 100 are kept for others \
         (REQUEST_LIMIT_EXCEEDED)"
    );
    assert_eq!(company.queries(LIST).await.len(), 1);
}

#[tokio::test]
async fn whoever_is_shut_out_stays_away() {
    let company = Company::start().await;
    let page = ResponseTemplate::new(403).set_body_raw("<html>Cloudflare</html>".as_bytes().to_vec(), "text/html");
    Mock::given(method("GET")).and(path(LIST)).respond_with(page).mount(&company.server).await;
    let error = company.connector.read(&company.on, request()).await.unwrap_err();
    assert_eq!((error.kind(), error.retry_after()), (ErrorKind::RateLimited, Some(Duration::from_secs(900))));
    assert_eq!(company.queries(LIST).await.len(), 1);
}
