//! Secrets of connections: encrypted where they are kept, and changed by one party at a time.

use std::fmt;

use async_trait::async_trait;
use chrono::{DateTime, Utc};
use secrecy::SecretString;

use crate::error::Result;
use crate::ids::{ConnectionId, TenantId};

/// A secret with the number of its state.
#[non_exhaustive]
#[derive(Clone, Debug)]
pub struct KeptSecret {
    /// What was kept.
    pub secret: SecretString,
    /// Grows with each change.
    pub version: i64,
}

impl KeptSecret {
    /// A secret in this state.
    pub fn new(secret: SecretString, version: i64) -> Self {
        Self { secret, version }
    }
}

/// Keeps the secrets of connections.
///
/// # Contract
/// - A secret is never on a disk or a wire but encrypted, under a key that is not kept beside it.
/// - Nothing of one tenant is ever given to another; a row that was moved to another connection does not decrypt.
/// - [`CredentialStore::claim`] is exclusive over all processes that share the store.
#[async_trait]
pub trait CredentialStore: fmt::Debug + Send + Sync + 'static {
    /// The secret of a connection.
    async fn secret(&self, tenant: &TenantId, connection: &ConnectionId) -> Result<Option<KeptSecret>>;

    /// Keeps a secret in place of the one in state `replaces` (`None`: of none or any), ends claims, and gives its state.
    ///
    /// # Errors
    /// [`crate::error::ErrorCode::ConcurrentChange`] where the secret is in another state by now.
    async fn keep_secret(
        &self,
        tenant: &TenantId,
        connection: &ConnectionId,
        secret: &SecretString,
        replaces: Option<i64>,
    ) -> Result<i64>;

    /// Forgets the secret of a connection.
    async fn forget_secret(&self, tenant: &TenantId, connection: &ConnectionId) -> Result<()>;

    /// Claims the right to change a connection's secret, until it is changed, given up, or `until` has passed. `false`:
    /// somebody else holds it, or there is no secret.
    async fn claim(
        &self,
        tenant: &TenantId,
        connection: &ConnectionId,
        now: DateTime<Utc>,
        until: DateTime<Utc>,
    ) -> Result<bool>;

    /// Gives up a claim: the secret was not changed.
    async fn unclaim(&self, tenant: &TenantId, connection: &ConnectionId) -> Result<()>;

    /// Keeps a secret of somebody who is on the way, such as at a CRM's consent page, until `until`.
    async fn keep_pending(&self, name: &str, secret: &SecretString, until: DateTime<Utc>) -> Result<()>;

    /// Takes such a secret out: it is given once, and not after its time.
    async fn take_pending(&self, name: &str, now: DateTime<Utc>) -> Result<Option<SecretString>>;
}
