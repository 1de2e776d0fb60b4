//! The door at which webhooks arrive: verified, marked, answered.

use std::collections::BTreeMap;
use std::sync::Arc;

use abmatic_sync_core::clock::Clock;
use abmatic_sync_core::error::{Error, ErrorCode, ErrorKind, Result};
use abmatic_sync_core::ids::{ConnectionId, RemoteId, TenantId};
use abmatic_sync_core::model::resource::Resource;
use abmatic_sync_core::schedule::scheduler::SchedulerHandle;
use abmatic_sync_core::store::connections::{ConnectionStore, KeptConnection};
use abmatic_sync_core::store::schedules::ScheduleKey;
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use http::StatusCode;
use secrecy::{ExposeSecret as _, SecretString};
use url::Url;

use crate::webhook::format::{Arrival, Hint, Reach, WebhookFormat, refused};
use crate::webhook::key::{HookKeys, Purpose};
use crate::webhook::request::{HookReply, HookRequest};
use crate::webhook::subscribe::HookTarget;

/// The largest body that is read, in bytes: a hundred records of Salesforce with all of their fields.
const BODY_MAX: usize = 4 * 1024 * 1024;

/// Receives the webhooks of all connections.
///
/// ```no_run
/// # use std::sync::Arc;
/// # use abmatic_sync_core::{clock::Clock, schedule::scheduler::Scheduler, store::connections::ConnectionStore};
/// # use abmatic_sync_http::webhook::{door::Door, format::WebhookFormat, key::HookKeys, request::HookRequest};
/// # async fn program(
/// #     connections: Arc<dyn ConnectionStore>, scheduler: Scheduler, clock: Arc<dyn Clock>, pipedrive: Arc<dyn WebhookFormat>,
/// #     request: HookRequest, secret: String,
/// # ) -> Result<(), abmatic_sync_core::error::Error> {
/// let public = "https://hooks.example.com/crm/".parse().unwrap();
/// let door = Door::new(public, HookKeys::new(secret)?, connections, scheduler.handle(), clock).with_format(pipedrive);
/// // In the handler of the host's route POST /crm/*:
/// let reply = door.receive(&request).await;
/// println!("{} {}", reply.status, reply.body);
/// # Ok(())
/// # }
/// ```
#[derive(Clone, Debug)]
pub struct Door {
    public: Url,
    keys: HookKeys,
    formats: Vec<Arc<dyn WebhookFormat>>,
    connections: Arc<dyn ConnectionStore>,
    scheduler: SchedulerHandle,
    clock: Arc<dyn Clock>,
}

impl Door {
    /// A door whose requests come in under this public address. What a proxy in front of the host does with the scheme and the
    /// host's name does not matter; the path has to come as it was sent.
    pub fn new(
        public: Url,
        keys: HookKeys,
        connections: Arc<dyn ConnectionStore>,
        scheduler: SchedulerHandle,
        clock: Arc<dyn Clock>,
    ) -> Self {
        Self { public, keys, formats: Vec::new(), connections, scheduler, clock }
    }

    /// Receives hooks of this format's CRM.
    #[must_use]
    pub fn with_format(mut self, format: Arc<dyn WebhookFormat>) -> Self {
        self.formats.push(format);
        self
    }

    /// Where a connection's hooks are to be sent. For an app the address is the same for all of its connections.
    ///
    /// # Errors
    /// [`ErrorCode::Unsupported`] where no format of its CRM is registered.
    pub fn target(&self, connection: &KeptConnection) -> Result<HookTarget> {
        self.targets(connection)?.into_iter().next().ok_or_else(nowhere)
    }

    /// The same by the older keys that are still taken: what was subscribed to by them is to be unsubscribed from before they
    /// go.
    ///
    /// # Errors
    /// As [`Door::target`].
    pub fn older_targets(&self, connection: &KeptConnection) -> Result<Vec<HookTarget>> {
        Ok(self.targets(connection)?.split_off(1))
    }

    fn targets(&self, connection: &KeptConnection) -> Result<Vec<HookTarget>> {
        let format = self.format(&connection.connector).ok_or_else(|| {
            let message = format!("no webhooks of {} are received: register its format", connection.connector);
            Error::invalid(ErrorCode::Unsupported, message)
        })?;
        self.keys.each().map(|key| self.target_by(key, format.as_ref(), connection)).collect()
    }

    fn target_by(
        &self,
        key: &SecretString,
        format: &dyn WebhookFormat,
        connection: &KeptConnection,
    ) -> Result<HookTarget> {
        let mut url = self.public.clone();
        let secret = HookKeys::secret(key, Purpose::Address, connection)?;
        // Ids may hold characters that proxies decode or refuse.
        let (tenant, id) = (encoded(connection.tenant.as_str()), encoded(connection.id.as_str()));
        let own = [tenant.as_str(), id.as_str(), secret.expose_secret()];
        let own: &[&str] = if format.reach() == Reach::App { &[] } else { &own };
        url.path_segments_mut()
            .map_err(|()| Error::invalid(ErrorCode::InvalidSettings, "the public address of webhooks has no path"))?
            .pop_if_empty()
            .push(format.connector())
            .extend(own);
        Ok(HookTarget { url, password: HookKeys::secret(key, Purpose::Password, connection)? })
    }

    /// Takes a hook in: what it names is marked, and looked at by the scheduler. Its answer goes back to the CRM.
    ///
    /// 401 and 404 are for whoever is not the CRM; 410 is for the CRM where the connection is no more, and lets ActiveCampaign
    /// switch the hook off; 503 lets a CRM that repeats its hooks repeat this one.
    pub async fn receive(&self, request: &HookRequest) -> HookReply {
        match self.take_in(request).await {
            Ok(reply) => reply,
            Err(error) => {
                tracing::warn!(code = error.code().as_str(), "a webhook was not taken in: {error}");
                HookReply::empty(match error.kind() {
                    ErrorKind::Unauthorized => StatusCode::UNAUTHORIZED,
                    ErrorKind::NotFound if error.code() == ErrorCode::RecordGone => StatusCode::GONE,
                    ErrorKind::NotFound => StatusCode::NOT_FOUND,
                    ErrorKind::Invalid if request.body.len() > BODY_MAX => StatusCode::PAYLOAD_TOO_LARGE,
                    ErrorKind::Invalid => StatusCode::BAD_REQUEST,
                    _ => StatusCode::SERVICE_UNAVAILABLE,
                })
            }
        }
    }

    async fn take_in(&self, request: &HookRequest) -> Result<HookReply> {
        if request.body.len() > BODY_MAX {
            let message = format!("a webhook of {} bytes is too large", request.body.len());
            return Err(Error::invalid(ErrorCode::InvalidRequest, message));
        }
        let below = self.below(request).ok_or_else(nowhere)?;
        let (name, own) = below.split_first().ok_or_else(nowhere)?;
        let format = self.format(name).ok_or_else(nowhere)?;
        let connection = match (format.reach(), own) {
            (Reach::App, []) => None,
            (Reach::Connection, [tenant, id, secret]) => Some(self.addressed(name, tenant, id, secret).await?),
            _ => return Err(nowhere()),
        };
        let arrival = Arrival {
            request,
            url: format!("{}{}", self.public.origin().ascii_serialization(), request.target),
            at: self.clock.now(),
            connection: connection.as_ref(),
            keys: &self.keys,
        };
        let hints = format.hints(&arrival)?;
        self.mark_on(name, connection, hints).await?;
        Ok(format.reply())
    }

    /// The segments of the path below the public address.
    fn below(&self, request: &HookRequest) -> Option<Vec<String>> {
        let mut segments = request.segments();
        let public: Vec<&str> = self.public.path_segments()?.filter(|segment| !segment.is_empty()).collect();
        let is_below = segments.len() > public.len() && segments.iter().zip(&public).all(|(own, known)| own == known);
        is_below.then(|| segments.split_off(public.len()))
    }

    fn format(&self, connector: &str) -> Option<&Arc<dyn WebhookFormat>> {
        self.formats.iter().find(|format| format.connector() == connector)
    }

    /// The connection that an address stands for. Whether there is one is told only to whoever knows its secret.
    async fn addressed(&self, connector: &str, tenant: &str, id: &str, secret: &str) -> Result<KeptConnection> {
        let (tenant, id) = decoded(tenant).zip(decoded(id)).ok_or_else(nowhere)?;
        let (tenant, id) = (TenantId::from(tenant.as_str()), ConnectionId::from(id.as_str()));
        let known =
            self.keys.knows(Purpose::Address, &KeptConnection::new(tenant.clone(), id.clone(), connector), secret);
        if !known {
            return Err(refused("its address is none of ours"));
        }
        let kept = self.connections.connection(&tenant, &id).await?;
        kept.filter(|kept| kept.connector == connector).ok_or_else(|| {
            Error::new(ErrorKind::NotFound, ErrorCode::RecordGone, format!("the connection {id} is no more"))
        })
    }

    /// Marks what the host was told in another way than by a hook: by a journal that it reads. Hints name their accounts.
    ///
    /// # Errors
    /// As the store.
    pub async fn mark(&self, connector: &str, hints: Vec<Hint>) -> Result<()> {
        self.mark_on(connector, None, hints).await
    }

    async fn mark_on(&self, connector: &str, connection: Option<KeptConnection>, hints: Vec<Hint>) -> Result<()> {
        let mut by_account: BTreeMap<Option<String>, BTreeMap<Resource, Vec<RemoteId>>> = BTreeMap::new();
        for hint in hints {
            by_account.entry(hint.account).or_default().entry(hint.resource).or_default().push(hint.id);
        }
        for (account, marked) in by_account {
            let connections = match (&connection, account) {
                (Some(connection), account) if account.is_none() || account == connection.account => {
                    vec![connection.clone()]
                }
                (Some(_), _) => return Err(refused("it is of another account than the one that its address is for")),
                // An account that nobody has connected any more: the CRM need not send it again.
                (None, Some(account)) => self.connections.connections_to(connector, &account).await?,
                (None, None) => return Err(refused("it does not say of which account it is")),
            };
            for connection in connections {
                for (resource, ids) in &marked {
                    let key = ScheduleKey::new(connection.tenant.clone(), connection.id.clone(), *resource);
                    self.scheduler.changed(&key, ids).await?;
                }
            }
        }
        Ok(())
    }
}

fn encoded(id: &str) -> String {
    URL_SAFE_NO_PAD.encode(id)
}

fn decoded(segment: &str) -> Option<String> {
    String::from_utf8(URL_SAFE_NO_PAD.decode(segment).ok()?).ok()
}

fn nowhere() -> Error {
    Error::new(ErrorKind::NotFound, ErrorCode::InvalidRequest, "no connection receives webhooks there")
}
