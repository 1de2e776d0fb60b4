//! The exact shapes of an app's webhook subscriptions: what is there stays, what is off is switched on, what lacks is made.

#![allow(clippy::unwrap_used, reason = "tests")]

use abmatic_sync_core::ids::FieldName;
use abmatic_sync_core::model::connection::{Connection, Credentials};
use abmatic_sync_core::model::resource::Resource;
use abmatic_sync_http::webhook::subscribe::HookTarget;
use abmatic_sync_hubspot::ApiVersion;
use abmatic_sync_hubspot::app_webhooks::HubspotAppWebhooks;
use serde_json::{Value as Json, json};
use wiremock::matchers::{body_json, header, method, path};
use wiremock::{Mock, MockServer, ResponseTemplate};

struct App {
    server: MockServer,
    on: Connection,
    root: &'static str,
}

impl App {
    async fn start(root: &'static str) -> Self {
        let server = MockServer::start().await;
        let on = Connection::new("host", "host/app", "hubspot", Credentials::token("developer-token"));
        let on = on.with_base_url(server.uri().parse().unwrap());
        Self { server, on, root }
    }

    async fn takes(&self, verb: &str, at: &str, body: Option<Json>, status: u16, answer: Option<Json>) {
        let answer = match answer {
            Some(answer) => ResponseTemplate::new(status).set_body_json(answer),
            None => ResponseTemplate::new(status),
        };
        let mock = Mock::given(method(verb)).and(path(format!("{}/{at}", self.root)));
        let mock = mock.and(header("authorization", "Bearer developer-token"));
        let mock = match body {
            Some(body) => mock.and(body_json(body)),
            None => mock,
        };
        mock.respond_with(answer).expect(1).mount(&self.server).await;
    }
}

fn target() -> HookTarget {
    HookTarget::new("https://hooks.example.com/crm/hubspot".parse().unwrap(), String::new())
}

#[tokio::test]
async fn what_lacks_is_made_and_what_is_off_is_switched_on() {
    let app = App::start("/webhooks/v3/77").await;
    let settings = json!({
        "targetUrl": "https://hooks.example.com/crm/hubspot", "throttling": {"maxConcurrentRequests": 10},
    });
    app.takes("PUT", "settings", Some(settings), 200, Some(json!({}))).await;
    let held = |id: &str, event: &str, active: bool| json!({"id": id, "eventType": event, "active": active});
    let results = json!([
        held("1", "company.creation", true), held("2", "company.deletion", false), held("3", "company.merge", true),
        held("4", "company.restore", true), held("5", "ticket.creation", true),
        {"id": "6", "eventType": "company.propertyChange", "propertyName": "name", "active": true},
    ]);
    app.takes("GET", "subscriptions", None, 200, Some(json!({"results": results}))).await;
    app.takes("PATCH", "subscriptions/2", Some(json!({"active": true})), 200, Some(json!({}))).await;
    let association = json!({"eventType": "company.associationChange", "active": true});
    app.takes("POST", "subscriptions", Some(association), 201, Some(json!({"id": "7"}))).await;
    let domain = json!({"eventType": "company.propertyChange", "propertyName": "domain", "active": true});
    app.takes("POST", "subscriptions", Some(domain), 201, Some(json!({"id": "8"}))).await;
    let webhooks = HubspotAppWebhooks::new(77).with_api_version(ApiVersion::Legacy);
    let properties = ["domain", "hs_lastmodifieddate", "name"].map(FieldName::from);
    let made = webhooks.subscribe(&app.on, &target(), &[(Resource::Account, properties.into())]).await.unwrap();
    assert_eq!(made, 3, "of changes of a time of change nothing is told");
}

#[tokio::test]
async fn those_of_other_objects_stay() {
    let app = App::start("/app-webhooks/2026-09/77").await;
    let results = json!([
        {"id": 1, "eventType": "contact.creation", "active": true}, {"id": 2, "eventType": "ticket.creation", "active": true},
        {"id": 3, "eventType": "deal.merge", "active": false},
    ]);
    app.takes("GET", "subscriptions", None, 200, Some(json!({"results": results}))).await;
    app.takes("DELETE", "subscriptions/1", None, 204, None).await;
    app.takes("DELETE", "subscriptions/3", None, 404, Some(json!({"status": "error", "message": "gone"}))).await;
    assert_eq!(HubspotAppWebhooks::new(77).unsubscribe(&app.on).await.unwrap(), 2);
}
