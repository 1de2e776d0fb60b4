//! A fake with a short way to call it.

use abmatic_sync_testkit::fake::exchange::{Request, Response};
use abmatic_sync_testkit::fake::salesforce::{Builder, FakeSalesforce};
use serde_json::Value;

/// 2026-11-24T16:00:00Z, a Tuesday.
pub(crate) const NOW_MS: i64 = 1_795_536_000_000;

pub(crate) struct Desk(pub(crate) FakeSalesforce);

impl Desk {
    /// An org without records whose time stands still.
    pub(crate) fn new() -> Self {
        Self::with(|builder| builder)
    }

    pub(crate) fn with(set: impl FnOnce(Builder) -> Builder) -> Self {
        Self(set(FakeSalesforce::builder().simulated_clock(NOW_MS)).build())
    }

    /// A request of version 62 with the fake's token.
    pub(crate) fn request(&self, method: &str, target: &str) -> Request {
        let target =
            if target.starts_with("/services") { target.to_owned() } else { format!("/services/data/v62.0{target}") };
        Request::new(method, &target).bearer(&self.0.token())
    }

    pub(crate) fn send(&self, method: &str, target: &str, body: &Value) -> Response {
        let request = self.request(method, target);
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

    /// Runs a statement and answers the whole body.
    pub(crate) fn query(&self, soql: &str) -> (u16, Value) {
        let mut request = self.request("GET", "/query");
        request.query.push(("q".to_owned(), soql.to_owned()));
        let response = self.0.answer(&request);
        (response.status, response.json())
    }

    /// One field of the records that a statement finds.
    pub(crate) fn column(&self, soql: &str, field: &str) -> Vec<Value> {
        let (status, body) = self.query(soql);
        assert_eq!(status, 200, "{body}");
        body["records"].as_array().unwrap().iter().map(|record| record[field].clone()).collect()
    }

    /// Makes a record through the API, and answers its id.
    pub(crate) fn make(&self, object: &str, fields: &Value) -> String {
        let (status, body) = self.post(&format!("/sobjects/{object}"), fields);
        assert_eq!(status, 201, "{body}");
        body["id"].as_str().unwrap().to_owned()
    }
}
