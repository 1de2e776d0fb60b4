//! Subscriptions: asking a CRM for its hooks, where its API allows that.

use std::fmt;

use abmatic_sync_core::error::Result;
use abmatic_sync_core::model::connection::Connection;
use abmatic_sync_core::model::resource::Resource;
use async_trait::async_trait;
use secrecy::SecretString;
use url::Url;

/// Where a connection's hooks are to be sent.
#[non_exhaustive]
#[derive(Clone)]
pub struct HookTarget {
    /// The connection's own address, as [`crate::webhook::door::Door::target`] gives it. It is a secret.
    pub url: Url,
    /// The password that the CRM is to bring, where it can.
    pub password: SecretString,
}

impl HookTarget {
    /// An address that was made in another way than by a [`crate::webhook::door::Door`].
    pub fn new(url: Url, password: impl Into<SecretString>) -> Self {
        Self { url, password: password.into() }
    }
}

impl fmt::Debug for HookTarget {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("HookTarget").field("host", &self.url.host_str()).finish_non_exhaustive()
    }
}

/// Subscribes to a CRM's hooks for single connections.
#[async_trait]
pub trait Subscriber: fmt::Debug + Send + Sync + 'static {
    /// Sees to it that changes of these resources are sent to the target, and says how many subscriptions it had to make.
    /// What is there already stays, so that it can be called each day: CRMs drop subscriptions that fail.
    ///
    /// # Errors
    /// As the CRM: [`abmatic_sync_core::error::ErrorKind::Forbidden`] where the token lacks the permission.
    async fn subscribe(&self, on: &Connection, target: &HookTarget, resources: &[Resource]) -> Result<usize>;

    /// Takes all subscriptions to the target's address back, and says how many there were.
    ///
    /// # Errors
    /// As the CRM.
    async fn unsubscribe(&self, on: &Connection, target: &HookTarget) -> Result<usize>;
}
