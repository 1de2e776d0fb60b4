//! Histories on Salesforce.

use std::sync::Arc;

use abmatic_sync_core::connector::contract::CrmConnector;
use abmatic_sync_core::ids::RemoteId;
use abmatic_sync_core::model::connection::Connection;
use abmatic_sync_core::model::fields::Fields;
use abmatic_sync_core::model::mapping::{FieldMapping, Mapping};
use abmatic_sync_core::model::record::RemoteRecord;
use abmatic_sync_core::model::resource::Resource;
use abmatic_sync_core::model::schema::{Field, FieldType};
use abmatic_sync_core::model::value::Value;
use abmatic_sync_salesforce::SalesforceConnector;
use abmatic_sync_testkit::fake::salesforce::{CrmUser, FakeSalesforce, Field as FakeField};
use abmatic_sync_testkit::simulator::{Account, Fault, Opening, Stage};

use crate::fields::{Names, borrowed, entered, mapping, reference, related, shown};
use crate::site::Site;

/// Longer than the world's clocks differ.
const LAG_SECONDS: u32 = 20;
const OWN_KEY: &str = "Abmatic_Key__c";
const ROLE: &str = "OpportunityContactRole";
/// What each opportunity has to have.
const STAGE: &str = "Prospecting";
const CLOSES: &str = "2030-01-31";

/// Salesforce, by its connector and its fake.
#[derive(Debug)]
pub(crate) struct SalesforceStage;

impl Stage for SalesforceStage {
    fn name(&self) -> &'static str {
        "salesforce"
    }

    fn resources(&self) -> &'static [Resource] {
        &[Resource::Account, Resource::Contact, Resource::Opportunity]
    }

    fn open(&self, opening: Opening) -> Box<dyn Account> {
        let mut fake = FakeSalesforce::builder().simulated_clock(opening.crm_time().timestamp_millis());
        for object in ["Account", "Contact", "Opportunity"] {
            fake = fake.field(object, FakeField::text("Tag__c", 40));
            fake = fake.field(object, FakeField::text(OWN_KEY, 40).external_id().unique());
        }
        let (clock, own_key) = (Arc::clone(&opening.clock), opening.own_key);
        let site = Site::new(fake.build(), opening);
        let mut connector = SalesforceConnector::builder().clock(clock).transport(Arc::new(site.clone()));
        for resource in self.resources().iter().filter(|_| own_key) {
            connector = connector.external_id(*resource, OWN_KEY);
        }
        let connector = Arc::new(connector.visibility_lag_seconds(LAG_SECONDS).build());
        Box::new(SalesforceAccount { site, connector, own_key })
    }
}

#[derive(Debug)]
struct SalesforceAccount {
    site: Site<FakeSalesforce>,
    connector: Arc<SalesforceConnector>,
    own_key: bool,
}

impl SalesforceAccount {
    fn user(&self) -> CrmUser<'_> {
        self.site.fake().user()
    }

    /// The roles of an opportunity: their ids, and the contacts' ids.
    fn roles(&self, opportunity: &str) -> Vec<(String, String)> {
        let roles = self.user().find(ROLE, "OpportunityId", opportunity).into_iter();
        roles.map(|role| (role.id.clone(), role.get("ContactId").to_owned())).collect()
    }

    /// Gives an opportunity just those contacts.
    fn relate_contacts(&self, opportunity: &str, wanted: &[String]) {
        let held = self.roles(opportunity);
        for (role, _) in held.iter().filter(|(_, contact)| !wanted.contains(contact)) {
            self.user().delete(ROLE, role);
        }
        for contact in wanted.iter().filter(|wanted| !held.iter().any(|(_, contact)| contact == *wanted)) {
            drop(self.user().create(ROLE, &[("OpportunityId", opportunity), ("ContactId", contact)]));
        }
    }
}

fn object(resource: Resource) -> &'static str {
    match resource {
        Resource::Account => "Account",
        Resource::Contact => "Contact",
        _ => "Opportunity",
    }
}

fn names(resource: Resource) -> Names {
    match resource {
        Resource::Account => {
            &[("tag", "Tag__c"), ("name", "Name"), ("website", "Website"), ("size", "NumberOfEmployees")]
        }
        Resource::Contact => &[("tag", "Tag__c"), ("work_email", "Email"), ("name", "LastName"), ("note", "Title")],
        _ => &[("tag", "Tag__c"), ("name", "Name"), ("amount", "Amount")],
    }
}

impl Account for SalesforceAccount {
    fn connector(&self) -> Arc<dyn CrmConnector> {
        Arc::<SalesforceConnector>::clone(&self.connector)
    }

    fn connection(&self) -> Connection {
        self.site.connection()
    }

    fn mapping(&self, resource: Resource) -> Mapping {
        let mapping = mapping(names(resource));
        if resource != Resource::Opportunity {
            return mapping;
        }
        mapping.with(FieldMapping::new("stage", "StageName")).with(FieldMapping::new("close_date", "CloseDate"))
    }

    fn constants(&self, resource: Resource) -> Vec<(Field, Value)> {
        if resource != Resource::Opportunity {
            return Vec::new();
        }
        let closes = CLOSES.parse().map_or(Value::Null, Value::Date);
        vec![
            (Field::new("stage", FieldType::Text), Value::text(STAGE)),
            (Field::new("close_date", FieldType::Date), closes),
        ]
    }

    fn recognises_creates(&self) -> bool {
        self.own_key
    }

    fn records(&self, resource: Resource) -> Vec<RemoteRecord> {
        let live = self.user().records(object(resource)).into_iter().map(|record| {
            let mut fields = shown(names(resource), |field| record.get(field).to_owned());
            if resource != Resource::Account {
                let account = record.get("AccountId").to_owned();
                fields.insert("account", reference([account].into_iter().filter(|id| !id.is_empty())));
            }
            if resource == Resource::Opportunity {
                fields.insert("contacts", reference(self.roles(&record.id).into_iter().map(|(_, contact)| contact)));
            }
            RemoteRecord::new(record.id, fields)
        });
        live.collect()
    }

    fn create(&self, resource: Resource, fields: &Fields) {
        let mut values = entered(names(resource), fields);
        if resource == Resource::Opportunity {
            values.extend([("StageName", STAGE.to_owned()), ("CloseDate", CLOSES.to_owned())]);
        }
        // What is refused does not happen.
        drop(self.user().create(object(resource), &borrowed(&values)));
    }

    fn edit(&self, resource: Resource, id: &RemoteId, fields: &Fields) {
        let mut values = entered(names(resource), fields);
        if let Some(account) = related(fields, "account") {
            values.push(("AccountId", account.into_iter().next().unwrap_or_default()));
        }
        if !values.is_empty() {
            drop(self.user().update(object(resource), id.as_str(), &borrowed(&values)));
        }
        if let Some(contacts) = related(fields, "contacts") {
            self.relate_contacts(id.as_str(), &contacts);
        }
    }

    fn delete(&self, resource: Resource, id: &RemoteId) {
        self.user().delete(object(resource), id.as_str());
    }

    fn restore(&self, resource: Resource, id: &RemoteId) {
        self.user().undelete(object(resource), id.as_str());
    }

    fn merge(&self, resource: Resource, survivor: &RemoteId, loser: &RemoteId) {
        self.user().merge(object(resource), survivor.as_str(), loser.as_str());
    }

    fn expect_faults(&self, faults: &[(u64, Fault)]) {
        self.site.expect_faults(faults);
    }
}
