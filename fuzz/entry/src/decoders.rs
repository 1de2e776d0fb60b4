//! The connectors' decoders: whatever a CRM answers, an operation ends, with what its contract says.

use std::sync::Arc;

use abmatic_sync_activecampaign::ActiveCampaignConnector;
use abmatic_sync_core::clock::Clock;
use abmatic_sync_core::connector::contract::CrmConnector;
use abmatic_sync_core::connector::request::{
    CreateInDoubt, FindRequest, Page, PageCursor, Read, ReadRequest, VerifyRequest, Write, WriteOutcome,
};
use abmatic_sync_core::error::{Error, Result};
use abmatic_sync_core::filter::expr::field;
use abmatic_sync_core::ids::{FieldName, IntentId, RemoteId};
use abmatic_sync_core::model::connection::{Connection, Credentials};
use abmatic_sync_core::model::fields::Fields;
use abmatic_sync_core::model::resource::Resource;
use abmatic_sync_core::model::schema::{Field, FieldType, Schema};
use abmatic_sync_core::model::value::Value;
use abmatic_sync_http::retry::RetryOptions;
use abmatic_sync_http::transport::Transport;
use abmatic_sync_hubspot::HubspotConnector;
use abmatic_sync_pipedrive::PipedriveConnector;
use abmatic_sync_salesforce::SalesforceConnector;
use chrono::{DateTime, TimeDelta};
use url::Url;

use crate::stub::{Answers, StillClock, finish};

/// What no error may show (I9).
const TOKEN: &str = "0123456789abcdef-very-secret";
/// So many pages are read of one scope.
const PAGES_MAX: usize = 6;
/// So many fields are read and written.
const FIELDS_MAX: usize = 24;
/// More than any connector writes without a job.
const MANY: usize = 120;

type Build = fn(Arc<dyn Transport>, Arc<dyn Clock>, RetryOptions) -> Arc<dyn CrmConnector>;

/// One CRM, as far as a play needs it.
struct Crm {
    url: &'static str,
    build: Build,
    /// Sound descriptions, by the end of their paths.
    described: &'static [(&'static str, &'static str)],
}

/// Plays HubSpot's answers.
///
/// # Panics
/// Where an operation never ends, answers another number of outcomes than it was asked for, or shows a secret.
pub fn hubspot(data: &[u8]) {
    let build: Build = |transport, clock, retry| {
        Arc::new(HubspotConnector::builder().transport(transport).clock(clock).retry(retry).build())
    };
    play(data, &Crm { url: "https://api.hubapi.com", build, described: HUBSPOT });
}

/// Plays Salesforce's answers.
///
/// # Panics
/// As [`hubspot`].
pub fn salesforce(data: &[u8]) {
    let build: Build = |transport, clock, retry| {
        Arc::new(SalesforceConnector::builder().transport(transport).clock(clock).retry(retry).build())
    };
    play(data, &Crm { url: "https://acme.my.salesforce.com", build, described: SALESFORCE });
}

/// Plays Salesforce's answers where all goes by Bulk jobs, whose results are CSV.
///
/// # Panics
/// As [`hubspot`].
pub fn salesforce_bulk(data: &[u8]) {
    let build: Build = |transport, clock, retry| {
        let builder = SalesforceConnector::builder().transport(transport).clock(clock).retry(retry);
        Arc::new(builder.bulk_read_min(1).bulk_write_min(1).conditional_updates_max(0).build())
    };
    play(data, &Crm { url: "https://acme.my.salesforce.com", build, described: SALESFORCE });
}

/// Plays Pipedrive's answers.
///
/// # Panics
/// As [`hubspot`].
pub fn pipedrive(data: &[u8]) {
    let build: Build = |transport, clock, retry| {
        Arc::new(PipedriveConnector::builder().transport(transport).clock(clock).retry(retry).build())
    };
    play(data, &Crm { url: "https://acme.pipedrive.com", build, described: PIPEDRIVE });
}

/// Plays ActiveCampaign's answers.
///
/// # Panics
/// As [`hubspot`].
pub fn activecampaign(data: &[u8]) {
    let build: Build = |transport, clock, retry| {
        Arc::new(ActiveCampaignConnector::builder().transport(transport).clock(clock).retry(retry).build())
    };
    play(data, &Crm { url: "https://acme.api-us1.com", build, described: ACTIVECAMPAIGN });
}

/// The first byte chooses the operation, the second the resource and whether descriptions are sound; the answers follow.
fn play(data: &[u8], crm: &Crm) {
    let [operation, choice, answers @ ..] = data else { return };
    if answers.windows(TOKEN.len()).any(|window| window == TOKEN.as_bytes()) {
        return;
    }
    let choice = choice.wrapping_sub(b'0') % 10;
    let resources = [Resource::Account, Resource::Contact, Resource::Opportunity, Resource::Lead, Resource::Activity];
    let known = if choice < 5 { crm.described } else { &[] };
    let (transport, clock) = (Arc::new(Answers::read(answers, known)), Arc::new(StillClock::default()));
    let mut retry = RetryOptions::default();
    retry.resends_max = 1;
    let connector = (crm.build)(transport, clock, retry);
    let mut on = Connection::new("t", "c", connector.descriptor().name, Credentials::token(TOKEN));
    on.base_url = Url::parse(crm.url).ok();
    let resource = resources[usize::from(choice % 5)];
    finish(async {
        let schema = if choice < 5 { connector.describe(&on, resource).await.ok() } else { None };
        let scene = Scene { connector: connector.as_ref(), on, resource, schema };
        scene.act(operation.wrapping_sub(b'a') % 18, answers).await;
    });
}

struct Scene<'a> {
    connector: &'a dyn CrmConnector,
    on: Connection,
    resource: Resource,
    /// Its fields, where they are described soundly.
    schema: Option<Schema>,
}

impl Scene<'_> {
    async fn act(&self, operation: u8, answers: &[u8]) {
        let (connector, on, resource) = (self.connector, &self.on, self.resource);
        let since = DateTime::UNIX_EPOCH;
        let ids = || ["1", "2", "003000000000001AAA"].map(RemoteId::from).to_vec();
        match operation {
            0 => self.heard(connector.describe(on, resource).await),
            1 => self.pages(Read::All, None).await,
            2 => self.pages(Read::Changed { since, until: since + TimeDelta::days(30_000), filter: None }, None).await,
            3 => self.pages(Read::Archived { since: Some(since) }, None).await,
            4 => self.pages(Read::Ids(ids()), None).await,
            5 => self.pages(Read::List("7".to_owned()), None).await,
            6 => {
                let name = self.names().into_iter().next().unwrap_or_else(|| FieldName::from("name"));
                self.pages(Read::Filter(field(name).equals("Acme")), None).await;
            }
            7 => {
                let keys = vec!["acme.com".to_owned(), "ann@acme.com".to_owned()];
                let mut request = FindRequest::new(resource, keys);
                request.fields.extend(self.names());
                request.relations.extend(self.relations());
                self.heard(connector.find(on, request).await);
            }
            8 => self.write((0..3).map(|number| self.create(number)).collect()).await,
            9 => {
                let update = |id| Write::Update {
                    id,
                    fields: self.fields(),
                    references_before: Fields::new(),
                    unmodified_since: Some(since),
                };
                self.write(ids().into_iter().map(update).collect()).await;
            }
            10 => self.write(ids().into_iter().map(|id| Write::Archive { id }).collect()).await,
            11 => {
                let in_doubt = |number: usize| {
                    CreateInDoubt::new(IntentId::from(format!("i{number}").as_str()), since, self.fields())
                };
                let creates: Vec<_> = (0..2).map(in_doubt).collect();
                let mut request = VerifyRequest::new(resource, creates);
                request.fields.extend(self.names());
                let verified = connector.verify(on, request).await;
                if let Ok(found) = &verified {
                    assert_eq!(found.len(), 2, "one answer for each create in doubt");
                }
                self.heard(verified);
            }
            12 => self.heard(connector.count(on, resource, &Read::All).await),
            13 => self.heard(connector.prepare(on, resource).await),
            14 => self.heard(connector.may_write(on, resource).await),
            // A cursor outlives its process, and may come back in whatever state.
            15 => {
                let text = String::from_utf8_lossy(answers.split(|byte| *byte == b'\n').next().unwrap_or_default());
                self.pages(Read::All, Some(PageCursor::new(text))).await;
            }
            16 => self.write((0..MANY).map(|number| self.create(number)).collect()).await,
            _ => {
                let read = Read::Changed { since, until: since + TimeDelta::days(30_000), filter: None };
                let edit_times = self.request(read).with_edit_times();
                self.heard(connector.read(on, edit_times).await);
            }
        }
        let _ = connector.quota(on);
    }

    async fn pages(&self, read: Read, mut cursor: Option<PageCursor>) {
        for _ in 0..PAGES_MAX {
            let page = self.connector.read(&self.on, self.request(read.clone()).at(cursor.clone())).await;
            if let Ok(Page { records, next, .. }) = &page {
                assert!(next.is_none() || *next != cursor, "a page leads to itself: {next:?}");
                assert!(records.iter().all(|record| !record.id.as_str().is_empty()), "a record without an id");
            }
            let next = page.as_ref().ok().and_then(|page| page.next.clone());
            self.heard(page);
            if next.is_none() {
                return;
            }
            cursor = next;
        }
    }

    async fn write(&self, writes: Vec<Write>) {
        let count = writes.len();
        let written = self.connector.write(&self.on, self.resource, writes).await;
        if let Ok(outcomes) = &written {
            assert_eq!(outcomes.len(), count, "one outcome for each write");
            for outcome in outcomes {
                match outcome {
                    WriteOutcome::Written(written) => {
                        assert!(!written.id.as_str().is_empty(), "written, without an id")
                    }
                    WriteOutcome::Failed(error) => keeps_secrets(error),
                    _ => {}
                }
            }
        }
        self.heard(written);
    }

    fn request(&self, read: Read) -> ReadRequest {
        ReadRequest::new(self.resource, read).with_fields(self.names()).with_relations(self.relations())
    }

    /// The fields that are read and written: the described ones, else those of the default mapping.
    fn names(&self) -> Vec<FieldName> {
        if let Some(schema) = &self.schema {
            return schema.fields.iter().take(FIELDS_MAX).map(|field| field.name.clone()).collect();
        }
        let offered = self.connector.descriptor().resource(self.resource);
        offered.map_or_else(Vec::new, |offered| {
            offered.default_mapping.fields.iter().map(|pair| pair.remote.clone()).collect()
        })
    }

    fn relations(&self) -> Vec<FieldName> {
        let offered = self.connector.descriptor().resource(self.resource);
        offered.map_or_else(Vec::new, |offered| offered.relations.iter().map(|name| FieldName::from(*name)).collect())
    }

    fn create(&self, number: usize) -> Write {
        Write::Create { intent: IntentId::from(format!("i{number}").as_str()), fields: self.fields() }
    }

    /// A value for each field that can be written, and each relation.
    fn fields(&self) -> Fields {
        let plain = self.names().into_iter().filter_map(|name| {
            let known = self.schema.as_ref().and_then(|schema| schema.field(name.as_str()));
            let value =
                known.map_or_else(|| Some(Value::text("Acme")), |field| field.writable.then(|| value_of(field)));
            Some((name, value?))
        });
        plain.chain(self.relations().into_iter().map(|name| (name, Value::reference("1")))).collect()
    }

    fn heard<T>(&self, answer: Result<T>) {
        if let Err(error) = answer {
            keeps_secrets(&error);
        }
    }
}

fn value_of(field: &Field) -> Value {
    let option = field.options.first().map_or_else(|| "Acme".to_owned(), |option| option.value.clone());
    match field.field_type {
        FieldType::Boolean => Value::Boolean(true),
        FieldType::Choice => Value::Choice(option),
        FieldType::Date => Value::Date(DateTime::UNIX_EPOCH.date_naive()),
        FieldType::Decimal | FieldType::Integer => Value::Integer(7),
        FieldType::Email => Value::text("ann@acme.com"),
        FieldType::Instant => Value::Instant(DateTime::UNIX_EPOCH),
        FieldType::MultiChoice => Value::MultiChoice([option].into()),
        FieldType::Reference => Value::reference("1"),
        _ => Value::text("Acme"),
    }
}

fn keeps_secrets(error: &Error) {
    let shown = format!("{error} {error:?}");
    assert!(!shown.contains(TOKEN), "an error shows the token: {shown}");
}

const HUBSPOT: &[(&str, &str)] = &[
    ("/crm/properties/2026-09/companies", HUBSPOT_PROPERTIES),
    ("/crm/properties/2026-09/contacts", HUBSPOT_PROPERTIES),
    ("/crm/properties/2026-09/deals", HUBSPOT_PROPERTIES),
    ("/crm/pipelines/2026-09/deals", HUBSPOT_PROPERTIES),
];
/// Properties and pipelines at once: each reads its own.
const HUBSPOT_PROPERTIES: &str = r#"{"results":[
    {"id":"default","stages":[{"id":"won","label":"Won"}],"name":"amount","label":"Amount","type":"number","fieldType":"number"},
    {"id":"2","stages":[],"name":"closedate","label":"Close","type":"datetime","fieldType":"date"},
    {"id":"3","stages":[],"name":"dealstage","label":"Stage","type":"enumeration","fieldType":"radio","options":[{"value":"won","label":"Won"}]},
    {"id":"4","stages":[],"name":"numberofemployees","label":"Employees","type":"number","fieldType":"number"},
    {"id":"5","stages":[],"name":"tags","label":"Tags","type":"enumeration","fieldType":"checkbox","options":[]},
    {"id":"6","stages":[],"name":"abmatic_sync_id","label":"Key","type":"string","fieldType":"text","hasUniqueValue":true},
    {"id":"7","stages":[],"name":"target","label":"Target","type":"bool","fieldType":"booleancheckbox"},
    {"id":"8","stages":[],"name":"name","label":"Name","type":"string","fieldType":"text"}]}"#;

const SALESFORCE: &[(&str, &str)] = &[("/describe", SALESFORCE_FIELDS)];
const SALESFORCE_FIELDS: &str = r#"{"name":"Account","fields":[
    {"name":"Id","label":"Id","type":"id"},
    {"name":"CreatedDate","label":"Created","type":"datetime","nillable":true,"filterable":true},
    {"name":"SystemModstamp","label":"Modified","type":"datetime","nillable":true,"filterable":true},
    {"name":"IsDeleted","label":"Deleted","type":"boolean","nillable":true,"filterable":true},
    {"name":"Name","label":"Name","type":"string","createable":true,"updateable":true,"nillable":true,"filterable":true,"length":80},
    {"name":"Website","label":"Website","type":"url","createable":true,"updateable":true,"nillable":true,"filterable":true},
    {"name":"Industry","label":"Industry","type":"picklist","createable":true,"updateable":true,"nillable":true,"filterable":true,
     "picklistValues":[{"active":true,"label":"Tech","value":"Tech"}]},
    {"name":"NumberOfEmployees","label":"Employees","type":"int","createable":true,"updateable":true,"nillable":true,"filterable":true},
    {"name":"Amount","label":"Amount","type":"currency","createable":true,"updateable":true,"nillable":true,"filterable":true},
    {"name":"StageName","label":"Stage","type":"picklist","createable":true,"updateable":true,"nillable":true,"filterable":true,"picklistValues":[]},
    {"name":"CloseDate","label":"Close","type":"date","createable":true,"updateable":true,"nillable":true,"filterable":true},
    {"name":"Email","label":"Email","type":"email","createable":true,"updateable":true,"nillable":true,"filterable":true},
    {"name":"FirstName","label":"First","type":"string","createable":true,"updateable":true,"nillable":true,"filterable":true},
    {"name":"LastName","label":"Last","type":"string","createable":true,"updateable":true,"nillable":true,"filterable":true},
    {"name":"Title","label":"Title","type":"string","createable":true,"updateable":true,"nillable":true,"filterable":true},
    {"name":"Company","label":"Company","type":"string","createable":true,"updateable":true,"nillable":true,"filterable":true},
    {"name":"AccountId","label":"Account","type":"reference","createable":true,"updateable":true,"nillable":true,"filterable":true},
    {"name":"Abmatic_Id__c","label":"Key","type":"string","createable":true,"updateable":true,"nillable":true,"filterable":true,
     "length":40,"externalId":true,"unique":true}]}"#;

const PIPEDRIVE: &[(&str, &str)] = &[
    ("/organizationFields", PIPEDRIVE_FIELDS),
    ("/personFields", PIPEDRIVE_FIELDS),
    ("/dealFields", PIPEDRIVE_FIELDS),
    ("/activityFields", PIPEDRIVE_FIELDS),
    ("/pipelines", PIPEDRIVE_STAGES),
    ("/stages", PIPEDRIVE_STAGES),
];
const PIPEDRIVE_FIELDS: &str = r#"{"success":true,"additional_data":{"next_cursor":null},"data":[
    {"id":1,"key":"name","field_name":"Name","field_code":"name","field_type":"varchar"},
    {"id":2,"key":"website","field_name":"Website","field_code":"website","field_type":"varchar"},
    {"id":3,"key":"industry","field_name":"Industry","field_code":"industry","field_type":"enum","options":[{"id":3,"label":"Finance"}]},
    {"id":4,"key":"employee_count","field_name":"Employees","field_code":"employee_count","field_type":"int"},
    {"id":5,"key":"9dc80c50d78a15643bfc4ca79d76156a73a1ca0e","field_name":"Tier","field_code":"9dc80c50d78a15643bfc4ca79d76156a73a1ca0e",
     "field_type":"set","is_custom_field":true,"options":[{"id":12,"label":"Gold"},{"id":13,"label":"Silver"}]},
    {"id":6,"key":"email","field_name":"Email","field_code":"email","field_type":"varchar"},
    {"id":7,"key":"title","field_name":"Title","field_code":"title","field_type":"varchar"},
    {"id":8,"key":"value","field_name":"Value","field_code":"value","field_type":"monetary"},
    {"id":9,"key":"stage_id","field_name":"Stage","field_code":"stage_id","field_type":"stage"},
    {"id":10,"key":"expected_close_date","field_name":"Close","field_code":"expected_close_date","field_type":"date"},
    {"id":11,"key":"address","field_name":"Address","field_code":"address","field_type":"address"}]}"#;
const PIPEDRIVE_STAGES: &str =
    r#"{"success":true,"data":[{"id":1,"name":"Sales","pipeline_id":1}],"additional_data":{"next_cursor":null}}"#;

const ACTIVECAMPAIGN: &[(&str, &str)] = &[
    ("/api/3/fields", ACTIVECAMPAIGN_FIELDS),
    ("/accountCustomFieldMeta", ACTIVECAMPAIGN_FIELDS),
    ("/dealCustomFieldMeta", ACTIVECAMPAIGN_FIELDS),
    ("/dealGroups", ACTIVECAMPAIGN_FIELDS),
];
/// All descriptions at once: each reads its own.
const ACTIVECAMPAIGN_FIELDS: &str = r#"{
    "fields":[{"title":"Plan","type":"dropdown","perstag":"PLAN","isrequired":"0","options":[],"id":"1"},
              {"title":"Interests","type":"checkbox","perstag":"INTERESTS","options":[],"id":"2"}],
    "fieldOptions":[{"field":"1","orderid":"1","value":"plus","label":"Plus plan","id":"1"}],"fieldRels":[],
    "accountCustomFieldMeta":[{"id":"9","fieldLabel":"Number of Employees","fieldType":"dropdown","fieldOptions":["1 - 10"]},
        {"id":"10","fieldLabel":"Annual Revenue","fieldType":"currency","fieldDefaultCurrency":"EUR"},
        {"id":"11","fieldLabel":"Industry/Vertical","fieldType":"dropdown","fieldOptions":["Retail"],"knownFieldId":null}],
    "dealCustomFieldMeta":[{"id":"3","fieldLabel":"When","fieldType":"datetime"}],
    "dealStages":[{"group":"4","title":"To Contact","order":"1","id":"10"}],
    "dealGroups":[{"title":"Sales","currency":"eur","stages":[],"id":"4"}],"meta":{"total":"2"}}"#;
