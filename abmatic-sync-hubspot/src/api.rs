//! One account's HubSpot: address, pace and what may be sent again, so that the rooms beside speak of records only.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use abmatic_sync_core::clock::Clock;
use abmatic_sync_core::error::{Error, ErrorCode, Result};
use abmatic_sync_core::model::connection::Connection;
use abmatic_sync_core::model::quota::Quota;
use abmatic_sync_http::budget::Budget;
use abmatic_sync_http::client::{Answer, Call, Client};
use abmatic_sync_http::host::Hosts;
use abmatic_sync_http::known::{Known, account};
use abmatic_sync_http::pace::{Lane, Limit};
use abmatic_sync_http::retry::Resend;
use abmatic_sync_http::transport::is_loopback;
use http::Method;
use serde::Serialize;
use url::Url;

use crate::describe::Described;
use crate::object::Object;
use crate::paths::ApiVersion;
use crate::wire::AccountDetails;

/// HubSpot's one address for every data centre.
pub(crate) const ADDRESS: &str = "https://api.hubapi.com";
/// `api.hubspot.com` works too.
pub(crate) const HOSTS: Hosts = Hosts::of("HubSpot", &["hubapi.com", "hubspot.com"]);
/// The smallest documented burst limit: private apps of free accounts ("usage guidelines"). Headers say when it is more.
const BURST: Limit = Limit::new(95, Duration::from_secs(10));
/// Five a second are allowed to all programs of an account together ("search the CRM"); one in twenty is spared.
const SEARCHES: Limit = Limit::even(19, Duration::from_secs(4));

/// The day's calls of the account ("usage guidelines"); OAuth apps are not told.
const DAY: (&str, &str) = ("x-hubspot-ratelimit-daily", "x-hubspot-ratelimit-daily-remaining");
/// The day ends at midnight of the account's own zone, so one call looks again every hour.
const LOOK_AGAIN: Duration = Duration::from_secs(3_600);

/// What slows requests down before HubSpot does.
#[non_exhaustive]
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Pacing {
    /// [`Pacing::Documented`], but [`Pacing::Headers`] where the base URL is this machine.
    #[default]
    Automatic,
    /// The documented limits, and what rate-limit headers say.
    Documented,
    /// Only what rate-limit headers say.
    Headers,
}

/// What a connector is told beyond its client and where it speaks to.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Options {
    /// How long the search index may lag.
    pub(crate) visibility_lag: Duration,
    /// How much of the day's calls may be used, by whomever.
    pub(crate) budget_percent: u8,
}

/// Speaks to HubSpot for any number of connections.
#[derive(Debug)]
pub(crate) struct Api {
    client: Client,
    hosts: Hosts,
    pub(crate) version: ApiVersion,
    pacing: Pacing,
    budget: Budget,
    /// How long the search index may lag.
    pub(crate) visibility_lag: Duration,
    /// The definitions of an object.
    pub(crate) described: Known<Object, Described>,
    /// The portal of each connection: searches of one portal share a limit, over however many connections.
    portals: Mutex<BTreeMap<String, String>>,
}

impl Api {
    pub(crate) fn new(client: Client, hosts: Hosts, version: ApiVersion, pacing: Pacing, options: Options) -> Self {
        let (described, portals) = (Known::default(), Mutex::default());
        let budget = Budget::new("calls", options.budget_percent, LOOK_AGAIN);
        let visibility_lag = options.visibility_lag;
        Self { client, hosts, version, pacing, budget, visibility_lag, described, portals }
    }

    pub(crate) fn clock(&self) -> &dyn Clock {
        self.client.clock().as_ref()
    }

    /// Reads.
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
        let call = self.paced(on, Call::get(operation, url));
        self.send(on, call, Resend::Read).await
    }

    /// Posts, to read or to write: `resend` says which.
    pub(crate) async fn post(
        &self,
        on: &Connection,
        operation: impl Into<Cow<'static, str>>,
        path: &str,
        body: &(impl Serialize + Sync + ?Sized),
        resend: Resend,
    ) -> Result<Answer> {
        let call = Call::post(operation, self.address(on, path)?, body)?;
        self.send(on, self.paced(on, call), resend).await
    }

    /// Changes one record; doing so twice is as good as once.
    pub(crate) async fn patch(
        &self,
        on: &Connection,
        operation: impl Into<Cow<'static, str>>,
        path: &str,
        body: &(impl Serialize + Sync + ?Sized),
    ) -> Result<Answer> {
        let call = Call::new(operation, Method::PATCH, self.address(on, path)?).with_json(body)?;
        self.send(on, self.paced(on, call), Resend::Safe).await
    }

    /// Searches, in the lane that all searches of an account share.
    pub(crate) async fn search(
        &self,
        on: &Connection,
        operation: impl Into<Cow<'static, str>>,
        object: Object,
        body: &(impl Serialize + Sync + ?Sized),
    ) -> Result<Answer> {
        let call = Call::post(operation, self.address(on, &self.version.search(object))?, body)?;
        let paced = if self.limits(on) {
            call.paced(Lane::new(self.portal(on).await, "search"), Some(SEARCHES))
        } else {
            call.paced(Lane::new(account(on), "search"), None)
        };
        self.send(on, paced, Resend::Read).await
    }

    /// Sends within the day's budget.
    async fn send(&self, on: &Connection, call: Call, resend: Resend) -> Result<Answer> {
        let account = account(on);
        self.budget.take(&account, 1, self.clock().now())?;
        let answer = self.client.send(on, call, resend).await?;
        self.budget.observe_headers(&account, answer.headers(), DAY, self.clock().now());
        Ok(answer)
    }

    /// What is known to be left of the day.
    pub(crate) fn quota(&self, on: &Connection) -> Option<Quota> {
        self.budget.quota(&account(on))
    }

    /// Whose search limit counts: the portal's; the connection's own where the token may not ask.
    async fn portal(&self, on: &Connection) -> String {
        let account = account(on);
        let held = self.portals.lock().unwrap_or_else(PoisonError::into_inner).get(&account).cloned();
        if let Some(held) = held {
            return held;
        }
        let asked = self.get(on, "hubspot read account", &self.version.account_details(), &[]).await;
        let details = asked.and_then(|answer| answer.json::<AccountDetails>());
        let portal = details.map_or_else(|_| account.clone(), |details| format!("portal {}", details.portal_id.0));
        self.portals.lock().unwrap_or_else(PoisonError::into_inner).insert(account, portal.clone());
        portal
    }

    fn paced(&self, on: &Connection, call: Call) -> Call {
        call.paced(Lane::new(account(on), "burst"), self.limits(on).then_some(BURST))
    }

    fn address(&self, on: &Connection, path: &str) -> Result<Url> {
        within(&self.hosts, on, path)
    }

    fn limits(&self, on: &Connection) -> bool {
        match self.pacing {
            Pacing::Automatic => !on.base_url.as_ref().and_then(Url::host_str).is_some_and(is_loopback),
            Pacing::Documented => true,
            Pacing::Headers => false,
        }
    }
}

/// A path at HubSpot's address, or at the connection's own if that is one of HubSpot's hosts.
pub(crate) fn address_of(on: &Connection, path: &str) -> Result<Url> {
    within(&HOSTS, on, path)
}

fn within(hosts: &Hosts, on: &Connection, path: &str) -> Result<Url> {
    match &on.base_url {
        Some(base) => hosts.address(base, path),
        None => hosts.address(&own_address()?, path),
    }
}

fn own_address() -> Result<Url> {
    Url::parse(ADDRESS).map_err(|error| {
        Error::invalid(ErrorCode::InvalidSettings, "hubspot's own address does not parse").caused_by(error)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tokens_go_to_hubspot_only() {
        for (base, good) in [
            ("https://api.hubapi.com", true),
            ("https://api.hubspot.com", true),
            ("https://proxy.example.com/hubspot", false),
            ("https://hubapi.com.evil.net", false),
        ] {
            assert_eq!(HOSTS.check(&base.parse().unwrap()).is_ok(), good, "{base}");
        }
    }
}
