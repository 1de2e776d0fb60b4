//! Histories on HubSpot.

use std::sync::Arc;

use abmatic_sync_core::connector::contract::CrmConnector;
use abmatic_sync_core::ids::RemoteId;
use abmatic_sync_core::model::connection::Connection;
use abmatic_sync_core::model::fields::Fields;
use abmatic_sync_core::model::mapping::{Mapping, Transform};
use abmatic_sync_core::model::record::RemoteRecord;
use abmatic_sync_core::model::resource::Resource;
use abmatic_sync_hubspot::HubspotConnector;
use abmatic_sync_testkit::fake::hubspot::{CrmUser, FakeHubspot};
use abmatic_sync_testkit::simulator::{Account, Fault, Opening, Spelling, Stage};

use crate::fields::{Names, borrowed, entered, mapping, reference, related, shown};
use crate::site::Site;

/// Searches of the fake show a change so much later.
const SEARCH_LAG_SECONDS: f64 = 20.0;
const LAG_SECONDS: u32 = 20;

/// HubSpot, by its connector and its fake.
#[derive(Debug)]
pub(crate) struct HubspotStage;

impl Stage for HubspotStage {
    fn name(&self) -> &'static str {
        "hubspot"
    }

    fn resources(&self) -> &'static [Resource] {
        &[Resource::Account, Resource::Contact, Resource::Opportunity]
    }

    fn open(&self, opening: Opening) -> Box<dyn Account> {
        let fake = FakeHubspot::builder()
            .search_lag_seconds(SEARCH_LAG_SECONDS)
            .auto_association(false)
            .rate_limits(false)
            .allow_property_creation(opening.own_key)
            .simulated_clock(opening.crm_time().timestamp_millis());
        let (clock, own_key) = (Arc::clone(&opening.clock), opening.own_key);
        let site = Site::new(fake.build(), opening);
        let connector = HubspotConnector::builder().clock(clock).transport(Arc::new(site.clone()));
        let connector = Arc::new(connector.visibility_lag_seconds(LAG_SECONDS).build());
        Box::new(HubspotAccount { site, connector, own_key })
    }
}

#[derive(Debug)]
struct HubspotAccount {
    site: Site<FakeHubspot>,
    connector: Arc<HubspotConnector>,
    own_key: bool,
}

impl HubspotAccount {
    fn user(&self) -> CrmUser<'_> {
        self.site.fake().user()
    }

    /// Associates a record with just those.
    fn relate(&self, resource: Resource, id: &str, fields: &Fields) {
        let object = object(resource);
        for relation in resource.relations() {
            let Some(wanted) = related(fields, relation.field) else { continue };
            let target = self::object(relation.target);
            let held = self.user().associated((object, id), target);
            for other in held.iter().filter(|other| !wanted.contains(other)) {
                self.user().dissociate((object, id), (target, other));
            }
            for other in wanted.iter().filter(|other| !held.contains(other)) {
                self.user().associate((object, id), (target, other));
            }
        }
    }
}

fn object(resource: Resource) -> &'static str {
    match resource {
        Resource::Account => "companies",
        Resource::Contact => "contacts",
        _ => "deals",
    }
}

fn names(resource: Resource) -> Names {
    match resource {
        Resource::Account => {
            &[("tag", "description"), ("name", "name"), ("website", "domain"), ("size", "numberofemployees")]
        }
        Resource::Contact => &[("tag", "company"), ("work_email", "email"), ("name", "lastname"), ("note", "jobtitle")],
        _ => &[("tag", "description"), ("name", "dealname"), ("amount", "amount")],
    }
}

impl Account for HubspotAccount {
    fn connector(&self) -> Arc<dyn CrmConnector> {
        Arc::<HubspotConnector>::clone(&self.connector)
    }

    fn connection(&self) -> Connection {
        self.site.connection()
    }

    fn mapping(&self, resource: Resource) -> Mapping {
        let mut mapping = mapping(names(resource));
        for field in mapping.fields.iter_mut().filter(|field| field.local.as_str() == "website") {
            field.transform = Transform::Domain;
        }
        mapping
    }

    fn spelling(&self) -> Spelling {
        Spelling::default().with_domains()
    }

    fn recognises_creates(&self) -> bool {
        self.own_key
    }

    /// That it moves the modified date is documented nowhere, and the fake does not.
    fn tells_of_restored(&self) -> bool {
        false
    }

    fn records(&self, resource: Resource) -> Vec<RemoteRecord> {
        let user = self.user();
        let live = user.records(object(resource)).into_iter().map(|record| {
            let mut fields = shown(names(resource), |property| record.get(property).to_owned());
            for relation in resource.relations() {
                let ids = user.associated((object(resource), &record.id), object(relation.target));
                fields.insert(relation.field, reference(ids));
            }
            RemoteRecord::new(record.id, fields)
        });
        live.collect()
    }

    fn create(&self, resource: Resource, fields: &Fields) {
        // What is refused does not happen.
        drop(self.user().create(object(resource), &borrowed(&entered(names(resource), fields))));
    }

    fn edit(&self, resource: Resource, id: &RemoteId, fields: &Fields) {
        let values = entered(names(resource), fields);
        if !values.is_empty() {
            drop(self.user().update(object(resource), id.as_str(), &borrowed(&values)));
        }
        self.relate(resource, id.as_str(), fields);
    }

    fn delete(&self, resource: Resource, id: &RemoteId) {
        self.user().archive(object(resource), id.as_str());
    }

    fn restore(&self, resource: Resource, id: &RemoteId) {
        self.user().restore(object(resource), id.as_str());
    }

    fn merge(&self, resource: Resource, survivor: &RemoteId, loser: &RemoteId) {
        drop(self.user().merge(object(resource), survivor.as_str(), loser.as_str()));
    }

    fn expect_faults(&self, faults: &[(u64, Fault)]) {
        self.site.expect_faults(faults);
    }
}
