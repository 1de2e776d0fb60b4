//! The bodies of Salesforce's refusals, word for word where the words are documented.

use serde_json::{Map, Value, json};

/// What is wrong with one record, or with the call.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct RowError {
    pub(crate) code: &'static str,
    pub(crate) message: String,
    /// `None` where the single-row answer has no such key.
    pub(crate) fields: Option<Vec<String>>,
    /// `duplicateResult`, on single rows only.
    pub(crate) duplicates: Option<Value>,
    /// The status of a single-row answer.
    pub(crate) status: u16,
    /// The body could not be read: no row of the call is looked at.
    pub(crate) whole_call: bool,
}

impl RowError {
    pub(crate) fn new(code: &'static str, message: impl Into<String>) -> Self {
        Self { code, message: message.into(), fields: None, duplicates: None, status: 400, whole_call: false }
    }

    pub(crate) fn on(mut self, fields: &[&str]) -> Self {
        self.fields = Some(fields.iter().map(|name| (*name).to_owned()).collect());
        self
    }

    pub(crate) fn status(mut self, status: u16) -> Self {
        self.status = status;
        self
    }

    /// As in the answer to a single row, and to a call that failed as a whole.
    fn top_level(&self, version: u16) -> Value {
        let mut body = Map::new();
        if let Some(duplicates) = &self.duplicates {
            // The platform's own spelling mistake, mended between these versions.
            let key = if version < 60 { "duplicateResut" } else { "duplicateResult" };
            body.insert(key.to_owned(), duplicates.clone());
        }
        body.insert("message".to_owned(), self.message.as_str().into());
        body.insert("errorCode".to_owned(), self.code.into());
        if let Some(fields) = &self.fields {
            body.insert("fields".to_owned(), json!(fields));
        }
        body.into()
    }

    /// As among the results of a call for many rows.
    pub(crate) fn of_row(&self) -> Value {
        json!({"statusCode": self.code, "message": self.message, "fields": self.fields.clone().unwrap_or_default()})
    }

    /// As in the `sf__Error` column of a bulk job.
    pub(crate) fn in_bulk(&self) -> String {
        format!("{}:{}:{} --", self.code, self.message, self.fields.clone().unwrap_or_default().join(","))
    }
}

/// A call that was not carried out.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Refusal {
    pub(crate) status: u16,
    body: Body,
}

#[derive(Clone, Debug, PartialEq)]
enum Body {
    Errors(Vec<RowError>),
    Json(Value),
    Html(&'static str),
}

impl Refusal {
    /// The content type and the bytes of the answer.
    pub(crate) fn body(&self, version: u16) -> (&'static str, Vec<u8>) {
        const JSON: &str = "application/json;charset=UTF-8";
        match &self.body {
            Body::Errors(errors) => {
                let all: Vec<Value> = errors.iter().map(|error| error.top_level(version)).collect();
                (JSON, Value::from(all).to_string().into_bytes())
            }
            Body::Json(value) => (JSON, value.to_string().into_bytes()),
            Body::Html(page) => ("text/html;charset=UTF-8", page.as_bytes().to_vec()),
        }
    }

    pub(crate) fn json(status: u16, body: Value) -> Self {
        Self { status, body: Body::Json(body) }
    }

    pub(crate) fn html(status: u16, page: &'static str) -> Self {
        Self { status, body: Body::Html(page) }
    }

    /// The first message, for tests that act as a user.
    pub(crate) fn message(&self) -> String {
        match &self.body {
            Body::Errors(errors) => errors.first().map(|error| format!("{}: {}", error.code, error.message)),
            Body::Json(value) => Some(value.to_string()),
            Body::Html(page) => Some((*page).to_owned()),
        }
        .unwrap_or_default()
    }
}

impl From<RowError> for Refusal {
    fn from(error: RowError) -> Self {
        Self { status: error.status, body: Body::Errors(vec![error]) }
    }
}

impl From<Vec<RowError>> for Refusal {
    fn from(errors: Vec<RowError>) -> Self {
        let status = errors.first().map_or(400, |error| error.status);
        Self { status, body: Body::Errors(errors) }
    }
}

fn refuse(status: u16, code: &'static str, message: impl Into<String>) -> Refusal {
    RowError::new(code, message).status(status).into()
}

pub(crate) fn invalid_session() -> Refusal {
    refuse(401, "INVALID_SESSION_ID", "Session expired or invalid")
}

pub(crate) fn invalid_auth_header() -> Refusal {
    refuse(401, "INVALID_AUTH_HEADER", "INVALID_HEADER_TYPE")
}

pub(crate) fn not_found() -> Refusal {
    refuse(404, "NOT_FOUND", "The requested resource does not exist")
}

pub(crate) fn no_external_id_field(name: &str) -> Refusal {
    refuse(404, "NOT_FOUND", format!("Provided external ID field does not exist or is not accessible: {name}"))
}

pub(crate) fn retired_version() -> Refusal {
    refuse(410, "UNSUPPORTED_API_VERSION", "The requested API version has been retired or is not supported.")
}

pub(crate) fn method_not_allowed(method: &str, allowed: &str) -> Refusal {
    refuse(405, "METHOD_NOT_ALLOWED", format!("HTTP Method '{method}' not allowed. Allowed are {allowed}"))
}

pub(crate) fn limit_exceeded(policy: &str) -> Refusal {
    let message = match policy {
        "CONCURRENT" => "ConcurrentPerOrgLongTxn Limit exceeded.",
        "CONCURRENT_REQUESTS" => "ConcurrentRequests (Concurrent API Requests) Limit exceeded.",
        _ => "TotalRequests Limit exceeded.",
    };
    refuse(403, "REQUEST_LIMIT_EXCEEDED", message)
}

pub(crate) fn maintenance() -> Refusal {
    refuse(503, "ORG_IN_MAINTENANCE", "Your organization is currently undergoing maintenance")
}

pub(crate) fn server_error(status: u16) -> Refusal {
    match status {
        503 => refuse(503, "SERVER_UNAVAILABLE", "Server too busy"),
        _ => refuse(
            status,
            "UNKNOWN_EXCEPTION",
            "An unexpected error occurred. Please include this ErrorId if you contact support: 123-456 (789)",
        ),
    }
}

/// Failures that only an injected fault brings about, by their code.
const MISHAPS: &[(&str, u16, &str)] = &[
    ("API_CURRENTLY_DISABLED", 403, "The REST API is not enabled for this Organization."),
    ("API_DISABLED_FOR_ORG", 403, "The REST API is not enabled for this Organization."),
    ("CANNOT_EXECUTE_FLOW_TRIGGER", 400, "We can't save this record because the \u{201c}Sync\u{201d} process failed."),
    (
        "CANNOT_INSERT_UPDATE_ACTIVATE_ENTITY",
        400,
        "AccTrigger: execution of BeforeUpdate\n\ncaused by: System.NullPointerException: Attempt to de-reference a null object",
    ),
    ("CLIENT_NOT_ACCESSIBLE_FOR_USER", 403, "The REST API is not enabled for this Organization."),
    (
        "DELETE_FAILED",
        400,
        "Your attempt to delete X could not be completed because it is associated with other records.",
    ),
    ("ENTITY_IS_LOCKED", 400, "This record is locked. If you need to edit it, contact your admin."),
    ("FIELD_CUSTOM_VALIDATION_EXCEPTION", 400, "This account may not be changed by the integration."),
    ("FUNCTIONALITY_NOT_ENABLED", 403, "This functionality is not enabled for your organization."),
    (
        "INSERT_UPDATE_DELETE_NOT_ALLOWED_DURING_MAINTENANCE",
        503,
        "Records can't be written while the organization is in read-only mode.",
    ),
    (
        "INSUFFICIENT_ACCESS",
        403,
        "You do not have the level of access necessary to perform the operation you requested. Please contact the owner of \
         the record or your administrator if access is necessary.",
    ),
    (
        "INSUFFICIENT_ACCESS_ON_CROSS_REFERENCE_ENTITY",
        400,
        "insufficient access rights on cross-reference id: 001D000000IqhSL",
    ),
    ("INSUFFICIENT_ACCESS_OR_READONLY", 400, "insufficient access rights on object id"),
    ("INVALID_OPERATION_WITH_EXPIRED_PASSWORD", 403, "The user's password has expired."),
    // A session that is good, but not here: no refresh mends it.
    ("INVALID_SESSION_ID", 401, "This session is not valid for use with the REST API"),
    ("OPERATION_TOO_LARGE", 400, "exceeded 100000 distinct who/what's"),
    ("QUERY_TIMEOUT", 400, "Your query request was running for too long."),
    ("QUERY_TOO_COMPLICATED", 400, "The query is too complicated."),
    ("REQUEST_RUNNING_TOO_LONG", 400, "Your request was running for too long, and has been stopped."),
    ("STORAGE_LIMIT_EXCEEDED", 400, "storage limit exceeded"),
    (
        "TXN_SECURITY_END_A_SESSION",
        403,
        "We can't complete the action because enabled transaction security policies took too long to complete.",
    ),
    (
        "TXN_SECURITY_METERING_ERROR",
        400,
        "We can't complete the action because enabled transaction security policies took too long to complete.",
    ),
    (
        "TXN_SECURITY_NO_ACCESS",
        403,
        "We can't complete the action because enabled transaction security policies took too long to complete.",
    ),
    ("UNABLE_TO_LOCK_ROW", 500, "unable to obtain exclusive access to this record"),
];

/// The failure of that code.
pub(crate) fn mishap(code: &str) -> Option<Refusal> {
    let (code, status, message) = MISHAPS.iter().find(|(known, ..)| *known == code)?;
    Some(refuse(*status, code, *message))
}

pub(crate) fn uri_too_long() -> Refusal {
    Refusal::html(414, "<h1>Bad Message 414</h1><pre>reason: URI Too Long</pre>")
}

pub(crate) fn headers_too_large() -> Refusal {
    Refusal::html(431, "<h1>Bad Message 431</h1><pre>reason: Request Header Fields Too Large</pre>")
}

pub(crate) fn unsupported_media_type() -> Refusal {
    refuse(415, "UNSUPPORTED_MEDIA_TYPE", "Unsupported Media Type")
}

pub(crate) fn json_parser(message: impl Into<String>) -> Refusal {
    refuse(400, "JSON_PARSER_ERROR", message)
}

pub(crate) fn invalid(code: &'static str, message: impl Into<String>) -> Refusal {
    refuse(400, code, message)
}

pub(crate) fn precondition_failed() -> Refusal {
    refuse(
        412,
        "PRECONDITION_FAILED",
        "One or more conditions specified in the conditional header(s) evaluated to false.",
    )
}

pub(crate) fn no_column(name: &str, object: &str) -> RowError {
    RowError::new("INVALID_FIELD", format!("No such column '{name}' on sobject of type {object}"))
}

pub(crate) fn not_specified_here(field: &str) -> RowError {
    RowError::new("INVALID_FIELD", format!("The {field} field should not be specified in the sobject data."))
}

pub(crate) fn not_writable(names: &[&str]) -> RowError {
    let message = format!(
        "Unable to create/update fields: {}. Please check the security settings of this field and verify that it is \
         read/write for your profile or permission set.",
        names.join(", ")
    );
    RowError::new("INVALID_FIELD_FOR_INSERT_UPDATE", message).on(names)
}

pub(crate) fn required_missing(names: &[&str]) -> RowError {
    let message = format!("Required fields are missing: [{}]", names.join(", "));
    RowError::new("REQUIRED_FIELD_MISSING", message).on(names)
}

pub(crate) fn wrong_json(wanted: &str, token: &str, value: &str) -> RowError {
    let message = format!(
        "Cannot deserialize instance of {wanted} from {token} value {value} or request may be missing a required field \
         at [line:1, column:2]"
    );
    RowError { whole_call: true, ..RowError::new("JSON_PARSER_ERROR", message) }
}

pub(crate) fn entity_deleted() -> RowError {
    RowError::new("ENTITY_IS_DELETED", "entity is deleted").on(&[]).status(404)
}

pub(crate) fn locked_row(id: &str) -> RowError {
    let message = format!("unable to obtain exclusive access to this record or 1 records: {id}");
    RowError::new("UNABLE_TO_LOCK_ROW", message).on(&[])
}

pub(crate) fn cross_reference() -> RowError {
    RowError::new("INVALID_CROSS_REFERENCE_KEY", "invalid cross reference id").on(&[])
}

pub(crate) fn duplicate_value(field: &str, short_id: &str) -> RowError {
    let message = format!("duplicate value found: {field} duplicates value on record with id: {short_id}");
    RowError::new("DUPLICATE_VALUE", message).on(&[])
}

pub(crate) fn rolled_back() -> RowError {
    let message = "Record rolled back because not all records were valid and the request was using AllOrNone header";
    RowError::new("ALL_OR_NONE_OPERATION_ROLLED_BACK", message).on(&[])
}

pub(crate) fn invalid_locator() -> Refusal {
    refuse(400, "INVALID_QUERY_LOCATOR", "invalid query locator")
}
