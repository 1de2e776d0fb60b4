//! The fakes, and hooks as the CRMs' documentations show them.

use abmatic_sync_core::clock::Clock as _;
use abmatic_sync_http::clock::SystemClock;
use abmatic_sync_http::webhook::request::HookRequest;
use abmatic_sync_http::webhook::subscribe::HookTarget;
use abmatic_sync_testkit::fake::activecampaign::FakeActiveCampaign;
use abmatic_sync_testkit::fake::hubspot::FakeHubspot;
use abmatic_sync_testkit::fake::pipedrive::FakePipedrive;
use abmatic_sync_testkit::fake::salesforce::FakeSalesforce;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use hmac::{Hmac, KeyInit as _, Mac as _};
use http::{HeaderMap, Method};
use secrecy::ExposeSecret as _;
use serde_json::json;
use sha2::Sha256;

/// HubSpot's client secret.
pub(crate) const SECRET: &str = "yyyyyyyy-yyyy-yyyy-yyyy-yyyyyyyyyyyy";

pub(crate) trait Crm: Send + Sync {
    fn connector(&self) -> &'static str;
    fn account(&self) -> &'static str;
    fn url(&self) -> String;
    fn token(&self) -> String;
    fn create(&self, name: &str) -> String;
    fn rename(&self, id: &str, name: &str);
    /// A hook that tells of changes of these.
    fn hook(&self, target: &HookTarget, ids: &[&str]) -> HookRequest;
}

pub(crate) struct Hub(FakeHubspot);
pub(crate) struct Pipe(FakePipedrive);
pub(crate) struct Active(FakeActiveCampaign);
pub(crate) struct Sales(FakeSalesforce);

fn post(target: &HookTarget, headers: &[(&'static str, &str)], body: String) -> HookRequest {
    let pairs = headers.iter().map(|(name, value)| (name.parse().unwrap(), value.parse().unwrap()));
    HookRequest::new(Method::POST, target.url.path(), pairs.collect::<HeaderMap>(), body)
}

impl Hub {
    pub(crate) async fn new() -> Self {
        Self(FakeHubspot::builder().portal_id(33).start().await.unwrap())
    }

    pub(crate) fn person(&self, email: &str, stage: &str) -> String {
        self.0.user().create("contacts", &[("email", email), ("lifecyclestage", stage)]).unwrap()
    }

    pub(crate) fn set(&self, id: &str, values: &[(&str, &str)]) {
        self.0.user().update("contacts", id, values).unwrap();
    }

    pub(crate) fn archive(&self, id: &str) {
        assert!(self.0.user().archive("companies", id));
    }

    pub(crate) fn merge(&self, primary: &str, other: &str) {
        self.0.user().merge("companies", primary, other).unwrap();
    }

    pub(crate) fn wait_days(&self, days: i64) {
        self.0.advance_ms(days * 24 * 3_600 * 1_000);
    }

    pub(crate) fn hook_of(&self, target: &HookTarget, body: &str) -> HookRequest {
        signed(target, body, 0)
    }

    /// What signs any body for that address.
    pub(crate) fn signer(&self, target: &HookTarget) -> impl Fn(&str) -> HookRequest + use<> {
        let target = target.clone();
        move |body| signed(&target, body, 0)
    }

    pub(crate) fn hook_signed_at(&self, target: &HookTarget, ids: &[&str], later_ms: i64) -> HookRequest {
        signed(target, &events(ids), later_ms)
    }
}

/// "Webhooks": delivery.
fn events(ids: &[&str]) -> String {
    let event = |(number, id): (usize, &str)| {
        json!({
            "eventId": number, "subscriptionId": 25, "portalId": 33, "appId": 1_160_452, "occurredAt": 1_462_216_307_945_u64,
            "subscriptionType": "company.propertyChange", "attemptNumber": 0, "objectId": id.parse::<u64>().unwrap(),
            "propertyName": "name", "propertyValue": "x", "changeSource": "CRM_UI",
        })
    };
    let all: Vec<_> = ids.iter().copied().enumerate().map(event).collect();
    json!(all).to_string()
}

/// "Validating requests": version 3.
fn signed(target: &HookTarget, body: &str, later_ms: i64) -> HookRequest {
    let time = (SystemClock.now().timestamp_millis() + later_ms).to_string();
    let mut mac = Hmac::<Sha256>::new_from_slice(SECRET.as_bytes()).unwrap();
    mac.update(format!("POST{}{body}{time}", target.url).as_bytes());
    let signature = STANDARD.encode(mac.finalize().into_bytes());
    let headers = [("x-hubspot-signature-v3", signature.as_str()), ("x-hubspot-request-timestamp", time.as_str())];
    post(target, &headers, body.to_owned())
}

impl Crm for Hub {
    fn connector(&self) -> &'static str {
        "hubspot"
    }

    fn account(&self) -> &'static str {
        "33"
    }

    fn url(&self) -> String {
        self.0.base_url()
    }

    fn token(&self) -> String {
        self.0.token()
    }

    fn create(&self, name: &str) -> String {
        self.0.user().create("companies", &[("name", name)]).unwrap()
    }

    fn rename(&self, id: &str, name: &str) {
        self.0.user().update("companies", id, &[("name", name)]).unwrap();
    }

    fn hook(&self, target: &HookTarget, ids: &[&str]) -> HookRequest {
        signed(target, &events(ids), 0)
    }
}

impl Pipe {
    pub(crate) async fn new() -> Self {
        Self(FakePipedrive::builder().start().await.unwrap())
    }
}

impl Crm for Pipe {
    fn connector(&self) -> &'static str {
        "pipedrive"
    }

    fn account(&self) -> &'static str {
        "1"
    }

    fn url(&self) -> String {
        self.0.base_url()
    }

    fn token(&self) -> String {
        self.0.token()
    }

    fn create(&self, name: &str) -> String {
        self.0.user().create("organizations", &json!({"name": name})).unwrap().to_string()
    }

    fn rename(&self, id: &str, name: &str) {
        self.0.user().update("organizations", id.parse().unwrap(), &json!({"name": name})).unwrap();
    }

    /// "Guide for Webhooks v2".
    fn hook(&self, target: &HookTarget, ids: &[&str]) -> HookRequest {
        let body = json!({
            "meta": {
                "action": "change", "entity": "organization", "entity_id": ids[0], "company_id": "1", "user_id": "11",
                "id": "7c812ffd-8f50-4a11-9d10-000000000001", "correlation_id": "43cb94f3-bbbd-406c-ae19-000000000002",
                "timestamp": "2026-03-04T10:30:00.152Z", "type": "application", "version": "2.0", "webhook_id": "501",
                "webhook_owner_id": "11", "change_source": "api", "is_bulk_edit": false, "attempt": 1,
                "host": "acme.pipedrive.com", "permitted_user_ids": ["11", "12"],
            },
            "data": {"id": 7, "name": "x", "owner_id": 11}, "previous": {"name": "y"},
        });
        let basic = STANDARD.encode(format!("abmatic-sync:{}", target.password.expose_secret()));
        post(target, &[("authorization", &format!("Basic {basic}"))], body.to_string())
    }
}

impl Active {
    pub(crate) async fn new() -> Self {
        Self(FakeActiveCampaign::builder().start().await.unwrap())
    }
}

impl Crm for Active {
    fn connector(&self) -> &'static str {
        "activecampaign"
    }

    fn account(&self) -> &'static str {
        "acme"
    }

    fn url(&self) -> String {
        self.0.base_url()
    }

    fn token(&self) -> String {
        self.0.token()
    }

    fn create(&self, name: &str) -> String {
        self.0.user().create("accounts", &json!({"name": name})).unwrap().to_string()
    }

    fn rename(&self, id: &str, name: &str) {
        self.0.user().update("accounts", id.parse().unwrap(), &json!({"name": name})).unwrap();
    }

    /// "Webhooks": delivery.
    fn hook(&self, target: &HookTarget, ids: &[&str]) -> HookRequest {
        let body = format!(
            "type=account_update&date_time=2026-05-28T05%3A05%3A00-05%3A00&initiated_from=admin&initiated_by=admin&list=0\
             &account%5Bid%5D={}&account%5Bname%5D=x&account%5Bfields%5D%5B7%5D=y",
            ids[0]
        );
        post(target, &[("content-type", "application/x-www-form-urlencoded")], body)
    }
}

impl Sales {
    pub(crate) async fn new() -> Self {
        Self(FakeSalesforce::builder().start().await.unwrap())
    }
}

impl Crm for Sales {
    fn connector(&self) -> &'static str {
        "salesforce"
    }

    /// The short form of what the message names.
    fn account(&self) -> &'static str {
        "00D5e000000KQ2e"
    }

    fn url(&self) -> String {
        self.0.base_url()
    }

    fn token(&self) -> String {
        self.0.token()
    }

    fn create(&self, name: &str) -> String {
        self.0.user().create("Account", &[("Name", name)]).unwrap()
    }

    fn rename(&self, id: &str, name: &str) {
        self.0.user().update("Account", id, &[("Name", name)]).unwrap();
    }

    /// "Understanding outbound messaging", and its WSDL.
    fn hook(&self, target: &HookTarget, ids: &[&str]) -> HookRequest {
        let notification = |id: &str| {
            format!(
                "<Notification><Id>04l5e00000Gx7QzAAJ</Id><sObject xsi:type=\"sf:Account\" \
                 xmlns:sf=\"urn:sobject.enterprise.soap.sforce.com\"><sf:Id>{id}</sf:Id><sf:Name>x</sf:Name></sObject>\
                 </Notification>"
            )
        };
        let all: String = ids.iter().map(|id| notification(id)).collect();
        let body = format!(
            "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<soapenv:Envelope \
             xmlns:soapenv=\"http://schemas.xmlsoap.org/soap/envelope/\" xmlns:xsd=\"http://www.w3.org/2001/XMLSchema\" \
             xmlns:xsi=\"http://www.w3.org/2001/XMLSchema-instance\"><soapenv:Body>\
             <notifications xmlns=\"http://soap.sforce.com/2005/09/outbound\">\
             <OrganizationId>00D5e000000KQ2eEAG</OrganizationId><ActionId>04k5e000000CaRkAAK</ActionId>\
             <SessionId xsi:nil=\"true\"/>{all}</notifications></soapenv:Body></soapenv:Envelope>"
        );
        post(target, &[("content-type", "text/xml; charset=utf-8")], body)
    }
}
