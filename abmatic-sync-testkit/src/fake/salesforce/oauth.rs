//! Tokens: asked for at the authorisation page, exchanged, refreshed, revoked, and checked on each call.

use std::collections::BTreeMap;

use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, URL_SAFE, URL_SAFE_NO_PAD};
use hmac::{Hmac, KeyInit as _, Mac as _};
use serde_json::{Value, json};
use sha2::Sha256;

use crate::fake::consent::{Codes, Rejected};
use crate::fake::exchange::{Request, Response};
use crate::fake::salesforce::answer;
use crate::fake::salesforce::errors::{self, Refusal};
use crate::fake::salesforce::identity;
use crate::fake::salesforce::kind::Kind;
use crate::fake::salesforce::reply;
use crate::fake::salesforce::shelf::Shelf;
use crate::fake::salesforce::state::State;

/// What the app of the fake is known by.
pub(crate) const CLIENT_ID: &str = "3MVG9fakeFakeFakeFakeFakeFakeFakeFakeFakeFakeFakeFake.Client";
pub(crate) const CLIENT_SECRET: &str = "F4KE5EC2E7F4KE5EC2E7F4KE5EC2E7F4KE5EC2E7F4KE5EC2E7F4KE5EC2E7F4KE";
pub(crate) const REFRESH_TOKEN: &str = "5Aep861FakeFakeFakeFakeFakeFakeFakeFakeFakeFakeFakeFake";

/// How long an authorisation code can be used.
const CODE_MS: i64 = 15 * 60 * 1000;
/// Refresh tokens of one user for one app; one more revokes the oldest.
const REFRESH_TOKENS_MAX: usize = 5;

/// The tokens of the org.
#[derive(Clone, Debug)]
pub(crate) struct Tokens {
    /// Access token → when its session ends; `None` for the one that the fake was started with.
    access: BTreeMap<String, Option<i64>>,
    /// Oldest first.
    refresh: Vec<String>,
    codes: Codes,
    session_ms: i64,
}

impl Tokens {
    pub(crate) fn new(token: &str) -> Self {
        Self {
            access: BTreeMap::from([(token.to_owned(), None)]),
            refresh: vec![REFRESH_TOKEN.to_owned()],
            codes: Codes::default(),
            session_ms: 0,
        }
    }

    /// Whether a call with that token may go on; its session then lives on.
    pub(crate) fn check(&mut self, token: &str, now: i64) -> Result<(), Refusal> {
        match self.access.get_mut(token) {
            Some(None) => Ok(()),
            Some(Some(ends)) if *ends > now => {
                *ends = now + self.session_ms;
                Ok(())
            }
            _ => Err(errors::invalid_session()),
        }
    }

    /// Ends all sessions; refresh tokens stay good.
    pub(crate) fn expire_sessions(&mut self) {
        self.access.clear();
    }

    /// Makes every token worthless.
    pub(crate) fn revoke_all(&mut self) {
        self.access.clear();
        self.refresh.clear();
        self.codes.clear();
    }
}

/// What a token endpoint refuses: an OAuth error and its description.
type Refused = (&'static str, &'static str);

/// `/services/oauth2/…`.
pub(crate) fn answer(state: &mut State, now: i64, request: &Request, rest: &[String]) -> Response {
    let rest: Vec<&str> = rest.iter().map(String::as_str).collect();
    match (request.method.as_str(), rest.as_slice()) {
        ("GET", ["authorize"]) => authorize(state, now, request),
        ("POST", ["token"]) => token(state, now, request),
        ("GET" | "POST", ["revoke"]) => revoke(state, request),
        ("GET" | "POST", ["userinfo"]) => identity::userinfo(state, now, request),
        _ => answer::refused(&errors::not_found(), 62),
    }
}

fn refused((error, description): Refused) -> Response {
    reply::json(400, json!({"error": error, "error_description": description}).to_string().into_bytes())
}

/// The page on which a user agrees; here everyone does, at once.
fn authorize(state: &mut State, now: i64, request: &Request) -> Response {
    let text = |name: &str| request.query(name).unwrap_or_default();
    if text("client_id") != CLIENT_ID {
        return refused(("invalid_client_id", "client identifier invalid"));
    }
    if text("response_type") != "code" {
        return refused(("unsupported_response_type", "response type not supported"));
    }
    let code = format!("aPrx{}==", state.dice.uuid().replace('-', ""));
    let agreed = state.tokens.codes.agree(request, code, now);
    agreed.unwrap_or_else(|| refused(("redirect_uri_mismatch", "redirect_uri must match configuration")))
}

/// The fields of a token call, wherever they were put: in the body, the query, or HTTP Basic.
struct Form(Vec<(String, String)>);

impl Form {
    fn of(request: &Request) -> Self {
        let mut fields = request.form_fields();
        fields.extend(request.query.clone());
        let basic = request.header("authorization").and_then(|header| header.strip_prefix("Basic "));
        let pair = basic.and_then(|text| String::from_utf8(STANDARD.decode(text).ok()?).ok());
        if let Some((id, secret)) = pair.as_deref().and_then(|pair| pair.split_once(':')) {
            fields.push(("client_id".to_owned(), id.to_owned()));
            fields.push(("client_secret".to_owned(), secret.to_owned()));
        }
        Self(fields)
    }

    fn get(&self, name: &str) -> &str {
        self.0.iter().find(|(key, _)| key == name).map(|(_, value)| value.as_str()).unwrap_or_default()
    }
}

/// `POST /services/oauth2/token`.
fn token(state: &mut State, now: i64, request: &Request) -> Response {
    let form = Form::of(request);
    let granted = match form.get("grant_type") {
        "authorization_code" => check_client(&form, false).and_then(|()| exchange(state, now, &form)).map(Some),
        "refresh_token" => check_client(&form, false).and_then(|()| refresh(state, &form)),
        "client_credentials" => check_client(&form, true).map(|()| None),
        "urn:ietf:params:oauth:grant-type:jwt-bearer" => assertion(state, now, form.get("assertion")).map(|()| None),
        _ => Err(("unsupported_grant_type", "grant type not supported")),
    };
    match granted {
        Ok(refresh_token) => reply::ok(&grant(state, now, refresh_token)),
        Err(error) => refused(error),
    }
}

/// A public client has no secret; where one is sent it must be right.
fn check_client(form: &Form, needs_secret: bool) -> Result<(), Refused> {
    if form.get("client_id") != CLIENT_ID {
        return Err(("invalid_client_id", "client identifier invalid"));
    }
    let secret = form.get("client_secret");
    if secret == CLIENT_SECRET || (secret.is_empty() && !needs_secret) {
        return Ok(());
    }
    Err(("invalid_client", "invalid client credentials"))
}

/// A code for a refresh token.
fn exchange(state: &mut State, now: i64, form: &Form) -> Result<String, Refused> {
    let proof = (form.get("redirect_uri"), form.get("code_verifier"));
    state.tokens.codes.redeem(form.get("code"), proof, (now, CODE_MS)).map_err(|rejected| match rejected {
        Rejected::Code => ("invalid_grant", "expired authorization code"),
        Rejected::RedirectUri => ("redirect_uri_mismatch", "redirect_uri must match configuration"),
        Rejected::Verifier => ("invalid_grant", "invalid code verifier"),
    })?;
    Ok(new_refresh_token(state))
}

fn new_refresh_token(state: &mut State) -> String {
    let token = format!("5Aep861{}", state.dice.uuid().replace('-', ""));
    state.tokens.refresh.push(token.clone());
    if state.tokens.refresh.len() > REFRESH_TOKENS_MAX {
        state.tokens.refresh.remove(0);
    }
    token
}

/// A refresh token for a new session; with rotation on also for its successor.
fn refresh(state: &mut State, form: &Form) -> Result<Option<String>, Refused> {
    let at = state.tokens.refresh.iter().position(|known| known == form.get("refresh_token"));
    let at = at.ok_or(("invalid_grant", "expired access/refresh token"))?;
    if !state.settings.rotates_refresh_tokens {
        return Ok(None);
    }
    state.tokens.refresh.remove(at);
    // The session of the old token ends with it, and with the session its query locators.
    state.tokens.expire_sessions();
    Ok(Some(new_refresh_token(state)))
}

/// A signed assertion. Its claims are checked, its signature is not: the fake has no certificate of the app.
fn assertion(state: &State, now: i64, token: &str) -> Result<(), Refused> {
    let invalid = ("invalid_grant", "invalid assertion");
    let payload = token.split('.').nth(1).ok_or(invalid)?;
    let bytes = URL_SAFE_NO_PAD.decode(payload).or_else(|_| URL_SAFE.decode(payload)).map_err(|_| invalid)?;
    let claims: Value = serde_json::from_slice(&bytes).map_err(|_| invalid)?;
    let text = |name: &str| claims.get(name).and_then(Value::as_str).unwrap_or_default();
    if text("iss") != CLIENT_ID {
        return Err(("invalid_client_id", "client identifier invalid"));
    }
    // Some clients write the seconds as a text.
    let expires = claims.get("exp").and_then(|exp| exp.as_i64().or_else(|| exp.as_str()?.parse().ok()));
    if text("aud").is_empty() || expires.is_none_or(|expires| expires <= now.div_euclid(1000)) {
        return Err(invalid);
    }
    let users = state.shelf(Kind::USER);
    if is_user(users, text("sub")) { Ok(()) } else { Err(("invalid_grant", "user hasn't approved this consumer")) }
}

fn is_user(users: &Shelf, username: &str) -> bool {
    users.catalogue.id("Username").is_some_and(|field| !users.with_value(field, username).is_empty())
}

/// A new session, told to its holder.
fn grant(state: &mut State, now: i64, refresh_token: Option<String>) -> Value {
    let org: String = identity::organization(state).chars().take(15).collect();
    let access = format!("{org}!AQcAQ{}", state.dice.uuid().replace('-', "."));
    state.tokens.session_ms = state.settings.session_seconds * 1000;
    let ends = now + state.tokens.session_ms;
    state.tokens.access.insert(access.clone(), Some(ends));
    let (id, issued) = (identity::url(state), now.to_string());
    let mut shown = json!({
        "access_token": access, "signature": signature(&id, &issued), "scope": "refresh_token api",
        "instance_url": state.settings.base_url, "id": id, "token_type": "Bearer", "issued_at": issued,
    });
    if let Some(token) = refresh_token {
        shown["refresh_token"] = token.into();
    }
    shown
}

fn signature(id: &str, issued: &str) -> String {
    // A key of any length will do.
    let Ok(mut mac) = Hmac::<Sha256>::new_from_slice(CLIENT_SECRET.as_bytes()) else { return String::new() };
    mac.update(id.as_bytes());
    mac.update(issued.as_bytes());
    STANDARD.encode(mac.finalize().into_bytes())
}

/// `/services/oauth2/revoke`: a refresh token ends its sessions too.
fn revoke(state: &mut State, request: &Request) -> Response {
    let form = Form::of(request);
    let token = form.get("token");
    let before = state.tokens.refresh.len();
    state.tokens.refresh.retain(|known| known != token);
    if state.tokens.refresh.len() < before {
        state.tokens.access.retain(|_, ends| ends.is_none());
        return reply::empty(200);
    }
    if state.tokens.access.remove(token).is_some() {
        return reply::empty(200);
    }
    // Here errors are form-encoded, as clients have found them.
    let body = "error=unsupported_token_type&error_description=this+token+type+is+not+supported";
    let mut response = Response::new(400, body.as_bytes().to_vec());
    response.set("Content-Type", "application/x-www-form-urlencoded");
    response
}
