//! Webhooks at the door: whatever comes is answered, and only what is genuine marks a record.

use std::sync::Arc;

use abmatic_sync_activecampaign::webhook::ActiveCampaignWebhooks;
use abmatic_sync_core::clock::Clock;
use abmatic_sync_core::engine::Engine;
use abmatic_sync_core::error::{Error, ErrorCode, ErrorKind, Result};
use abmatic_sync_core::model::connection::Connection;
use abmatic_sync_core::model::resource::Resource;
use abmatic_sync_core::schedule::scheduler::{Opener, Scheduler};
use abmatic_sync_core::store::connections::{ConnectionStore as _, KeptConnection};
use abmatic_sync_core::store::schedules::{ScheduleKey, ScheduleStore as _};
use abmatic_sync_http::webhook::door::Door;
use abmatic_sync_http::webhook::format::WebhookFormat;
use abmatic_sync_http::webhook::key::HookKeys;
use abmatic_sync_http::webhook::request::HookRequest;
use abmatic_sync_http::webhook::subscribe::HookTarget;
use abmatic_sync_hubspot::webhook::HubspotWebhooks;
use abmatic_sync_pipedrive::webhook::PipedriveWebhooks;
use abmatic_sync_salesforce::webhook::SalesforceMessages;
use abmatic_sync_testkit::memory::connections::MemoryConnections;
use abmatic_sync_testkit::memory::store::MemoryStore;
use async_trait::async_trait;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use hmac::{Hmac, KeyInit as _, Mac as _};
use http::{HeaderMap, HeaderName, HeaderValue, Method};
use secrecy::ExposeSecret as _;
use sha2::Sha256;
use url::Url;

use crate::stub::{CountedIds, StillClock, finish};

/// HubSpot's client secret.
const SECRET: &str = "yyyyyyyy-yyyy-yyyy-yyyy-yyyyyyyyyyyy";

type Headers = Vec<(&'static str, String)>;

/// A hook of HubSpot with this body, signed and not.
///
/// # Panics
/// Where the door fails, or marks what it refused, or what nobody proved.
pub fn webhook_hubspot(body: &[u8]) {
    let format = Arc::new(HubspotWebhooks::new(SECRET.to_owned()));
    receive(body, "hubspot", "33", format, |target| {
        let time = StillClock::default().now().timestamp_millis().to_string();
        let Ok(mut mac) = Hmac::<Sha256>::new_from_slice(SECRET.as_bytes()) else { return Headers::new() };
        for part in [b"POST", target.url.as_str().as_bytes(), body, time.as_bytes()] {
            mac.update(part);
        }
        let signature = STANDARD.encode(mac.finalize().into_bytes());
        vec![("x-hubspot-signature-v3", signature), ("x-hubspot-request-timestamp", time)]
    });
}

/// An outbound message of Salesforce with this body.
///
/// # Panics
/// As [`webhook_hubspot`].
pub fn webhook_salesforce(body: &[u8]) {
    receive(body, "salesforce", "00D5e000000KQ2e", Arc::new(SalesforceMessages), |_| Headers::new());
}

/// A hook of Pipedrive with this body, with its password and without.
///
/// # Panics
/// As [`webhook_hubspot`].
pub fn webhook_pipedrive(body: &[u8]) {
    receive(body, "pipedrive", "1", Arc::new(PipedriveWebhooks), |target| {
        let basic = STANDARD.encode(format!("abmatic-sync:{}", target.password.expose_secret()));
        vec![("authorization", format!("Basic {basic}"))]
    });
}

/// A hook of ActiveCampaign with this body.
///
/// # Panics
/// As [`webhook_hubspot`].
pub fn webhook_activecampaign(body: &[u8]) {
    receive(body, "activecampaign", "acme", Arc::new(ActiveCampaignWebhooks), |_| Headers::new());
}

fn receive(
    body: &[u8],
    connector: &str,
    account: &str,
    format: Arc<dyn WebhookFormat>,
    prove: impl Fn(&HookTarget) -> Headers,
) {
    let kept = KeptConnection::new("t", "t/c", connector).with_account(account);
    let connections = MemoryConnections::default();
    let Some(door) = door(&connections, format) else { return };
    finish(async {
        let is_kept = connections.keep_connection(&kept).await.is_ok();
        let Ok(target) = door.target(&kept) else { return };
        let proof = prove(&target);
        assert!(is_kept, "the connection is kept");
        // By a wrong address, and by the right one without what proves it.
        let mut forged = vec![post(&format!("{}x", target.url.path()), &proof, body)];
        if !proof.is_empty() {
            forged.push(post(target.url.path(), &Headers::new(), body));
        }
        for request in forged {
            let status = door.receive(&request).await.status.as_u16();
            assert!(matches!(status, 401 | 404), "what proves nothing is answered by {status}");
            assert!(marked(&connections).await.is_empty(), "what proves nothing marks something");
        }
        let status = door.receive(&post(target.url.path(), &proof, body)).await.status.as_u16();
        assert!(matches!(status, 200 | 400 | 401), "a hook is answered by {status}");
        let marked = marked(&connections).await;
        assert!(status == 200 || marked.is_empty(), "what is refused marks {marked:?}");
        let is_id = |id: &String| !id.is_empty() && id.bytes().all(|byte| byte.is_ascii_alphanumeric());
        assert!(marked.iter().all(is_id), "what is no id is marked: {marked:?}");
    });
}

fn door(connections: &MemoryConnections, format: Arc<dyn WebhookFormat>) -> Option<Door> {
    let clock: Arc<dyn Clock> = Arc::new(StillClock::default());
    let shared = Arc::new(connections.clone());
    let engine = Engine::new(Arc::new(MemoryStore::new([])), Arc::clone(&clock), Arc::new(CountedIds::default()));
    let scheduler = Scheduler::new(
        engine,
        Arc::clone(&clock),
        Arc::clone(&shared) as _,
        Arc::clone(&shared) as _,
        Arc::new(Closed),
    );
    let keys = HookKeys::new("0123456789abcdef0123456789abcdef".to_owned()).ok()?;
    let public = Url::parse("https://hooks.example.com/crm/").ok()?;
    Some(Door::new(public, keys, shared, scheduler.handle(), clock).with_format(format))
}

fn post(path: &str, headers: &Headers, body: &[u8]) -> HookRequest {
    let pairs = headers
        .iter()
        .filter_map(|(name, value)| Some((HeaderName::from_static(name), HeaderValue::from_str(value).ok()?)));
    HookRequest::new(Method::POST, path, pairs.collect::<HeaderMap>(), body.to_vec())
}

/// The ids of all records that were marked.
async fn marked(connections: &MemoryConnections) -> Vec<String> {
    let mut ids = Vec::new();
    for resource in [Resource::Account, Resource::Contact, Resource::Lead, Resource::Opportunity] {
        let marks = connections.marks(&ScheduleKey::new("t", "t/c", resource), 1_000).await;
        ids.extend(marks.into_iter().flatten().map(|mark| mark.id.to_string()));
    }
    ids
}

/// Opens nothing: nothing is run here.
#[derive(Debug)]
struct Closed;

#[async_trait]
impl Opener for Closed {
    async fn open(&self, _: &KeptConnection) -> Result<Connection> {
        Err(Error::new(ErrorKind::Unauthorized, ErrorCode::InvalidSession, "nothing is opened here"))
    }
}
