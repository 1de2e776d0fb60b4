//! One account's ActiveCampaign: address, pace and what may be sent again, so that the rooms beside speak of records only.

use std::borrow::Cow;
use std::time::Duration;

use abmatic_sync_core::clock::Clock;
use abmatic_sync_core::error::{Error, ErrorCode, ErrorKind, Result};
use abmatic_sync_core::model::connection::Connection;
use abmatic_sync_http::client::{Answer, Call, Client};
use abmatic_sync_http::host::Hosts;
use abmatic_sync_http::known::Known;
use abmatic_sync_http::pace::{Lane, Limit};
use abmatic_sync_http::retry::Resend;
use abmatic_sync_http::transport::is_loopback;
use http::Method;
use serde::de::IgnoredAny;
use serde_json::Value as Json;
use url::Url;

use crate::custom::AllValues;
use crate::describe::Described;
use crate::event::EventTracking;
use crate::object::Object;

/// Accounts' own hosts ("API URL"); other accounts have other hosts, which the host program allows.
pub(crate) const HOSTS: Hosts = Hosts::of("ActiveCampaign", &["api-us1.com", "activehosted.com"]);
/// Five a second are allowed to all programs of an account together ("Rate limits"); one in twenty is spared.
const LIMIT: Limit = Limit::even(19, Duration::from_secs(4));
/// Large pages come cut off now and then (singer-io/tap-activecampaign 0.0.4, 1.0.0): so often they are read in all.
const READS_MAX: usize = 3;
const READ_AGAIN: Duration = Duration::from_secs(1);

/// What slows requests down before ActiveCampaign does.
#[non_exhaustive]
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Pacing {
    /// [`Pacing::Documented`], but [`Pacing::Headers`] where the base URL is this machine.
    #[default]
    Automatic,
    /// Nearly five calls a second, and what rate-limit headers say.
    Documented,
    /// Only what rate-limit headers say.
    Headers,
}

/// What a connector is told beyond its client.
#[derive(Clone, Debug)]
pub(crate) struct Options {
    pub(crate) hosts: Hosts,
    pub(crate) pacing: Pacing,
    /// How many calls for single records are on their way at once.
    pub(crate) calls_at_once: usize,
    /// How long a create that was cut off may still be at work.
    pub(crate) settle: Duration,
    /// How long an import is waited for.
    pub(crate) import_wait: Duration,
    pub(crate) events: Option<EventTracking>,
}

/// Speaks to ActiveCampaign for any number of connections.
#[derive(Debug)]
pub(crate) struct Api {
    client: Client,
    pub(crate) options: Options,
    pub(crate) described: Known<Object, Described>,
    /// The id of the key's user.
    pub(crate) me: Known<(), String>,
    /// Values of custom fields, while a walk lasts.
    pub(crate) values: Known<Object, AllValues>,
}

impl Api {
    pub(crate) fn new(client: Client, options: Options) -> Self {
        Self { client, options, described: Known::default(), me: Known::default(), values: Known::default() }
    }

    pub(crate) fn clock(&self) -> &dyn Clock {
        self.client.clock().as_ref()
    }

    /// Reads a path of the API.
    pub(crate) async fn get(
        &self,
        on: &Connection,
        operation: impl Into<Cow<'static, str>>,
        path: &str,
        query: &[(&str, &str)],
    ) -> Result<Answer> {
        let mut url = self.address(on, path)?;
        if !query.is_empty() {
            url.query_pairs_mut().extend_pairs(query);
        }
        let operation = operation.into();
        let call = || Ok(self.paced(on, Call::get(operation.clone(), url.clone())));
        let mut answer = self.admitted(on, call, Resend::Read).await?;
        for _ in 1..READS_MAX {
            if serde_json::from_slice::<IgnoredAny>(answer.body()).is_ok() {
                break;
            }
            self.clock().sleep(READ_AGAIN).await;
            answer = self.admitted(on, call, Resend::Read).await?;
        }
        Ok(answer)
    }

    /// Writes: `resend` says whether twice is as good as once.
    pub(crate) async fn send(
        &self,
        on: &Connection,
        operation: impl Into<Cow<'static, str>>,
        (method, path): (Method, &str),
        body: Option<&Json>,
        resend: Resend,
    ) -> Result<Answer> {
        let (operation, url) = (operation.into(), self.address(on, path)?);
        let call = || {
            let call = Call::new(operation.clone(), method.clone(), url.clone());
            let call = match body {
                Some(body) => call.with_json(body)?,
                None => call,
            };
            Ok(self.paced(on, call))
        };
        self.admitted(on, call, resend).await
    }

    /// A bad key, a missing permission and a mere mood are all 403: whoever the key is asked for tells the first from the
    /// others, and once more the second from the third (singer-io/tap-activecampaign 1.3.1).
    async fn admitted(&self, on: &Connection, call: impl Fn() -> Result<Call>, resend: Resend) -> Result<Answer> {
        let refused = match self.client.send(on, call()?, resend).await {
            Err(error) if error.kind() == ErrorKind::Unauthorized => error,
            sent => return sent,
        };
        let me = Call::get("activecampaign read the key's user", self.address(on, "users/me")?);
        if self.client.send(on, self.paced(on, me), Resend::Read).await.is_err() {
            return Err(refused);
        }
        match self.client.send(on, call()?, resend).await {
            Err(error) if error.kind() == ErrorKind::Unauthorized => {
                let message = format!(
                    "{}: the API key itself is good, but its user lacks a permission, or the plan this feature",
                    error.message()
                );
                Err(Error::new(ErrorKind::Forbidden, ErrorCode::InsufficientAccess, message))
            }
            sent => sent,
        }
    }

    /// All connections to one host share its limit, whosever they are.
    fn paced(&self, on: &Connection, call: Call) -> Call {
        let host = on.base_url.as_ref().and_then(Url::host_str).unwrap_or_default();
        let port = on.base_url.as_ref().and_then(Url::port).unwrap_or_default();
        let limits = match self.options.pacing {
            Pacing::Automatic => !is_loopback(host),
            Pacing::Documented => true,
            Pacing::Headers => false,
        };
        call.paced(Lane::new(format!("{host}:{port}"), "calls"), limits.then_some(LIMIT))
    }

    /// People paste the address with or without what follows the host.
    fn address(&self, on: &Connection, path: &str) -> Result<Url> {
        let Some(base) = &on.base_url else {
            let message = "the connection needs the account's API URL as its base URL, such as https://example.api-us1.com: \
                           Settings → Developer shows it";
            return Err(Error::invalid(ErrorCode::InvalidSettings, message));
        };
        let mut base = base.clone();
        let bare = base.path().trim_end_matches('/').trim_end_matches("/api/3").to_owned();
        base.set_path(&bare);
        self.options.hosts.address(&base, &format!("/api/3/{path}"))
    }
}
