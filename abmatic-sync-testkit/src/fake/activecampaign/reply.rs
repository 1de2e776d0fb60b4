//! Answers with the headers that come with each.

use serde_json::Value;

use crate::fake::activecampaign::errors::Refusal;
use crate::fake::exchange::Response;

pub(crate) fn json(status: u16, body: &Value) -> Response {
    raw(status, body.to_string().into_bytes())
}

pub(crate) fn raw(status: u16, body: Vec<u8>) -> Response {
    let mut response = Response::new(status, body);
    response.set("Content-Type", "application/json");
    response.set("Cache-Control", "no-store, no-cache, must-revalidate,no-cache, private");
    response
}

pub(crate) fn refused(refusal: &Refusal) -> Response {
    let body = refusal.body.as_ref().map_or_else(Vec::new, |body| body.to_string().into_bytes());
    let mut response = raw(refusal.status, body);
    if let Some(seconds) = refusal.retry_after {
        response.set("Retry-After", seconds.to_string());
    }
    response
}

/// A page of HTML, as proxies answer.
pub(crate) fn page(status: u16) -> Response {
    let body = format!("<!DOCTYPE html><html><head><title>{status}</title></head><body>cloudflare</body></html>");
    let mut response = Response::new(status, body.into_bytes());
    response.set("Content-Type", "text/html; charset=UTF-8");
    response
}
