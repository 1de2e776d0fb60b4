//! A made-up company: a server that knows a few fields, and a clock that waits for nothing.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use abmatic_sync_core::clock::Clock;
use abmatic_sync_core::connector::contract::CrmConnector;
use abmatic_sync_core::connector::request::{Page, ReadRequest, Write, WriteOutcome};
use abmatic_sync_core::ids::{IntentId, RemoteId};
use abmatic_sync_core::model::connection::{Connection, Credentials};
use abmatic_sync_core::model::resource::Resource;
use abmatic_sync_core::model::value::Value;
use abmatic_sync_http::retry::RetryOptions;
use abmatic_sync_pipedrive::PipedriveConnector;
use async_trait::async_trait;
use chrono::{DateTime, TimeDelta, Utc};
use serde_json::{Value as Json, json};
use wiremock::matchers::{body_json, header, method, path, query_param};
use wiremock::{Mock, MockServer, ResponseTemplate};

/// As API tokens look: 40 hexadecimal digits.
pub(crate) const TOKEN: &str = "0123456789abcdef0123456789abcdef01234567";
pub(crate) const TIER: &str = "9dc80c50d78a15643bfc4ca79d76156a73a1ca0e";

/// Time passes only while somebody waits for it.
#[derive(Debug, Default)]
pub(crate) struct StillClock(Mutex<TimeDelta>);

impl StillClock {
    pub(crate) fn waited(&self) -> TimeDelta {
        *self.0.lock().unwrap()
    }
}

#[async_trait]
impl Clock for StillClock {
    fn now(&self) -> DateTime<Utc> {
        DateTime::UNIX_EPOCH + *self.0.lock().unwrap()
    }

    async fn sleep(&self, duration: Duration) {
        *self.0.lock().unwrap() += TimeDelta::from_std(duration).unwrap();
    }
}

pub(crate) struct Company {
    pub(crate) server: MockServer,
    pub(crate) connector: PipedriveConnector,
    pub(crate) clock: Arc<StillClock>,
    pub(crate) on: Connection,
}

impl Company {
    pub(crate) async fn start() -> Self {
        let server = MockServer::start().await;
        let mut retry = RetryOptions::default();
        retry.resends_max = 2;
        let clock = Arc::new(StillClock::default());
        let builder = PipedriveConnector::builder().retry(retry).clock(Arc::<StillClock>::clone(&clock));
        let on = Connection::new("t", "c", "pipedrive", Credentials::token(TOKEN));
        let on = on.with_base_url(server.uri().parse().unwrap());
        let company = Self { server, connector: builder.build(), clock, on };
        company.answer("GET", "/api/v2/organizationFields", 200, organization_fields()).await;
        company.answer("GET", "/api/v2/personFields", 200, person_fields()).await;
        company
    }

    /// Answers a path whatever the query.
    pub(crate) async fn answer(&self, verb: &str, at: &str, status: u16, body: Json) {
        let answer = ResponseTemplate::new(status).set_body_json(body);
        let mock = Mock::given(method(verb)).and(path(at)).and(header("x-api-token", TOKEN));
        mock.respond_with(answer).with_priority(9).mount(&self.server).await;
    }

    /// Answers one exact query once.
    pub(crate) async fn query(&self, at: &str, query: &[(&str, &str)], answer: Json) {
        let mut mock = Mock::given(method("GET")).and(path(at));
        for (name, value) in query {
            mock = mock.and(query_param(*name, *value));
        }
        let answer = ResponseTemplate::new(200).set_body_json(answer);
        mock.respond_with(answer).up_to_n_times(1).expect(1).with_priority(1).mount(&self.server).await;
    }

    /// Answers one exact body once.
    pub(crate) async fn expect(&self, verb: &str, at: &str, body: Json, answer: Json) {
        let answer = ResponseTemplate::new(200).set_body_json(answer);
        let mock = Mock::given(method(verb)).and(path(at)).and(body_json(body));
        mock.respond_with(answer).up_to_n_times(1).expect(1).with_priority(1).mount(&self.server).await;
    }

    pub(crate) async fn read(&self, request: ReadRequest) -> Page {
        self.connector.read(&self.on, request).await.unwrap()
    }

    pub(crate) async fn write(&self, resource: Resource, writes: Vec<Write>) -> Vec<WriteOutcome> {
        self.connector.write(&self.on, resource, writes).await.unwrap()
    }

    /// The query strings of all calls to a path, in their order.
    pub(crate) async fn queries(&self, at: &str) -> Vec<String> {
        let all = self.server.received_requests().await.unwrap();
        let of = all.iter().filter(|request| request.url.path() == at);
        of.map(|request| request.url.query().unwrap_or_default().to_owned()).collect()
    }
}

pub(crate) fn create(fields: &[(&str, Value)]) -> Write {
    Write::Create { intent: IntentId::from("i"), fields: fields.iter().cloned().collect() }
}

pub(crate) fn update(id: &str, fields: &[(&str, Value)]) -> Write {
    let fields = fields.iter().cloned().collect();
    Write::Update { id: RemoteId::from(id), fields, references_before: Default::default(), unmodified_since: None }
}

/// A page of a list.
pub(crate) fn page(data: &[Json], next: Option<&str>) -> Json {
    json!({"success": true, "data": data, "additional_data": {"next_cursor": next}})
}

/// One thing alone.
pub(crate) fn single(data: Json) -> Json {
    json!({"success": true, "data": data})
}

fn field(code: &str, field_type: &str) -> Json {
    json!({
        "field_name": code, "field_code": code, "field_type": field_type, "options": null, "subfields": null,
        "is_custom_field": code.len() == 40, "is_optional_response_field": false,
    })
}

fn organization_fields() -> Json {
    let mut industry = field("industry", "enum");
    industry["options"] = json!([{"id": 3, "label": "Finance", "color": null}]);
    let mut tier = field(TIER, "set");
    tier["options"] = json!([{"id": 12, "label": "Gold"}, {"id": 13, "label": "Silver"}]);
    let fields = [field("name", "varchar"), field("website", "varchar"), industry, tier, field("address", "address")];
    page(&fields, None)
}

fn person_fields() -> Json {
    page(&[field("name", "varchar"), field("email", "varchar"), field("phone", "phone"), field("org_id", "org")], None)
}
