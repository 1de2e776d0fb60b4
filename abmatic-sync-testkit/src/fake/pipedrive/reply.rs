//! Answers in Pipedrive's envelope.

use serde_json::{Value, json};

use crate::fake::exchange::Response;
use crate::fake::pipedrive::errors::{Body, Refusal};

/// What a rule makes of a call.
pub(crate) type Ruling = Result<Response, Refusal>;

const JSON: &str = "application/json; charset=utf-8";

/// `{"success":true,"data":…}`
pub(crate) fn data(data: &Value) -> Response {
    with_status(200, &json!({"success": true, "data": data}))
}

pub(crate) fn with_status(status: u16, body: &Value) -> Response {
    raw(status, body.to_string().into_bytes())
}

/// A body that was written as JSON already.
pub(crate) fn raw(status: u16, body: Vec<u8>) -> Response {
    let mut response = Response::new(status, body);
    response.set("Content-Type", JSON);
    response
}

pub(crate) fn refused(refusal: &Refusal) -> Response {
    match &refusal.body {
        Body::Json(body) => with_status(refusal.status, body),
        Body::Html(page) => {
            let mut response = Response::new(refusal.status, page.clone().into_bytes());
            response.set("Content-Type", "text/html; charset=UTF-8");
            response
        }
    }
}
