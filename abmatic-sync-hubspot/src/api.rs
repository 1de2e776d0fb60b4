//! One account's HubSpot: address, pace and what may be sent again, so that the rooms beside speak of records only.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use abmatic_sync_core::clock::Clock;
use abmatic_sync_core::error::{Error, ErrorCode, Result};
use abmatic_sync_core::model::connection::Connection;
use abmatic_sync_http::client::{Answer, Call, Client};
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

/// HubSpot's one host for every data centre.
const HOST: &str = "https://api.hubapi.com";
/// The smallest documented burst limit: private apps of free accounts ("usage guidelines"). Headers say when it is more.
const BURST: Limit = Limit::new(95, Duration::from_secs(10));
/// Five a second are allowed to all programs of an account together ("search the CRM"); one is left to the others.
const SEARCHES: Limit = Limit::new(4, Duration::from_secs(1));

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

/// The definitions of one object as one account had them when they were last asked for.
type Known = BTreeMap<(String, Object), Arc<Described>>;

/// Speaks to HubSpot for any number of connections.
#[derive(Debug)]
pub(crate) struct Api {
    client: Client,
    pub(crate) version: ApiVersion,
    pacing: Pacing,
    /// How long the search index may lag.
    pub(crate) visibility_lag: Duration,
    /// Only spares calls: another process asks again.
    known: Mutex<Known>,
    /// The portal of each connection: searches of one portal share a limit, over however many connections.
    portals: Mutex<BTreeMap<String, String>>,
}

impl Api {
    pub(crate) fn new(client: Client, version: ApiVersion, pacing: Pacing, visibility_lag: Duration) -> Self {
        Self { client, version, pacing, visibility_lag, known: Mutex::default(), portals: Mutex::default() }
    }

    pub(crate) fn clock(&self) -> &dyn Clock {
        self.client.clock().as_ref()
    }

    /// The definitions kept for `on`, if any.
    pub(crate) fn known(&self, on: &Connection, object: Object) -> Option<Arc<Described>> {
        let known = self.known.lock().unwrap_or_else(PoisonError::into_inner);
        known.get(&(account(on), object)).cloned()
    }

    /// Keeps definitions for `on`.
    pub(crate) fn learn(&self, on: &Connection, object: Object, described: Described) -> Arc<Described> {
        let described = Arc::new(described);
        let mut known = self.known.lock().unwrap_or_else(PoisonError::into_inner);
        known.insert((account(on), object), Arc::clone(&described));
        described
    }

    /// Reads.
    pub(crate) async fn get(
        &self,
        on: &Connection,
        operation: impl Into<Cow<'static, str>>,
        path: &str,
        query: &[(&str, &str)],
    ) -> Result<Answer> {
        let mut url = address(on, path)?;
        if !query.is_empty() {
            url.query_pairs_mut().extend_pairs(query);
        }
        let call = self.paced(on, Call::get(operation, url));
        self.client.send(on, call, Resend::Read).await
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
        let call = Call::post(operation, address(on, path)?, body)?;
        self.client.send(on, self.paced(on, call), resend).await
    }

    /// Changes one record; doing so twice is as good as once.
    pub(crate) async fn patch(
        &self,
        on: &Connection,
        operation: impl Into<Cow<'static, str>>,
        path: &str,
        body: &(impl Serialize + Sync + ?Sized),
    ) -> Result<Answer> {
        let call = Call::new(operation, Method::PATCH, address(on, path)?).with_json(body)?;
        self.client.send(on, self.paced(on, call), Resend::Safe).await
    }

    /// Searches, in the lane that all searches of an account share.
    pub(crate) async fn search(
        &self,
        on: &Connection,
        operation: impl Into<Cow<'static, str>>,
        object: Object,
        body: &(impl Serialize + Sync + ?Sized),
    ) -> Result<Answer> {
        let call = Call::post(operation, address(on, &self.version.search(object))?, body)?;
        let paced = if self.limits(on) {
            call.paced(Lane::new(self.portal(on).await, "search"), Some(SEARCHES))
        } else {
            call.paced(Lane::new(account(on), "search"), None)
        };
        self.client.send(on, paced, Resend::Read).await
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

    fn limits(&self, on: &Connection) -> bool {
        match self.pacing {
            Pacing::Automatic => !on.base_url.as_ref().and_then(Url::host_str).is_some_and(is_loopback),
            Pacing::Documented => true,
            Pacing::Headers => false,
        }
    }
}

/// Whose limits and definitions: the connection's, at its address.
fn account(on: &Connection) -> String {
    let host = on.base_url.as_ref().map_or(HOST, Url::as_str);
    format!("{}/{} {host}", on.tenant, on.id)
}

/// The address of a path of ours, which may carry a query.
fn address(on: &Connection, path: &str) -> Result<Url> {
    let mut url = match &on.base_url {
        Some(base) => base.clone(),
        None => Url::parse(HOST).map_err(|error| {
            Error::invalid(ErrorCode::InvalidSettings, "hubspot's own address does not parse").caused_by(error)
        })?,
    };
    if url.cannot_be_a_base() {
        return Err(Error::invalid(ErrorCode::InvalidSettings, format!("the base URL {url} is not one of HTTP")));
    }
    let (path, query) = path.split_once('?').map_or((path, None), |(path, query)| (path, Some(query)));
    let full = format!("{}{path}", url.path().trim_end_matches('/'));
    url.set_path(&full);
    url.set_query(query);
    Ok(url)
}

#[cfg(test)]
mod tests {
    use abmatic_sync_core::model::connection::Credentials;

    use super::*;

    #[test]
    fn a_base_url_may_have_a_path_of_its_own() {
        let on = |base: &str| {
            let connection = Connection::new("t", "c", "hubspot", Credentials::token("x"));
            connection.with_base_url(base.parse().unwrap())
        };
        for (base, expected) in [
            ("http://127.0.0.1:8080", "http://127.0.0.1:8080/crm/x%2Fy"),
            ("https://proxy.example.com/hubspot/", "https://proxy.example.com/hubspot/crm/x%2Fy"),
        ] {
            assert_eq!(address(&on(base), "/crm/x%2Fy").unwrap().as_str(), expected);
        }
    }
}
