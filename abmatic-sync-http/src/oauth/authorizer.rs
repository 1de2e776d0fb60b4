//! One app of the host at one CRM: sends users to the consent page, takes the callback, and gives connections their tokens.

use std::collections::HashMap;
use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use abmatic_sync_core::clock::Clock;
use abmatic_sync_core::error::{Error, ErrorCode, ErrorKind, Result};
use abmatic_sync_core::ids::{ConnectionId, TenantId};
use abmatic_sync_core::model::connection::Credentials;
use abmatic_sync_core::store::connections::{ConnectionStatus, ConnectionStore, KeptConnection};
use abmatic_sync_core::store::credentials::CredentialStore;
use chrono::TimeDelta;
use secrecy::{ExposeSecret as _, SecretString};
use serde::{Deserialize, Serialize};
use url::Url;

use crate::oauth::exchange::Exchange;
use crate::oauth::provider::{App, Provider};
use crate::oauth::refusal::{self, one_line};
use crate::oauth::session::{Office, Session, oauth};
use crate::oauth::tokens::{Granted, Kept, Tokens};
use crate::transport::Transport;

/// How long a user may take at the consent page.
const CONSENT: TimeDelta = TimeDelta::minutes(15);

/// Connects users' CRM accounts, and keeps their tokens good. Clones share everything.
///
/// ```no_run
/// # use std::sync::Arc;
/// # use abmatic_sync_core::{clock::Clock, store::connections::ConnectionStore, store::credentials::CredentialStore};
/// use abmatic_sync_http::oauth::authorizer::{Authorizer, Stores};
/// use abmatic_sync_http::oauth::provider::{App, Provider};
/// use abmatic_sync_http::transport::ReqwestTransport;
///
/// # async fn program(provider: Provider, clock: Arc<dyn Clock>, stores: Stores) -> Result<(), Box<dyn std::error::Error>> {
/// let app = App::new("client-id", "client-secret", "https://app.example.com/callback".parse()?);
/// let transport = Arc::new(ReqwestTransport::default());
/// let authorizer = Authorizer::new("hubspot", provider, app, transport, clock, stores);
/// // The user clicks "connect": keep the state in their session, and send them to the page.
/// let consent = authorizer.begin(&"tenant-1".into(), &"tenant-1/hubspot".into(), &["crm.objects.contacts.read"]).await?;
/// println!("{}", consent.url);
/// // They come back to the callback.
/// let connected = authorizer.callback("code=na1-…&state=…", &consent.state).await?;
/// println!("{} is {}", connected.id, connected.status);
/// # Ok(())
/// # }
/// ```
#[derive(Clone)]
pub struct Authorizer {
    connector: &'static str,
    office: Arc<Office>,
    /// One session a connection, so that its tasks refresh together.
    sessions: Arc<Mutex<Sessions>>,
}

type Sessions = HashMap<(TenantId, ConnectionId), Arc<Session>>;

/// Where connections and their secrets are kept.
#[derive(Clone, Debug)]
pub struct Stores {
    connections: Arc<dyn ConnectionStore>,
    credentials: Arc<dyn CredentialStore>,
}

impl Stores {
    /// These two.
    pub fn new(connections: Arc<dyn ConnectionStore>, credentials: Arc<dyn CredentialStore>) -> Self {
        Self { connections, credentials }
    }
}

/// Where a user is to be sent.
#[non_exhaustive]
#[derive(Clone)]
pub struct Consent {
    /// The consent page.
    pub url: Url,
    /// What comes back with the user: keep it in their session, so that no one else's callback is taken for theirs.
    pub state: String,
}

impl fmt::Debug for Consent {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Consent").finish_non_exhaustive()
    }
}

impl fmt::Debug for Authorizer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Authorizer").field("connector", &self.connector).finish_non_exhaustive()
    }
}

/// What is remembered while a user is at the consent page.
#[derive(Deserialize, Serialize)]
struct Pending {
    connector: String,
    tenant: TenantId,
    connection: ConnectionId,
    verifier: Option<String>,
}

impl Authorizer {
    /// An app at `provider`, for connections of the connector of that name.
    pub fn new(
        connector: &'static str,
        provider: Provider,
        app: App,
        transport: Arc<dyn Transport>,
        clock: Arc<dyn Clock>,
        stores: Stores,
    ) -> Self {
        let Stores { connections, credentials } = stores;
        let exchange = Exchange::new(provider, app, transport);
        let office = Arc::new(Office { exchange, clock, credentials, connections });
        Self { connector, office, sessions: Arc::default() }
    }

    /// The connector's name.
    pub fn connector(&self) -> &'static str {
        self.connector
    }

    /// Begins to connect, or to connect again: the consent page for these scopes.
    ///
    /// # Errors
    /// As the store.
    pub async fn begin(&self, tenant: &TenantId, connection: &ConnectionId, scopes: &[&str]) -> Result<Consent> {
        let asked = self.office.exchange.ask(scopes);
        let pending = Pending {
            connector: self.connector.to_owned(),
            tenant: tenant.clone(),
            connection: connection.clone(),
            verifier: asked.verifier,
        };
        let text = serde_json::to_string(&pending)
            .map_err(|error| Error::store("an authorisation that begins cannot be written", error))?;
        let until = self.office.clock.now() + CONSENT;
        self.office.credentials.keep_pending(&asked.state, &SecretString::from(text), until).await?;
        Ok(Consent { url: asked.url, state: asked.state })
    }

    /// Takes the query with which a user came back: `state` is the one in their session. The tokens are kept, and the
    /// connection is active.
    ///
    /// # Errors
    /// [`ErrorKind::Forbidden`] where the user or the CRM refused, or where the callback is none of ours: of another session,
    /// used already, or too late. Else what the exchange of the code may fail with.
    pub async fn callback(&self, query: &str, state: &str) -> Result<KeptConnection> {
        let answer = Answer::of(query);
        let title = self.office.exchange.provider.title;
        let foreign = || {
            let message = "this callback belongs to no authorisation that was begun here, or was used before, or comes late: \
                           begin again";
            Error::new(ErrorKind::Forbidden, ErrorCode::InvalidSession, message)
        };
        if answer.state.as_deref() != Some(state) {
            return Err(foreign());
        }
        let pending =
            self.office.credentials.take_pending(state, self.office.clock.now()).await?.ok_or_else(foreign)?;
        let pending: Pending = serde_json::from_str(pending.expose_secret()).map_err(|_| foreign())?;
        if pending.connector != self.connector {
            return Err(foreign());
        }
        if let Some(error) = answer.error {
            return Err(denied(title, &error, answer.description.as_deref().unwrap_or_default()));
        }
        let code = answer.code.ok_or_else(|| {
            let message = format!("{title} sent the user back without a code");
            Error::new(ErrorKind::Undocumented, ErrorCode::InvalidAnswer, message)
        })?;
        let granted = self.office.exchange.code(&code, pending.verifier).await?;
        let tokens = self.tokens(&granted)?;
        self.connected(&pending.tenant, &pending.connection, tokens).await
    }

    /// Connects without a user, by the app's own credentials, where the CRM allows that.
    ///
    /// # Errors
    /// What the CRM's refusal means, as for a refresh.
    pub async fn connect_server(&self, tenant: &TenantId, connection: &ConnectionId) -> Result<KeptConnection> {
        let granted = self.office.exchange.client_credentials().await?;
        let tokens = self.tokens(&granted)?;
        self.connected(tenant, connection, tokens).await
    }

    /// Connects in the name of a user who has let the app do so beforehand, by assertions that the app signs
    /// ([`App::with_signing_key`]): Salesforce's JWT bearer flow.
    ///
    /// # Errors
    /// What the CRM's refusal means, as for a refresh; [`ErrorCode::InvalidSettings`] where the app has no signing key.
    pub async fn connect_as(
        &self,
        tenant: &TenantId,
        connection: &ConnectionId,
        username: &str,
    ) -> Result<KeptConnection> {
        let granted = self.office.exchange.assertion(username, self.office.clock.now()).await?;
        let tokens = self.tokens(&granted)?.of_user(username);
        self.connected(tenant, connection, tokens).await
    }

    /// Revokes a connection's tokens and forgets them. The connection then needs to be authorised again.
    ///
    /// # Errors
    /// As the store; where the CRM cannot be reached nothing is forgotten.
    pub async fn revoke(&self, tenant: &TenantId, connection: &ConnectionId) -> Result<()> {
        let office = &self.office;
        if let Some(kept) = office.credentials.secret(tenant, connection).await? {
            let tokens = oauth(Kept::of_secret(&kept.secret)?)?;
            let token = tokens.refresh().unwrap_or_else(|| tokens.access());
            office.exchange.revoke(&token).await?;
        }
        office.credentials.forget_secret(tenant, connection).await?;
        self.sessions().remove(&(tenant.clone(), connection.clone()));
        let status = ConnectionStatus::NeedsReauthorisation { reason: "its authorisation was revoked here".to_owned() };
        office.connections.set_status(tenant, connection, &status).await
    }

    /// The credentials of a connection: tokens that are always good.
    pub fn credentials(&self, tenant: &TenantId, connection: &ConnectionId) -> Credentials {
        let mut sessions = self.sessions();
        let session = sessions
            .entry((tenant.clone(), connection.clone()))
            .or_insert_with(|| Arc::new(Session::new(Arc::clone(&self.office), tenant.clone(), connection.clone())));
        Credentials::Source(Arc::<Session>::clone(session))
    }

    fn tokens(&self, granted: &Granted) -> Result<Tokens> {
        Tokens::granted(granted, &self.office.exchange.provider, self.office.clock.now(), None)
    }

    async fn connected(&self, tenant: &TenantId, id: &ConnectionId, tokens: Tokens) -> Result<KeptConnection> {
        let office = &self.office;
        let known = office.connections.connection(tenant, id).await?;
        let mut kept = known.unwrap_or_else(|| KeptConnection::new(tenant.clone(), id.clone(), self.connector));
        kept.base_url = tokens.base_url.clone().or(kept.base_url);
        kept.account = tokens.account.clone().or(kept.account);
        kept.status = ConnectionStatus::Active;
        office.credentials.keep_secret(tenant, id, &Kept::Oauth(tokens).to_secret()?, None).await?;
        self.sessions().remove(&(tenant.clone(), id.clone()));
        office.connections.keep_connection(&kept).await?;
        Ok(kept)
    }

    fn sessions(&self) -> MutexGuard<'_, Sessions> {
        self.sessions.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The parameters of a callback.
#[derive(Default)]
struct Answer {
    code: Option<String>,
    state: Option<String>,
    error: Option<String>,
    description: Option<String>,
}

impl Answer {
    fn of(query: &str) -> Self {
        let mut answer = Self::default();
        for (name, value) in url::form_urlencoded::parse(query.trim_start_matches('?').as_bytes()) {
            let place = match name.as_ref() {
                "code" => &mut answer.code,
                "state" => &mut answer.state,
                "error" => &mut answer.error,
                "error_description" => &mut answer.description,
                _ => continue,
            };
            *place = Some(value.into_owned());
        }
        answer
    }
}

fn denied(title: &str, error: &str, description: &str) -> Error {
    // Salesforce's help spells it with a hyphen.
    if matches!(error, "access_denied" | "access-denied") {
        let message = format!("the user did not consent at {title}: {}", one_line(description));
        return Error::new(ErrorKind::Forbidden, ErrorCode::InsufficientAccess, message.trim_end_matches(": "));
    }
    refusal::refused(title, error, description)
}
