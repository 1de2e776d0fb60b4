//! Gives kept connections their credentials: plain tokens as they are, OAuth ones through their authorizer.

use std::sync::Arc;

use abmatic_sync_core::error::{Error, ErrorCode, ErrorKind, Result};
use abmatic_sync_core::ids::{ConnectionId, TenantId};
use abmatic_sync_core::model::connection::{Connection, Credentials};
use abmatic_sync_core::schedule::scheduler::Opener;
use abmatic_sync_core::store::connections::KeptConnection;
use abmatic_sync_core::store::credentials::CredentialStore;
use async_trait::async_trait;
use secrecy::{ExposeSecret as _, SecretString};

use crate::oauth::authorizer::Authorizer;
use crate::oauth::tokens::Kept;

/// The credentials of all connections, as a scheduler needs them.
#[derive(Clone, Debug)]
pub struct KeptCredentials {
    credentials: Arc<dyn CredentialStore>,
    authorizers: Vec<Authorizer>,
}

impl KeptCredentials {
    /// Those of this store.
    pub fn new(credentials: Arc<dyn CredentialStore>) -> Self {
        Self { credentials, authorizers: Vec::new() }
    }

    /// Connections of the authorizer's connector may have OAuth tokens.
    #[must_use]
    pub fn with_authorizer(mut self, authorizer: Authorizer) -> Self {
        self.authorizers.push(authorizer);
        self
    }

    /// Keeps a token that is sent as it is: of a private app, a service key, an API key.
    ///
    /// # Errors
    /// As the store.
    pub async fn keep_token(&self, tenant: &TenantId, connection: &ConnectionId, token: &SecretString) -> Result<()> {
        let secret = Kept::Token(token.expose_secret().to_owned()).to_secret()?;
        self.credentials.keep_secret(tenant, connection, &secret, None).await.map(|_| ())
    }
}

#[async_trait]
impl Opener for KeptCredentials {
    async fn open(&self, kept: &KeptConnection) -> Result<Connection> {
        let secret = self.credentials.secret(&kept.tenant, &kept.id).await?.ok_or_else(|| {
            let message = format!("no credentials are kept for {}: connect it first", kept.id);
            Error::new(ErrorKind::Unauthorized, ErrorCode::InvalidSession, message)
        })?;
        let credentials = match Kept::of_secret(&secret.secret)? {
            Kept::Token(token) => Credentials::token(token),
            Kept::Oauth(_) => {
                let own = self.authorizers.iter().find(|authorizer| authorizer.connector() == kept.connector);
                own.map(|authorizer| authorizer.credentials(&kept.tenant, &kept.id)).ok_or_else(|| {
                    let message = format!("no app is registered for OAuth connections of {}", kept.connector);
                    Error::invalid(ErrorCode::InvalidSettings, message)
                })?
            }
        };
        Ok(kept.with_credentials(credentials))
    }
}
