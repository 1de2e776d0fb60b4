//! Salesforce's refusals as errors: one table, each row with its source.
//!
//! Codes decide first, then the status; messages are in the user's language and only shown. The sources are the sections of
//! the REST API Developer Guide (developer.salesforce.com, "Status Codes and Error Responses", "ExceptionCode"), the SOAP
//! API's `StatusCode` list, or field reports where neither says what is sent. The body may be HTML: then the status alone
//! decides.

use std::time::Duration;

use abmatic_sync_core::error::{Error, ErrorCode, ErrorKind};
use abmatic_sync_core::ids::RemoteId;
use abmatic_sync_http::client::{Answer, Dialect};

use crate::error_table::{Mark, TABLE};
use crate::id::{id_after, long_id};
use crate::object::Object;
use crate::wire::Refusal;

/// The longest part of Salesforce's own words that is shown, in characters.
const MESSAGE_MAX: usize = 300;
/// How long to wait when too many requests run at once ("API Request Limits": 25 that take over 20 s).
const CONCURRENT_WAIT: Duration = Duration::from_secs(10);
/// How long to wait when the day's calls are used up: the window rolls, so some come free before it ends.
const DAILY_WAIT: Duration = Duration::from_secs(900);
/// How long to wait while an org is in maintenance.
const MAINTENANCE_WAIT: Duration = Duration::from_secs(900);

/// How Salesforce is spoken to.
#[derive(Debug)]
pub(crate) struct SalesforceDialect;

impl Dialect for SalesforceDialect {
    fn refusal(&self, answer: &Answer) -> Error {
        let error = classified(answer.status().as_u16(), &refusal_of(answer.body()), None);
        match answer.retry_after() {
            Some(wait) if error.is_retryable() => error.with_retry_after(wait),
            _ => error,
        }
    }
}

/// The first error of a body: an array of errors, or one alone.
pub(crate) fn refusal_of(body: &[u8]) -> Refusal {
    let several = serde_json::from_slice::<Vec<Refusal>>(body);
    let first = several.ok().and_then(|all| all.into_iter().next());
    first.or_else(|| serde_json::from_slice(body).ok()).unwrap_or_default()
}

/// What the refusal of one request among several means.
pub(crate) fn sub_refusal(status: u16, body: &str) -> Error {
    classified(status, &refusal_of(body.as_bytes()), None)
}

/// What one row's error means, for a record of `object`.
pub(crate) fn row_error(refusal: &Refusal, object: Object) -> Error {
    classified(200, refusal, Some(object))
}

/// What the error of a Bulk row means: `CODE:message:Field1,Field2 --`.
pub(crate) fn bulk_error(text: &str, object: Object) -> (Refusal, Error) {
    let text = text.trim().trim_end_matches("--").trim_end();
    let (code, rest) = text.split_once(':').unwrap_or((text, ""));
    let (message, fields) = rest.rsplit_once(':').unwrap_or((rest, ""));
    let fields = fields.split(',').map(str::trim).filter(|name| !name.is_empty()).map(str::to_owned).collect();
    let refusal = Refusal { code: Some(code.to_owned()), message: message.to_owned(), fields, duplicates: None };
    let error = row_error(&refusal, object);
    (refusal, error)
}

fn classified(status: u16, refusal: &Refusal, object: Option<Object>) -> Error {
    let (kind, code) = look_up(status, refusal);
    let error = Error::new(kind, code, message(status, refusal)).with_fields(refusal.fields.clone());
    let error = match wait(status, refusal, kind) {
        Some(wait) => error.with_retry_after(wait),
        None => error,
    };
    match existing_id(refusal, object) {
        Some(id) if kind == ErrorKind::Duplicate => error.with_existing_id(id),
        _ => error,
    }
}

fn look_up(status: u16, refusal: &Refusal) -> (ErrorKind, ErrorCode) {
    let code = refusal.code.as_deref().unwrap_or_default();
    let row = TABLE.iter().find(|(mark, ..)| match *mark {
        Mark::Code(known) => known == code,
        Mark::Prefix(known) => code.starts_with(known),
        // What a trigger or flow says about a lock inside it.
        Mark::Message(words) => refusal.message.contains(words),
        Mark::Status(number) => status == number,
    });
    match row {
        Some((_, kind, code, _)) => (*kind, *code),
        None if status >= 500 => (ErrorKind::Unavailable, ErrorCode::ServerUnavailable),
        None => (ErrorKind::Undocumented, ErrorCode::UnknownError),
    }
}

/// No header says how long to wait, so the documentation has to.
fn wait(status: u16, refusal: &Refusal, kind: ErrorKind) -> Option<Duration> {
    let code = refusal.code.as_deref().unwrap_or_default();
    match kind {
        ErrorKind::RateLimited if code == "REQUEST_LIMIT_EXCEEDED" && !refusal.message.contains("Concurrent") => {
            Some(DAILY_WAIT)
        }
        ErrorKind::RateLimited => Some(CONCURRENT_WAIT),
        ErrorKind::Unavailable if status != 500 && (code.contains("MAINTENANCE") || code.starts_with("READ_ONLY")) => {
            Some(MAINTENANCE_WAIT)
        }
        _ => None,
    }
}

/// Salesforce's code and words on one line of bounded length.
fn message(status: u16, refusal: &Refusal) -> String {
    let words = refusal.message.split_whitespace().collect::<Vec<_>>().join(" ");
    let code = refusal.code.as_deref().unwrap_or_default();
    let text = match (code, words.as_str()) {
        ("", "") => format!("HTTP {status} without a reason"),
        ("", words) => words.to_owned(),
        (code, "") => format!("salesforce says {code}"),
        (code, words) => format!("{words} [{code}]"),
    };
    if text.chars().count() <= MESSAGE_MAX {
        return text;
    }
    let mut cut: String = text.chars().take(MESSAGE_MAX).collect();
    cut.push('…');
    cut
}

/// The record that stands in the way. One of another object does not: a duplicate rule may match a lead with a contact.
fn existing_id(refusal: &Refusal, object: Option<Object>) -> Option<RemoteId> {
    if let Some(found) = &refusal.duplicates {
        let own = |kind: &str| object.is_none_or(|object| kind.eq_ignore_ascii_case(object.name()));
        let id = found.matches().find(|(kind, _)| own(kind)).map(|(_, id)| long_id(id));
        return id.map(RemoteId::from);
    }
    let id = id_after(&refusal.message, "with id:").or_else(|| id_after(&refusal.message, "with ID:"))?;
    object.is_none_or(|object| id.starts_with(object.prefix())).then(|| RemoteId::from(id))
}

#[cfg(test)]
mod tests {
    use bytes::Bytes;

    use super::*;

    fn refusal(status: u16, body: &str) -> Error {
        let response = http::Response::builder().status(status).body(Bytes::copy_from_slice(body.as_bytes())).unwrap();
        SalesforceDialect.refusal(&Answer::new(response))
    }

    #[test]
    fn every_row_is_reached_by_the_answer_that_it_is_for() {
        for (mark, kind, code, source) in TABLE {
            let error = match *mark {
                Mark::Code(mark) => refusal(400, &format!(r#"[{{"message":"x","errorCode":"{mark}"}}]"#)),
                Mark::Prefix(mark) => refusal(400, &format!(r#"[{{"message":"x","errorCode":"{mark}_X"}}]"#)),
                Mark::Message(words) => {
                    refusal(400, &format!(r#"[{{"message":"T: {words}","errorCode":"CANNOT_EXECUTE_FLOW_TRIGGER"}}]"#))
                }
                Mark::Status(status) => refusal(status, "<html>gateway</html>"),
            };
            assert_eq!((error.kind(), error.code()), (*kind, *code), "{mark:?} ({source})");
        }
    }

    #[test]
    fn documented_answers() {
        let table = [
            (
                401,
                r#"[{"message":"Session expired or invalid","errorCode":"INVALID_SESSION_ID"}]"#,
                ErrorKind::Unauthorized,
                "",
            ),
            (414, "<h1>Bad Message 414</h1><pre>reason: URI Too Long</pre>", ErrorKind::Invalid, ""),
            (503, "<html>We are down for maintenance</html>", ErrorKind::Unavailable, ""),
            (
                400,
                r#"[{"message":"duplicate value found: Ext__c duplicates value on record with id: 001D000000IqhSL","errorCode":"DUPLICATE_VALUE","fields":[]}]"#,
                ErrorKind::Duplicate,
                "001D000000IqhSLIAZ",
            ),
            (
                400,
                r#"[{"duplicateResut":{"allowSave":true,"matchResults":[{"entityType":"Contact","matchRecords":[{"matchConfidence":100.0,"record":{"attributes":{"type":"Contact"},"Id":"0038M0000016Wv8QAE"}}]}]},"errorCode":"DUPLICATES_DETECTED","message":"You're creating a duplicate record."}]"#,
                ErrorKind::Duplicate,
                "0038M0000016Wv8QAE",
            ),
            (
                400,
                r#"[{"duplicateResult":{"matchResults":[{"entityType":"Contact","matchRecords":[{"record":{"Id":"0038M0000016Wv8QAE"}}]}]},"errorCode":"DUPLICATES_DETECTED","message":"Use one of these records?"}]"#,
                ErrorKind::Duplicate,
                "0038M0000016Wv8QAE",
            ),
            (300, r#"["/services/data/v62.0/sobjects/Account/001A"]"#, ErrorKind::Duplicate, ""),
            (
                500,
                r#"[{"message":"unable to obtain exclusive access to this record","errorCode":"UNABLE_TO_LOCK_ROW"}]"#,
                ErrorKind::Unavailable,
                "",
            ),
            (418, "", ErrorKind::Undocumented, ""),
            (400, r#"{"message":"alone","errorCode":"MALFORMED_QUERY"}"#, ErrorKind::Invalid, ""),
        ];
        for (status, body, kind, existing) in table {
            let error = refusal(status, body);
            assert_eq!(error.kind(), kind, "{body}");
            assert_eq!(error.existing_id().map_or("", RemoteId::as_str), existing, "{body}");
        }
    }

    #[test]
    fn a_match_of_another_object_is_no_existing_record() {
        let body = r#"{"duplicateResult":{"matchResults":[{"entityType":"Contact","matchRecords":[{"record":{"Id":"0038M0000016Wv8QAE"}}]}]},"statusCode":"DUPLICATES_DETECTED"}"#;
        let refusal: Refusal = serde_json::from_str(body).unwrap();
        assert!(row_error(&refusal, Object::Lead).existing_id().is_none());
        assert!(row_error(&refusal, Object::Contact).existing_id().is_some());
    }

    #[test]
    fn the_daily_limit_pauses_the_run_and_too_many_at_once_only_the_call() {
        let limit = |message: &str| {
            refusal(403, &format!(r#"[{{"message":"{message}","errorCode":"REQUEST_LIMIT_EXCEEDED"}}]"#)).retry_after()
        };
        assert_eq!(limit("TotalRequests Limit exceeded."), Some(DAILY_WAIT));
        assert_eq!(limit("ConcurrentPerOrgLongTxn Limit exceeded."), Some(CONCURRENT_WAIT));
    }

    #[test]
    fn a_bulk_row_says_code_message_and_fields() {
        let (refusal, error) =
            bulk_error("REQUIRED_FIELD_MISSING:Required fields are missing: [Name]:Name --", Object::Account);
        assert_eq!(refusal.code.as_deref(), Some("REQUIRED_FIELD_MISSING"));
        assert_eq!((error.code(), error.fields()), (ErrorCode::RequiredFieldMissing, ["Name".to_owned()].as_slice()));
        let taken =
            "DUPLICATE_VALUE:duplicate value found: Ext__c duplicates value on record with id: 001D000000IqhSL:--";
        assert_eq!(
            bulk_error(taken, Object::Account).1.existing_id().map(RemoteId::as_str),
            Some("001D000000IqhSLIAZ")
        );
    }

    #[test]
    fn a_message_is_one_bounded_line() {
        let error =
            refusal(400, &format!(r#"[{{"message":"a\n  b {}","errorCode":"STRING_TOO_LONG"}}]"#, "x".repeat(900)));
        assert!(error.message().starts_with("a b x") && error.message().chars().count() <= MESSAGE_MAX + 1);
    }
}
