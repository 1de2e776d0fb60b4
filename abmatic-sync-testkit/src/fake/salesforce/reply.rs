//! Answers of calls that were carried out.

use serde_json::Value;

use crate::fake::exchange::Response;
use crate::fake::salesforce::errors::Refusal;

/// What a rule answers.
pub(crate) type Ruling = Result<Response, Refusal>;

/// 200 with a JSON body.
pub(crate) fn ok(body: &Value) -> Response {
    json(200, body.to_string().into_bytes())
}

/// A JSON body that was written already.
pub(crate) fn json(status: u16, body: Vec<u8>) -> Response {
    let mut response = Response::new(status, body);
    response.set("Content-Type", "application/json;charset=UTF-8");
    response
}

/// 201 with the path of what was made.
pub(crate) fn created(path: String, body: &Value) -> Response {
    let mut response = json(201, body.to_string().into_bytes());
    response.set("Location", path);
    response
}

/// A status, and nothing to say.
pub(crate) fn empty(status: u16) -> Response {
    Response::new(status, Vec::new())
}

/// A CSV file.
pub(crate) fn csv(body: Vec<u8>) -> Response {
    let mut response = Response::new(200, body);
    response.set("Content-Type", "text/csv");
    response
}
