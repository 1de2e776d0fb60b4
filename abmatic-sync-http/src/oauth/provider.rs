//! What differs between the authorization servers of CRMs.

use std::time::Duration;

use secrecy::SecretString;
use url::Url;

use crate::host::Hosts;
use crate::oauth::assertion::SigningKey;

/// How an app says who it is to the token endpoint.
#[non_exhaustive]
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ClientAuth {
    /// In the `Authorization` header.
    Basic,
    /// In the form.
    Body,
}

/// A CRM's authorization server.
#[non_exhaustive]
#[derive(Clone, Debug)]
pub struct Provider {
    /// The CRM as people write it.
    pub title: &'static str,
    /// The consent page.
    pub authorize_url: Url,
    /// Where codes and refresh tokens are exchanged.
    pub token_url: Url,
    /// Where tokens are revoked, if they can be.
    pub revoke_url: Option<Url>,
    /// Whether it takes a proof key (PKCE, S256).
    pub pkce: bool,
    /// How the app says who it is.
    pub client_auth: ClientAuth,
    /// How long an access token is good where the answer does not say.
    pub lifetime: Duration,
    /// What an app asks for with its own credentials, without a user.
    pub server_scopes: Vec<String>,
    /// The hosts to which an answer may send us, and our tokens.
    pub hosts: Hosts,
}

impl Provider {
    /// A server with these addresses that takes proof keys and the app's secret in the form.
    pub fn new(title: &'static str, hosts: Hosts, authorize_url: Url, token_url: Url) -> Self {
        Self {
            title,
            authorize_url,
            token_url,
            revoke_url: None,
            pkce: true,
            client_auth: ClientAuth::Body,
            lifetime: Duration::from_secs(900),
            server_scopes: Vec::new(),
            hosts,
        }
    }

    /// Revokes tokens there.
    #[must_use]
    pub fn with_revoke_url(mut self, url: Url) -> Self {
        self.revoke_url = Some(url);
        self
    }

    /// Sets whether it takes a proof key.
    #[must_use]
    pub fn with_pkce(mut self, pkce: bool) -> Self {
        self.pkce = pkce;
        self
    }

    /// Sets how the app says who it is.
    #[must_use]
    pub fn with_client_auth(mut self, client_auth: ClientAuth) -> Self {
        self.client_auth = client_auth;
        self
    }

    /// Sets what an app asks for with its own credentials.
    #[must_use]
    pub fn with_server_scopes(mut self, scopes: &[&str]) -> Self {
        self.server_scopes = scopes.iter().map(|scope| (*scope).to_owned()).collect();
        self
    }

    /// Sets how long an access token is good where the answer does not say.
    #[must_use]
    pub fn with_lifetime(mut self, lifetime: Duration) -> Self {
        self.lifetime = lifetime;
        self
    }
}

/// The host program as the CRM knows it.
#[non_exhaustive]
#[derive(Clone, Debug)]
pub struct App {
    /// Its id.
    pub client_id: String,
    /// Its secret, which some CRMs let public apps do without.
    pub client_secret: Option<SecretString>,
    /// Where the CRM sends users back to, exactly as it was registered.
    pub redirect_url: Url,
    /// Signs for users who are not there, where the CRM takes that (Salesforce's JWT bearer flow).
    pub signing_key: Option<SigningKey>,
}

impl App {
    /// An app that has a secret.
    pub fn new(client_id: impl Into<String>, client_secret: impl Into<SecretString>, redirect_url: Url) -> Self {
        let (client_id, client_secret) = (client_id.into(), Some(client_secret.into()));
        Self { client_id, client_secret, redirect_url, signing_key: None }
    }

    /// Signs for users who are not there: [`crate::oauth::authorizer::Authorizer::connect_as`].
    #[must_use]
    pub fn with_signing_key(mut self, key: SigningKey) -> Self {
        self.signing_key = Some(key);
        self
    }
}
