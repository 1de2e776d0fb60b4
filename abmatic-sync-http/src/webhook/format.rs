//! How one CRM's webhooks are told from others' and read: what a connector brings.

use std::fmt;

use abmatic_sync_core::error::{Error, ErrorCode, ErrorKind, Result};
use abmatic_sync_core::ids::RemoteId;
use abmatic_sync_core::model::resource::Resource;
use abmatic_sync_core::store::connections::KeptConnection;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use chrono::{DateTime, Utc};
use http::StatusCode;

use crate::webhook::key::{HookKeys, Purpose};
use crate::webhook::request::{HookReply, HookRequest};

/// A record that may have changed.
#[non_exhaustive]
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Hint {
    /// Which account of the CRM it is in, where the hook says so.
    pub account: Option<String>,
    /// What it may be, in our words.
    pub resource: Resource,
    /// Its id.
    pub id: RemoteId,
}

impl Hint {
    /// A record of the account that the hook's address stands for.
    pub fn new(resource: Resource, id: impl Into<RemoteId>) -> Self {
        Self { account: None, resource, id: id.into() }
    }

    /// Names the account.
    #[must_use]
    pub fn in_account(mut self, account: impl Into<String>) -> Self {
        self.account = Some(account.into());
        self
    }
}

/// For whom one address receives hooks.
#[expect(clippy::exhaustive_enums, reason = "an address stands for one connection, or for more")]
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Reach {
    /// For every connection of an app: hooks are signed, and name the account.
    App,
    /// For one connection: its address is its secret.
    Connection,
}

/// What a format may ask about a request besides what is in it.
#[non_exhaustive]
pub struct Arrival<'a> {
    /// The request.
    pub request: &'a HookRequest,
    /// The public address at which it came, as it was sent: origin, path and query.
    pub url: String,
    /// When it came.
    pub at: DateTime<Utc>,
    /// The connection that its address stands for; nothing where that is an app.
    pub connection: Option<&'a KeptConnection>,
    pub(crate) keys: &'a HookKeys,
}

impl fmt::Debug for Arrival<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Arrival").field("request", self.request).field("at", &self.at).finish_non_exhaustive()
    }
}

impl Arrival<'_> {
    /// Whether it brings the connection's own password by HTTP's Basic authentication.
    pub fn has_password(&self) -> bool {
        let told = self.request.header("authorization").and_then(|value| {
            let (scheme, rest) = value.split_once(' ')?;
            let decoded = scheme.eq_ignore_ascii_case("basic").then(|| STANDARD.decode(rest.trim()).ok())??;
            String::from_utf8(decoded).ok()
        });
        let password = told.as_deref().and_then(|told| told.split_once(':')).map(|(_, password)| password);
        match (self.connection, password) {
            (Some(connection), Some(password)) => self.keys.knows(Purpose::Password, connection, password),
            _ => false,
        }
    }
}

/// How the webhooks of one CRM are verified and read.
///
/// # Contract
/// - A hook of which nobody knows whose it is, is refused: [`refused`].
/// - One that is genuine and names nothing that is synced has no hints.
/// - It reads which records are named, and trusts nothing else.
pub trait WebhookFormat: fmt::Debug + Send + Sync + 'static {
    /// The name of the connector whose CRM sends them.
    fn connector(&self) -> &str;

    /// For whom one address receives them.
    fn reach(&self) -> Reach {
        Reach::Connection
    }

    /// The records that a genuine hook names.
    ///
    /// # Errors
    /// [`ErrorKind::Unauthorized`] where it is not genuine, [`ErrorKind::Invalid`] where it cannot be read.
    fn hints(&self, arrival: &Arrival<'_>) -> Result<Vec<Hint>>;

    /// What the CRM takes for "received".
    fn reply(&self) -> HookReply {
        HookReply::empty(StatusCode::OK)
    }
}

/// A hook that is not genuine.
pub fn refused(why: &str) -> Error {
    Error::new(ErrorKind::Unauthorized, ErrorCode::InvalidSession, format!("a webhook is refused: {why}"))
}

/// A hook that cannot be read.
pub fn unreadable(why: impl fmt::Display) -> Error {
    Error::invalid(ErrorCode::InvalidRequest, format!("a webhook cannot be read: {why}"))
}
