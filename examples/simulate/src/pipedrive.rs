//! Histories on Pipedrive.

use std::sync::Arc;

use abmatic_sync_core::connector::contract::CrmConnector;
use abmatic_sync_core::ids::RemoteId;
use abmatic_sync_core::model::connection::Connection;
use abmatic_sync_core::model::fields::Fields;
use abmatic_sync_core::model::mapping::{FieldMapping, Mapping};
use abmatic_sync_core::model::record::RemoteRecord;
use abmatic_sync_core::model::resource::Resource;
use abmatic_sync_core::model::value::Value;
use abmatic_sync_pipedrive::PipedriveConnector;
use abmatic_sync_testkit::fake::pipedrive::{CrmUser, FakePipedrive, Field, RecordView};
use abmatic_sync_testkit::simulator::{Account, Fault, Opening, Spelling, Stage};
use serde_json::{Map, Value as Json, json};

use crate::fields::{Names, mapping, number, reference, related, shown};
use crate::site::Site;

/// Lists and searches of the fake show a change so much later.
const LAG_SECONDS: u32 = 20;
/// A field of its own holds the tag: its code is the account's.
const TAG: &str = "Tag";

/// Pipedrive, by its connector and its fake.
#[derive(Debug)]
pub(crate) struct PipedriveStage;

impl Stage for PipedriveStage {
    fn name(&self) -> &'static str {
        "pipedrive"
    }

    fn resources(&self) -> &'static [Resource] {
        &[Resource::Account, Resource::Contact, Resource::Opportunity]
    }

    fn open(&self, opening: Opening) -> Box<dyn Account> {
        let mut fake = FakePipedrive::builder()
            .contact_sync(true)
            .firmographics(true)
            .rate_limits(false)
            .search_lag_seconds(LAG_SECONDS)
            .simulated_clock(opening.crm_time().timestamp_millis());
        for object in ["organizations", "persons", "deals"] {
            fake = fake.field(object, Field::new(TAG, "varchar"));
        }
        let clock = Arc::clone(&opening.clock);
        let site = Site::new(fake.build(), opening);
        let connector = PipedriveConnector::builder().clock(clock).transport(Arc::new(site.clone()));
        let connector = Arc::new(connector.visibility_lag_seconds(LAG_SECONDS).build());
        Box::new(PipedriveAccount { site, connector })
    }
}

#[derive(Debug)]
struct PipedriveAccount {
    site: Site<FakePipedrive>,
    connector: Arc<PipedriveConnector>,
}

impl PipedriveAccount {
    fn user(&self) -> CrmUser<'_> {
        self.site.fake().user()
    }

    fn tag(&self, resource: Resource) -> String {
        self.user().field_code(object(resource), TAG).unwrap_or_default()
    }

    /// What people enter, as a body of API v2.
    fn body(&self, resource: Resource, fields: &Fields) -> Json {
        let mut body = Map::new();
        for (host, key) in names(resource) {
            let Some(value) = fields.get(host) else { continue };
            let json = match value {
                Value::Integer(number) => json!(number),
                value if value.is_blank() => Json::Null,
                value => json!(value.to_string()),
            };
            match *key {
                "emails" if json.is_null() => body.insert("emails".to_owned(), json!([])),
                "emails" => {
                    body.insert("emails".to_owned(), json!([{"value": json, "primary": true, "label": "work"}]))
                }
                key => body.insert(key.to_owned(), json),
            };
        }
        if let Some(tag) = fields.get("tag") {
            body.insert("custom_fields".to_owned(), json!({self.tag(resource): tag.to_string()}));
        }
        for (relation, key) in RELATIONS {
            if let Some(ids) = related(fields, relation) {
                body.insert(key.to_owned(), ids.first().and_then(|id| id.parse::<u64>().ok()).into());
            }
        }
        body.into()
    }
}

/// How the relations are called there.
const RELATIONS: [(&str, &str); 2] = [("account", "org_id"), ("contacts", "person_id")];

fn object(resource: Resource) -> &'static str {
    match resource {
        Resource::Account => "organizations",
        Resource::Contact => "persons",
        _ => "deals",
    }
}

/// The fields besides the tag.
fn names(resource: Resource) -> Names {
    match resource {
        Resource::Account => &[("name", "name"), ("website", "website"), ("size", "employee_count")],
        Resource::Contact => &[("work_email", "emails"), ("name", "name"), ("note", "job_title")],
        _ => &[("name", "title"), ("amount", "value")],
    }
}

fn text(record: &RecordView, key: &str) -> String {
    match record.get(key) {
        Json::Null => String::new(),
        Json::String(text) => text.clone(),
        Json::Array(entries) => {
            let primary = entries.iter().find(|entry| entry["primary"] == true).or_else(|| entries.first());
            primary.and_then(|entry| entry["value"].as_str()).unwrap_or_default().to_owned()
        }
        other => other.to_string(),
    }
}

impl Account for PipedriveAccount {
    fn connector(&self) -> Arc<dyn CrmConnector> {
        Arc::<PipedriveConnector>::clone(&self.connector)
    }

    fn connection(&self) -> Connection {
        self.site.connection()
    }

    fn mapping(&self, resource: Resource) -> Mapping {
        let mut mapping = mapping(names(resource)).with(FieldMapping::new("tag", self.tag(resource)));
        for field in mapping.fields.iter_mut().filter(|field| field.remote.as_str() == "emails") {
            field.remote = "email".into();
        }
        mapping
    }

    fn spelling(&self) -> Spelling {
        Spelling::default().with_zeros(&["amount"])
    }

    /// It has no unique fields.
    fn recognises_creates(&self) -> bool {
        false
    }

    fn records(&self, resource: Resource) -> Vec<RemoteRecord> {
        let tag = self.tag(resource);
        let live = self.user().records(object(resource)).into_iter().map(|record| {
            let mut fields = shown(names(resource), |key| text(&record, key));
            fields.insert("tag", Value::text(record.text(&tag)));
            for relation in resource.relations() {
                let key = RELATIONS.iter().find(|(name, _)| *name == relation.field).map_or("", |(_, key)| *key);
                fields.insert(relation.field, reference(record.get(key).as_u64().map(|id| id.to_string())));
            }
            RemoteRecord::new(record.id.to_string(), fields)
        });
        live.collect()
    }

    fn create(&self, resource: Resource, fields: &Fields) {
        // What is refused does not happen.
        drop(self.user().create(object(resource), &self.body(resource, fields)));
    }

    fn edit(&self, resource: Resource, id: &RemoteId, fields: &Fields) {
        drop(self.user().update(object(resource), number(id), &self.body(resource, fields)));
    }

    fn delete(&self, resource: Resource, id: &RemoteId) {
        self.user().delete(object(resource), number(id));
    }

    fn restore(&self, resource: Resource, id: &RemoteId) {
        self.user().restore(object(resource), number(id));
    }

    fn merge(&self, resource: Resource, survivor: &RemoteId, loser: &RemoteId) {
        self.user().merge(object(resource), number(loser), number(survivor));
    }

    fn expect_faults(&self, faults: &[(u64, Fault)]) {
        self.site.expect_faults(faults);
    }
}
