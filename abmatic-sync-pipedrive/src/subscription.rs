//! Subscriptions to Pipedrive's webhooks, one an object, which only API v1 makes.

use abmatic_sync_core::error::Result;
use abmatic_sync_core::model::connection::Connection;
use abmatic_sync_core::model::resource::Resource;
use abmatic_sync_http::client::removed;
use abmatic_sync_http::retry::Resend;
use abmatic_sync_http::webhook::subscribe::{HookTarget, Subscriber};
use async_trait::async_trait;
use http::Method;
use secrecy::ExposeSecret as _;
use serde::Deserialize;
use serde_json::{Value as Json, json};

use crate::api::Api;
use crate::connector::PipedriveConnector;
use crate::webhook::entity_of;
use crate::wire::Listing;

const WEBHOOKS: &str = "/api/v1/webhooks";
/// The name that Pipedrive brings with the password.
const USER: &str = "abmatic-sync";

/// A subscription, as far as it tells whose it is.
#[derive(Debug, Deserialize)]
struct Subscription {
    id: u64,
    event_object: String,
    subscription_url: String,
    #[serde(default)]
    is_active: Json,
    #[serde(default)]
    remove_time: Option<String>,
}

impl Subscription {
    /// Pipedrive keeps the rows of those that it removed after failures.
    fn is_live(&self) -> bool {
        let is_off = self.is_active == false || self.is_active == 0;
        !is_off && self.remove_time.as_deref().is_none_or(str::is_empty)
    }
}

#[async_trait]
impl Subscriber for PipedriveConnector {
    async fn subscribe(&self, on: &Connection, target: &HookTarget, resources: &[Resource]) -> Result<usize> {
        let operation = "pipedrive subscribe to webhooks";
        let held = held(self.api(), on, target, operation).await?;
        let wanted = resources.iter().filter_map(|resource| entity_of(*resource));
        let mut made = 0;
        for entity in wanted.filter(|entity| held.iter().all(|one| one.event_object != *entity)) {
            let body = json!({
                "subscription_url": target.url.as_str(), "event_action": "*", "event_object": entity, "version": "2.0",
                "name": format!("{USER} {entity}"), "http_auth_user": USER,
                "http_auth_password": target.password.expose_secret(),
            });
            self.api().send(on, operation, (Method::POST, WEBHOOKS), Some(&body), Resend::Verify).await?;
            made += 1;
        }
        Ok(made)
    }

    async fn unsubscribe(&self, on: &Connection, target: &HookTarget) -> Result<usize> {
        let operation = "pipedrive unsubscribe from webhooks";
        let held = held(self.api(), on, target, operation).await?;
        for one in &held {
            let path = format!("{WEBHOOKS}/{}", one.id);
            removed(self.api().send(on, operation, (Method::DELETE, &path), None, Resend::Safe).await)?;
        }
        Ok(held.len())
    }
}

/// Those that send to the target. There are 40 a user at the most, on one page.
async fn held(api: &Api, on: &Connection, target: &HookTarget, operation: &'static str) -> Result<Vec<Subscription>> {
    let answer = api.get(on, operation, WEBHOOKS, &[]).await?;
    let listing: Listing<'_> = answer.json()?;
    let rows = listing.data.iter().map(|raw| serde_json::from_str(raw.get()).map_err(|error| answer.unreadable(error)));
    let mut rows = rows.collect::<Result<Vec<Subscription>>>()?;
    rows.retain(|one| one.subscription_url == target.url.as_str() && one.is_live());
    Ok(rows)
}
