//! A fake with a short way to call it.

use abmatic_sync_testkit::fake::activecampaign::{Builder, FakeActiveCampaign};
use abmatic_sync_testkit::fake::exchange::{Request, Response};
use serde_json::Value;

/// 2026-11-24T16:00:00Z, a Tuesday: ten in the morning for the server.
pub(crate) const NOW_MS: i64 = 1_795_536_000_000;

pub(crate) struct Desk(pub(crate) FakeActiveCampaign);

impl Desk {
    /// An account without records whose time stands still.
    pub(crate) fn new() -> Self {
        Self::with(|builder| builder)
    }

    pub(crate) fn with(set: impl FnOnce(Builder) -> Builder) -> Self {
        Self(set(FakeActiveCampaign::builder().simulated_clock(NOW_MS)).build())
    }

    pub(crate) fn send(&self, method: &str, target: &str, body: &Value) -> Response {
        let request = Request::new(method, &format!("/api/3{target}")).with_header("Api-Token", &self.0.token());
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

    pub(crate) fn put(&self, target: &str, body: &Value) -> (u16, Value) {
        self.call("PUT", target, body)
    }

    pub(crate) fn delete(&self, target: &str) -> (u16, Value) {
        self.call("DELETE", target, &Value::Null)
    }

    /// The ids of a list.
    pub(crate) fn ids(&self, target: &str, key: &str) -> Vec<String> {
        let (status, body) = self.get(target);
        assert_eq!(status, 200, "{body}");
        body[key].as_array().unwrap().iter().map(|row| row["id"].as_str().unwrap().to_owned()).collect()
    }
}
