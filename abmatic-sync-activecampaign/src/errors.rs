//! ActiveCampaign's refusals as errors: one table, each row with its source.
//!
//! Bodies come in eight shapes, or not at all; what is not there is left out, and then the status decides.

use std::time::Duration;

use abmatic_sync_core::error::{Error, ErrorCode, ErrorKind};
use abmatic_sync_http::client::{Answer, Dialect};
use abmatic_sync_http::pace::{Allowance, Limit};
use http::{HeaderMap, HeaderName};
use serde::Deserialize;
use serde_json::Value as Json;

use crate::wire::text;

/// What marks a refusal.
#[derive(Clone, Copy, Debug)]
enum Mark {
    /// The status and `code`.
    Code(u16, &'static str),
    /// The status and words within the message, lower case.
    Message(u16, &'static str),
    /// The status alone.
    Status(u16),
}

/// One row: mark, what to do, what happened, and where that is written.
type Row = (Mark, ErrorKind, ErrorCode, &'static str);

/// Read from above: the first row whose mark fits decides.
const TABLE: &[Row] = &[
    (
        Mark::Message(400, "rate limit exceeded"),
        ErrorKind::RateLimited,
        ErrorCode::RequestLimitExceeded,
        "Bulk import contacts: 100 requests a minute, told as 400",
    ),
    (
        Mark::Message(403, "limit"),
        ErrorKind::Forbidden,
        ErrorCode::InsufficientAccess,
        "not documented: what a plan allows is used up",
    ),
    (
        Mark::Message(422, "contact limit"),
        ErrorKind::Forbidden,
        ErrorCode::InsufficientAccess,
        "not documented: what a plan allows is used up",
    ),
    (Mark::Status(400), ErrorKind::Invalid, ErrorCode::InvalidField, "reference v3: validation of some calls"),
    (Mark::Status(401), ErrorKind::Unauthorized, ErrorCode::InvalidSession, "hardly used; SourceLabOrg's client"),
    (
        Mark::Status(402),
        ErrorKind::Forbidden,
        ErrorCode::InsufficientAccess,
        "amp-labs/connectors: the account is lapsed or unpaid; the body is empty",
    ),
    (
        Mark::Message(403, "no result found"),
        ErrorKind::NotFound,
        ErrorCode::RecordGone,
        "reference v3: missing notes, groups and field values are forbidden",
    ),
    (
        Mark::Status(403),
        ErrorKind::Unauthorized,
        ErrorCode::InvalidSession,
        "Authentication: a missing or bad key is 403, as are permissions and features of other plans",
    ),
    (Mark::Status(404), ErrorKind::NotFound, ErrorCode::RecordGone, "reference v3"),
    (Mark::Status(405), ErrorKind::Invalid, ErrorCode::InvalidRequest, "HTTP"),
    (Mark::Code(422, "duplicate"), ErrorKind::Duplicate, ErrorCode::DuplicateValue, "reference v3: contacts, accounts"),
    (Mark::Code(422, "field_missing"), ErrorKind::Invalid, ErrorCode::RequiredFieldMissing, "reference v3: accounts"),
    (Mark::Code(422, "email_invalid"), ErrorKind::Invalid, ErrorCode::InvalidField, "amp-labs/connectors"),
    (
        Mark::Message(422, "already associated"),
        ErrorKind::Conflict,
        ErrorCode::ConcurrentChange,
        "reference v3: an association that somebody else made meanwhile",
    ),
    (
        Mark::Message(422, "missing attribute"),
        ErrorKind::Invalid,
        ErrorCode::RequiredFieldMissing,
        "reference v3: tags",
    ),
    (Mark::Status(422), ErrorKind::Invalid, ErrorCode::InvalidField, "reference v3"),
    (Mark::Status(429), ErrorKind::RateLimited, ErrorCode::RequestLimitExceeded, "Rate limits"),
];

/// How long to wait where a 429 does not say ("Rate limits" promises `Retry-After`).
const WAIT: Duration = Duration::from_secs(2);
/// How long to wait when the imports of a minute are used up.
const IMPORT_WAIT: Duration = Duration::from_secs(60);
/// The longest part of ActiveCampaign's own words that is shown, in characters.
const MESSAGE_MAX: usize = 300;
const POINTER: &str = "/data/attributes/";

/// How ActiveCampaign is spoken to.
#[derive(Debug)]
pub(crate) struct ActiveCampaignDialect;

impl Dialect for ActiveCampaignDialect {
    fn authorisation(&self, _token: &str) -> (HeaderName, &'static str) {
        (HeaderName::from_static("api-token"), "")
    }

    fn refusal(&self, answer: &Answer) -> Error {
        refusal(answer)
    }

    /// Documented, and missing in recorded answers.
    fn allowance(&self, headers: &HeaderMap) -> Option<Allowance> {
        let number = |name| headers.get(name)?.to_str().ok()?.trim().parse::<u32>().ok();
        let requests = number("ratelimit-limit").filter(|limit| *limit > 0)?;
        Some(Allowance::new(Limit::new(requests, Duration::from_secs(1)), number("ratelimit-remaining")?))
    }
}

/// Any of the shapes of an error's body.
#[derive(Debug, Default, Deserialize)]
struct Body {
    #[serde(default)]
    errors: Json,
    #[serde(default)]
    message: Json,
    #[serde(default, rename = "failureReasons")]
    reasons: Json,
}

/// What a body says, taken together.
#[derive(Debug, Default)]
struct Said {
    words: String,
    code: String,
    fields: Vec<String>,
}

fn said(answer: &Answer) -> Said {
    let body = serde_json::from_slice::<Body>(answer.body()).unwrap_or_default();
    let mut said = Said::default();
    let mut words: Vec<String> = text(&body.message).into_iter().chain(text(&body.errors)).collect();
    for error in body.errors.as_array().into_iter().flatten() {
        words.extend(["title", "detail"].iter().filter_map(|key| text(error.get(*key)?)));
        if said.code.is_empty() {
            said.code = error.get("code").and_then(text).unwrap_or_default();
        }
        let pointer = error.get("source").and_then(|source| text(source.get("pointer")?));
        let named = pointer.as_deref().and_then(|pointer| pointer.strip_prefix(POINTER)).unwrap_or_default();
        said.fields.extend(named.split(',').filter(|field| !field.is_empty()).map(str::to_owned));
    }
    for reason in body.reasons.as_array().into_iter().flatten() {
        words.extend(text(reason).or_else(|| text(reason.get("failureReason")?)));
    }
    said.words = words.join("; ");
    said
}

fn refusal(answer: &Answer) -> Error {
    let status = answer.status().as_u16();
    let said = said(answer);
    let (kind, code) = look_up(status, &said);
    let error = Error::new(kind, code, message(status, &said)).with_fields(said.fields);
    match (status, error.is_retryable()) {
        (400, true) => error.with_retry_after(IMPORT_WAIT),
        (429, true) => error.with_retry_after(answer.retry_after().unwrap_or(WAIT)),
        (_, true) => match answer.retry_after() {
            Some(wait) => error.with_retry_after(wait),
            None => error,
        },
        (_, false) => error,
    }
}

fn look_up(status: u16, said: &Said) -> (ErrorKind, ErrorCode) {
    let words = said.words.to_lowercase();
    let row = TABLE.iter().find(|(mark, ..)| match *mark {
        Mark::Code(of, code) => status == of && said.code == code,
        Mark::Message(of, part) => status == of && words.contains(part),
        Mark::Status(of) => status == of,
    });
    match row {
        Some((_, kind, code, _)) => (*kind, *code),
        None if status >= 500 => (ErrorKind::Unavailable, ErrorCode::ServerUnavailable),
        None => (ErrorKind::Undocumented, ErrorCode::UnknownError),
    }
}

/// ActiveCampaign's words on one line of bounded length.
fn message(status: u16, said: &Said) -> String {
    let words = said.words.split_whitespace().collect::<Vec<_>>().join(" ");
    let text = match (words.as_str(), said.code.as_str(), status) {
        ("", _, 402) => "the account is lapsed or not paid for".to_owned(),
        ("", ..) => format!("HTTP {status} without a reason"),
        (words, "", _) => words.to_owned(),
        (words, code, _) => format!("{words} [{code}]"),
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
        ActiveCampaignDialect.refusal(&Answer::new(response.body(Bytes::copy_from_slice(body.as_bytes())).unwrap()))
    }

    #[test]
    fn every_row_is_reached_by_the_answer_that_it_is_for() {
        for (mark, kind, code, source) in TABLE {
            let error = match *mark {
                Mark::Code(status, code) => {
                    answer(status, &[], &format!(r#"{{"errors":[{{"title":"x","code":"{code}"}}]}}"#))
                }
                Mark::Message(status, words) => answer(status, &[], &format!(r#"{{"message":"A {words} b"}}"#)),
                Mark::Status(status) => answer(status, &[], ""),
            };
            assert_eq!((error.kind(), error.code()), (*kind, *code), "{mark:?} ({source})");
        }
    }

    #[test]
    fn every_shape_of_body_is_read() {
        for (status, body, code, words, fields) in [
            (
                422,
                r#"{"errors":[{"title":"Email address already exists in the system","detail":"","code":"duplicate","source":{"pointer":"/data/attributes/email"}}]}"#,
                ErrorCode::DuplicateValue,
                "Email address already exists in the system [duplicate]",
                &["email"] as &[&str],
            ),
            (
                422,
                r#"{"errors":[{"title":"This contact is already associated with an account.","detail":"","code":"field_invalid","source":{"pointer":"/data/attributes/account,contact"}}]}"#,
                ErrorCode::ConcurrentChange,
                "This contact is already associated with an account. [field_invalid]",
                &["account", "contact"],
            ),
            (
                404,
                r#"{"errors":[{"status":404,"title":"Not Found","detail":"Contact not found"}]}"#,
                ErrorCode::RecordGone,
                "Not Found; Contact not found",
                &[],
            ),
            (
                403,
                r#"{"message":"No Result found for Note with id 1"}"#,
                ErrorCode::RecordGone,
                "No Result found for Note with id 1",
                &[],
            ),
            (
                422,
                r#"{"errors":[{"detail":"The custom field value `abc` could not be saved to the custom field of type `date`."}]}"#,
                ErrorCode::InvalidField,
                "The custom field value `abc` could not be saved to the custom field of type `date`.",
                &[],
            ),
            (422, r#"{"errors":"Bulk operation failed."}"#, ErrorCode::InvalidField, "Bulk operation failed.", &[]),
            (
                400,
                r#"{"success":0,"message":"JSON payload did not pass validation.","failureReasons":[{"contact":1,"failureReason":"Field 'email' not found"}]}"#,
                ErrorCode::InvalidField,
                "JSON payload did not pass validation.; Field 'email' not found",
                &[],
            ),
            (402, "", ErrorCode::InsufficientAccess, "the account is lapsed or not paid for", &[]),
            (503, "<html>cloudflare</html>", ErrorCode::ServerUnavailable, "HTTP 503 without a reason", &[]),
        ] {
            let error = answer(status, &[], body);
            assert_eq!(
                (error.code(), error.message(), error.fields()),
                (code, words, fields.iter().map(|field| (*field).to_owned()).collect::<Vec<_>>().as_slice())
            );
        }
    }

    #[test]
    fn waits_are_what_the_answer_says() {
        let limited = answer(429, &[("retry-after", "30")], "");
        assert_eq!(limited.retry_after(), Some(Duration::from_secs(30)));
        assert_eq!(answer(429, &[], "").retry_after(), Some(WAIT));
        let body = r#"{"success":0,"message":"Rate limit exceeded.","failureReasons":["Rate limit exceeded."]}"#;
        assert_eq!(answer(400, &[], body).retry_after(), Some(IMPORT_WAIT));
    }
}
