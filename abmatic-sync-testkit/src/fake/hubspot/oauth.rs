//! Tokens: which are good, and the endpoints that hand them out.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Value, json};

use crate::fake::consent::{Codes, Rejected};
use crate::fake::exchange::{Request, Response};
use crate::fake::hubspot::errors::{self, Refusal};
use crate::fake::hubspot::outcome::{Turn, Version};
use crate::fake::hubspot::state::State;

/// Credentials that the token endpoint accepts.
pub(crate) const CLIENT_ID: &str = "fake-client-id";
pub(crate) const CLIENT_SECRET: &str = "fake-client-secret";
pub(crate) const AUTHORIZATION_CODE: &str = "na1-fake-code";
pub(crate) const REFRESH_TOKEN: &str = "na1-fake-refresh-token";
const LIFETIME_SECONDS: i64 = 1800;
/// How long an authorization code can be used: not documented.
const CODE_MS: i64 = 5 * 60 * 1000;

/// The tokens of the account.
#[derive(Clone, Debug)]
pub(crate) struct Tokens {
    /// Access token → when it expires; `None` for a private app's.
    access: BTreeMap<String, Option<i64>>,
    refresh_revoked: bool,
    codes: Codes,
    /// Those of the app itself.
    of_app: BTreeSet<String>,
}

impl Tokens {
    pub(crate) fn new(token: &str) -> Self {
        Self {
            access: BTreeMap::from([(token.to_owned(), None)]),
            refresh_revoked: false,
            codes: Codes::default(),
            of_app: BTreeSet::new(),
        }
    }

    /// Whether a call with that token may go on.
    pub(crate) fn check(&self, token: Option<&str>, now: i64) -> Result<(), Refusal> {
        let token = token.ok_or_else(errors::no_credentials)?;
        match self.access.get(token) {
            Some(None) => Ok(()),
            Some(Some(expires)) if *expires > now => Ok(()),
            Some(Some(expires)) => Err(errors::expired(*expires, now)),
            None => Err(errors::expired(0, now)),
        }
    }

    /// Whether it is a token that an app was given for the account, and not that of a private app.
    pub(crate) fn is_oauth(&self, token: Option<&str>) -> bool {
        token.is_some_and(|token| matches!(self.access.get(token), Some(Some(_))))
    }

    /// Whether it is a token of the app itself, which belongs to no account.
    pub(crate) fn is_of_app(&self, token: Option<&str>) -> bool {
        token.is_some_and(|token| self.of_app.contains(token))
    }

    /// Makes every token worthless.
    pub(crate) fn revoke_all(&mut self) {
        self.access.clear();
        self.refresh_revoked = true;
        self.codes.clear();
    }
}

/// Status and body: these endpoints have an error shape of their own.
pub(crate) type TokenAnswer = (u16, Vec<u8>);

fn field<'a>(form: &'a [(String, String)], name: &str) -> &'a str {
    form.iter().find(|(key, _)| key == name).map(|(_, value)| value.as_str()).unwrap_or_default()
}

/// `POST /oauth/{v}/token`.
pub(crate) fn token(state: &mut State, turn: Turn, form: &[(String, String)]) -> TokenAnswer {
    if let Err(body) = check_grant(&mut state.tokens, turn.now, form) {
        return (400, body);
    }
    let access = format!("CFAKE{}", state.dice.uuid().replace('-', ""));
    state.tokens.access.insert(access.clone(), Some(turn.now + LIFETIME_SECONDS * 1000));
    if field(form, "grant_type") == "client_credentials" {
        state.tokens.of_app.insert(access.clone());
        let scopes: Vec<&str> = field(form, "scope").split(' ').filter(|scope| !scope.is_empty()).collect();
        let body = json!({
            "token_type": "bearer", "access_token": access, "expires_in": LIFETIME_SECONDS, "scopes": scopes,
            "token_use": "client_credentials",
        });
        return (200, body.to_string().into_bytes());
    }
    if field(form, "grant_type") == "authorization_code" {
        // Who installs the app again gets good tokens again.
        state.tokens.refresh_revoked = false;
    }
    let mut body = json!({
        "token_type": "bearer", "refresh_token": REFRESH_TOKEN, "access_token": access, "expires_in": LIFETIME_SECONDS,
    });
    if turn.version > Version::V1 {
        body["hub_id"] = state.settings.portal_id.into();
        body["scopes"] = scopes();
        body["token_use"] = "access_token".into();
    }
    (200, body.to_string().into_bytes())
}

fn scopes() -> Value {
    let mut scopes = vec!["oauth".to_owned(), "crm.lists.read".to_owned(), "crm.objects.owners.read".to_owned()];
    for object in ["contacts", "companies", "deals"] {
        scopes.extend(["read", "write"].iter().map(|verb| format!("crm.objects.{object}.{verb}")));
        scopes.extend(["read", "write"].iter().map(|verb| format!("crm.schemas.{object}.{verb}")));
    }
    scopes.into()
}

fn check_grant(tokens: &mut Tokens, now: i64, form: &[(String, String)]) -> Result<(), Vec<u8>> {
    if field(form, "client_id") != CLIENT_ID {
        return Err(errors::oauth("invalid_client", "BAD_CLIENT_ID", "missing or invalid client id"));
    }
    if field(form, "client_secret") != CLIENT_SECRET {
        return Err(errors::oauth("invalid_client", "BAD_CLIENT_SECRET", "missing or invalid client secret"));
    }
    match field(form, "grant_type") {
        "authorization_code" if field(form, "redirect_uri").is_empty() => Err(bad_redirect()),
        "authorization_code" if field(form, "code") != AUTHORIZATION_CODE => {
            let proof = (field(form, "redirect_uri"), field(form, "code_verifier"));
            tokens.codes.redeem(field(form, "code"), proof, (now, CODE_MS)).map_err(|rejected| match rejected {
                Rejected::Code => errors::oauth("invalid_grant", "BAD_AUTH_CODE", "missing or unknown auth code"),
                Rejected::RedirectUri => bad_redirect(),
                Rejected::Verifier => errors::oauth("invalid_grant", "BAD_CODE_VERIFIER", "invalid code verifier"),
            })
        }
        "refresh_token" if tokens.refresh_revoked || field(form, "refresh_token") != REFRESH_TOKEN => {
            Err(errors::oauth("invalid_grant", "BAD_REFRESH_TOKEN", "refresh token is invalid, expired or revoked"))
        }
        "client_credentials" if !field(form, "scope").contains("developer.webhooks_journal") => {
            Err(errors::oauth("invalid_scope", "BAD_SCOPES", "missing or invalid scopes for an app's own token"))
        }
        "authorization_code" | "client_credentials" | "refresh_token" => Ok(()),
        _ => Err(errors::oauth("unsupported_grant_type", "BAD_GRANT_TYPE", "missing or unknown grant type")),
    }
}

fn bad_redirect() -> Vec<u8> {
    errors::oauth("invalid_request", "BAD_REDIRECT_URI", "missing or invalid redirect uri")
}

/// `GET /oauth/authorize`: the page on which a user agrees; here everyone does, at once. `None`: it asks for no known app.
pub(crate) fn authorize(state: &mut State, now: i64, request: &Request) -> Option<Response> {
    if request.query("client_id") != Some(CLIENT_ID) {
        return None;
    }
    let code = format!("na1-{}", state.dice.uuid());
    state.tokens.codes.agree(request, code, now)
}

/// `POST /oauth/{v}/token/introspect`.
pub(crate) fn introspect(state: &State, turn: Turn, form: &[(String, String)]) -> TokenAnswer {
    let sent = ["token", "access_token", "refresh_token"].map(|name| field(form, name));
    let token = sent.into_iter().find(|token| !token.is_empty()).unwrap_or_default();
    let is_refresh = token == REFRESH_TOKEN && !state.tokens.refresh_revoked;
    if !is_refresh && state.tokens.check(Some(token), turn.now).is_err() {
        return (200, json!({"active": false}).to_string().into_bytes());
    }
    let expires = state.tokens.access.get(token).copied().flatten();
    let left = expires.map_or(LIFETIME_SECONDS, |at| (at - turn.now) / 1000);
    let body = json!({
        "active": true, "token": token, "hub_id": state.settings.portal_id, "user_id": 222_222,
        "client_id": CLIENT_ID, "app_id": 1_234_444, "user": "jo.marsh@example.com", "hub_domain": "example.com",
        "scopes": scopes(), "expires_in": left, "is_private_distribution": true, "token_type": "Bearer",
        "token_use": if is_refresh { "refresh_token" } else { "access_token" },
    });
    (200, body.to_string().into_bytes())
}

/// `GET /oauth/v1/access-tokens/{token}`.
pub(crate) fn info(state: &State, turn: Turn, token: &str) -> TokenAnswer {
    match state.tokens.check(Some(token), turn.now) {
        Ok(()) => {
            let body = json!({
                "token": token, "user": "jo.marsh@example.com", "hub_domain": "example.com", "scopes": scopes(),
                "hub_id": state.settings.portal_id, "app_id": 1_234_444, "expires_in": LIFETIME_SECONDS,
                "user_id": 222_222, "token_type": "access",
            });
            (200, body.to_string().into_bytes())
        }
        Err(_) => (404, errors::nothing_named("Token", token).body("")),
    }
}

/// `POST /oauth/{v}/token/revoke` and `DELETE /oauth/v1/refresh-tokens/{token}`; access tokens live on.
pub(crate) fn revoke(state: &mut State) {
    state.tokens.refresh_revoked = true;
}
