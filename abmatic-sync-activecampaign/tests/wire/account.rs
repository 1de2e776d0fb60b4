//! A made-up account: a server that knows a few fields, and a clock that waits for nothing.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use abmatic_sync_activecampaign::{ActiveCampaignBuilder, ActiveCampaignConnector};
use abmatic_sync_core::clock::Clock;
use abmatic_sync_core::connector::contract::CrmConnector;
use abmatic_sync_core::connector::request::{Page, ReadRequest, Write, WriteOutcome, Written};
use abmatic_sync_core::error::Error;
use abmatic_sync_core::ids::{IntentId, RemoteId};
use abmatic_sync_core::model::connection::{Connection, Credentials};
use abmatic_sync_core::model::resource::Resource;
use abmatic_sync_core::model::value::Value;
use abmatic_sync_http::retry::RetryOptions;
use async_trait::async_trait;
use chrono::{DateTime, Utc};
use serde_json::{Value as Json, json};
use wiremock::matchers::{body_json, header, method, path, query_param};
use wiremock::{Mock, MockServer, ResponseTemplate};

/// As API keys look: 72 hexadecimal digits.
pub(crate) const TOKEN: &str = "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef01234567";

/// Time passes only while somebody waits for it.
#[derive(Debug)]
pub(crate) struct StillClock(Mutex<DateTime<Utc>>);

impl StillClock {
    fn new() -> Self {
        Self(Mutex::new("2026-06-01T12:00:00Z".parse().unwrap()))
    }

    pub(crate) fn waited(&self) -> Duration {
        (*self.0.lock().unwrap() - *Self::new().0.lock().unwrap()).to_std().unwrap()
    }
}

#[async_trait]
impl Clock for StillClock {
    fn now(&self) -> DateTime<Utc> {
        *self.0.lock().unwrap()
    }

    async fn sleep(&self, duration: Duration) {
        *self.0.lock().unwrap() += duration;
    }
}

pub(crate) struct Account {
    pub(crate) server: MockServer,
    pub(crate) connector: ActiveCampaignConnector,
    pub(crate) clock: Arc<StillClock>,
    pub(crate) on: Connection,
}

impl Account {
    pub(crate) async fn start() -> Self {
        Self::of(|builder| builder).await
    }

    pub(crate) async fn of(set: impl FnOnce(ActiveCampaignBuilder) -> ActiveCampaignBuilder) -> Self {
        let server = MockServer::start().await;
        let mut retry = RetryOptions::default();
        retry.resends_max = 2;
        let clock = Arc::new(StillClock::new());
        let builder = ActiveCampaignConnector::builder().retry(retry).clock(Arc::<StillClock>::clone(&clock));
        let on = Connection::new("t", "c", "activecampaign", Credentials::token(TOKEN));
        let on = on.with_base_url(server.uri().parse().unwrap());
        let account = Self { server, connector: set(builder).build(), clock, on };
        account.answer("GET", "fields", 200, contact_fields()).await;
        account.answer("GET", "accountCustomFieldMeta", 200, account_fields()).await;
        account.answer("GET", "dealCustomFieldMeta", 200, json!({"dealCustomFieldMeta": []})).await;
        account.answer("GET", "dealGroups", 200, pipelines()).await;
        account
    }

    /// Answers a path whatever the query.
    pub(crate) async fn answer(&self, verb: &str, at: &str, status: u16, body: Json) {
        let answer = ResponseTemplate::new(status).set_body_json(body);
        let mock = Mock::given(method(verb)).and(path(format!("/api/3/{at}"))).and(header("api-token", TOKEN));
        mock.respond_with(answer).with_priority(9).mount(&self.server).await;
    }

    /// Answers a path once, before all else.
    pub(crate) async fn once(&self, verb: &str, at: &str, answer: ResponseTemplate) {
        let mock = Mock::given(method(verb)).and(path(format!("/api/3/{at}")));
        mock.respond_with(answer).up_to_n_times(1).expect(1).with_priority(1).mount(&self.server).await;
    }

    /// Answers a query with these parameters among others once.
    pub(crate) async fn query(&self, at: &str, query: &[(&str, &str)], answer: Json) {
        let mut mock = Mock::given(method("GET")).and(path(format!("/api/3/{at}")));
        for (name, value) in query {
            mock = mock.and(query_param(*name, *value));
        }
        let answer = ResponseTemplate::new(200).set_body_json(answer);
        mock.respond_with(answer).up_to_n_times(1).expect(1).with_priority(1).mount(&self.server).await;
    }

    /// Answers one exact body once.
    pub(crate) async fn expect(&self, verb: &str, at: &str, body: Json, status: u16, answer: Json) {
        let answer = ResponseTemplate::new(status).set_body_json(answer);
        let mock = Mock::given(method(verb)).and(path(format!("/api/3/{at}"))).and(body_json(body));
        mock.respond_with(answer).up_to_n_times(1).expect(1).with_priority(1).mount(&self.server).await;
    }

    pub(crate) async fn read(&self, request: ReadRequest) -> Page {
        self.connector.read(&self.on, request).await.unwrap()
    }

    pub(crate) async fn write(&self, resource: Resource, writes: Vec<Write>) -> Vec<WriteOutcome> {
        self.connector.write(&self.on, resource, writes).await.unwrap()
    }

    pub(crate) async fn written(&self, resource: Resource, write: Write) -> Written {
        match self.write(resource, vec![write]).await.remove(0) {
            WriteOutcome::Written(written) => written,
            outcome => panic!("{outcome:?}"),
        }
    }

    pub(crate) async fn refused(&self, resource: Resource, write: Write) -> Error {
        failed(self.write(resource, vec![write]).await.remove(0))
    }

    /// The decoded queries of all calls to a path, in their order.
    pub(crate) async fn queries(&self, at: &str) -> Vec<String> {
        let all = self.server.received_requests().await.unwrap();
        let of = all.iter().filter(|request| request.url.path() == format!("/api/3/{at}"));
        let shown = |request: &wiremock::Request| {
            let pairs = request.url.query_pairs().map(|(name, value)| format!("{name}={value}"));
            pairs.collect::<Vec<_>>().join("&")
        };
        of.map(shown).collect()
    }
}

pub(crate) fn failed(outcome: WriteOutcome) -> Error {
    match outcome {
        WriteOutcome::Failed(error) => error,
        outcome => panic!("{outcome:?}"),
    }
}

pub(crate) fn create(fields: &[(&str, Value)]) -> Write {
    Write::Create { intent: IntentId::from("i"), fields: fields.iter().cloned().collect() }
}

pub(crate) fn update(id: &str, fields: &[(&str, Value)]) -> Write {
    let fields = fields.iter().cloned().collect();
    Write::Update { id: RemoteId::from(id), fields, references_before: Default::default(), unmodified_since: None }
}

/// A contact as lists show it, of which only the telling keys are kept.
pub(crate) fn contact(id: u64, email: &str) -> Json {
    json!({
        "cdate": "2026-05-28T03:43:45-05:00", "email": email, "phone": "", "firstName": "Jane", "lastName": "Roe", "orgid": "0",
        "bounced_date": null, "udate": "2026-05-28T03:43:45-05:00", "updated_utc_timestamp": "2026-05-28 03:43:45",
        "accountContacts": ["17"], "links": {"fieldValues": "https://x/contacts/2/fieldValues"}, "id": id.to_string(),
        "organization": null,
    })
}

pub(crate) fn value(contact: u64, field: u64, value: &str) -> Json {
    json!({"contact": contact.to_string(), "field": field.to_string(), "value": value, "links": {}, "id": "1"})
}

pub(crate) fn association(id: u64, account: u64, contact: u64, title: &str) -> Json {
    json!({
        "account": account.to_string(), "contact": contact.to_string(), "jobTitle": title,
        "createdTimestamp": "2019-06-26T10:49:10-05:00", "id": id.to_string(),
    })
}

pub(crate) fn company(id: u64, name: &str) -> Json {
    json!({
        "name": name, "accountUrl": null, "createdTimestamp": "2026-05-28T03:43:35-05:00",
        "updatedTimestamp": "2026-05-28T03:43:35-05:00", "owner": "1", "contactCount": "0", "links": [], "id": id.to_string(),
    })
}

/// All its numbers are numbers, but for the id.
pub(crate) fn datum(id: u64, account: u64, field: u64, value: Json) -> Json {
    json!({
        "id": id.to_string(), "accountCustomFieldMetumId": field, "accountId": account, "customFieldId": field,
        "createdTimestamp": "2018-11-06 02:26:07", "fieldValue": value,
    })
}

fn contact_fields() -> Json {
    let field = |id: u64, title: &str, kind: &str, tag: &str| json!({"title": title, "type": kind, "perstag": tag, "isrequired": "0", "options": [], "id": id.to_string()});
    let option = |field: u64, value: &str, label: &str| json!({"field": field.to_string(), "orderid": "1", "value": value, "label": label, "isdefault": "0", "id": "1"});
    json!({
        "fieldOptions": [option(1, "plus", "Plus plan"), option(2, "Ads", "Ads"), option(2, "SMS", "SMS")],
        "fieldRels": [],
        "fields": [field(1, "Plan", "dropdown", "PLAN"), field(2, "Interests", "checkbox", "INTERESTS")],
        "meta": {"total": "2", "selected": null},
    })
}

fn account_fields() -> Json {
    let field = |id: u64, label: &str, kind: &str, options: Json, currency: Json| {
        json!({
            "id": id.to_string(), "fieldLabel": label, "fieldType": kind, "fieldOptions": options,
            "fieldDefaultCurrency": currency, "isFormVisible": 0, "displayOrder": id, "knownFieldId": null,
        })
    };
    json!({"accountCustomFieldMeta": [
        field(9, "Number of Employees", "dropdown", json!(["1 - 10", "51 - 200"]), Json::Null),
        field(10, "Annual Revenue", "currency", Json::Null, json!("EUR")),
        field(11, "Industry/Vertical", "dropdown", json!(["Retail"]), Json::Null),
        field(20, "Regions", "multiselect", json!(["North", "South"]), Json::Null),
    ]})
}

fn pipelines() -> Json {
    let stage = |id: u64, group: u64, order: u64, title: &str| json!({"group": group.to_string(), "title": title, "order": order.to_string(), "id": id.to_string()});
    let group = |id: u64, title: &str, currency: &str| json!({"title": title, "currency": currency, "autoassign": "0", "stages": [], "links": [], "id": id.to_string()});
    json!({
        "dealStages": [
            stage(9, 4, 2, "In Contact"), stage(10, 4, 1, "To Contact"), stage(12, 5, 1, "To Contact"),
        ],
        "dealGroups": [group(4, "Sales", "eur"), group(5, "Renewals", "gbp")],
        "meta": {"total": 2},
    })
}
