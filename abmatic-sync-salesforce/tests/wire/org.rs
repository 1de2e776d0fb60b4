//! A made-up org: a server that knows a few fields, and a clock that waits for nothing.

use std::collections::BTreeSet;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use abmatic_sync_core::clock::Clock;
use abmatic_sync_core::connector::contract::CrmConnector;
use abmatic_sync_core::connector::request::{Page, ReadRequest, Write, WriteOutcome};
use abmatic_sync_core::ids::{FieldName, IntentId, RemoteId};
use abmatic_sync_core::model::connection::{Connection, Credentials};
use abmatic_sync_core::model::fields::Fields;
use abmatic_sync_core::model::resource::Resource;
use abmatic_sync_core::model::value::Value;
use abmatic_sync_http::retry::RetryOptions;
use abmatic_sync_salesforce::{SalesforceBuilder, SalesforceConnector};
use async_trait::async_trait;
use chrono::{DateTime, TimeDelta, Utc};
use serde_json::{Value as Json, json};
use wiremock::matchers::{body_json, method, path, query_param};
use wiremock::{Match, Mock, MockServer, Request, ResponseTemplate};

pub(crate) const TOKEN: &str = "00D5e000000KQ2e!very-secret";
pub(crate) const DATA: &str = "/services/data/v62.0";
/// A time at which records were changed, as REST spells it.
pub(crate) const STAMP: &str = "2026-02-03T09:10:11.000+0000";

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

pub(crate) struct Org {
    pub(crate) server: MockServer,
    pub(crate) connector: SalesforceConnector,
    pub(crate) clock: Arc<StillClock>,
    pub(crate) on: Connection,
}

/// Whether the org has the external id by which creates are upserts.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Key {
    Absent,
    Present,
}

impl Org {
    pub(crate) async fn start(key: Key) -> Self {
        Self::with(key, |builder| builder).await
    }

    pub(crate) async fn with(key: Key, choose: impl FnOnce(SalesforceBuilder) -> SalesforceBuilder) -> Self {
        let server = MockServer::start().await;
        let mut retry = RetryOptions::default();
        retry.resends_max = 1;
        let clock = Arc::new(StillClock::default());
        let builder = SalesforceConnector::builder().retry(retry).clock(Arc::<StillClock>::clone(&clock));
        let connector = choose(builder).build();
        let on = Connection::new("t", "c", "salesforce", Credentials::token(TOKEN));
        let on = on.with_base_url(server.uri().parse().unwrap());
        let org = Self { server, connector, clock, on };
        for object in ["Account", "CampaignMember", "Contact", "Lead", "Opportunity", "Task"] {
            org.answer("GET", &format!("sobjects/{object}/describe"), 200, describe(object, key)).await;
        }
        org
    }

    /// Answers a path under the version's root.
    pub(crate) async fn answer(&self, verb: &str, at: &str, status: u16, body: Json) {
        let answer = ResponseTemplate::new(status).set_body_json(body);
        Mock::given(method(verb)).and(path(format!("{DATA}/{at}"))).respond_with(answer).mount(&self.server).await;
    }

    /// Answers one exact body once.
    pub(crate) async fn expect(&self, verb: &str, at: &str, body: Json, answer: Json) {
        let answer = ResponseTemplate::new(200).set_body_json(answer);
        let mock = Mock::given(method(verb)).and(path(format!("{DATA}/{at}"))).and(body_json(body));
        mock.respond_with(answer).up_to_n_times(1).expect(1).mount(&self.server).await;
    }

    /// Answers one exact query once.
    pub(crate) async fn query(&self, at: &str, soql: &str, answer: Json) {
        let answer = ResponseTemplate::new(200).set_body_json(answer);
        let mock = Mock::given(method("GET")).and(path(format!("{DATA}/{at}"))).and(query_param("q", soql));
        mock.respond_with(answer).expect(1).mount(&self.server).await;
    }

    /// Answers CSV.
    pub(crate) async fn csv(&self, at: &str, locator: Option<&str>, next: Option<&str>, csv: &str) {
        let mut answer = ResponseTemplate::new(200).set_body_raw(csv.as_bytes().to_vec(), "text/csv");
        if let Some(next) = next {
            answer = answer.insert_header("sforce-locator", next);
        }
        let mock =
            Mock::given(method("GET")).and(path(format!("{DATA}/{at}"))).and(Locator(locator.map(str::to_owned)));
        mock.respond_with(answer).expect(1).mount(&self.server).await;
    }

    pub(crate) async fn read(&self, request: ReadRequest) -> Page {
        self.connector.read(&self.on, request).await.unwrap()
    }

    pub(crate) async fn write(&self, resource: Resource, writes: Vec<Write>) -> Vec<WriteOutcome> {
        self.connector.write(&self.on, resource, writes).await.unwrap()
    }

    /// The bodies that were sent to a path.
    pub(crate) async fn sent(&self, verb: &str, at: &str) -> Vec<Json> {
        let requests = self.server.received_requests().await.unwrap();
        let is_it =
            |request: &&Request| request.method.as_str() == verb && request.url.path() == format!("{DATA}/{at}");
        requests.iter().filter(is_it).map(|request| request.body_json().unwrap_or_default()).collect()
    }
}

struct Locator(Option<String>);

impl Match for Locator {
    fn matches(&self, request: &Request) -> bool {
        let held = request.url.query_pairs().find(|(name, _)| name == "locator").map(|(_, value)| value.into_owned());
        held == self.0
    }
}

fn field(name: &str, kind: &str, more: Json) -> Json {
    let mut field = json!({"name": name, "label": name, "type": kind, "length": 0, "createable": true, "updateable": true,
        "nillable": true, "filterable": true, "defaultedOnCreate": false, "picklistValues": []});
    for (key, value) in more.as_object().unwrap() {
        field[key] = value.clone();
    }
    field
}

fn read_only(name: &str, kind: &str) -> Json {
    field(name, kind, json!({"createable": false, "updateable": false, "nillable": false}))
}

/// An object's describe, with what the tests need of it.
pub(crate) fn describe(object: &str, key: Key) -> Json {
    let needed = json!({"nillable": false, "length": 80});
    let value = |value: &str| json!({"active": true, "label": value, "value": value});
    let options = json!({"restrictedPicklist": true, "picklistValues": [value("Hot"), value("Cold")]});
    let own: Vec<Json> = match object {
        "Account" => vec![
            field("Name", "string", needed),
            field("Website", "url", json!({"length": 255})),
            field("Industry", "picklist", json!({})),
            field("NumberOfEmployees", "int", json!({})),
            field("AnnualRevenue", "currency", json!({})),
            field("Description", "textarea", json!({"length": 32_000, "filterable": false})),
            field("Rating", "picklist", options),
            field("BillingAddress", "address", json!({})),
        ],
        "Opportunity" => vec![
            field("Name", "string", needed),
            field("StageName", "picklist", json!({"nillable": false})),
            field("CloseDate", "date", json!({"nillable": false})),
            field("Amount", "currency", json!({})),
            field("AccountId", "reference", json!({})),
        ],
        "CampaignMember" => vec![
            field("CampaignId", "reference", json!({"nillable": false, "updateable": false})),
            field("ContactId", "reference", json!({"updateable": false})),
            field("LeadId", "reference", json!({"updateable": false})),
            field("Status", "picklist", json!({})),
        ],
        "Task" => vec![
            field("Subject", "combobox", json!({"length": 255})),
            field("ActivityDate", "date", json!({})),
            field("WhoId", "reference", json!({})),
        ],
        person => {
            let mut fields = vec![
                field("Email", "email", json!({"length": 80})),
                field("FirstName", "string", json!({"length": 40})),
                field("LastName", "string", needed.clone()),
                field("Title", "string", json!({"length": 128})),
            ];
            fields.push(match person {
                "Lead" => field("Company", "string", needed),
                _ => field("AccountId", "reference", json!({})),
            });
            fields
        }
    };
    let mut fields =
        vec![read_only("Id", "id"), read_only("CreatedDate", "datetime"), read_only("SystemModstamp", "datetime")];
    fields.extend(own);
    if key == Key::Present {
        fields.push(field("Abmatic_Id__c", "string", json!({"length": 40, "externalId": true, "unique": true})));
    }
    json!({"name": object, "fields": fields})
}

/// A record as REST sends it: `id`, times, and `fields`.
pub(crate) fn record(object: &str, id: &str, fields: Json) -> Json {
    let mut record = json!({"attributes": {"type": object, "url": format!("{DATA}/sobjects/{object}/{id}")}});
    for (key, value) in fields.as_object().unwrap() {
        record[key] = value.clone();
    }
    record["Id"] = id.into();
    record["CreatedDate"] = "2026-01-01T00:00:00.000+0000".into();
    record["SystemModstamp"] = STAMP.into();
    record
}

/// The one page of a query.
pub(crate) fn page(records: Vec<Json>) -> Json {
    json!({"totalSize": records.len(), "done": true, "records": records})
}

pub(crate) fn saved(id: &str) -> Json {
    json!({"id": id, "success": true, "errors": []})
}

pub(crate) fn refused(code: &str, message: &str) -> Json {
    json!({"success": false, "errors": [{"statusCode": code, "message": message, "fields": []}]})
}

pub(crate) fn create(intent: &str, fields: &[(&str, Value)]) -> Write {
    Write::Create { intent: IntentId::from(intent), fields: fields_of(fields) }
}

pub(crate) fn update(id: &str, fields: &[(&str, Value)]) -> Write {
    Write::Update {
        id: RemoteId::from(id),
        fields: fields_of(fields),
        references_before: Fields::new(),
        unmodified_since: None,
    }
}

pub(crate) fn fields_of(fields: &[(&str, Value)]) -> Fields {
    fields.iter().cloned().collect()
}

pub(crate) fn names<const N: usize>(names: [&str; N]) -> BTreeSet<FieldName> {
    names.into_iter().map(FieldName::from).collect()
}

pub(crate) fn ids(page: &Page) -> Vec<&str> {
    page.records.iter().map(|record| record.id.as_str()).collect()
}

/// `id`, or the kind of the failure.
pub(crate) fn shown(outcomes: &[WriteOutcome]) -> Vec<String> {
    let shown = |outcome: &WriteOutcome| match outcome {
        WriteOutcome::Written(written) => written.id.to_string(),
        WriteOutcome::Failed(error) => {
            format!("{:?} {}", error.kind(), error.existing_id().map_or("", RemoteId::as_str))
        }
        _ => String::new(),
    };
    outcomes.iter().map(|outcome| shown(outcome).trim_end().to_owned()).collect()
}
