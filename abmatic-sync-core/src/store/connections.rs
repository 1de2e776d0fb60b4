//! The connections of the host's tenants as they are kept, and how each stands.

use std::fmt;

use async_trait::async_trait;
use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use url::Url;

use crate::error::Result;
use crate::ids::{ConnectionId, TenantId};
use crate::model::connection::{Connection, Credentials};

/// How a connection stands.
#[non_exhaustive]
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ConnectionStatus {
    /// Runs may begin.
    #[default]
    Active,
    /// The host switched it off.
    Disabled,
    /// Somebody has to authorise it again.
    NeedsReauthorisation {
        /// Why, for people.
        reason: String,
    },
    /// Runs begin again by themselves.
    Paused {
        /// When.
        until: DateTime<Utc>,
        /// Why, for people.
        reason: String,
    },
}

impl ConnectionStatus {
    /// Whether a run may begin at `now`.
    pub fn lets_run(&self, now: DateTime<Utc>) -> bool {
        match self {
            Self::Active => true,
            Self::Paused { until, .. } => *until <= now,
            Self::Disabled | Self::NeedsReauthorisation { .. } => false,
        }
    }
}

impl fmt::Display for ConnectionStatus {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Active => f.write_str("active"),
            Self::Disabled => f.write_str("disabled"),
            Self::NeedsReauthorisation { reason } => write!(f, "needs to be authorised again: {reason}"),
            Self::Paused { until, reason } => write!(f, "paused until {until}: {reason}"),
        }
    }
}

/// A connection as it is kept: everything but its credentials.
///
/// ```
/// use abmatic_sync_core::model::connection::Credentials;
/// use abmatic_sync_core::store::connections::KeptConnection;
/// let kept = KeptConnection::new("tenant-1", "tenant-1/hubspot", "hubspot").with_account("62515");
/// let connection = kept.with_credentials(Credentials::token("pat-na1-secret"));
/// assert_eq!(connection.connector, "hubspot");
/// ```
#[non_exhaustive]
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct KeptConnection {
    /// Whose.
    pub tenant: TenantId,
    /// Its id, unique over all tenants.
    pub id: ConnectionId,
    /// The name of the connector that serves it.
    pub connector: String,
    /// Where the CRM is, when not at its usual host.
    pub base_url: Option<Url>,
    /// What the CRM calls the account, such as HubSpot's portal: webhooks name it.
    pub account: Option<String>,
    /// How it stands.
    pub status: ConnectionStatus,
}

impl KeptConnection {
    /// An active connection to the CRM's usual host.
    pub fn new(tenant: impl Into<TenantId>, id: impl Into<ConnectionId>, connector: impl Into<String>) -> Self {
        Self {
            tenant: tenant.into(),
            id: id.into(),
            connector: connector.into(),
            base_url: None,
            account: None,
            status: ConnectionStatus::Active,
        }
    }

    /// Reaches the CRM at another address.
    #[must_use]
    pub fn with_base_url(mut self, url: Url) -> Self {
        self.base_url = Some(url);
        self
    }

    /// Notes what the CRM calls the account.
    #[must_use]
    pub fn with_account(mut self, account: impl Into<String>) -> Self {
        self.account = Some(account.into());
        self
    }

    /// The connection as a run needs it.
    pub fn with_credentials(&self, credentials: Credentials) -> Connection {
        let connection = Connection::new(self.tenant.clone(), self.id.clone(), self.connector.as_str(), credentials);
        match &self.base_url {
            Some(url) => connection.with_base_url(url.clone()),
            None => connection,
        }
    }
}

/// Keeps connections.
///
/// # Contract
/// Nothing of one tenant is ever given to another, but for [`ConnectionStore::connections_to`], which is for whoever
/// receives webhooks for all of them.
#[async_trait]
pub trait ConnectionStore: fmt::Debug + Send + Sync + 'static {
    /// A connection by id.
    async fn connection(&self, tenant: &TenantId, id: &ConnectionId) -> Result<Option<KeptConnection>>;

    /// All of a tenant, in the order of their ids.
    async fn connections(&self, tenant: &TenantId) -> Result<Vec<KeptConnection>>;

    /// Those of all tenants to one account of a CRM, in the order of their tenants and ids.
    async fn connections_to(&self, connector: &str, account: &str) -> Result<Vec<KeptConnection>>;

    /// Keeps a connection in place of the one with its id.
    ///
    /// # Errors
    /// [`crate::error::ErrorCode::InvalidSettings`] where another tenant has a connection of that id.
    async fn keep_connection(&self, connection: &KeptConnection) -> Result<()>;

    /// Changes how a connection stands. One that is not there stays away.
    async fn set_status(&self, tenant: &TenantId, id: &ConnectionId, status: &ConnectionStatus) -> Result<()>;

    /// Forgets a connection with its schedules. What was synced through it stays.
    async fn forget_connection(&self, tenant: &TenantId, id: &ConnectionId) -> Result<()>;
}
