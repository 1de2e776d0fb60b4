//! HubSpot's webhooks journal: the news of an app's accounts, pulled, for hosts without a public address.

use std::collections::BTreeSet;
use std::sync::Arc;

use abmatic_sync_core::clock::Clock;
use abmatic_sync_core::error::{Error, ErrorCode, ErrorKind, Result};
use abmatic_sync_core::model::connection::Connection;
use abmatic_sync_core::model::resource::Resource;
use abmatic_sync_http::client::{Answer, Call, Client};
use abmatic_sync_http::clock::SystemClock;
use abmatic_sync_http::retry::Resend;
use abmatic_sync_http::transport::{ReqwestTransport, Transport};
use abmatic_sync_http::webhook::door::Door;
use abmatic_sync_http::webhook::format::Hint;
use bytes::Bytes;
use http::{Method, Request, StatusCode};
use serde::Deserialize;
use serde_json::json;
use url::Url;

use crate::api::{ADDRESS, HOSTS};
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
struct File {
    #[serde(default)]
    journal_events: Vec<Event>,
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
    portal_id: u64,
    object_type_id: Option<String>,
    #[serde(default)]
    actions: BTreeSet<String>,
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
            held.iter().any(|one| {
                let tells_all = ACTIONS.iter().all(|action| one.actions.contains(*action));
                one.portal_id == portal && one.object_type_id.as_deref() == Some(type_id) && tells_all
            })
        };
        let mut made = 0;
        for type_id in types.into_iter().filter(|type_id| !is_held(type_id)) {
            let body = json!({
                "subscriptionType": "OBJECT", "objectTypeId": type_id, "portalId": portal, "actions": ACTIONS,
                "objectIds": [], "properties": [],
            });
            let url = address(app, &self.version.journal_subscriptions())?;
            self.client.send(app, Call::post(operation, url, &body)?, Resend::Verify).await?;
            made += 1;
        }
        Ok(made)
    }

    /// Takes back what the journal tells of an account, and says how many subscriptions there were.
    ///
    /// # Errors
    /// As HubSpot.
    pub async fn unsubscribe(&self, app: &Connection, portal: &str) -> Result<usize> {
        let operation = "hubspot unsubscribe from the journal";
        let mut held = self.subscriptions(app, operation).await?;
        held.retain(|one| one.portal_id.to_string() == portal);
        for one in &held {
            let url = address(app, &format!("{}/{}", self.version.journal_subscriptions(), one.id))?;
            self.client.send(app, Call::new(operation, Method::DELETE, url), Resend::Safe).await?;
        }
        Ok(held.len())
    }

    async fn subscriptions(&self, app: &Connection, operation: &'static str) -> Result<Vec<Subscription>> {
        let url = address(app, &self.version.journal_subscriptions())?;
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
        let answer = self.client.send(app, Call::get(operation, address(app, &path)?), Resend::Read).await?;
        if answer.status() == StatusCode::NO_CONTENT {
            return Ok(None);
        }
        let Pointer { url, current_offset } = answer.json()?;
        let file = self.download(&answer, &url).await.map_err(|error| error.at(operation))?;
        let hints = file.journal_events.iter().flat_map(Event::hints).collect();
        Ok(Some(JournalPage { hints, offset: current_offset }))
    }

    /// The file stands elsewhere, at an address that is its own permission: no token goes there.
    async fn download(&self, answer: &Answer, url: &Url) -> Result<File> {
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
        serde_json::from_slice(file.body()).map_err(|error| answer.unreadable(error))
    }

    /// Marks all that is new at the door, and gives the offset to keep: files are read again from there, never passed over.
    /// Where the offset is older than what is kept, it begins with the earliest; polls and sweeps see what is missing.
    ///
    /// # Errors
    /// As HubSpot and the store. What was marked before stays marked.
    pub async fn follow(&self, app: &Connection, door: &Door, offset: Option<String>) -> Result<Option<String>> {
        let mut at = offset;
        loop {
            let page = match self.next(app, at.as_deref()).await {
                Err(error) if error.kind() == ErrorKind::NotFound && at.is_some() => self.next(app, None).await?,
                page => page?,
            };
            let Some(page) = page else { return Ok(at) };
            door.mark("hubspot", page.hints).await?;
            at = Some(page.offset);
        }
    }
}

impl Event {
    fn hints(&self) -> Vec<Hint> {
        let (Some(portal), Some(id)) = (self.portal_id, self.object_id) else { return Vec::new() };
        let resources = resources_of(self.object_type_id.as_deref().unwrap_or_default());
        resources.iter().map(|resource| Hint::new(*resource, id.to_string()).in_account(portal.to_string())).collect()
    }
}

fn address(app: &Connection, path: &str) -> Result<Url> {
    match &app.base_url {
        Some(base) => HOSTS.address(base, path),
        None => HOSTS.address(&Url::parse(ADDRESS).map_err(unusable)?, path),
    }
}

fn unusable(error: url::ParseError) -> Error {
    Error::invalid(ErrorCode::InvalidSettings, "hubspot's own address does not parse").caused_by(error)
}
