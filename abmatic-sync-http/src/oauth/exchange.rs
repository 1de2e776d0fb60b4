//! The requests to an authorization server, each with its answer or with what its refusal means.

use std::sync::Arc;

use abmatic_sync_core::error::{Error, ErrorCode, Result};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use bytes::Bytes;
use http::header::{AUTHORIZATION, CONTENT_TYPE};
use http::{HeaderValue, Method, Request, StatusCode};
use oauth2::basic::{BasicErrorResponse, BasicRevocationErrorResponse, BasicTokenIntrospectionResponse};
use oauth2::{
    AuthType, AuthUrl, AuthorizationCode, Client, ClientId, ClientSecret, CsrfToken, EndpointNotSet, EndpointSet,
    PkceCodeChallenge, PkceCodeVerifier, RedirectUrl, RefreshToken, Scope, StandardRevocableToken, TokenUrl,
};
use secrecy::{ExposeSecret as _, SecretString};
use url::Url;
use url::form_urlencoded::Serializer;

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
        let request = self.client.exchange_client_credentials();
        request.request_async(&self.bridge).await.map_err(|error| refusal::error(self.provider.title, error))
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
        let mut request = Request::new(Bytes::from(form.finish()));
        *request.method_mut() = Method::POST;
        *request.uri_mut() = url.as_str().parse().map_err(|error: http::uri::InvalidUri| {
            Error::invalid(ErrorCode::InvalidSettings, "the address for revocations is not one of HTTP")
                .caused_by(error)
        })?;
        let headers = request.headers_mut();
        headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/x-www-form-urlencoded"));
        if self.provider.client_auth == ClientAuth::Basic {
            headers.insert(AUTHORIZATION, basic(&self.app.client_id, secret)?);
        }
        Ok(request)
    }
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
