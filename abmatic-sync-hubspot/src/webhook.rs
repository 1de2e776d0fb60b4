//! HubSpot's webhooks: one address for an app, signed by its client secret.

use abmatic_sync_core::error::Result;
use abmatic_sync_core::model::resource::Resource;
use abmatic_sync_http::webhook::format::{Arrival, Hint, Reach, WebhookFormat, refused, unreadable};
use abmatic_sync_http::webhook::signature::is_hmac_sha256;
use secrecy::{ExposeSecret as _, SecretString};
use serde::Deserialize;
use serde_json::value::RawValue;

/// How long a signature is good, in milliseconds, either way ("Validating requests": 5 minutes).
const WINDOW_MS: u64 = 300_000;

/// What is decoded before a signature is made of an address, and nothing else ("Validating requests", v3).
const DECODED: [(&str, &str); 12] = [
    ("%3A", ":"),
    ("%2F", "/"),
    ("%3F", "?"),
    ("%40", "@"),
    ("%21", "!"),
    ("%24", "$"),
    ("%27", "'"),
    ("%28", "("),
    ("%29", ")"),
    ("%2A", "*"),
    ("%2C", ","),
    ("%3B", ";"),
];

/// The webhooks of one HubSpot app, for all accounts that installed it.
///
/// An event names its account by `portalId`, which a connection keeps as its account
/// ([`abmatic_sync_core::store::connections::KeptConnection::with_account`]; the OAuth authorizer notes it).
///
/// ```
/// use abmatic_sync_http::webhook::format::WebhookFormat;
/// use abmatic_sync_hubspot::webhook::HubspotWebhooks;
/// let webhooks = HubspotWebhooks::new("the app's client secret".to_owned());
/// assert_eq!(webhooks.connector(), "hubspot");
/// ```
#[derive(Clone, Debug)]
pub struct HubspotWebhooks {
    secrets: Vec<SecretString>,
}

impl HubspotWebhooks {
    /// Hooks that are signed with the app's client secret. By an empty one nothing is signed.
    pub fn new(client_secret: impl Into<SecretString>) -> Self {
        Self { secrets: vec![client_secret.into()] }
    }

    /// Takes hooks that are signed with an older secret too, while secrets are rotated.
    #[must_use]
    pub fn accepting(mut self, older: impl Into<SecretString>) -> Self {
        self.secrets.push(older.into());
        self
    }

    fn verify(&self, arrival: &Arrival<'_>) -> Result<()> {
        let request = arrival.request;
        let told = request.header("x-hubspot-signature-v3");
        let (Some(told), Some(time)) = (told, request.header("x-hubspot-request-timestamp")) else {
            return Err(refused("it has no signature of version 3, or no time"));
        };
        let sent: i64 = time.parse().map_err(|_| refused("its time is no number"))?;
        if arrival.at.timestamp_millis().abs_diff(sent) > WINDOW_MS {
            return Err(refused("it was signed more than five minutes ago, or ahead of the time here"));
        }
        let address = decoded(&arrival.url);
        let parts = [request.method.as_str().as_bytes(), address.as_bytes(), &request.body, time.as_bytes()];
        let mut secrets = self.secrets.iter().filter(|secret| !secret.expose_secret().is_empty());
        match secrets.any(|secret| is_hmac_sha256(secret, &parts, told)) {
            true => Ok(()),
            false => Err(refused("its signature does not fit its address and body")),
        }
    }
}

impl WebhookFormat for HubspotWebhooks {
    fn connector(&self) -> &'static str {
        "hubspot"
    }

    fn reach(&self) -> Reach {
        Reach::App
    }

    fn hints(&self, arrival: &Arrival<'_>) -> Result<Vec<Hint>> {
        self.verify(arrival)?;
        let events: Vec<&RawValue> = serde_json::from_slice(&arrival.request.body).map_err(unreadable)?;
        // One that cannot be read is no reason to have a hundred sent again.
        let events = events.into_iter().filter_map(|raw| serde_json::from_str::<Event>(raw.get()).ok());
        Ok(events.flat_map(|event| event.hints()).collect())
    }
}

/// The address as it is signed: some characters decoded, in either spelling, all else as it was sent.
fn decoded(address: &str) -> String {
    let mut decoded = String::with_capacity(address.len());
    let mut rest = address;
    while let Some(place) = rest.find('%') {
        let (before, code) = rest.split_at(place);
        decoded.push_str(before);
        let head = code.get(..3).unwrap_or(code);
        match DECODED.iter().find(|(coded, _)| coded.eq_ignore_ascii_case(head)) {
            Some((_, plain)) => decoded.push_str(plain),
            None => decoded.push_str(head),
        }
        rest = &code[head.len()..];
    }
    decoded.push_str(rest);
    decoded
}

/// An event ("Webhooks": delivery). Ids are numbers there, texts elsewhere.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Event {
    portal_id: u64,
    subscription_type: Option<String>,
    event_type: Option<String>,
    object_type_id: Option<String>,
    object_id: Option<u64>,
    from_object_type_id: Option<String>,
    from_object_id: Option<u64>,
    association_type: Option<String>,
    primary_object_id: Option<u64>,
    merged_object_ids: Option<Vec<u64>>,
    new_object_id: Option<u64>,
}

impl Event {
    /// The records it names. Of an association it names both ends, by an event each.
    fn hints(&self) -> Vec<Hint> {
        let resources = resources_of(self.object());
        let merged = self.merged_object_ids.iter().flatten().copied();
        let one = [self.object_id, self.from_object_id, self.primary_object_id, self.new_object_id];
        let ids = one.into_iter().flatten().chain(merged);
        let hint =
            |id: u64, resource: &Resource| Hint::new(*resource, id.to_string()).in_account(self.portal_id.to_string());
        ids.flat_map(|id| resources.iter().map(move |resource| hint(id, resource))).collect()
    }

    /// The word for its object: of the subscription's name, of a type's number, or of the end that an association starts at.
    fn object(&self) -> &str {
        let from = self.association_type.as_deref().and_then(|name| name.split("_TO_").next());
        let typed = self.object_type_id.as_deref().or(self.from_object_type_id.as_deref());
        let word = self.subscription_type.as_deref().or(self.event_type.as_deref()).unwrap_or_default();
        let named = word.split('.').next().unwrap_or_default();
        from.or(typed).unwrap_or(named)
    }
}

/// A lead is a contact in some stage: which it is, the run sees.
pub(crate) fn resources_of(object: &str) -> &'static [Resource] {
    match object.to_ascii_lowercase().as_str() {
        "company" | "0-2" => &[Resource::Account],
        "contact" | "0-1" => &[Resource::Contact, Resource::Lead],
        "deal" | "0-3" => &[Resource::Opportunity],
        _ => &[],
    }
}

/// The number of the type that keeps a resource.
pub(crate) fn object_type_of(resource: Resource) -> Option<&'static str> {
    ["0-1", "0-2", "0-3"].into_iter().find(|number| resources_of(number).contains(&resource))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_documented_characters_are_decoded_before_signing() {
        let told = "https://example.com/a%2Fb%3aC?x=%40%20%21%2c&y=100%&z=%E2%82%AC%";
        assert_eq!(decoded(told), "https://example.com/a/b:C?x=@%20!,&y=100%&z=%E2%82%AC%");
        assert_eq!(decoded("https://example.com/%ä"), "https://example.com/%ä");
    }

    #[test]
    fn each_documented_event_names_its_records() {
        let body = r#"[
          {"eventId":1,"subscriptionId":25,"portalId":33,"appId":7,"occurredAt":1462216307945,"subscriptionType":"company.propertyChange",
           "attemptNumber":0,"objectId":12,"propertyName":"name","propertyValue":"x","changeSource":"CRM_UI"},
          {"eventId":2,"portalId":33,"subscriptionType":"contact.deletion","objectId":13,"changeFlag":"DELETED"},
          {"eventId":3,"portalId":33,"subscriptionType":"deal.merge","primaryObjectId":101,"mergedObjectIds":[102],"newObjectId":7001},
          {"eventId":4,"portalId":33,"subscriptionType":"contact.associationChange","associationType":"CONTACT_TO_COMPANY",
           "fromObjectId":14,"toObjectId":15,"associationRemoved":false},
          {"eventId":5,"portalId":34,"subscriptionType":"object.propertyChange","objectTypeId":"0-3","objectId":16},
          {"eventId":6,"portalId":34,"subscriptionType":"object.associationChange","fromObjectTypeId":"0-2","fromObjectId":17},
          {"eventId":7,"portalId":34,"subscriptionType":"ticket.creation","objectId":18},
          {"eventId":8,"portalId":34,"eventType":"contact.privacyDeletion","objectId":19}
        ]"#;
        let events: Vec<Event> = serde_json::from_str(body).unwrap();
        let named = |hint: Hint| format!("{} {} {}", hint.account.unwrap_or_default(), hint.resource, hint.id);
        let named: Vec<String> = events.iter().flat_map(Event::hints).map(named).collect();
        assert_eq!(
            named,
            [
                "33 account 12",
                "33 contact 13",
                "33 lead 13",
                "33 opportunity 101",
                "33 opportunity 7001",
                "33 opportunity 102",
                "33 contact 14",
                "33 lead 14",
                "34 opportunity 16",
                "34 account 17",
                "34 contact 19",
                "34 lead 19",
            ]
        );
    }
}
