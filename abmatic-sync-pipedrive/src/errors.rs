//! Pipedrive's refusals as errors: one table, each row with its source.
//!
//! Bodies come in several shapes, as HTML, or not at all: what is not there is left out, and then the status decides. The
//! sources are pages of Pipedrive's documentation, or field reports where it is silent.

use std::time::Duration;

use abmatic_sync_core::error::{Error, ErrorCode, ErrorKind};
use abmatic_sync_http::client::{Answer, Dialect};
use abmatic_sync_http::pace::{Allowance, Limit};
use http::header::AUTHORIZATION;
use http::{HeaderMap, HeaderName};

use crate::api::LOOK_AGAIN;
use crate::wire::Refusal;

/// What marks a refusal.
#[derive(Clone, Copy, Debug)]
enum Mark {
    /// The status and how `code` begins.
    Code(u16, &'static str),
    /// The status and words within the message, lower case.
    Message(u16, &'static str),
    /// The status with a page of HTML.
    Page(u16),
    /// The status alone.
    Status(u16),
}

/// One row: mark, what to do, what happened, and where that is written.
type Row = (Mark, ErrorKind, ErrorCode, &'static str);

/// Read from above: the first row whose mark fits decides.
const TABLE: &[Row] = &[
    (
        Mark::Message(400, "is a required"),
        ErrorKind::Invalid,
        ErrorCode::RequiredFieldMissing,
        "not documented; words of the validation library",
    ),
    (
        Mark::Message(400, "is required"),
        ErrorKind::Invalid,
        ErrorCode::RequiredFieldMissing,
        "not documented; as other v1 answers have it",
    ),
    (
        Mark::Message(400, "not visible"),
        ErrorKind::Invalid,
        ErrorCode::InvalidReference,
        "not documented: a reference that the user cannot see",
    ),
    (
        Mark::Message(400, "not allowed"),
        ErrorKind::Invalid,
        ErrorCode::InvalidField,
        "pipedrive/client-nodejs#651: an unknown key",
    ),
    (
        Mark::Code(400, "ERR_SCHEMA_VALIDATION_FAILED"),
        ErrorKind::Invalid,
        ErrorCode::InvalidField,
        "pipedrive/client-nodejs#651, client-php#227",
    ),
    (Mark::Status(400), ErrorKind::Invalid, ErrorCode::InvalidField, "docs: HTTP status codes"),
    (Mark::Status(401), ErrorKind::Unauthorized, ErrorCode::InvalidSession, "docs: HTTP status codes"),
    (
        Mark::Status(402),
        ErrorKind::Forbidden,
        ErrorCode::InsufficientAccess,
        "docs: HTTP status codes: the company account is not open",
    ),
    (
        Mark::Page(403),
        ErrorKind::RateLimited,
        ErrorCode::RequestLimitExceeded,
        "docs: Rate limiting: the guard shuts out who ignores 429",
    ),
    (
        Mark::Message(403, "scope"),
        ErrorKind::Forbidden,
        ErrorCode::InsufficientAccess,
        "docs: HTTP status codes: Scope and URL mismatch",
    ),
    (
        Mark::Code(403, "feature_capping_"),
        ErrorKind::Forbidden,
        ErrorCode::InsufficientAccess,
        "docs: Responses: a limit of the plan",
    ),
    (Mark::Status(403), ErrorKind::Forbidden, ErrorCode::InsufficientAccess, "docs: HTTP status codes"),
    (Mark::Status(404), ErrorKind::NotFound, ErrorCode::RecordGone, "docs: HTTP status codes"),
    (Mark::Status(405), ErrorKind::Invalid, ErrorCode::InvalidRequest, "docs: HTTP status codes"),
    (
        Mark::Message(410, "field"),
        ErrorKind::Invalid,
        ErrorCode::InvalidField,
        "OpenAPI v1: the field does not exist any more",
    ),
    (Mark::Status(410), ErrorKind::Invalid, ErrorCode::Unsupported, "docs: HTTP status codes: the endpoint is gone"),
    (
        Mark::Status(415),
        ErrorKind::Forbidden,
        ErrorCode::InsufficientAccess,
        "docs: HTTP status codes: a feature is not enabled",
    ),
    (
        Mark::Status(422),
        ErrorKind::Forbidden,
        ErrorCode::InsufficientAccess,
        "docs: HTTP status codes: a limit is reached",
    ),
    (Mark::Status(429), ErrorKind::RateLimited, ErrorCode::RequestLimitExceeded, "docs: Rate limiting"),
    (Mark::Status(501), ErrorKind::Undocumented, ErrorCode::UnknownError, "docs: HTTP status codes"),
];

/// The longest part of Pipedrive's own words that is shown, in characters.
const MESSAGE_MAX: usize = 300;
/// The window of the burst limit ("Rate limiting").
pub(crate) const WINDOW: Duration = Duration::from_secs(2);
/// Whoever was shut out by the guard should stay away for a while.
const SHUT_OUT_WAIT: Duration = Duration::from_secs(900);
/// A `Retry-After` beyond this is the day's budget, not the burst.
const BURST_WAIT_MAX: Duration = Duration::from_secs(60);

/// How Pipedrive is spoken to.
#[derive(Debug)]
pub(crate) struct PipedriveDialect;

impl Dialect for PipedriveDialect {
    /// An API token (40 hexadecimal digits) has a header of its own; what OAuth gives is a bearer token.
    /// An API token has a header of its own.
    fn authorisation(&self, token: &str) -> (HeaderName, &'static str) {
        let is_api_token = token.len() == 40 && token.bytes().all(|byte| byte.is_ascii_hexdigit());
        if is_api_token { (HeaderName::from_static("x-api-token"), "") } else { (AUTHORIZATION, "Bearer ") }
    }

    fn refusal(&self, answer: &Answer) -> Error {
        refusal(answer)
    }

    /// `x-ratelimit-limit` and `-remaining`, of a window of two seconds.
    fn allowance(&self, headers: &HeaderMap) -> Option<Allowance> {
        let number = |name| headers.get(name)?.to_str().ok()?.trim().parse::<u32>().ok();
        let limit = Limit::new(number("x-ratelimit-limit").filter(|limit| *limit > 0)?, WINDOW);
        Some(Allowance::new(limit, number("x-ratelimit-remaining")?))
    }
}

fn refusal(answer: &Answer) -> Error {
    let status = answer.status().as_u16();
    let body = serde_json::from_slice::<Refusal>(answer.body()).ok();
    let is_page = body.is_none() && answer.body().iter().find(|byte| !byte.is_ascii_whitespace()) == Some(&b'<');
    let body = body.unwrap_or_default();
    let (kind, code) = look_up(status, &body, is_page);
    let error = Error::new(kind, code, message(status, &body)).with_fields(body.fields());
    match wait(answer, status, &body) {
        Some(wait) if error.is_retryable() => error.with_retry_after(wait),
        _ => error,
    }
}

fn look_up(status: u16, body: &Refusal, is_page: bool) -> (ErrorKind, ErrorCode) {
    let message = body.text().to_lowercase();
    let code = body.code.as_deref().unwrap_or_default();
    let row = TABLE.iter().find(|(mark, ..)| match *mark {
        Mark::Code(of, start) => status == of && code.starts_with(start),
        Mark::Message(of, words) => status == of && message.contains(words),
        Mark::Page(of) => status == of && is_page,
        Mark::Status(of) => status == of,
    });
    match row {
        Some((_, kind, code, _)) => (*kind, *code),
        None if status >= 500 => (ErrorKind::Unavailable, ErrorCode::ServerUnavailable),
        None => (ErrorKind::Undocumented, ErrorCode::UnknownError),
    }
}

/// How long to wait: what the answer says, within an hour; a spent day is looked at again every hour.
fn wait(answer: &Answer, status: u16, body: &Refusal) -> Option<Duration> {
    let told = answer.retry_after();
    let header = |name| answer.headers().get(name)?.to_str().ok()?.trim().parse::<u64>().ok();
    match status {
        403 => Some(told.unwrap_or(SHUT_OUT_WAIT)),
        429 => {
            let spent = body.text().to_lowercase().contains("daily")
                || header("x-daily-ratelimit-token-remaining") == Some(0)
                || told.is_some_and(|wait| wait > BURST_WAIT_MAX);
            let unsaid = header("x-ratelimit-reset").map_or(WINDOW, Duration::from_secs).clamp(WINDOW, BURST_WAIT_MAX);
            Some(if spent { told.unwrap_or(LOOK_AGAIN).min(LOOK_AGAIN) } else { told.unwrap_or(unsaid) })
        }
        _ => told,
    }
}

/// Pipedrive's words on one line of bounded length.
fn message(status: u16, body: &Refusal) -> String {
    let words = body.text().split_whitespace().collect::<Vec<_>>().join(" ");
    let text = match (words.as_str(), body.code.as_deref()) {
        ("", _) => format!("HTTP {status} without a reason"),
        (words, Some(code)) => format!("{words} [{code}]"),
        (words, None) => words.to_owned(),
    };
    if text.chars().count() <= MESSAGE_MAX {
        return text;
    }
    let mut cut: String = text.chars().take(MESSAGE_MAX).collect();
    cut.push('…');
    cut
}

#[cfg(test)]
mod tests {
    use bytes::Bytes;

    use super::*;

    fn answer(status: u16, headers: &[(&str, &str)], body: &str) -> Error {
        let mut response = http::Response::builder().status(status);
        for (name, value) in headers {
            response = response.header(*name, *value);
        }
        PipedriveDialect.refusal(&Answer::new(response.body(Bytes::copy_from_slice(body.as_bytes())).unwrap()))
    }

    #[test]
    fn every_row_is_reached_by_the_answer_that_it_is_for() {
        for (mark, kind, code, source) in TABLE {
            let error = match *mark {
                Mark::Code(status, start) => {
                    answer(status, &[], &format!(r#"{{"success":false,"error":"x","code":"{start}x"}}"#))
                }
                Mark::Message(status, words) => answer(status, &[], &format!(r#"{{"error":"A: {words} b"}}"#)),
                Mark::Page(status) => answer(status, &[], "\n<!DOCTYPE html><html>Cloudflare</html>"),
                Mark::Status(status) => answer(status, &[], "{}"),
            };
            assert_eq!((error.kind(), error.code()), (*kind, *code), "{mark:?} ({source})");
        }
    }

    #[test]
    fn every_shape_of_body_is_read() {
        for (status, body, kind, shown) in [
            (
                404,
                r#"{"success":false,"error":"Entity was not found","error_info":"Object was not found.","data":null,"additional_data":null}"#,
                ErrorKind::NotFound,
                "Entity was not found",
            ),
            (
                401,
                r#"{"success":false,"error":"unauthorized access","errorCode":401,"error_info":"Please check developers.pipedrive.com"}"#,
                ErrorKind::Unauthorized,
                "unauthorized access",
            ),
            (
                400,
                r#"{"status":"error","success":false,"errors":{"subscription_url":["invalid or non-reachable URL"]}}"#,
                ErrorKind::Invalid,
                "subscription_url: invalid or non-reachable URL",
            ),
            (403, r#"{"success":false,"message":"Forbidden"}"#, ErrorKind::Forbidden, "Forbidden"),
            (
                500,
                r#"{"success":false,"error":"Internal Server Error","code":"ERR_UNKNOWN"}"#,
                ErrorKind::Unavailable,
                "Internal Server Error [ERR_UNKNOWN]",
            ),
            (524, "<html>timeout</html>", ErrorKind::Unavailable, "HTTP 524 without a reason"),
            (418, "null", ErrorKind::Undocumented, "HTTP 418 without a reason"),
        ] {
            let error = answer(status, &[], body);
            assert_eq!((error.kind(), error.message()), (kind, shown), "{body}");
        }
    }

    #[test]
    fn a_validation_error_names_its_fields() {
        let body = r#"{"success":false,"error":"Validation failed: name: name is a required field; custom_fields: Expected 'number' as value for single option custom field '9dc8'","code":"ERR_SCHEMA_VALIDATION_FAILED"}"#;
        let error = answer(400, &[], body);
        assert_eq!(error.code(), ErrorCode::RequiredFieldMissing);
        assert_eq!(error.fields(), ["name", "custom_fields"]);
    }

    #[test]
    fn a_spent_day_pauses_the_run_and_a_burst_only_the_call() {
        let seconds =
            |headers: &[(&str, &str)], body: &str| answer(429, headers, body).retry_after().unwrap().as_secs();
        let daily = r#"{"success":false,"error":"daily request budget exceeded","errorCode":429}"#;
        assert_eq!(seconds(&[("retry-after", "3939")], daily), 3_600, "an hour at most");
        assert_eq!(seconds(&[], daily), 3_600);
        assert_eq!(seconds(&[("retry-after", "1800")], "{}"), 1_800);
        assert_eq!(seconds(&[("x-daily-ratelimit-token-remaining", "0")], "{}"), 3_600);
        assert_eq!(seconds(&[("x-ratelimit-reset", "5")], "{}"), 5);
        assert_eq!(seconds(&[("retry-after", "1")], "{}"), 1);
        assert_eq!(seconds(&[], ""), 2);
        let shut_out = answer(403, &[], "<html>Cloudflare</html>");
        assert_eq!((shut_out.kind(), shut_out.retry_after()), (ErrorKind::RateLimited, Some(SHUT_OUT_WAIT)));
    }

    #[test]
    fn an_api_token_and_a_bearer_token_are_told_apart() {
        let api = "0123456789abcdef0123456789abcdef01234567";
        assert_eq!(PipedriveDialect.authorisation(api), (HeaderName::from_static("x-api-token"), ""));
        assert_eq!(PipedriveDialect.authorisation("v1u:abc"), (AUTHORIZATION, "Bearer "));
    }
}
