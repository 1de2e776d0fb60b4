//! Tokens as an answer brings them, and as they are kept.

use std::fmt;

use abmatic_sync_core::error::{Error, ErrorCode, ErrorKind, Result};
use chrono::{DateTime, TimeDelta, Utc};
use oauth2::basic::BasicTokenType;
use oauth2::{ExtraTokenFields, StandardTokenResponse, TokenResponse};
use secrecy::{ExposeSecret as _, SecretString};
use serde::{Deserialize, Serialize};
use url::Url;

use crate::oauth::provider::Provider;

/// What CRMs add to the fields of RFC 6749.
#[derive(Clone, Debug, Default, Deserialize, Serialize)]
pub(super) struct Extra {
    /// Salesforce: the org's address.
    #[serde(default)]
    instance_url: Option<String>,
    /// Pipedrive: the company's address.
    #[serde(default)]
    api_domain: Option<String>,
    /// HubSpot: the portal.
    #[serde(default)]
    hub_id: Option<u64>,
    /// Salesforce: the address of the identity, which names the org.
    #[serde(default)]
    id: Option<String>,
}

impl ExtraTokenFields for Extra {}

pub(super) type Granted = StandardTokenResponse<Extra, BasicTokenType>;

/// The tokens of one connection.
#[derive(Clone, Deserialize, Serialize)]
pub(super) struct Tokens {
    access: String,
    refresh: Option<String>,
    /// The user in whose name assertions are signed, where there is no refresh token.
    #[serde(default)]
    subject: Option<String>,
    /// When the access token stops being good.
    pub(super) expires_at: DateTime<Utc>,
    /// Where the CRM's API is, where the answer said so.
    pub(super) base_url: Option<Url>,
    /// What the CRM calls the account, where the answer said so.
    pub(super) account: Option<String>,
    /// What was granted, where the answer said so.
    pub(super) scopes: Vec<String>,
}

impl fmt::Debug for Tokens {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Tokens").field("expires_at", &self.expires_at).finish_non_exhaustive()
    }
}

impl Tokens {
    /// The tokens of an answer; what it leaves out stays as it was `before`.
    ///
    /// # Errors
    /// [`ErrorCode::InvalidSettings`] where it would send our tokens to a host that is not the CRM's.
    pub(super) fn granted(
        granted: &Granted,
        provider: &Provider,
        now: DateTime<Utc>,
        before: Option<&Self>,
    ) -> Result<Self> {
        let extra = granted.extra_fields();
        let lifetime = granted.expires_in().unwrap_or(provider.lifetime);
        let lifetime = TimeDelta::from_std(lifetime).unwrap_or(TimeDelta::MAX);
        let told = extra.instance_url.as_ref().or(extra.api_domain.as_ref());
        let base_url = told.map(|text| checked(text, provider)).transpose()?;
        let account = extra.hub_id.map(|id| id.to_string()).or_else(|| org_of(extra.id.as_deref()?));
        let kept = |of: fn(&Self) -> Option<String>| before.and_then(of);
        Ok(Self {
            access: granted.access_token().secret().clone(),
            refresh: granted
                .refresh_token()
                .map(|token| token.secret().clone())
                .or_else(|| kept(|old| old.refresh.clone())),
            subject: kept(|old| old.subject.clone()),
            expires_at: now.checked_add_signed(lifetime).unwrap_or(DateTime::<Utc>::MAX_UTC),
            base_url: base_url.or_else(|| before.and_then(|old| old.base_url.clone())),
            account: account.or_else(|| kept(|old| old.account.clone())),
            scopes: match granted.scopes() {
                Some(scopes) => scopes.iter().map(|scope| scope.to_string()).collect(),
                None => before.map_or_else(Vec::new, |old| old.scopes.clone()),
            },
        })
    }

    pub(super) fn access(&self) -> SecretString {
        SecretString::from(self.access.as_str())
    }

    /// The same, to be had again by assertions for this user.
    pub(super) fn of_user(self, subject: &str) -> Self {
        Self { subject: Some(subject.to_owned()), ..self }
    }

    pub(super) fn subject(&self) -> Option<&str> {
        self.subject.as_deref()
    }

    pub(super) fn refresh(&self) -> Option<SecretString> {
        self.refresh.as_deref().map(SecretString::from)
    }
}

/// What is kept of a connection's credentials: only ever sealed.
#[derive(Deserialize, Serialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum Kept {
    Oauth(Tokens),
    Token(String),
}

impl Kept {
    pub(super) fn to_secret(&self) -> Result<SecretString> {
        let text = serde_json::to_string(self).map_err(|error| Error::store("credentials cannot be written", error))?;
        Ok(SecretString::from(text))
    }

    pub(super) fn of_secret(secret: &SecretString) -> Result<Self> {
        // What went wrong could quote a token.
        serde_json::from_str(secret.expose_secret()).map_err(|_| {
            let message = "the credentials kept for this connection were not written by this engine";
            Error::new(ErrorKind::Store, ErrorCode::StoreFailed, message)
        })
    }
}

fn checked(text: &str, provider: &Provider) -> Result<Url> {
    let url: Url = text.parse().map_err(|error: url::ParseError| {
        let message = format!("{}'s token answer names an address that is none", provider.title);
        Error::invalid(ErrorCode::InvalidAnswer, message).caused_by(error)
    })?;
    provider.hosts.check(&url).map(|()| url)
}

/// The org within `https://login.salesforce.com/id/00Dxx0000001gPLEAY/005xx000001SwiUAAS`.
fn org_of(identity: &str) -> Option<String> {
    let mut parts = identity.rsplit('/');
    let (_user, org) = (parts.next()?, parts.next()?);
    (parts.next()? == "id").then(|| org.to_owned())
}
