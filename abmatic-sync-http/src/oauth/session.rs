//! The tokens of one connection at work: refreshed ahead of expiry, once for all tasks and processes, and kept before used.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use abmatic_sync_core::clock::Clock;
use abmatic_sync_core::error::{Error, ErrorCode, ErrorKind, Result};
use abmatic_sync_core::ids::{ConnectionId, TenantId};
use abmatic_sync_core::model::connection::TokenSource;
use abmatic_sync_core::store::connections::{ConnectionStatus, ConnectionStore};
use abmatic_sync_core::store::credentials::CredentialStore;
use async_trait::async_trait;
use chrono::{DateTime, TimeDelta, Utc};
use secrecy::{ExposeSecret as _, SecretString};
use tokio::sync::Mutex;

use crate::oauth::exchange::Exchange;
use crate::oauth::tokens::{Kept, Tokens};

/// How long before its end a token is not taken for good any more.
const AHEAD: TimeDelta = TimeDelta::seconds(120);
/// How long one party may take to refresh before another tries.
const CLAIM: TimeDelta = TimeDelta::seconds(60);
/// How long one waits before it looks again whether another party has refreshed.
const LOOK_AGAIN: Duration = Duration::from_millis(250);

/// What the sessions of one app share.
#[derive(Debug)]
pub(super) struct Office {
    pub(super) exchange: Exchange,
    pub(super) clock: Arc<dyn Clock>,
    pub(super) credentials: Arc<dyn CredentialStore>,
    pub(super) connections: Arc<dyn ConnectionStore>,
}

/// The tokens of one connection.
pub struct Session {
    office: Arc<Office>,
    tenant: TenantId,
    connection: ConnectionId,
    held: Mutex<Held>,
}

#[derive(Default)]
struct Held {
    tokens: Option<Tokens>,
    /// Refreshed, but the store failed to keep them: they are not used before it has.
    unsaved: Option<(Tokens, i64)>,
}

impl fmt::Debug for Session {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Session").field("connection", &self.connection).finish_non_exhaustive()
    }
}

impl Session {
    pub(super) fn new(office: Arc<Office>, tenant: TenantId, connection: ConnectionId) -> Self {
        Self { office, tenant, connection, held: Mutex::default() }
    }

    /// Good tokens, other than the `refused` one.
    async fn good(&self, refused: Option<&SecretString>) -> Result<SecretString> {
        let office = &self.office;
        let mut held = self.held.lock().await;
        let is_good = |tokens: &Tokens, now: DateTime<Utc>| {
            let is_other = refused.is_none_or(|refused| refused.expose_secret() != tokens.access().expose_secret());
            is_other && tokens.expires_at - AHEAD > now
        };
        let give_up = office.clock.now() + CLAIM;
        loop {
            let now = office.clock.now();
            if let Some((tokens, version)) = held.unsaved.take() {
                held.tokens = Some(self.keep(&mut held, tokens, version).await?);
            }
            if let Some(tokens) = held.tokens.as_ref().filter(|tokens| is_good(tokens, now)) {
                return Ok(tokens.access());
            }
            let (tokens, _) = self.kept().await?;
            if is_good(&tokens, now) {
                return Ok(held.tokens.insert(tokens).access());
            }
            if office.credentials.claim(&self.tenant, &self.connection, now, now + CLAIM).await? {
                // Whoever held the claim before may have refreshed since.
                let (tokens, version) = self.kept().await?;
                if is_good(&tokens, now) {
                    office.credentials.unclaim(&self.tenant, &self.connection).await?;
                    return Ok(held.tokens.insert(tokens).access());
                }
                return self.refresh(&mut held, tokens, version, refused).await;
            }
            if now >= give_up {
                let message = "another process has been refreshing the token for too long";
                return Err(Error::new(ErrorKind::Unavailable, ErrorCode::ServerUnavailable, message));
            }
            office.clock.sleep(LOOK_AGAIN).await;
        }
    }

    /// Refreshes under a claim.
    async fn refresh(
        &self,
        held: &mut Held,
        before: Tokens,
        version: i64,
        refused: Option<&SecretString>,
    ) -> Result<SecretString> {
        let office = &self.office;
        let granted = match (before.refresh(), before.subject()) {
            (Some(refresh), _) => office.exchange.refresh(&refresh).await,
            (None, Some(subject)) => office.exchange.assertion(subject, office.clock.now()).await,
            (None, None) => office.exchange.client_credentials().await,
        };
        let now = office.clock.now();
        let tokens =
            granted.and_then(|granted| Tokens::granted(&granted, &office.exchange.provider, now, Some(&before)));
        match tokens {
            Ok(tokens) => {
                let tokens = self.keep(held, tokens, version).await?;
                Ok(held.tokens.insert(tokens).access())
            }
            Err(error) => {
                office.credentials.unclaim(&self.tenant, &self.connection).await?;
                self.refused(error, before, now, refused).await
            }
        }
    }

    /// A refresh that failed: a token that is still good will do for now.
    async fn refused(
        &self,
        error: Error,
        before: Tokens,
        now: DateTime<Utc>,
        refused: Option<&SecretString>,
    ) -> Result<SecretString> {
        if error.kind() == ErrorKind::Unauthorized {
            let status = ConnectionStatus::NeedsReauthorisation { reason: error.to_string() };
            self.office.connections.set_status(&self.tenant, &self.connection, &status).await?;
        } else if refused.is_none() && before.expires_at > now {
            tracing::warn!(connection = %self.connection, code = error.code().as_str(), "the token could not be refreshed yet");
            return Ok(before.access());
        }
        Err(error)
    }

    /// Keeps new tokens in the store. Where that fails they are held, so that a rotated one is not lost.
    async fn keep(&self, held: &mut Held, tokens: Tokens, version: i64) -> Result<Tokens> {
        let secret = Kept::Oauth(tokens.clone()).to_secret()?;
        let kept = self.office.credentials.keep_secret(&self.tenant, &self.connection, &secret, Some(version)).await;
        match kept {
            Ok(_) => Ok(tokens),
            // Somebody authorised the connection anew meanwhile: theirs are newer.
            Err(error) if error.code() == ErrorCode::ConcurrentChange => self.kept().await.map(|(tokens, _)| tokens),
            Err(error) => {
                held.unsaved = Some((tokens, version));
                Err(error)
            }
        }
    }

    /// The tokens in the store, and their state.
    async fn kept(&self) -> Result<(Tokens, i64)> {
        let kept = self.office.credentials.secret(&self.tenant, &self.connection).await?.ok_or_else(|| {
            let message = format!("no credentials are kept for {}: a user has to connect it", self.connection);
            Error::new(ErrorKind::Unauthorized, ErrorCode::InvalidSession, message)
        })?;
        Ok((oauth(Kept::of_secret(&kept.secret)?)?, kept.version))
    }
}

pub(super) fn oauth(kept: Kept) -> Result<Tokens> {
    match kept {
        Kept::Oauth(tokens) => Ok(tokens),
        Kept::Token(_) => {
            Err(Error::invalid(ErrorCode::InvalidSettings, "the connection has a plain token and no OAuth tokens"))
        }
    }
}

#[async_trait]
impl TokenSource for Session {
    async fn token(&self) -> Result<SecretString> {
        self.good(None).await
    }

    async fn renewed(&self, refused: &SecretString) -> Result<SecretString> {
        self.good(Some(refused)).await
    }
}
