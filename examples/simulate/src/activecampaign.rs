//! Histories on ActiveCampaign.

use std::sync::Arc;

use abmatic_sync_activecampaign::{ActiveCampaignConnector, Pacing};
use abmatic_sync_core::connector::contract::CrmConnector;
use abmatic_sync_core::ids::RemoteId;
use abmatic_sync_core::model::connection::Connection;
use abmatic_sync_core::model::fields::Fields;
use abmatic_sync_core::model::mapping::Mapping;
use abmatic_sync_core::model::record::RemoteRecord;
use abmatic_sync_core::model::resource::Resource;
use abmatic_sync_core::model::value::Value;
use abmatic_sync_testkit::fake::activecampaign::{CrmUser, FakeActiveCampaign};
use abmatic_sync_testkit::simulator::{Account, Fault, Opening, Spelling, Stage};
use serde_json::{Map, Value as Json, json};

use crate::fields::{Names, mapping, number, reference, related, shown};
use crate::site::Site;

const LAG_SECONDS: u32 = 20;
/// Numbers of the custom fields that every account has: what describes an account, and its revenue, which is in cents.
const DESCRIPTION: u64 = 1;
const REVENUE: u64 = 10;

/// ActiveCampaign, by its connector and its fake.
#[derive(Debug)]
pub(crate) struct ActiveCampaignStage;

impl Stage for ActiveCampaignStage {
    fn name(&self) -> &'static str {
        "activecampaign"
    }

    fn resources(&self) -> &'static [Resource] {
        &[Resource::Account, Resource::Contact, Resource::Opportunity]
    }

    fn open(&self, opening: Opening) -> Box<dyn Account> {
        let fake =
            FakeActiveCampaign::builder().rate_limits(false).simulated_clock(opening.crm_time().timestamp_millis());
        let clock = Arc::clone(&opening.clock);
        let site = Site::new(fake.build(), opening);
        let connector = ActiveCampaignConnector::builder().clock(clock).transport(Arc::new(site.clone()));
        let connector = connector.pacing(Pacing::Headers).visibility_lag_seconds(LAG_SECONDS).build();
        Box::new(ActiveCampaignAccount { site, connector: Arc::new(connector) })
    }
}

#[derive(Debug)]
struct ActiveCampaignAccount {
    site: Site<FakeActiveCampaign>,
    connector: Arc<ActiveCampaignConnector>,
}

impl ActiveCampaignAccount {
    fn user(&self) -> CrmUser<'_> {
        self.site.fake().user()
    }

    /// Puts a contact into just that account, or into none.
    fn relate_account(&self, contact: &RemoteId, wanted: Option<&String>) {
        let held = self.user().records("accountContacts").into_iter();
        let held: Vec<Json> = held.filter(|one| one["contact"].as_str() == Some(contact.as_str())).collect();
        if held.iter().any(|one| one["account"].as_str() == wanted.map(String::as_str)) {
            return;
        }
        for one in &held {
            self.user().delete("accountContacts", id_of(one));
        }
        if let Some(account) = wanted {
            drop(self.user().create("accountContacts", &json!({"contact": contact.as_str(), "account": account})));
        }
    }

    /// A custom value of an account as text; revenue in units.
    fn custom(data: &[Json], account: &str, field: u64) -> String {
        let is_it = |one: &&Json| {
            one["accountId"].as_u64().map(|id| id.to_string()).as_deref() == Some(account)
                && one["customFieldId"].as_u64() == Some(field)
        };
        let value = data.iter().find(is_it).map_or(&Json::Null, |one| &one["fieldValue"]);
        let text = value.as_str().map_or_else(|| value.to_string(), str::to_owned);
        match (value, field) {
            (Json::Null, _) => String::new(),
            (_, REVENUE) => units(&text),
            _ => text,
        }
    }
}

/// Cents as units.
fn units(cents: &str) -> String {
    cents.parse::<i64>().map_or_else(|_| cents.to_owned(), |cents| format!("{}.{:02}", cents / 100, cents % 100))
}

/// Units as cents.
fn cents(value: &Value) -> Json {
    match value {
        Value::Integer(number) => json!(number * 100),
        _ => Json::Null,
    }
}

/// What people enter, as a body of API v3.
fn body(resource: Resource, fields: &Fields) -> Json {
    let mut body = Map::new();
    for (host, key) in names(resource) {
        let Some(value) = fields.get(host) else { continue };
        let text = if value.is_blank() { String::new() } else { value.to_string() };
        match *key {
            "value" => body.insert("value".to_owned(), cents(value)),
            "description" if resource == Resource::Account => insert_custom(&mut body, DESCRIPTION, json!(text)),
            "annual_revenue" => insert_custom(&mut body, REVENUE, cents(value)),
            key => body.insert(key.to_owned(), json!(text)),
        };
    }
    if resource == Resource::Opportunity {
        for (relation, key) in [("account", "account"), ("contacts", "contact")] {
            if let Some(ids) = related(fields, relation) {
                body.insert(key.to_owned(), json!(ids.first()));
            }
        }
    }
    body.into()
}

fn insert_custom(body: &mut Map<String, Json>, field: u64, value: Json) -> Option<Json> {
    let mut one = json!({"customFieldId": field, "fieldValue": value});
    if field == REVENUE {
        one["fieldCurrency"] = json!("USD");
    }
    match body.get_mut("fields").and_then(Json::as_array_mut) {
        Some(fields) => fields.push(one),
        None => drop(body.insert("fields".to_owned(), json!([one]))),
    }
    None
}

fn object(resource: Resource) -> &'static str {
    match resource {
        Resource::Account => "accounts",
        Resource::Contact => "contacts",
        _ => "deals",
    }
}

fn names(resource: Resource) -> Names {
    match resource {
        Resource::Account => {
            &[("tag", "description"), ("name", "name"), ("website", "accountUrl"), ("size", "annual_revenue")]
        }
        Resource::Contact => &[("tag", "phone"), ("work_email", "email"), ("name", "lastName"), ("note", "firstName")],
        _ => &[("tag", "description"), ("name", "title"), ("amount", "value")],
    }
}

fn id_of(row: &Json) -> u64 {
    row["id"].as_str().and_then(|id| id.parse().ok()).unwrap_or(0)
}

impl Account for ActiveCampaignAccount {
    fn connector(&self) -> Arc<dyn CrmConnector> {
        Arc::<ActiveCampaignConnector>::clone(&self.connector)
    }

    fn connection(&self) -> Connection {
        self.site.connection()
    }

    fn mapping(&self, resource: Resource) -> Mapping {
        mapping(names(resource))
    }

    fn spelling(&self) -> Spelling {
        Spelling::default().with_zeros(&["amount"])
    }

    /// Accounts are read whole, with what their custom fields hold.
    fn idle_calls(&self, resource: Resource) -> u64 {
        if resource == Resource::Account { 6 } else { 2 }
    }

    /// Contacts by an address, accounts by a name, both of which people change.
    fn recognises_creates(&self) -> bool {
        false
    }

    fn records(&self, resource: Resource) -> Vec<RemoteRecord> {
        let data =
            if resource == Resource::Account { self.user().records("accountCustomFieldData") } else { Vec::new() };
        let places = if resource == Resource::Contact { self.user().records("accountContacts") } else { Vec::new() };
        let live = self.user().records(object(resource)).into_iter().map(|row| {
            let id = row["id"].as_str().unwrap_or_default().to_owned();
            let mut fields = shown(names(resource), |key| match key {
                "description" if resource == Resource::Account => Self::custom(&data, &id, DESCRIPTION),
                "annual_revenue" => Self::custom(&data, &id, REVENUE),
                "value" => units(row["value"].as_str().unwrap_or_default()),
                key => row[key].as_str().unwrap_or_default().to_owned(),
            });
            let linked = |key: &str| row[key].as_str().filter(|id| *id != "0" && !id.is_empty()).map(str::to_owned);
            match resource {
                Resource::Contact => {
                    let place = places.iter().find(|one| one["contact"].as_str() == Some(id.as_str()));
                    let account = place.and_then(|one| one["account"].as_str()).map(str::to_owned);
                    fields.insert("account", reference(account));
                }
                Resource::Opportunity => {
                    fields.insert("account", reference(linked("account")));
                    fields.insert("contacts", reference(linked("contact")));
                }
                _ => {}
            }
            RemoteRecord::new(id, fields)
        });
        live.collect()
    }

    fn create(&self, resource: Resource, fields: &Fields) {
        let mut body = body(resource, fields);
        if resource == Resource::Opportunity {
            // A deal cannot be without a person.
            let contact = self.user().records("contacts").last().map(id_of);
            body["contact"] = json!(contact.map(|id| id.to_string()));
            body["currency"] = json!("usd");
            (body["group"], body["stage"], body["owner"]) = (json!("1"), json!("1"), json!("1"));
        }
        // What is refused does not happen.
        drop(self.user().create(object(resource), &body));
    }

    fn edit(&self, resource: Resource, id: &RemoteId, fields: &Fields) {
        if let (Resource::Contact, Some(account)) = (resource, related(fields, "account")) {
            self.relate_account(id, account.first());
            return;
        }
        drop(self.user().update(object(resource), number(id), &body(resource, fields)));
    }

    fn delete(&self, resource: Resource, id: &RemoteId) {
        self.user().delete(object(resource), number(id));
    }

    /// What is deleted there is gone.
    fn restore(&self, _: Resource, _: &RemoteId) {}

    /// Only contacts can be merged.
    fn merge(&self, resource: Resource, survivor: &RemoteId, loser: &RemoteId) {
        if resource == Resource::Contact {
            self.user().merge_contacts(number(survivor), number(loser));
        }
    }

    fn expect_faults(&self, faults: &[(u64, Fault)]) {
        self.site.expect_faults(faults);
    }
}
