//! The requests to an authorization server, each with its answer or with what its refusal means.

use std::sync::Arc;

use abmatic_sync_core::error::{Error, ErrorCode, Result};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use bytes::Bytes;
use chrono::{DateTime, Utc};
use http::header::{ACCEPT, AUTHORIZATION, CONTENT_TYPE};
use http::{HeaderValue, Method, Request, StatusCode};
use oauth2::basic::{BasicErrorResponse, BasicRevocationErrorResponse, BasicTokenIntrospectionResponse};
use oauth2::{
    AuthType, AuthUrl, AuthorizationCode, Client, ClientId, ClientSecret, CsrfToken, EndpointNotSet, EndpointSet,
    PkceCodeChallenge, PkceCodeVerifier, RedirectUrl, RefreshToken, RequestTokenError, Scope, StandardRevocableToken,
    TokenUrl,
};
use secrecy::{ExposeSecret as _, SecretString};
use url::Url;
use url::form_urlencoded::Serializer;

use crate::oauth::assertion::GRANT;
use crate::oauth::bridge::{Bridge, Lost};
use crate::oauth::provider::{App, ClientAuth, Provider};
use crate::oauth::refusal;
use crate::oauth::tokens::Granted;
use crate::transport::Transport;

type OAuthClient = Client<
    BasicErrorResponse,
    Granted,
    BasicTokenIntrospectionResponse,
    StandardRevocableToken,
    BasicRevocationErrorResponse,
    EndpointSet,
    EndpointNotSet,
    EndpointNotSet,
    EndpointNotSet,
    EndpointSet,
>;

/// One app at one authorization server.
#[derive(Debug)]
pub(super) struct Exchange {
    pub(super) provider: Provider,
    app: App,
    client: OAuthClient,
    bridge: Bridge,
}

/// Where a user is sent, and what has to be remembered meanwhile.
pub(super) struct Asked {
    pub(super) url: Url,
    pub(super) state: String,
    pub(super) verifier: Option<String>,
}

impl Exchange {
    pub(super) fn new(provider: Provider, app: App, transport: Arc<dyn Transport>) -> Self {
        let auth_type = match provider.client_auth {
            ClientAuth::Basic => AuthType::BasicAuth,
            ClientAuth::Body => AuthType::RequestBody,
        };
        let client = Client::new(ClientId::new(app.client_id.clone()))
            .set_auth_uri(AuthUrl::from_url(provider.authorize_url.clone()))
            .set_token_uri(TokenUrl::from_url(provider.token_url.clone()))
            .set_redirect_uri(RedirectUrl::from_url(app.redirect_url.clone()))
            .set_auth_type(auth_type);
        let client = match &app.client_secret {
            Some(secret) => client.set_client_secret(ClientSecret::new(secret.expose_secret().to_owned())),
            None => client,
        };
        Self { provider, app, client, bridge: Bridge(transport) }
    }

    /// The consent page for these scopes.
    pub(super) fn ask(&self, scopes: &[&str]) -> Asked {
        let scopes = scopes.iter().map(|scope| Scope::new((*scope).to_owned()));
        let request = self.client.authorize_url(CsrfToken::new_random).add_scopes(scopes);
        let (request, verifier) = if self.provider.pkce {
            let (challenge, verifier) = PkceCodeChallenge::new_random_sha256();
            (request.set_pkce_challenge(challenge), Some(verifier.secret().clone()))
        } else {
            (request, None)
        };
        let (url, state) = request.url();
        Asked { url, state: state.secret().clone(), verifier }
    }

    pub(super) async fn code(&self, code: &str, verifier: Option<String>) -> Result<Granted> {
        let request = self.client.exchange_code(AuthorizationCode::new(code.to_owned()));
        let request = match verifier {
            Some(verifier) => request.set_pkce_verifier(PkceCodeVerifier::new(verifier)),
            None => request,
        };
        request.request_async(&self.bridge).await.map_err(|error| refusal::error(self.provider.title, error))
    }

    pub(super) async fn refresh(&self, token: &SecretString) -> Result<Granted> {
        let token = RefreshToken::new(token.expose_secret().to_owned());
        let request = self.client.exchange_refresh_token(&token);
        request.request_async(&self.bridge).await.map_err(|error| refusal::error(self.provider.title, error))
    }

    /// A token for the app itself, without a user.
    pub(super) async fn client_credentials(&self) -> Result<Granted> {
        let scopes = self.provider.server_scopes.iter().cloned().map(Scope::new);
        let request = self.client.exchange_client_credentials().add_scopes(scopes);
        request.request_async(&self.bridge).await.map_err(|error| refusal::error(self.provider.title, error))
    }

    /// A token in the name of a user who has let the app do so beforehand.
    pub(super) async fn assertion(&self, subject: &str, now: DateTime<Utc>) -> Result<Granted> {
        let title = self.provider.title;
        let key = self.app.signing_key.as_ref().ok_or_else(|| {
            let message = format!("a connection to {title} is by signed assertions, and the app has no signing key");
            Error::invalid(ErrorCode::InvalidSettings, message)
        })?;
        let audience = self.provider.token_url.origin().ascii_serialization();
        let made = key.assertion((&self.app.client_id, subject), &audience, now)?;
        let form = Serializer::new(String::new())
            .append_pair("grant_type", GRANT)
            .append_pair("assertion", made.expose_secret())
            .finish();
        let sent = self.bridge.0.send(posted(&self.provider.token_url, form)?).await;
        let answer = sent.map_err(|error| refusal::unreachable_now(title, Lost::Transport(error)))?;
        let status = answer.status();
        if status.is_success() {
            return serde_json::from_slice(answer.body()).map_err(|_| refusal::unreadable(title, "it is no token"));
        }
        if status.is_server_error() || status == StatusCode::TOO_MANY_REQUESTS {
            return Err(refusal::unreachable_now(title, Lost::Busy(status)));
        }
        let said: BasicErrorResponse = serde_json::from_slice(answer.body())
            .map_err(|_| refusal::unreadable(title, &format!("HTTP {}", status.as_u16())))?;
        Err(refusal::error(title, RequestTokenError::ServerResponse(said)))
    }

    /// Revokes a token. One that is dead already is no error. The `oauth2` crate would not do so on loopback.
    pub(super) async fn revoke(&self, token: &SecretString) -> Result<()> {
        let Some(url) = &self.provider.revoke_url else { return Ok(()) };
        let sent = self.bridge.0.send(self.revocation(url, token)?).await.map_err(Lost::Transport);
        let status = sent.map_err(|lost| refusal::unreachable_now(self.provider.title, lost))?.status();
        if status.is_server_error() || status == StatusCode::TOO_MANY_REQUESTS {
            return Err(refusal::unreachable_now(self.provider.title, Lost::Busy(status)));
        }
        Ok(())
    }

    fn revocation(&self, url: &Url, token: &SecretString) -> Result<Request<Bytes>> {
        let secret = self.app.client_secret.as_ref().map_or("", |secret| secret.expose_secret());
        let mut form = Serializer::new(String::new());
        form.append_pair("token", token.expose_secret()).append_pair("token_type_hint", "refresh_token");
        if self.provider.client_auth == ClientAuth::Body {
            form.append_pair("client_id", &self.app.client_id).append_pair("client_secret", secret);
        }
        let mut request = posted(url, form.finish())?;
        if self.provider.client_auth == ClientAuth::Basic {
            request.headers_mut().insert(AUTHORIZATION, basic(&self.app.client_id, secret)?);
        }
        Ok(request)
    }
}

fn posted(url: &Url, form: String) -> Result<Request<Bytes>> {
    let mut request = Request::new(Bytes::from(form));
    *request.method_mut() = Method::POST;
    *request.uri_mut() = url.as_str().parse().map_err(|error: http::uri::InvalidUri| {
        Error::invalid(ErrorCode::InvalidSettings, "an address of the authorization server is not one of HTTP")
            .caused_by(error)
    })?;
    let headers = request.headers_mut();
    headers.insert(ACCEPT, HeaderValue::from_static("application/json"));
    headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/x-www-form-urlencoded"));
    Ok(request)
}

fn basic(id: &str, secret: &str) -> Result<HeaderValue> {
    let encode = |text: &str| url::form_urlencoded::byte_serialize(text.as_bytes()).collect::<String>();
    let pair = STANDARD.encode(format!("{}:{}", encode(id), encode(secret)));
    let mut value = HeaderValue::try_from(format!("Basic {pair}")).map_err(|error| {
        Error::invalid(ErrorCode::InvalidSettings, "the app's id or secret cannot stand in a header").caused_by(error)
    })?;
    value.set_sensitive(true);
    Ok(value)
}
