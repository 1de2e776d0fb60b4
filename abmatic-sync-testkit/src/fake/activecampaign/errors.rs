//! Refusals in the shapes that the API has for them; there are several.

use serde_json::{Value, json};

/// A refusal: its status and its body, which may be empty.
#[derive(Clone, Debug)]
pub(crate) struct Refusal {
    pub(crate) status: u16,
    pub(crate) body: Option<Value>,
    pub(crate) retry_after: Option<u64>,
}

pub(crate) type Ruling<T = crate::fake::exchange::Response> = Result<T, Refusal>;

fn refusal(status: u16, body: Value) -> Refusal {
    Refusal { status, body: Some(body), retry_after: None }
}

/// A bad or missing key; a permission or a feature that is missing; now and then for no reason.
pub(crate) fn forbidden() -> Refusal {
    refusal(403, json!({"message": "Forbidden"}))
}

/// The account is not paid for: whatever is asked, without a word.
pub(crate) fn lapsed() -> Refusal {
    Refusal { status: 402, body: None, retry_after: None }
}

pub(crate) fn too_many() -> Refusal {
    Refusal { retry_after: Some(1), ..refusal(429, json!({"message": "Too Many Requests"})) }
}

/// Rows that are not there, by the name of their model within.
pub(crate) fn missing(model: &str, id: &str) -> Refusal {
    refusal(404, json!({"message": format!("No Result found for {model} with id {id}")}))
}

/// The same in the words of a second delete.
pub(crate) fn deleted_before(what: &str, id: &str) -> Refusal {
    refusal(404, json!({"message": format!("No result found for {what} with id {id}")}))
}

/// A route that is not there. Its body is not documented.
pub(crate) fn unknown_route() -> Refusal {
    refusal(404, json!({"message": "Not Found"}))
}

pub(crate) fn method_not_allowed() -> Refusal {
    refusal(405, json!({"message": "Method Not Allowed"}))
}

/// Rows of the newer services.
pub(crate) fn not_found(detail: Option<&str>) -> Refusal {
    let mut error = json!({"status": 404, "title": "Not Found"});
    if let Some(detail) = detail {
        error["detail"] = detail.into();
    }
    refusal(404, json!({"errors": [error]}))
}

pub(crate) fn missing_attribute(pointer: &str) -> Refusal {
    let source = json!({"pointer": format!("/data/attributes/{pointer}")});
    refusal(422, json!({"errors": [{"status": 422, "title": "Missing attribute", "source": source}]}))
}

/// What is wrong with a value of a row.
pub(crate) fn invalid(title: impl Into<String>, code: &str, pointer: &str) -> Refusal {
    let source = json!({"pointer": format!("/data/attributes/{pointer}")});
    refusal(422, json!({"errors": [{"title": title.into(), "detail": "", "code": code, "source": source}]}))
}

/// The same in the words for addresses.
pub(crate) fn invalid_email() -> Refusal {
    let source = json!({"pointer": "/data/attributes/email"});
    let error = json!({
        "title": "Contact Email Address is not valid.", "detail": "", "code": "email_invalid",
        "error": "must_be_valid_email_address", "source": source,
    });
    refusal(422, json!({"errors": [error]}))
}

pub(crate) fn duplicate_field(title: &str) -> Refusal {
    let detail = format!("There is already a field named '{title}' -- choose another name");
    let error = json!({"title": "There is already a field with this title", "detail": detail, "code": "duplicate"});
    refusal(422, json!({"errors": [error]}))
}

/// A value that a custom field of accounts or deals does not take.
pub(crate) fn bad_custom_value(value: &str, kind: &str) -> Refusal {
    let detail = format!("The custom field value `{value}` could not be saved to the custom field of type `{kind}`.");
    refusal(422, json!({"errors": [{"detail": detail}]}))
}

/// A body that is no JSON. Not documented.
pub(crate) fn bad_json() -> Refusal {
    refusal(400, json!({"message": "The request body could not be parsed."}))
}

/// An import that is not queued.
pub(crate) fn import_refused(message: &str, reasons: &Value) -> Refusal {
    refusal(400, json!({"success": 0, "message": message, "failureReasons": reasons}))
}

pub(crate) fn batch_id_missing() -> Refusal {
    refusal(400, json!({"success": 0, "message": "'batchId' is a required field."}))
}

pub(crate) fn server_error(status: u16) -> Refusal {
    refusal(status, json!({"message": "Internal Server Error"}))
}
