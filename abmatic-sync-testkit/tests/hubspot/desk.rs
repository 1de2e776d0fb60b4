//! A fake with a short way to call it.

use abmatic_sync_testkit::fake::exchange::{Request, Response};
use abmatic_sync_testkit::fake::hubspot::{Builder, FakeHubspot};
use serde_json::Value;

/// 2026-11-24T16:00:00Z.
pub(crate) const NOW_MS: i64 = 1_795_536_000_000;

pub(crate) struct Desk(pub(crate) FakeHubspot);

impl Desk {
    /// An empty account whose time stands still.
    pub(crate) fn new() -> Self {
        Self::with(|builder| builder)
    }

    pub(crate) fn with(set: impl FnOnce(Builder) -> Builder) -> Self {
        Self(set(FakeHubspot::builder().simulated_clock(NOW_MS)).build())
    }

    pub(crate) fn send(&self, method: &str, target: &str, body: &Value) -> Response {
        let request = Request::new(method, target).bearer(&self.0.token());
        let request = if body.is_null() { request } else { request.json(body) };
        self.0.answer(&request)
    }

    pub(crate) fn get(&self, target: &str) -> (u16, Value) {
        self.call("GET", target, &Value::Null)
    }

    pub(crate) fn post(&self, target: &str, body: &Value) -> (u16, Value) {
        self.call("POST", target, body)
    }

    pub(crate) fn call(&self, method: &str, target: &str, body: &Value) -> (u16, Value) {
        let response = self.send(method, target, body);
        (response.status, without_correlation(response.json()))
    }

    /// Makes a record as a user would, and answers its id.
    pub(crate) fn make(&self, object: &str, properties: &[(&str, &str)]) -> String {
        self.0.user().create(object, properties).unwrap()
    }
}

/// Takes out the one field that differs from call to call.
fn without_correlation(mut body: Value) -> Value {
    if let Some(fields) = body.as_object_mut() {
        fields.remove("correlationId");
    }
    body
}

/// The ids of an answer's `results`, sorted.
pub(crate) fn ids(body: &Value) -> Vec<String> {
    let mut ids: Vec<String> =
        body["results"].as_array().unwrap().iter().map(|record| record["id"].as_str().unwrap().to_owned()).collect();
    ids.sort();
    ids
}
