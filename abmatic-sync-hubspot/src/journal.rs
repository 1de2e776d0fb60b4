//! HubSpot's webhooks journal: the news of an app's accounts, pulled, for hosts without a public address.

use std::collections::BTreeSet;
use std::sync::Arc;

use abmatic_sync_core::clock::Clock;
use abmatic_sync_core::error::{Error, ErrorCode, ErrorKind, Result};
use abmatic_sync_core::model::connection::Connection;
use abmatic_sync_core::model::resource::Resource;
use abmatic_sync_http::client::{Call, Client};
use abmatic_sync_http::clock::SystemClock;
use abmatic_sync_http::retry::Resend;
use abmatic_sync_http::transport::{ReqwestTransport, Transport};
use abmatic_sync_http::webhook::door::Door;
use abmatic_sync_http::webhook::format::Hint;
use bytes::Bytes;
use http::{Method, Request, StatusCode};
use serde::Deserialize;
use serde_json::json;
use serde_json::value::RawValue;
use url::Url;

use crate::api::address_of;
use crate::errors::HubspotDialect;
use crate::paths::ApiVersion;
use crate::webhook::{object_type_of, resources_of};

/// What is subscribed to of each object ("Webhooks journal").
const ACTIONS: [&str; 5] = ["CREATE", "UPDATE", "DELETE", "MERGE", "RESTORE"];

/// The journal of one app. Its connection is the app's own: its token is had by the app's credentials and
/// [`crate::oauth::JOURNAL_SCOPES`].
///
/// ```no_run
/// # use abmatic_sync_core::model::connection::Connection;
/// # use abmatic_sync_http::webhook::door::Door;
/// use abmatic_sync_hubspot::journal::HubspotJournal;
/// # async fn program(app: Connection, door: Door, kept: Option<String>) -> Result<(), abmatic_sync_core::error::Error> {
/// let journal = HubspotJournal::new();
/// // Each minute or so: what is new is marked, and the offset is kept for the next time.
/// let offset = journal.follow(&app, &door, kept).await?;
/// println!("{offset:?}");
/// # Ok(())
/// # }
/// ```
#[derive(Debug)]
pub struct HubspotJournal {
    client: Client,
    transport: Arc<dyn Transport>,
    version: ApiVersion,
}

/// One file of the journal.
#[non_exhaustive]
#[derive(Clone, Debug)]
pub struct JournalPage {
    /// The records that it names.
    pub hints: Vec<Hint>,
    /// Where to go on.
    pub offset: String,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Pointer {
    url: Url,
    current_offset: String,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
struct File<'a> {
    #[serde(default, borrow)]
    journal_events: Option<Vec<&'a RawValue>>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Event {
    portal_id: Option<u64>,
    object_type_id: Option<String>,
    object_id: Option<u64>,
}

#[derive(Debug, Deserialize)]
struct Subscriptions {
    #[serde(default)]
    results: Vec<Subscription>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Subscription {
    id: u64,
    portal_id: Option<u64>,
    subscription_type: Option<String>,
    object_type_id: Option<String>,
    #[serde(default)]
    actions: Option<BTreeSet<String>>,
    #[serde(default)]
    object_ids: Option<Vec<serde_json::Value>>,
    #[serde(default)]
    properties: Option<Vec<serde_json::Value>>,
}

impl Default for HubspotJournal {
    fn default() -> Self {
        Self::new()
    }
}

impl HubspotJournal {
    /// The journal of production.
    pub fn new() -> Self {
        Self::over(Arc::new(ReqwestTransport::default()), Arc::new(SystemClock))
    }

    /// The same over another transport and clock.
    pub fn over(transport: Arc<dyn Transport>, clock: Arc<dyn Clock>) -> Self {
        let client = Client::new(Arc::clone(&transport), clock, Arc::new(HubspotDialect));
        Self { client, transport, version: ApiVersion::default() }
    }

    /// Sees to it that the journal tells of these resources of an account that has installed the app, and says how many
    /// subscriptions it had to make.
    ///
    /// # Errors
    /// As HubSpot: [`ErrorKind::Forbidden`] where the app's token lacks a scope.
    pub async fn subscribe(&self, app: &Connection, portal: &str, resources: &[Resource]) -> Result<usize> {
        let operation = "hubspot subscribe to the journal";
        let portal: u64 = portal.parse().map_err(|_| {
            Error::invalid(ErrorCode::InvalidSettings, format!("a portal's id is a number, and \"{portal}\" is none"))
        })?;
        let held = self.subscriptions(app, operation).await?;
        let mut types: Vec<&str> = resources.iter().filter_map(|resource| object_type_of(*resource)).collect();
        types.sort_unstable();
        types.dedup();
        let is_held = |type_id: &str| {
            held.iter().any(|one| one.is_ours(portal) && one.object_type_id.as_deref() == Some(type_id))
        };
        let mut made = 0;
        for type_id in types.into_iter().filter(|type_id| !is_held(type_id)) {
            let body = json!({
                "subscriptionType": "OBJECT", "objectTypeId": type_id, "portalId": portal, "actions": ACTIONS,
                "objectIds": [], "properties": [],
            });
            let url = address_of(app, &self.version.journal_subscriptions())?;
            self.client.send(app, Call::post(operation, url, &body)?, Resend::Verify).await?;
            made += 1;
        }
        Ok(made)
    }

    /// Takes back what [`HubspotJournal::subscribe`] asked for, and says how many subscriptions there were. Others of the app
    /// stay.
    ///
    /// # Errors
    /// As HubSpot.
    pub async fn unsubscribe(&self, app: &Connection, portal: &str) -> Result<usize> {
        let operation = "hubspot unsubscribe from the journal";
        let mut held = self.subscriptions(app, operation).await?;
        held.retain(|one| portal.parse().is_ok_and(|portal| one.is_ours(portal)));
        for one in &held {
            let url = address_of(app, &format!("{}/{}", self.version.journal_subscriptions(), one.id))?;
            self.client.send(app, Call::new(operation, Method::DELETE, url), Resend::Safe).await?;
        }
        Ok(held.len())
    }

    async fn subscriptions(&self, app: &Connection, operation: &'static str) -> Result<Vec<Subscription>> {
        let url = address_of(app, &self.version.journal_subscriptions())?;
        let answer = self.client.send(app, Call::get(operation, url), Resend::Read).await?;
        answer.json::<Subscriptions>().map(|all| all.results)
    }

    /// The file after `offset`, or the earliest that is kept; `None` where there is nothing new.
    ///
    /// # Errors
    /// As HubSpot: [`ErrorKind::NotFound`] for an offset that is older than what is kept, three days.
    pub async fn next(&self, app: &Connection, offset: Option<&str>) -> Result<Option<JournalPage>> {
        let operation = "hubspot read the journal";
        let path = match offset {
            Some(offset) => self.version.journal_after(offset),
            None => self.version.journal_earliest(),
        };
        let answer = self.client.send(app, Call::get(operation, address_of(app, &path)?), Resend::Read).await?;
        if answer.status() == StatusCode::NO_CONTENT {
            return Ok(None);
        }
        let Pointer { url, current_offset } = answer.json()?;
        let file = self.download(&url).await.map_err(|error| error.at(operation))?;
        let File { journal_events } = serde_json::from_slice(&file).map_err(|error| answer.unreadable(error))?;
        // Events of other kinds stand in the same files; what is none of ours is passed over.
        let events = journal_events.unwrap_or_default().into_iter();
        let events = events.filter_map(|raw| serde_json::from_str::<Event>(raw.get()).ok());
        Ok(Some(JournalPage { hints: events.flat_map(|event| event.hints()).collect(), offset: current_offset }))
    }

    /// The file stands elsewhere, at an address that is its own permission: no token goes there.
    async fn download(&self, url: &Url) -> Result<Bytes> {
        let mut request = Request::new(Bytes::new());
        *request.uri_mut() = url.as_str().parse().map_err(|error: http::uri::InvalidUri| {
            let message = "the journal names a file at an address that is not one of HTTP";
            Error::new(ErrorKind::Undocumented, ErrorCode::InvalidAnswer, message).caused_by(error)
        })?;
        let lost = |why: String| Error::new(ErrorKind::Unavailable, ErrorCode::ConnectionLost, why);
        let file = self.transport.send(request).await.map_err(|error| lost(error.to_string()).caused_by(error))?;
        if !file.status().is_success() {
            return Err(lost(format!("a file of the journal answers HTTP {}", file.status().as_u16())));
        }
        Ok(file.into_body())
    }

    /// Marks all that is new at the door, and gives the offset to keep: files are read again from there, never passed over.
    /// Where the offset is older than what is kept, it begins with the earliest; polls and sweeps see what is missing. What
    /// fails after some files were marked is tried again from there by the next call.
    ///
    /// # Errors
    /// As HubSpot and the store, where nothing was marked before.
    pub async fn follow(&self, app: &Connection, door: &Door, offset: Option<String>) -> Result<Option<String>> {
        let mut at = offset;
        let mut page = match self.next(app, at.as_deref()).await {
            Err(error) if error.kind() == ErrorKind::NotFound && at.is_some() => self.next(app, None).await?,
            page => page?,
        };
        while let Some(JournalPage { hints, offset }) = page {
            door.mark("hubspot", hints).await?;
            at = Some(offset);
            page = match self.next(app, at.as_deref()).await {
                Ok(page) => page,
                Err(error) => {
                    tracing::warn!(code = error.code().as_str(), "the journal was followed in part: {error}");
                    return Ok(at);
                }
            };
        }
        Ok(at)
    }
}

impl Subscription {
    /// Whether it tells of all that happens to an object, as those do that are made here.
    fn is_ours(&self, portal: u64) -> bool {
        let is_whole = |list: &Option<Vec<serde_json::Value>>| list.as_ref().is_none_or(Vec::is_empty);
        let tells_all = |told: &BTreeSet<String>| ACTIONS.iter().all(|action| told.contains(*action));
        self.portal_id == Some(portal)
            && self.subscription_type.as_deref().is_none_or(|word| word == "OBJECT")
            && self.object_type_id.as_deref().is_some_and(|known| !resources_of(known).is_empty())
            && self.actions.as_ref().is_some_and(tells_all)
            && is_whole(&self.object_ids)
            && is_whole(&self.properties)
    }
}

impl Event {
    fn hints(&self) -> Vec<Hint> {
        let (Some(portal), Some(id)) = (self.portal_id, self.object_id) else { return Vec::new() };
        let resources = resources_of(self.object_type_id.as_deref().unwrap_or_default());
        resources.iter().map(|resource| Hint::new(*resource, id.to_string()).in_account(portal.to_string())).collect()
    }
}
