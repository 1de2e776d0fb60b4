//! Tokens: the API token, and what the OAuth host gives out.

use std::collections::BTreeMap;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Value, json};

use crate::fake::consent::Codes;
use crate::fake::exchange::{Request, Response};
use crate::fake::pipedrive::errors::{self, Refusal};
use crate::fake::pipedrive::reply;
use crate::fake::pipedrive::state::State;

pub(crate) const CLIENT_ID: &str = "fa4ec11e47000000";
pub(crate) const CLIENT_SECRET: &str = "fake-client-secret";
pub(crate) const AUTHORIZATION_CODE: &str = "fake-authorization-code";
pub(crate) const REFRESH_TOKEN: &str = "1:1:fake-refresh-token";

const ACCESS_SECONDS: i64 = 3599;
/// How long an authorization code can be used (docs: "OAuth status codes").
const CODE_MS: i64 = 5 * 60 * 1000;

/// Which tokens are good.
#[derive(Clone, Debug)]
pub(crate) struct Tokens {
    api: Option<String>,
    /// Access tokens, and when they end.
    access: BTreeMap<String, i64>,
    refresh_is_good: bool,
    /// Whether [`AUTHORIZATION_CODE`], which needs no consent page, was exchanged.
    code_is_used: bool,
    codes: Codes,
    given: u64,
}

impl Tokens {
    pub(crate) fn new(api: &str) -> Self {
        let access = BTreeMap::new();
        Self {
            api: Some(api.to_owned()),
            access,
            refresh_is_good: true,
            code_is_used: false,
            codes: Codes::default(),
            given: 0,
        }
    }

    /// The API token in its header or, as it was of old, in the query; or an access token. The API token is taken as
    /// bearer as well.
    pub(crate) fn check(&self, request: &Request, now: i64) -> Result<(), Refusal> {
        let bearer = request.header("authorization").and_then(|header| {
            let (scheme, token) = header.split_once(' ')?;
            scheme.eq_ignore_ascii_case("bearer").then(|| token.trim())
        });
        let sent = request.header("x-api-token").or(bearer).or_else(|| request.query("api_token"));
        let sent = sent.ok_or_else(errors::unauthorized)?;
        let is_api = self.api.as_deref() == Some(sent);
        let is_access = bearer == Some(sent) && self.access.get(sent).is_some_and(|ends| now < *ends);
        if is_api || is_access { Ok(()) } else { Err(errors::unauthorized()) }
    }

    /// The app is uninstalled, the API token regenerated.
    pub(crate) fn revoke_all(&mut self) {
        self.api = None;
        self.access.clear();
        self.refresh_is_good = false;
        self.codes.clear();
    }
}

/// `/oauth/authorize`, `/oauth/token` and `/oauth/revoke`
pub(crate) fn answer(state: &mut State, now: i64, request: &Request, rest: &[String]) -> Response {
    let rest: Vec<&str> = rest.iter().map(String::as_str).collect();
    let form = request.form_fields();
    match (request.method.as_str(), rest.as_slice()) {
        ("GET", ["authorize"]) => authorize(state, now, request),
        ("POST", ["token"]) => match token(state, now, request, &form) {
            Ok(body) => reply::with_status(200, &body),
            Err((error, message)) => {
                reply::with_status(400, &json!({"success": false, "message": message, "error": error}))
            }
        },
        ("POST", ["revoke"]) => {
            let token = value(&form, "token").unwrap_or_default();
            if token == REFRESH_TOKEN {
                state.tokens.refresh_is_good = false;
                state.tokens.access.clear();
            } else {
                state.tokens.access.remove(token);
            }
            Response::new(200, Vec::new())
        }
        (_, ["authorize" | "token" | "revoke"]) => reply::refused(&errors::method_not_allowed()),
        _ => reply::refused(&errors::unknown_route()),
    }
}

/// The page on which a user agrees; here everyone does, at once.
fn authorize(state: &mut State, now: i64, request: &Request) -> Response {
    if request.query("client_id") != Some(CLIENT_ID) {
        return reply::refused(&errors::bad_request("client_id is invalid"));
    }
    let code = format!("{}.{}", state.tokens.given, state.dice.uuid().replace('-', ""));
    let agreed = state.tokens.codes.agree(request, code, now);
    agreed.unwrap_or_else(|| reply::refused(&errors::bad_request("redirect_uri is missing")))
}

fn value<'a>(form: &'a [(String, String)], name: &str) -> Option<&'a str> {
    form.iter().find(|(key, _)| key == name).map(|(_, value)| value.as_str())
}

type Denial = (&'static str, &'static str);

fn token(state: &mut State, now: i64, request: &Request, form: &[(String, String)]) -> Result<Value, Denial> {
    check_client(request, form)?;
    match value(form, "grant_type") {
        Some("authorization_code") => {
            let code = value(form, "code").unwrap_or_default();
            let redirect_uri = value(form, "redirect_uri")
                .ok_or(("invalid_request", "Invalid request: `redirect_uri` is not a valid URI"))?;
            if code == AUTHORIZATION_CODE && !state.tokens.code_is_used {
                state.tokens.code_is_used = true;
            } else {
                let verifier = value(form, "code_verifier").unwrap_or_default();
                let redeemed = state.tokens.codes.redeem(code, (redirect_uri, verifier), (now, CODE_MS));
                redeemed.map_err(|_| ("invalid_grant", "Invalid grant: authorization code is invalid"))?;
            }
        }
        Some("refresh_token") => {
            let good = value(form, "refresh_token") == Some(REFRESH_TOKEN) && state.tokens.refresh_is_good;
            if !good {
                return Err(("invalid_grant", "Invalid grant: refresh token is invalid"));
            }
        }
        Some(_) => return Err(("unsupported_grant_type", "Unsupported grant type: `grant_type` is invalid")),
        None => return Err(("invalid_request", "Invalid request: Missing parameter: `grant_type`")),
    }
    state.tokens.given += 1;
    let access = format!("v1u:fake-access-token-{}", state.tokens.given);
    state.tokens.access.insert(access.clone(), now + ACCESS_SECONDS * 1000);
    state.tokens.refresh_is_good = true;
    Ok(json!({
        "access_token": access, "token_type": "Bearer", "expires_in": ACCESS_SECONDS, "refresh_token": REFRESH_TOKEN,
        "scope": "base,contacts:full,deals:full,activities:full,users:read,search:read",
        "api_domain": state.settings.base_url,
    }))
}

/// The client in the header, or in the form.
fn check_client(request: &Request, form: &[(String, String)]) -> Result<(), Denial> {
    let header = request.header("authorization").and_then(|header| {
        let decoded = STANDARD.decode(header.strip_prefix("Basic ")?.trim()).ok()?;
        let text = String::from_utf8(decoded).ok()?;
        text.split_once(':').map(|(id, secret)| (id.to_owned(), secret.to_owned()))
    });
    let in_form = || Some((value(form, "client_id")?.to_owned(), value(form, "client_secret")?.to_owned()));
    let client =
        header.or_else(in_form).ok_or(("invalid_client", "Invalid client: cannot retrieve client credentials"))?;
    if client == (CLIENT_ID.to_owned(), CLIENT_SECRET.to_owned()) {
        Ok(())
    } else {
        Err(("invalid_client", "Invalid client: client is invalid"))
    }
}
