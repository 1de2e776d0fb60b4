//! One authorised CRM account of one tenant, as a run sees it.

use std::fmt;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use async_trait::async_trait;
use secrecy::{ExposeSecret as _, SecretString};
use url::Url;

use crate::error::Result;
use crate::ids::{ConnectionId, TenantId};
use crate::model::server_clock::ServerClock;

/// How a connection proves who it is. Never shown by `Debug`.
#[non_exhaustive]
#[derive(Clone, Debug)]
pub enum Credentials {
    /// Tokens that change, asked for before each call: OAuth.
    Source(Arc<dyn TokenSource>),
    /// A token that is sent as it is: private app, service key, API key.
    Token(SecretString),
}

/// Gives out tokens that change. `abmatic-sync-http` has the one for OAuth 2.0.
#[async_trait]
pub trait TokenSource: fmt::Debug + Send + Sync + 'static {
    /// A token that is good now.
    ///
    /// # Errors
    /// [`crate::error::ErrorKind::Unauthorized`] where the connection has to be authorised again.
    async fn token(&self) -> Result<SecretString>;

    /// Another token in place of one that the CRM refused although it should be good.
    ///
    /// # Errors
    /// As [`TokenSource::token`].
    async fn renewed(&self, refused: &SecretString) -> Result<SecretString>;
}

impl Credentials {
    /// A token that is sent as it is.
    pub fn token(token: impl Into<String>) -> Self {
        Self::Token(SecretString::from(token.into()))
    }

    /// The token for the next call.
    ///
    /// # Errors
    /// [`crate::error::ErrorKind::Unauthorized`] where the connection has to be authorised again.
    pub async fn current(&self) -> Result<SecretString> {
        match self {
            Self::Source(source) => source.token().await,
            Self::Token(token) => Ok(token.clone()),
        }
    }

    /// Another token in place of the `refused` one; `None` where there is none to be had.
    ///
    /// # Errors
    /// As [`Credentials::current`].
    pub async fn renewed(&self, refused: &SecretString) -> Result<Option<SecretString>> {
        let Self::Source(source) = self else { return Ok(None) };
        let other = source.renewed(refused).await?;
        Ok((other.expose_secret() != refused.expose_secret()).then_some(other))
    }
}

/// One authorised CRM account of one tenant.
///
/// ```
/// use abmatic_sync_core::model::connection::{Connection, Credentials};
/// let connection = Connection::new("tenant-1", "hubspot-main", "hubspot", Credentials::token("pat-na1-secret"));
/// assert!(!format!("{connection:?}").contains("secret"));
/// ```
#[non_exhaustive]
#[derive(Clone, Debug)]
pub struct Connection {
    /// Whose.
    pub tenant: TenantId,
    /// Its id, unique over all tenants.
    pub id: ConnectionId,
    /// The name of the connector that serves it, such as `hubspot`.
    pub connector: String,
    /// How it proves who it is.
    pub credentials: Credentials,
    /// Where the CRM is, when not at its usual host: a sandbox, a proxy or a fake.
    pub base_url: Option<Url>,
    /// Counts the calls made for whoever holds this value.
    pub calls: CallMeter,
    /// The CRM's clock, as its answers told it to whoever holds this value.
    pub server_clock: ServerClock,
}

impl Connection {
    /// A connection to the CRM's usual host.
    pub fn new(
        tenant: impl Into<TenantId>,
        id: impl Into<ConnectionId>,
        connector: impl Into<String>,
        credentials: Credentials,
    ) -> Self {
        Self {
            tenant: tenant.into(),
            id: id.into(),
            connector: connector.into(),
            credentials,
            base_url: None,
            calls: CallMeter::default(),
            server_clock: ServerClock::default(),
        }
    }

    /// Reaches the CRM at another address.
    #[must_use]
    pub fn with_base_url(mut self, url: Url) -> Self {
        self.base_url = Some(url);
        self
    }

    /// The same connection with a meter and a server clock of its own.
    #[must_use]
    pub fn metered(&self) -> Self {
        Self { calls: CallMeter::default(), server_clock: ServerClock::default(), ..self.clone() }
    }
}

/// Counts requests to a CRM. Clones share the count.
#[derive(Clone, Default)]
pub struct CallMeter(Arc<AtomicU64>);

impl CallMeter {
    /// Counts one request that is about to be sent.
    pub fn count_one(&self) {
        self.0.fetch_add(1, Ordering::Relaxed);
    }

    /// The requests so far.
    pub fn total(&self) -> u64 {
        self.0.load(Ordering::Relaxed)
    }
}

impl fmt::Debug for CallMeter {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "CallMeter({})", self.total())
    }
}
