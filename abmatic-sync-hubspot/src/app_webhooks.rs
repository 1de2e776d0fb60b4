//! Subscriptions to webhooks of a HubSpot app that is managed by API (legacy public apps): one address for all accounts.

use std::collections::BTreeSet;
use std::sync::Arc;

use abmatic_sync_core::clock::Clock;
use abmatic_sync_core::error::Result;
use abmatic_sync_core::ids::FieldName;
use abmatic_sync_core::model::connection::Connection;
use abmatic_sync_core::model::resource::Resource;
use abmatic_sync_http::client::{Answer, Call, Client, removed};
use abmatic_sync_http::clock::SystemClock;
use abmatic_sync_http::retry::Resend;
use abmatic_sync_http::transport::{ReqwestTransport, Transport};
use abmatic_sync_http::webhook::subscribe::HookTarget;
use http::Method;
use serde::Deserialize;
use serde_json::{Value as Json, json};

use crate::api::address_of;
use crate::errors::HubspotDialect;
use crate::object::Object;
use crate::paths::ApiVersion;
use crate::wire::IdText;

/// What is told of each object besides changes of its properties ("Webhooks": types).
const EVENTS: [&str; 5] = ["associationChange", "creation", "deletion", "merge", "restore"];
/// A change of one property.
const PROPERTY: &str = "propertyChange";
/// Properties of which no changes are told.
const UNTOLD: [&str; 3] = ["hs_lastmodifieddate", "lastmodifieddate", "num_unique_conversion_events"];
/// How many requests HubSpot may have under way at once: its own default.
const REQUESTS_AT_ONCE: u32 = 10;

/// The webhooks of one app. Its connection holds the developer's token, and belongs to no customer.
///
/// Apps that are built as projects name their subscriptions in their own files, and private apps in HubSpot's pages: neither
/// is managed here.
///
/// ```no_run
/// # use abmatic_sync_core::{ids::FieldName, model::{connection::Connection, resource::Resource}, store::connections::KeptConnection};
/// # use abmatic_sync_http::webhook::door::Door;
/// use abmatic_sync_hubspot::app_webhooks::HubspotAppWebhooks;
/// # async fn program(app: Connection, door: Door, one: KeptConnection) -> Result<(), abmatic_sync_core::error::Error> {
/// let webhooks = HubspotAppWebhooks::new(1_160_452);
/// let wanted = [(Resource::Account, [FieldName::from("name"), FieldName::from("domain")].into())];
/// webhooks.subscribe(&app, &door.target(&one)?, &wanted).await?;
/// # Ok(())
/// # }
/// ```
#[derive(Debug)]
pub struct HubspotAppWebhooks {
    client: Client,
    version: ApiVersion,
    app_id: u64,
}

#[derive(Debug, Deserialize)]
struct Subscriptions {
    #[serde(default)]
    results: Vec<Subscription>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Subscription {
    id: IdText,
    event_type: String,
    property_name: Option<String>,
    #[serde(default)]
    active: bool,
}

/// An event, and the property that it is about, if it is about one.
type Event = (String, Option<String>);

impl HubspotAppWebhooks {
    /// Those of the app with this id.
    pub fn new(app_id: u64) -> Self {
        Self::over(app_id, Arc::new(ReqwestTransport::default()), Arc::new(SystemClock))
    }

    /// The same over another transport and clock.
    pub fn over(app_id: u64, transport: Arc<dyn Transport>, clock: Arc<dyn Clock>) -> Self {
        let client = Client::new(transport, clock, Arc::new(HubspotDialect));
        Self { client, version: ApiVersion::default(), app_id }
    }

    /// The version of HubSpot's API.
    #[must_use]
    pub fn with_api_version(mut self, version: ApiVersion) -> Self {
        self.version = version;
        self
    }

    /// Sees to it that news of these resources, and changes of these of their properties, are sent to the target: for every
    /// account that has the app. Says how many subscriptions it had to make or to switch on; what is there already stays.
    ///
    /// # Errors
    /// As HubSpot; [`abmatic_sync_core::error::ErrorCode::Unsupported`] for a resource that it does not keep.
    pub async fn subscribe(
        &self,
        app: &Connection,
        target: &HookTarget,
        wanted: &[(Resource, BTreeSet<FieldName>)],
    ) -> Result<usize> {
        let settings = json!({
            "targetUrl": target.url.as_str(), "throttling": {"maxConcurrentRequests": REQUESTS_AT_ONCE},
        });
        self.send(app, Method::PUT, "settings", Some(&settings)).await?;
        let mut events: BTreeSet<Event> = BTreeSet::new();
        for (resource, properties) in wanted {
            let object = singular(Object::of(*resource)?);
            events.extend(EVENTS.iter().map(|event| (format!("{object}.{event}"), None)));
            let told = properties.iter().filter(|name| !UNTOLD.contains(&name.as_str()));
            events.extend(told.map(|name| (format!("{object}.{PROPERTY}"), Some(name.to_string()))));
        }
        let held = self.held(app).await?;
        let mut made = 0;
        for (event, property) in events {
            let known = held.iter().find(|one| one.event_type == event && one.property_name == property);
            match known {
                Some(one) if one.active => continue,
                Some(one) => {
                    let path = format!("subscriptions/{}", one.id.0);
                    self.send(app, Method::PATCH, &path, Some(&json!({"active": true}))).await?;
                }
                None => {
                    let mut body = json!({"eventType": event, "active": true});
                    if let Some(property) = property {
                        body["propertyName"] = property.into();
                    }
                    self.send(app, Method::POST, "subscriptions", Some(&body)).await?;
                }
            }
            made += 1;
        }
        Ok(made)
    }

    /// Takes all subscriptions to news of companies, contacts and deals back, and says how many there were.
    ///
    /// # Errors
    /// As HubSpot.
    pub async fn unsubscribe(&self, app: &Connection) -> Result<usize> {
        let mut held = self.held(app).await?;
        let objects = [Object::Companies, Object::Contacts, Object::Deals].map(singular);
        held.retain(|one| one.event_type.split_once('.').is_some_and(|(object, _)| objects.contains(&object)));
        for one in &held {
            removed(self.send(app, Method::DELETE, &format!("subscriptions/{}", one.id.0), None).await)?;
        }
        Ok(held.len())
    }

    async fn held(&self, app: &Connection) -> Result<Vec<Subscription>> {
        let url = address_of(app, &self.version.app_webhooks(self.app_id, "subscriptions"))?;
        let answer = self.client.send(app, Call::get("hubspot read webhooks", url), Resend::Read).await?;
        answer.json::<Subscriptions>().map(|all| all.results)
    }

    async fn send(&self, app: &Connection, method: Method, path: &str, body: Option<&Json>) -> Result<Answer> {
        let resend = if method == Method::POST { Resend::Verify } else { Resend::Safe };
        let url = address_of(app, &self.version.app_webhooks(self.app_id, path))?;
        let call = Call::new("hubspot set up webhooks", method, url);
        let call = match body {
            Some(body) => call.with_json(body)?,
            None => call,
        };
        self.client.send(app, call, resend).await
    }
}

fn singular(object: Object) -> &'static str {
    match object {
        Object::Companies => "company",
        Object::Contacts => "contact",
        Object::Deals => "deal",
    }
}
