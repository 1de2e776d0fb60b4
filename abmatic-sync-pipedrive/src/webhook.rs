//! Pipedrive's webhooks, version 2: an address for each connection, and a password that Pipedrive brings.

use abmatic_sync_core::error::Result;
use abmatic_sync_core::ids::RemoteId;
use abmatic_sync_core::model::resource::Resource;
use abmatic_sync_http::webhook::format::{Arrival, Hint, WebhookFormat, refused, unreadable};
use serde::Deserialize;

/// The webhooks of Pipedrive, which [`crate::PipedriveConnector`] subscribes to.
///
/// They are not signed: what proves them is the address, which nobody else knows, and the password in their Basic
/// authentication.
///
/// ```
/// use abmatic_sync_http::webhook::format::WebhookFormat;
/// use abmatic_sync_pipedrive::webhook::PipedriveWebhooks;
/// assert_eq!(PipedriveWebhooks.connector(), "pipedrive");
/// ```
#[expect(clippy::exhaustive_structs, reason = "it has nothing to choose")]
#[derive(Clone, Copy, Debug, Default)]
pub struct PipedriveWebhooks;

impl WebhookFormat for PipedriveWebhooks {
    fn connector(&self) -> &'static str {
        "pipedrive"
    }

    fn hints(&self, arrival: &Arrival<'_>) -> Result<Vec<Hint>> {
        if !arrival.has_password() {
            return Err(refused("it does not bring its connection's password"));
        }
        let Event { meta } = serde_json::from_slice(&arrival.request.body).map_err(unreadable)?;
        let Some(resource) = resource_of(&meta.entity) else { return Ok(Vec::new()) };
        let ids = [Some(meta.entity_id), meta.merged_to_id, meta.merged_from_id];
        let ids = ids.into_iter().flatten().map(Id::text);
        let ids = ids.filter(|id| !id.is_empty() && id.bytes().all(|byte| byte.is_ascii_digit()));
        Ok(ids.map(|id| Hint::new(resource, RemoteId::from(id))).collect())
    }
}

/// An event ("Guide for Webhooks v2"). A merge is a deletion that names the survivor.
#[derive(Debug, Deserialize)]
struct Event {
    meta: Meta,
}

#[derive(Debug, Deserialize)]
struct Meta {
    entity: String,
    entity_id: Id,
    merged_to_id: Option<Id>,
    merged_from_id: Option<Id>,
}

/// Texts in `meta`, numbers in examples of other parts.
#[derive(Debug, Deserialize)]
#[serde(untagged)]
enum Id {
    Number(u64),
    Text(String),
}

impl Id {
    fn text(self) -> String {
        match self {
            Self::Number(number) => number.to_string(),
            Self::Text(text) => text,
        }
    }
}

fn resource_of(entity: &str) -> Option<Resource> {
    match entity {
        "organization" => Some(Resource::Account),
        "person" => Some(Resource::Contact),
        "deal" => Some(Resource::Opportunity),
        _ => None,
    }
}

/// What events of a resource are subscribed to by.
pub(crate) fn entity_of(resource: Resource) -> Option<&'static str> {
    ["organization", "person", "deal"].into_iter().find(|entity| resource_of(entity) == Some(resource))
}
