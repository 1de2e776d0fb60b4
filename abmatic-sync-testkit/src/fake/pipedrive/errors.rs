//! The bodies of all refusals. Where the text is not documented, the shape and the status are right and the words ours.

use serde_json::{Value, json};

/// Why a call is refused.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Refusal {
    pub(crate) status: u16,
    pub(crate) body: Body,
}

/// What a refusal says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Body {
    Html(String),
    Json(Value),
}

fn refusal(status: u16, body: Value) -> Refusal {
    Refusal { status, body: Body::Json(body) }
}

/// The usual shape of API v1 and of some answers of v2.
fn usual(status: u16, error: &str, info: &str) -> Refusal {
    let body = json!({"success": false, "error": error, "error_info": info, "data": null, "additional_data": null});
    refusal(status, body)
}

/// The shape of the gateway.
fn gateway(status: u16, error: &str) -> Refusal {
    let info = "Please check developers.pipedrive.com";
    refusal(status, json!({"success": false, "error": error, "errorCode": status, "error_info": info}))
}

/// What is wrong with a body or a query of API v2, each with its path.
#[derive(Clone, Debug, Default)]
pub(crate) struct Objections(Vec<String>);

impl Objections {
    pub(crate) fn add(&mut self, path: &str, message: impl AsRef<str>) {
        self.0.push(format!("{path}: {}", message.as_ref()));
    }

    /// `value` if nothing is wrong.
    pub(crate) fn settle<T>(self, value: T) -> Result<T, Refusal> {
        if self.0.is_empty() {
            return Ok(value);
        }
        let error = format!("Validation failed: {}", self.0.join("; "));
        Err(refusal(400, json!({"success": false, "error": error, "code": "ERR_SCHEMA_VALIDATION_FAILED"})))
    }
}

/// A single objection.
pub(crate) fn invalid(path: &str, message: impl AsRef<str>) -> Refusal {
    let mut objections = Objections::default();
    objections.add(path, message);
    match objections.settle(()) {
        Ok(()) => bad_request("Bad request"),
        Err(refusal) => refusal,
    }
}

pub(crate) fn bad_request(error: &str) -> Refusal {
    usual(400, error, "Please check developers.pipedrive.com")
}

pub(crate) fn not_found() -> Refusal {
    usual(404, "Entity was not found", "Object was not found.")
}

pub(crate) fn unknown_route() -> Refusal {
    usual(404, "Unknown method .", "Please check developers.pipedrive.com")
}

pub(crate) fn method_not_allowed() -> Refusal {
    usual(405, "Method not allowed", "Please check developers.pipedrive.com")
}

pub(crate) fn forbidden(error: &str) -> Refusal {
    usual(403, error, "Please check developers.pipedrive.com")
}

/// A subscription that is not made.
pub(crate) fn hook_refused(key: &str, why: &str) -> Refusal {
    refusal(400, json!({"status": "error", "success": false, "errors": {key: [why]}}))
}

/// More subscriptions than a user may have.
pub(crate) fn too_many_hooks() -> Refusal {
    usual(422, "Webhooks limit reached", "Please check developers.pipedrive.com")
}

pub(crate) fn user_not_found() -> Refusal {
    refusal(404, json!({"success": false, "error": "User not found or not accessible."}))
}

pub(crate) fn field_gone() -> Refusal {
    refusal(410, json!({"success": false, "error": "The field is not found"}))
}

pub(crate) fn unauthorized() -> Refusal {
    gateway(401, "unauthorized access")
}

/// More calls than two seconds allow.
pub(crate) fn burst() -> Refusal {
    gateway(429, "request over limit")
}

/// More tokens than the day has.
pub(crate) fn budget() -> Refusal {
    refusal(429, json!({"success": false, "error": "daily request budget exceeded", "errorCode": 429}))
}

pub(crate) fn unknown_error() -> Refusal {
    refusal(500, json!({"success": false, "error": "Internal Server Error", "code": "ERR_UNKNOWN"}))
}

pub(crate) fn server_error(status: u16) -> Refusal {
    if status == 500 { unknown_error() } else { usual(status, "Service error", "Please try again later.") }
}

/// The page of the gateway's guard.
pub(crate) fn page(status: u16) -> Refusal {
    let page = format!(
        "<!DOCTYPE html>\n<html><head><title>Error {status}</title></head><body><h1>Error {status}</h1>\
         <p>Performance and security by Cloudflare</p></body></html>\n"
    );
    Refusal { status, body: Body::Html(page) }
}

/// An error that only a fault brings about, by its policy.
pub(crate) fn mishap(policy: &str) -> Option<Refusal> {
    Some(match policy {
        "CLOUDFLARE" => page(403),
        "FEATURE_CAPPING" => refusal(
            403,
            json!({
                "success": false, "error": "You have reached the limit of open deals of your plan.",
                "code": "feature_capping_deals_limit", "data": null, "additional_data": null,
            }),
        ),
        "FEATURE_DISABLED" => usual(415, "Feature is not enabled", "Please check developers.pipedrive.com"),
        "GONE" => field_gone(),
        "NULL_BODY" => refusal(200, Value::Null),
        "PAYMENT_REQUIRED" => usual(402, "Company account is not open", "Please check developers.pipedrive.com"),
        "SCOPE" => gateway(403, "Scope and URL mismatch"),
        "VISIBILITY" => forbidden("You do not have permissions to do this."),
        _ => return None,
    })
}
