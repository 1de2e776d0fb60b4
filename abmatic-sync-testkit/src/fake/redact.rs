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
    "password",
    "refresh_token",
    "token",
];
/// The same, but too common a word in JSON.
const PARAMETERS: &[&str] = &["code", "key"];
/// After these a path names a token.
const SEGMENTS: &[&str] = &["access-tokens", "refresh-tokens"];
/// What is shorter is no secret, and may stand anywhere.
const SECRET_MIN: usize = 8;

fn is_among(names: &[&str], name: &str) -> bool {
    names.iter().any(|known| known.eq_ignore_ascii_case(name))
}

/// Whether a text is a form that holds secrets, whatever its content type says.
pub(crate) fn is_secret_form(fields: &[(String, String)]) -> bool {
    fields.iter().any(|(name, _)| is_among(FIELDS, name) || is_among(PARAMETERS, name))
}

/// Shows the parts of one call, and remembers what it hid: an answer may repeat it in its words.
#[derive(Debug, Default)]
pub(crate) struct Veil {
    hidden: Vec<String>,
}

impl Veil {
    fn hide(&mut self, secret: &str) -> String {
        // `Bearer` and `Basic` are no secrets.
        let secret = secret.rsplit(' ').next().unwrap_or_default();
        if secret.len() >= SECRET_MIN {
            self.hidden.push(secret.to_owned());
        }
        REDACTED.to_owned()
    }

    /// A header's value as it may be shown; its name is in lower case.
    pub(crate) fn header(&mut self, name: &str, value: &str) -> String {
        if HEADERS.contains(&name) {
            return self.hide(value);
        }
        // A consent page sends its code back in the address.
        match value.split_once('?').filter(|_| name == "location") {
            Some((address, query)) => {
                let shown = self.pairs(split(query)).into_iter();
                let shown: Vec<String> = shown.map(|(name, value)| format!("{name}={}", encoded(&value))).collect();
                format!("{address}?{}", shown.join("&"))
            }
            None => self.text(value),
        }
    }

    /// A path as it may be shown.
    pub(crate) fn path(&mut self, path: &str) -> String {
        let mut before = "";
        let mut shown = Vec::new();
        for segment in path.split('/') {
            shown.push(if SEGMENTS.contains(&before) { self.hide(segment) } else { segment.to_owned() });
            before = segment;
        }
        shown.join("/")
    }

    /// Fields of a form or parameters of a query as they may be shown.
    pub(crate) fn pairs(&mut self, mut all: Vec<(String, String)>) -> Vec<(String, String)> {
        for (name, value) in &mut all {
            if is_among(FIELDS, name) || is_among(PARAMETERS, name) {
                *value = self.hide(value);
            }
        }
        all
    }

    /// A body as it may be shown.
    pub(crate) fn json(&mut self, mut body: Value) -> Value {
        self.cover(&mut body);
        body
    }

    fn cover(&mut self, value: &mut Value) {
        match value {
            Value::Object(members) => {
                for (name, member) in members.iter_mut() {
                    match member {
                        Value::String(secret) if is_among(FIELDS, name) => *secret = self.hide(secret),
                        other => self.cover(other),
                    }
                }
            }
            Value::Array(items) => items.iter_mut().for_each(|item| self.cover(item)),
            Value::String(text) => *text = self.text(text),
            _ => {}
        }
    }

    /// A text without what was hidden before it.
    pub(crate) fn text(&self, text: &str) -> String {
        self.hidden.iter().fold(text.to_owned(), |text, secret| text.replace(secret, REDACTED))
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::Veil;

    #[test]
    fn secrets_go_and_the_rest_stays() {
        let mut veil = Veil::default();
        assert_eq!(veil.header("x-api-token", "T0"), "REDACTED");
        assert_eq!(veil.header("x-ratelimit-limit", "20"), "20");
        let back = "https://a.test/cb?code=C0&state=s";
        assert_eq!(veil.header("location", back), "https://a.test/cb?code=REDACTED&state=s");
        assert_eq!(veil.path("/oauth/v1/access-tokens/token-of-it"), "/oauth/v1/access-tokens/REDACTED");
        assert_eq!(veil.path("/api/v2/persons/7"), "/api/v2/persons/7");
        let body = json!({"code": "ERR", "data": [{"token": "T0", "id": 1}], "refresh_token": null});
        let shown = json!({"code": "ERR", "data": [{"token": "REDACTED", "id": 1}], "refresh_token": null});
        assert_eq!(veil.json(body), shown);
        assert_eq!(veil.header("authorization", "Bearer token-of-mine"), "REDACTED");
        let body = json!({"message": "token-of-it is not token-of-mine"});
        assert_eq!(veil.json(body), json!({"message": "REDACTED is not REDACTED"}));
    }
}
