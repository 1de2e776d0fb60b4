//! Which parts of a call are secret, by their names: what is recorded is read by many, and kept.

use serde_json::Value;

use crate::fake::exchange::{encoded, pairs as split};

/// What stands in a secret's place.
pub(crate) const REDACTED: &str = "REDACTED";

/// Headers that prove who calls, in lower case.
const HEADERS: &[&str] = &["api-token", "authorization", "cookie", "set-cookie", "x-api-token"];
/// Members of JSON bodies, fields of forms and parameters of queries.
const FIELDS: &[&str] = &[
    "access_token",
    "api_token",
    "assertion",
    "client_assertion",
    "client_secret",
    "code_verifier",
    "hapikey",
    "http_auth_password",
    "id_token",
    "oauth_token",
    "refresh_token",
    "token",
];
/// The same, but too common a word in JSON.
const PARAMETERS: &[&str] = &["code", "key"];
/// After these a path names a token.
const SEGMENTS: &[&str] = &["access-tokens", "refresh-tokens"];

/// A header's value as it may be shown; its name is in lower case.
pub(crate) fn header(name: &str, value: &str) -> String {
    if HEADERS.contains(&name) {
        return REDACTED.to_owned();
    }
    // A consent page sends its code back in the address.
    match value.split_once('?').filter(|_| name == "location") {
        Some((address, query)) => {
            let shown = pairs(split(query)).into_iter();
            let shown: Vec<String> = shown.map(|(name, value)| format!("{name}={}", encoded(&value))).collect();
            format!("{address}?{}", shown.join("&"))
        }
        None => value.to_owned(),
    }
}

/// A path as it may be shown.
pub(crate) fn path(path: &str) -> String {
    let mut before = "";
    let mut shown = Vec::new();
    for segment in path.split('/') {
        shown.push(if SEGMENTS.contains(&before) { REDACTED } else { segment });
        before = segment;
    }
    shown.join("/")
}

/// Fields of a form or parameters of a query as they may be shown.
pub(crate) fn pairs(mut all: Vec<(String, String)>) -> Vec<(String, String)> {
    for (name, value) in &mut all {
        if FIELDS.contains(&name.as_str()) || PARAMETERS.contains(&name.as_str()) {
            REDACTED.clone_into(value);
        }
    }
    all
}

/// A body as it may be shown.
pub(crate) fn json(mut body: Value) -> Value {
    hide(&mut body);
    body
}

fn hide(value: &mut Value) {
    match value {
        Value::Object(members) => {
            for (name, member) in members.iter_mut() {
                match member {
                    Value::String(secret) if FIELDS.contains(&name.as_str()) => REDACTED.clone_into(secret),
                    other => hide(other),
                }
            }
        }
        Value::Array(items) => items.iter_mut().for_each(hide),
        _ => {}
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::{header, json, path};

    #[test]
    fn secrets_go_and_the_rest_stays() {
        assert_eq!(header("x-api-token", "T0"), "REDACTED");
        assert_eq!(header("x-ratelimit-limit", "20"), "20");
        assert_eq!(header("location", "https://a.test/cb?code=C0&state=s"), "https://a.test/cb?code=REDACTED&state=s");
        assert_eq!(path("/oauth/v1/access-tokens/T0"), "/oauth/v1/access-tokens/REDACTED");
        assert_eq!(path("/api/v2/persons/7"), "/api/v2/persons/7");
        let body = json!({"code": "ERR", "data": [{"token": "T0", "id": 1}], "refresh_token": null});
        assert_eq!(json(body), json!({"code": "ERR", "data": [{"token": "REDACTED", "id": 1}], "refresh_token": null}));
    }
}
