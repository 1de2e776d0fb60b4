//! ActiveCampaign's webhooks: forms without a signature, at an address that nobody can guess.

use std::borrow::Cow;

use abmatic_sync_core::error::Result;
use abmatic_sync_core::model::resource::Resource;
use abmatic_sync_http::webhook::format::{Arrival, Hint, WebhookFormat, unreadable};
use url::form_urlencoded;

/// Where a hook names records, by the raw key ("Webhooks"; brackets come encoded or not).
const NAMED: [(&str, Resource); 7] = [
    ("account[id]", Resource::Account),
    ("accountContact[account]", Resource::Account),
    ("accountContact[contact]", Resource::Contact),
    ("contact[id]", Resource::Contact),
    ("deal[id]", Resource::Opportunity),
    ("customer_account_id", Resource::Account),
    ("subscriber[id]", Resource::Contact),
];

/// The webhooks of ActiveCampaign, which [`crate::ActiveCampaignConnector`] subscribes to.
///
/// They come once and are never repeated, and there are none of deletions, imports and mass edits: polls and sweeps stay.
///
/// ```
/// use abmatic_sync_activecampaign::webhook::ActiveCampaignWebhooks;
/// use abmatic_sync_http::webhook::format::WebhookFormat;
/// assert_eq!(ActiveCampaignWebhooks.connector(), "activecampaign");
/// ```
#[expect(clippy::exhaustive_structs, reason = "it has nothing to choose")]
#[derive(Clone, Copy, Debug, Default)]
pub struct ActiveCampaignWebhooks;

impl WebhookFormat for ActiveCampaignWebhooks {
    fn connector(&self) -> &'static str {
        "activecampaign"
    }

    fn hints(&self, arrival: &Arrival<'_>) -> Result<Vec<Hint>> {
        let pairs = || form_urlencoded::parse(&arrival.request.body);
        if !pairs().any(|(key, _)| key == "type") {
            return Err(unreadable("a form with a \"type\" was expected"));
        }
        Ok(pairs().filter_map(|pair| hint(&pair)).collect())
    }
}

fn hint((key, value): &(Cow<'_, str>, Cow<'_, str>)) -> Option<Hint> {
    let (_, resource) = NAMED.iter().find(|(name, _)| key == name)?;
    let is_id = !value.is_empty() && value != "0" && value.bytes().all(|byte| byte.is_ascii_digit());
    is_id.then(|| Hint::new(*resource, value.as_ref()))
}

/// The events by which changes of a resource are told ("Webhooks": events).
pub(crate) fn events_of(resource: Resource) -> &'static [&'static str] {
    match resource {
        Resource::Account => &["account_add", "account_update"],
        Resource::Contact => &["subscribe", "unsubscribe", "update", "account_contact_add", "account_contact_update"],
        Resource::Opportunity => &["deal_add", "deal_update"],
        _ => &[],
    }
}
