//! Salesforce's outbound messages: SOAP that an administrator sets up, told by its organisation.

use abmatic_sync_core::error::Result;
use abmatic_sync_core::model::resource::Resource;
use abmatic_sync_http::webhook::format::{Arrival, Hint, WebhookFormat, refused, unreadable};
use abmatic_sync_http::webhook::request::HookReply;
use http::StatusCode;
use roxmltree::{Document, Node};

use crate::id::{is_id, long_id};

/// What Salesforce takes for "received" (outbound messages' WSDL); anything else is sent again for a day.
const ACK: &str = "<soapenv:Envelope xmlns:soapenv=\"http://schemas.xmlsoap.org/soap/envelope/\"><soapenv:Body>\
     <notificationsResponse xmlns=\"http://soap.sforce.com/2005/09/outbound\"><Ack>true</Ack></notificationsResponse>\
     </soapenv:Body></soapenv:Envelope>";

/// The outbound messages of Salesforce.
///
/// They are not signed: what proves them is the address, which nobody else knows, and the organisation that they name, which a
/// connection keeps as its account ([`abmatic_sync_core::store::connections::KeptConnection::with_account`]; the OAuth
/// authorizer notes it). There are none of deletions.
///
/// ```
/// use abmatic_sync_http::webhook::format::WebhookFormat;
/// use abmatic_sync_salesforce::webhook::SalesforceMessages;
/// assert!(SalesforceMessages.reply().body.contains("<Ack>true</Ack>"));
/// ```
#[expect(clippy::exhaustive_structs, reason = "it has nothing to choose")]
#[derive(Clone, Copy, Debug, Default)]
pub struct SalesforceMessages;

impl WebhookFormat for SalesforceMessages {
    fn connector(&self) -> &'static str {
        "salesforce"
    }

    fn hints(&self, arrival: &Arrival<'_>) -> Result<Vec<Hint>> {
        let text = std::str::from_utf8(&arrival.request.body).map_err(unreadable)?;
        let message = Document::parse(text).map_err(unreadable)?;
        let told = message.descendants().find(|node| is_named(node, "OrganizationId")).and_then(|node| node.text());
        let own = arrival.connection.and_then(|connection| connection.account.as_deref());
        match (told, own) {
            (Some(told), Some(own)) if long_id(told) == long_id(own) => {}
            (Some(_), Some(_)) => return Err(refused("it is of another organisation than its connection's")),
            (_, None) => return Err(refused("its connection's organisation is not known: keep its id as the account")),
            (None, _) => return Err(unreadable("no OrganizationId is in it")),
        }
        Ok(message.descendants().filter(|node| is_named(node, "sObject")).flat_map(hints_of).collect())
    }

    fn reply(&self) -> HookReply {
        HookReply::with_body(StatusCode::OK, "text/xml; charset=utf-8", ACK)
    }
}

fn is_named(node: &Node<'_, '_>, name: &str) -> bool {
    node.is_element() && node.tag_name().name() == name
}

/// People of ours that are kept as leads may be contacts here.
fn hints_of(object: Node<'_, '_>) -> Vec<Hint> {
    let kind = object.attributes().find(|attribute| attribute.name() == "type").map_or("", |kind| kind.value());
    let resources: &[Resource] = match kind.rsplit(':').next().unwrap_or_default() {
        "Account" => &[Resource::Account],
        "Contact" => &[Resource::Contact],
        "Lead" => &[Resource::Lead, Resource::Contact],
        "Opportunity" => &[Resource::Opportunity],
        _ => &[],
    };
    let id = object.children().find(|node| is_named(node, "Id")).and_then(|node| node.text()).filter(|id| is_id(id));
    id.into_iter().flat_map(|id| resources.iter().map(|resource| Hint::new(*resource, long_id(id)))).collect()
}
