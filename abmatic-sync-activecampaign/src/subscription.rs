//! Subscriptions to ActiveCampaign's webhooks: one for all events of a connection.

use std::collections::BTreeSet;

use abmatic_sync_core::error::Result;
use abmatic_sync_core::model::connection::Connection;
use abmatic_sync_core::model::resource::Resource;
use abmatic_sync_http::client::removed;
use abmatic_sync_http::retry::Resend;
use abmatic_sync_http::webhook::subscribe::{HookTarget, Subscriber};
use async_trait::async_trait;
use http::Method;
use serde_json::{Value as Json, json};

use crate::api::Api;
use crate::connector::ActiveCampaignConnector;
use crate::webhook::events_of;
use crate::wire::{id, rows, unexpected};

const WEBHOOKS: &str = "webhooks";
/// All of them: without `api`, changes by other programs would not be told ("Webhooks": sources).
const SOURCES: [&str; 4] = ["public", "admin", "api", "system"];

/// A subscription, as far as it tells whether it will do.
#[derive(Debug)]
struct Subscription {
    id: String,
    events: BTreeSet<String>,
}

#[async_trait]
impl Subscriber for ActiveCampaignConnector {
    async fn subscribe(&self, on: &Connection, target: &HookTarget, resources: &[Resource]) -> Result<usize> {
        let operation = "activecampaign subscribe to webhooks";
        let wanted: BTreeSet<&str> = resources.iter().flat_map(|resource| events_of(*resource)).copied().collect();
        let held = held(self.api(), on, target, operation).await?;
        let lacks = |one: &Subscription| wanted.iter().any(|event| !one.events.contains(*event));
        if wanted.is_empty() || held.iter().any(|one| !lacks(one)) {
            return Ok(0);
        }
        let known = held.first();
        let events: BTreeSet<&str> =
            known.iter().flat_map(|one| one.events.iter().map(String::as_str)).chain(wanted.iter().copied()).collect();
        let body = json!({"webhook": {
            "name": "abmatic-sync", "url": target.url.as_str(), "events": events, "sources": SOURCES,
        }});
        let (method, path, resend) = match known {
            Some(one) => (Method::PUT, format!("{WEBHOOKS}/{}", one.id), Resend::Safe),
            None => (Method::POST, WEBHOOKS.to_owned(), Resend::Verify),
        };
        self.api().send(on, operation, (method, &path), Some(&body), resend).await?;
        Ok(1)
    }

    async fn unsubscribe(&self, on: &Connection, target: &HookTarget) -> Result<usize> {
        let operation = "activecampaign unsubscribe from webhooks";
        let held = held(self.api(), on, target, operation).await?;
        for one in &held {
            let path = format!("{WEBHOOKS}/{}", one.id);
            removed(self.api().send(on, operation, (Method::DELETE, &path), None, Resend::Safe).await)?;
        }
        Ok(held.len())
    }
}

/// Those that send to the target. What the parameter finds is looked at: one that is not known finds all.
async fn held(api: &Api, on: &Connection, target: &HookTarget, operation: &'static str) -> Result<Vec<Subscription>> {
    let answer = api.get(on, operation, WEBHOOKS, &[("filters[url]", target.url.as_str()), ("limit", "100")]).await?;
    let mut body: Json = answer.json()?;
    let found = rows(&answer, &mut body, WEBHOOKS)?;
    let own = found.iter().filter(|row| row.get("url").and_then(Json::as_str) == Some(target.url.as_str()));
    own.map(|row| {
        let events = row.get("events").and_then(Json::as_array).into_iter().flatten().filter_map(Json::as_str);
        let number = id(row, "id").ok_or_else(|| unexpected(&answer, "webhooks.id"))?;
        Ok(Subscription { id: number, events: events.map(str::to_owned).collect() })
    })
    .collect()
}
