//! A fake with a short way to call it.

use abmatic_sync_testkit::fake::exchange::{Request, Response};
use abmatic_sync_testkit::fake::pipedrive::{Builder, FakePipedrive};
use serde_json::Value;

/// 2026-11-24T16:00:00Z, a Tuesday.
pub(crate) const NOW_MS: i64 = 1_795_536_000_000;

pub(crate) struct Desk(pub(crate) FakePipedrive);

impl Desk {
    /// A company without records whose time stands still.
    pub(crate) fn new() -> Self {
        Self::with(|builder| builder)
    }

    pub(crate) fn with(set: impl FnOnce(Builder) -> Builder) -> Self {
        Self(set(FakePipedrive::builder().simulated_clock(NOW_MS)).build())
    }

    /// A request with the fake's token; version 2 unless the path says otherwise.
    pub(crate) fn send(&self, method: &str, target: &str, body: &Value) -> Response {
        let target = if target.starts_with("/api") { target.to_owned() } else { format!("/api/v2{target}") };
        let request = Request::new(method, &target).with_header("x-api-token", &self.0.token());
        let request = if body.is_null() { request } else { request.json(body) };
        self.0.answer(&request)
    }

    pub(crate) fn call(&self, method: &str, target: &str, body: &Value) -> (u16, Value) {
        let response = self.send(method, target, body);
        (response.status, response.json())
    }

    pub(crate) fn get(&self, target: &str) -> (u16, Value) {
        self.call("GET", target, &Value::Null)
    }

    pub(crate) fn post(&self, target: &str, body: &Value) -> (u16, Value) {
        self.call("POST", target, body)
    }

    pub(crate) fn patch(&self, target: &str, body: &Value) -> (u16, Value) {
        self.call("PATCH", target, body)
    }

    /// Makes a record through the API, and answers its id.
    pub(crate) fn make(&self, object: &str, body: &Value) -> u64 {
        let (status, answer) = self.post(&format!("/{object}"), body);
        assert_eq!(status, 200, "{answer}");
        answer["data"]["id"].as_u64().unwrap()
    }

    /// The ids of a list, and the cursor of its next page.
    pub(crate) fn ids(&self, target: &str) -> (Vec<u64>, Option<String>) {
        let (status, body) = self.get(target);
        assert_eq!(status, 200, "{body}");
        let ids = body["data"].as_array().unwrap().iter().map(|one| one["id"].as_u64().unwrap()).collect();
        (ids, body["additional_data"]["next_cursor"].as_str().map(str::to_owned))
    }

    /// What a validation error says.
    pub(crate) fn objection(&self, method: &str, target: &str, body: &Value) -> String {
        let (status, body) = self.call(method, target, body);
        assert_eq!((status, &body["code"]), (400, &"ERR_SCHEMA_VALIDATION_FAILED".into()), "{body}");
        body["error"].as_str().unwrap().to_owned()
    }
}
