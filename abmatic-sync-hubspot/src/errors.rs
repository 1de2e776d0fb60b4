//! HubSpot's refusals as errors: one table, each row with its source.
//!
//! The sources are the sections of HubSpot's documentation, or recorded answers where the documentation is silent. Every
//! field of HubSpot's envelope is optional, and the body may be HTML: then the status alone decides.

use std::time::Duration;

use abmatic_sync_core::error::{Error, ErrorCode, ErrorKind};
use abmatic_sync_core::ids::RemoteId;
use abmatic_sync_http::client::{Answer, Dialect};
use abmatic_sync_http::pace::{Allowance, Limit};
use http::HeaderMap;

use crate::wire::{Refusal, ValueError};

/// What marks a refusal.
#[derive(Clone, Copy, Debug)]
enum Mark {
    /// A code of `errors[]`, of the JSON within the message, a `subCategory` or the `category`.
    Code(&'static str),
    /// Words within the message, lower case.
    Message(&'static str),
    /// The status alone.
    Status(u16),
}

/// One row: mark, what to do, what happened, and where that is written.
type Row = (Mark, ErrorKind, ErrorCode, &'static str);

/// Read from above: the first row whose mark fits decides.
const TABLE: &[Row] = &[
    (Mark::Code("PROPERTY_DOESNT_EXIST"), ErrorKind::Invalid, ErrorCode::InvalidField, "docs: using object APIs"),
    (Mark::Code("INVALID_OPTION"), ErrorKind::Invalid, ErrorCode::InvalidField, "docs: error handling"),
    (Mark::Code("INVALID_EMAIL"), ErrorKind::Invalid, ErrorCode::InvalidField, "docs: error handling"),
    (Mark::Code("INVALID_DATE"), ErrorKind::Invalid, ErrorCode::InvalidField, "docs: request validation"),
    (Mark::Code("INVALID_LONG"), ErrorKind::Invalid, ErrorCode::InvalidField, "docs: request validation"),
    (Mark::Code("INVALID_INTEGER"), ErrorKind::Invalid, ErrorCode::InvalidField, "docs: request validation"),
    (Mark::Code("READ_ONLY_VALUE"), ErrorKind::Invalid, ErrorCode::InvalidField, "docs: request validation"),
    (
        Mark::Code("MISSING_CONDITIONAL_REQUIRED_PROPERTY"),
        ErrorKind::Invalid,
        ErrorCode::RequiredFieldMissing,
        "changelog: crm-api-write-validation-enforcement",
    ),
    (
        Mark::Code("MISSING_REQUIRED_PROPERTY"),
        ErrorKind::Invalid,
        ErrorCode::RequiredFieldMissing,
        "changelog: crm-api-write-validation-enforcement",
    ),
    (
        Mark::Code("CONFLICTING_UNIQUE_VALUE"),
        ErrorKind::Duplicate,
        ErrorCode::DuplicateValue,
        "integrators' handling: segmentio/action-destinations#1514",
    ),
    (
        Mark::Code("crm.associations.INVALID_IDENTIFIER"),
        ErrorKind::Invalid,
        ErrorCode::InvalidReference,
        "recorded: association batch create",
    ),
    (
        Mark::Code("INVALID_OBJECT_IDS"),
        ErrorKind::Invalid,
        ErrorCode::InvalidReference,
        "field report: inline associations",
    ),
    (Mark::Code("INVALID_AUTHENTICATION"), ErrorKind::Unauthorized, ErrorCode::InvalidSession, "docs: error handling"),
    (Mark::Code("EXPIRED_AUTHENTICATION"), ErrorKind::Unauthorized, ErrorCode::InvalidSession, "docs: error handling"),
    (Mark::Code("MISSING_SCOPES"), ErrorKind::Forbidden, ErrorCode::InsufficientAccess, "docs: error handling"),
    (Mark::Code("RATE_LIMIT"), ErrorKind::RateLimited, ErrorCode::RequestLimitExceeded, "docs: usage guidelines"),
    (Mark::Code("RATE_LIMITS"), ErrorKind::RateLimited, ErrorCode::RequestLimitExceeded, "hubspot-api-python#117"),
    (Mark::Code("OBJECT_NOT_FOUND"), ErrorKind::NotFound, ErrorCode::RecordGone, "recorded: batch read and update"),
    (Mark::Code("CONFLICT"), ErrorKind::Duplicate, ErrorCode::DuplicateValue, "recorded: batch create"),
    (Mark::Code("OBJECT_ALREADY_EXISTS"), ErrorKind::Duplicate, ErrorCode::DuplicateValue, "live: property create"),
    (
        Mark::Message("edit associations"),
        ErrorKind::Forbidden,
        ErrorCode::InsufficientAccess,
        "changelog: crm-api-write-validation-enforcement",
    ),
    (Mark::Message("gdpr blacklisted"), ErrorKind::Invalid, ErrorCode::InvalidField, "HubSpot's own front end"),
    (
        Mark::Message("already has that value"),
        ErrorKind::Duplicate,
        ErrorCode::DuplicateValue,
        "integrators' handling: unique properties",
    ),
    (Mark::Message("associations are invalid"), ErrorKind::Invalid, ErrorCode::InvalidReference, "field report"),
    (Mark::Message("invalid from object type"), ErrorKind::Invalid, ErrorCode::InvalidReference, "field report"),
    (Mark::Message("invalid input json"), ErrorKind::Invalid, ErrorCode::InvalidRequest, "recorded"),
    (Mark::Message("is required"), ErrorKind::Invalid, ErrorCode::RequiredFieldMissing, "docs: deals"),
    (Mark::Message("required properties"), ErrorKind::Invalid, ErrorCode::RequiredFieldMissing, "docs: deals"),
    (Mark::Code("VALIDATION_ERROR"), ErrorKind::Invalid, ErrorCode::InvalidRequest, "docs: error handling"),
    (Mark::Status(400), ErrorKind::Invalid, ErrorCode::InvalidRequest, "docs: error handling"),
    (Mark::Status(401), ErrorKind::Unauthorized, ErrorCode::InvalidSession, "docs: error handling"),
    (Mark::Status(403), ErrorKind::Forbidden, ErrorCode::InsufficientAccess, "docs: error handling"),
    (Mark::Status(404), ErrorKind::NotFound, ErrorCode::RecordGone, "docs: error handling"),
    (Mark::Status(409), ErrorKind::Duplicate, ErrorCode::DuplicateValue, "docs: error handling"),
    (Mark::Status(414), ErrorKind::Invalid, ErrorCode::InvalidRequest, "docs: error handling"),
    (Mark::Status(423), ErrorKind::Unavailable, ErrorCode::RecordLocked, "docs: error handling"),
    (Mark::Status(429), ErrorKind::RateLimited, ErrorCode::RequestLimitExceeded, "docs: usage guidelines"),
    (Mark::Status(477), ErrorKind::Unavailable, ErrorCode::ServerUnavailable, "docs: error handling, data-centre move"),
    (Mark::Status(530), ErrorKind::Unauthorized, ErrorCode::InvalidSession, "airbyte source-hubspot 5.7.0"),
];

/// The longest part of HubSpot's own words that is shown, in characters.
const MESSAGE_MAX: usize = 300;
/// What stands before the JSON of value errors.
const VALUES_PREFIX: &str = "Property values were not valid: ";

/// How HubSpot is spoken to.
#[derive(Debug)]
pub(crate) struct HubspotDialect;

impl Dialect for HubspotDialect {
    fn refusal(&self, answer: &Answer) -> Error {
        refusal(answer)
    }

    /// On every answer, and as `correlationId` in every error's body.
    fn call_id_header(&self) -> Option<&'static str> {
        Some("x-hubspot-correlation-id")
    }

    /// `X-HubSpot-RateLimit-Max`, `-Remaining` and `-Interval-Milliseconds`; search answers have none of them.
    fn allowance(&self, headers: &HeaderMap) -> Option<Allowance> {
        let number = |name| headers.get(name)?.to_str().ok()?.trim().parse::<u32>().ok();
        let per = number("x-hubspot-ratelimit-interval-milliseconds").filter(|per| *per > 0)?;
        let limit = Limit::new(number("x-hubspot-ratelimit-max")?, Duration::from_millis(per.into()));
        Some(Allowance::new(limit, number("x-hubspot-ratelimit-remaining")?))
    }
}

/// What an answer means that is not 2xx.
pub(crate) fn refusal(answer: &Answer) -> Error {
    let status = answer.status().as_u16();
    let Ok(body) = serde_json::from_slice::<Refusal>(answer.body()) else {
        return with_wait(classified(status, &Refusal::default()), answer, status, None);
    };
    with_wait(classified(status, &body), answer, status, body.policy_name.as_deref())
}

/// What one error of a 207 means.
pub(crate) fn row_error(body: &Refusal) -> Error {
    classified(207, body)
}

fn classified(status: u16, body: &Refusal) -> Error {
    let values = value_errors(body);
    let (kind, code) = look_up(status, body, &values);
    let error = Error::new(kind, code, message(status, body, &values)).with_fields(fields(body, &values));
    match existing_id(body) {
        Some(id) if kind == ErrorKind::Duplicate => error.with_existing_id(id),
        _ => error,
    }
}

fn look_up(status: u16, body: &Refusal, values: &[ValueError]) -> (ErrorKind, ErrorCode) {
    let message = body.message.as_deref().unwrap_or_default().to_lowercase();
    let has_code = |code: &str| codes(body, values).any(|held| held == code);
    // A failing server's body says nothing about the request.
    let row = TABLE.iter().find(|(mark, ..)| match *mark {
        Mark::Code(code) => status < 500 && has_code(code),
        Mark::Message(words) => status < 500 && message.contains(words),
        Mark::Status(number) => status == number,
    });
    match row {
        Some((_, kind, code, _)) => (*kind, *code),
        None if status >= 500 => (ErrorKind::Unavailable, ErrorCode::ServerUnavailable),
        None => (ErrorKind::Undocumented, ErrorCode::UnknownError),
    }
}

/// Every code in the body, wherever HubSpot put it.
fn codes<'a>(body: &'a Refusal, values: &'a [ValueError]) -> impl Iterator<Item = &'a str> {
    let details = body.errors.iter().filter_map(|detail| detail.code.as_deref());
    let inner = values.iter().filter_map(|value| value.error.as_deref());
    let sub = body.sub_category.iter().flat_map(|words| words.0.iter().map(String::as_str));
    let contexts = body.context.keys().map(String::as_str);
    details.chain(inner).chain(sub).chain(contexts).chain(body.error_type.as_deref()).chain(body.category.as_deref())
}

/// The errors that a batch's message holds as JSON text.
fn value_errors(body: &Refusal) -> Vec<ValueError> {
    let inner = body.message.as_deref().and_then(|message| message.strip_prefix(VALUES_PREFIX));
    inner.and_then(|json| serde_json::from_str(json).ok()).unwrap_or_default()
}

/// HubSpot's words, the most telling first.
fn message(status: u16, body: &Refusal, values: &[ValueError]) -> String {
    let details = body.errors.iter().filter_map(|detail| detail.message.as_deref());
    let inner = values.iter().filter_map(|value| value.message.as_deref());
    let scopes = body.errors.iter().map(|detail| &detail.context).chain([&body.context]);
    let scopes: Vec<&str> = scopes
        .filter_map(|context| context.get("requiredGranularScopes"))
        .flat_map(|words| words.0.iter().map(String::as_str))
        .collect();
    if !scopes.is_empty() {
        return format!("the token needs one of these scopes: {}", scopes.join(", "));
    }
    let told: Vec<&str> = if values.is_empty() { details.collect() } else { inner.collect() };
    let text = if told.is_empty() { body.message.clone().unwrap_or_default() } else { told.join("; ") };
    match shortened(text.trim()) {
        text if text.is_empty() => format!("HTTP {status} without a reason"),
        text => text,
    }
}

/// One line of bounded length.
fn shortened(text: &str) -> String {
    let line = text.split_whitespace().collect::<Vec<_>>().join(" ");
    if line.chars().count() <= MESSAGE_MAX {
        return line;
    }
    let mut cut: String = line.chars().take(MESSAGE_MAX).collect();
    cut.push('…');
    cut
}

fn fields(body: &Refusal, values: &[ValueError]) -> Vec<String> {
    let named = body.errors.iter().filter_map(|detail| detail.context.get("propertyName"));
    let mut fields: Vec<String> = named.flat_map(|words| words.0.iter().cloned()).collect();
    fields.extend(values.iter().filter_map(|value| value.name.clone()));
    fields.sort_unstable();
    fields.dedup();
    fields
}

/// The record that stands in the way: in the context of a batch's error, otherwise only in the text.
fn existing_id(body: &Refusal) -> Option<RemoteId> {
    if let Some(id) = body.context.get("existingId").and_then(|words| words.0.first()) {
        return Some(RemoteId::from(id.as_str()));
    }
    let message = body.message.as_deref()?;
    let digits = |text: &str| -> String { text.chars().take_while(char::is_ascii_digit).collect() };
    let found = match message.split_once("Existing ID: ") {
        Some((_, rest)) => digits(rest),
        None => message.split_once(" already has that value")?.0.rsplit(' ').next().map(digits)?,
    };
    (!found.is_empty()).then(|| RemoteId::from(found))
}

/// How long HubSpot wants to be left alone: `Retry-After` where it is sent, otherwise by the policy that was broken.
fn with_wait(error: Error, answer: &Answer, status: u16, policy: Option<&str>) -> Error {
    let documented = match (error.kind(), policy) {
        (ErrorKind::RateLimited, Some(policy)) if policy.starts_with("SECONDLY") => Some(1),
        (ErrorKind::RateLimited, Some(policy)) if policy.starts_with("DAILY") => Some(3600),
        (ErrorKind::RateLimited, _) => Some(10),
        _ if status == 423 => Some(2),
        _ => None,
    };
    match answer.retry_after().or(documented.map(Duration::from_secs)) {
        Some(wait) if error.is_retryable() => error.with_retry_after(wait),
        _ => error,
    }
}

#[cfg(test)]
mod tests {
    use bytes::Bytes;

    use super::*;

    fn answer(status: u16, body: &str) -> Answer {
        Answer::new(http::Response::builder().status(status).body(Bytes::copy_from_slice(body.as_bytes())).unwrap())
    }

    #[test]
    fn every_row_is_reached_by_the_answer_that_it_is_for() {
        for (mark, kind, code, source) in TABLE {
            let error = match *mark {
                Mark::Code(mark) => {
                    refusal(&answer(400, &format!(r#"{{"message":"x","errors":[{{"code":"{mark}"}}]}}"#)))
                }
                Mark::Message(words) => refusal(&answer(400, &format!(r#"{{"message":"so {words}."}}"#))),
                Mark::Status(status) => refusal(&answer(status, "<html>gateway</html>")),
            };
            assert_eq!((error.kind(), error.code()), (*kind, *code), "{mark:?} ({source})");
        }
    }

    #[test]
    fn recorded_answers() {
        let table = [
            (
                409,
                r#"{"status":"error","message":"Contact already exists. Existing ID: 12345","category":"CONFLICT"}"#,
                ErrorKind::Duplicate,
                "12345",
            ),
            (
                400,
                r#"{"status":"error","message":"Property values were not valid: [{\"isValid\":false,\"message\":\"Cannot set PropertyValueCoordinates{portalId=1, objectTypeId=0-2, objectId=9, propertyName=abmatic_id, value=A1} on 9. 321 already has that value.\",\"error\":\"CONFLICTING_UNIQUE_VALUE\",\"name\":\"abmatic_id\"}]","category":"VALIDATION_ERROR"}"#,
                ErrorKind::Duplicate,
                "321",
            ),
            (
                401,
                r#"{"message":"The OAuth token used to make this call expired 20543 day(s) ago.","category":"EXPIRED_AUTHENTICATION","context":{"expire time":["1970-01-01T00:00:00Z"]}}"#,
                ErrorKind::Unauthorized,
                "",
            ),
            (502, "<html><body>Bad gateway</body></html>", ErrorKind::Unavailable, ""),
            (500, r#"{"category":"VALIDATION_ERROR"}"#, ErrorKind::Unavailable, ""),
            (418, "", ErrorKind::Undocumented, ""),
            (
                403,
                r#"{"message":"This app hasn't been granted all required scopes","errors":[{"message":"One or more","context":{"requiredGranularScopes":["crm.schemas.deals.read"]}}],"category":"MISSING_SCOPES"}"#,
                ErrorKind::Forbidden,
                "",
            ),
        ];
        for (status, body, kind, existing) in table {
            let error = refusal(&answer(status, body));
            assert_eq!(error.kind(), kind, "{body}");
            assert_eq!(error.existing_id().map_or("", RemoteId::as_str), existing, "{body}");
        }
    }

    #[test]
    fn the_broken_policy_says_how_long_to_wait() {
        let waits = [("TEN_SECONDLY_ROLLING", 10), ("SECONDLY", 1), ("DAILY", 3600), ("UNHEARD_OF", 10)];
        for (policy, seconds) in waits {
            let body = format!(r#"{{"message":"limit","errorType":"RATE_LIMIT","policyName":"{policy}"}}"#);
            assert_eq!(refusal(&answer(429, &body)).retry_after(), Some(Duration::from_secs(seconds)));
        }
    }

    #[test]
    fn a_message_is_one_bounded_line_with_the_fields_at_fault() {
        let body = format!(
            r#"{{"message":"m","errors":[{{"code":"INVALID_OPTION","message":"a\nb {}","context":{{"propertyName":["stage"]}}}}]}}"#,
            "x".repeat(1000)
        );
        let error = refusal(&answer(400, &body));
        assert!(error.message().starts_with("a b x") && error.message().chars().count() <= MESSAGE_MAX + 1);
        assert_eq!(error.fields(), ["stage"]);
    }
}
