//! What a connector can do, as data: the engine, the plans' wording and the conformance suite read the same.

use crate::model::mapping::Mapping;
use crate::model::resource::Resource;

/// What one connector can do with one resource.
#[non_exhaustive]
#[derive(Clone, Debug)]
pub struct ResourceCapabilities {
    /// Which resource.
    pub resource: Resource,
    /// What the CRM calls it, as messages show it: `companies`.
    pub remote_name: &'static str,
    /// The mapping that a new connection starts with.
    pub default_mapping: Mapping,
    /// The mapping that contacts start with when they are pushed as this resource, where it is another
    /// ([`crate::policy::Policy::people_destination`]).
    pub contacts_mapping: Option<Mapping>,
    /// The remote field that holds the match key (domain or email), `None` where there is none.
    pub key_field: Option<&'static str>,
    /// Records in one page of a full read.
    pub page_max: usize,
    /// Records in one batch of creates or updates.
    pub batch_max: usize,
    /// How large pushes are written, where the CRM has another way for them.
    pub bulk: Option<BulkWrites>,
    /// Keys in one [`crate::connector::contract::CrmConnector::find`] or ids in one read by id.
    pub find_max: usize,
    /// Whether records can be read by the time of their last change.
    pub incremental: bool,
    /// Whether the CRM's own lists can be a scope.
    pub lists: bool,
    /// Whether [`crate::connector::request::Read::Archived`] tells of deleted records.
    pub archived: bool,
    /// The relations (by field name) that can be read and written.
    pub relations: &'static [&'static str],
    /// Those of them of which the host's records may hold several and the CRM's keep one: one is sent, and the others here
    /// stay as they are whatever becomes of it there.
    pub single_relations: &'static [&'static str],
    /// Which filters the CRM evaluates itself; [`crate::connector::contract::CrmConnector::pushdown`] tells of each.
    pub filters: FilterSupport,
    /// Whether a create may be sent twice and still makes one record, by a key of the CRM's own or of ours.
    pub upserts: bool,
    /// Whether the CRM sends webhooks about it.
    pub webhooks: bool,
}

/// Which filters a CRM evaluates itself. The rest is evaluated here.
#[non_exhaustive]
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum FilterSupport {
    /// Most conditions, and most ways to join them.
    Most,
    /// None.
    #[default]
    None,
    /// Conditions on a few fields.
    Some,
}

impl ResourceCapabilities {
    /// Capabilities with the least: no keys, no lists, no incremental read, pages and batches of one hundred.
    pub fn new(resource: Resource, remote_name: &'static str, default_mapping: Mapping) -> Self {
        Self {
            resource,
            remote_name,
            default_mapping,
            contacts_mapping: None,
            key_field: None,
            page_max: 100,
            batch_max: 100,
            bulk: None,
            find_max: 100,
            incremental: false,
            lists: false,
            archived: false,
            relations: &[],
            single_relations: &[],
            filters: FilterSupport::None,
            upserts: false,
            webhooks: false,
        }
    }

    /// The mapping that the host's `resource` starts with.
    pub fn mapping_of(&self, resource: Resource) -> &Mapping {
        let contacts = self.contacts_mapping.as_ref().filter(|_| resource == Resource::Contact);
        contacts.unwrap_or(&self.default_mapping)
    }
}

/// Writes that go as one job, for pushes that are large enough to be worth one.
///
/// A job may take minutes and be carried out after whoever started it is gone. So a connector that offers it has an own
/// unique property by which a create that comes again makes nothing new, and its
/// [`crate::connector::contract::CrmConnector::verify`] waits for the jobs that are still at work.
#[non_exhaustive]
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct BulkWrites {
    /// From how many records of one block on they are given to one
    /// [`crate::connector::contract::CrmConnector::write`], beyond [`ResourceCapabilities::batch_max`].
    pub min: usize,
    /// How many records that write holds at the most. So many are in memory at once.
    pub max: usize,
}

impl BulkWrites {
    /// Jobs of at least `min` and at most `max` records.
    pub fn new(min: usize, max: usize) -> Self {
        Self { min, max: max.max(min) }
    }
}

/// What a connector is and what it can do.
#[non_exhaustive]
#[derive(Clone, Debug)]
pub struct Descriptor {
    /// Its name, as connections name it: `hubspot`.
    pub name: &'static str,
    /// The CRM's name as people write it: `HubSpot`.
    pub title: &'static str,
    /// What it offers, by resource.
    pub resources: Vec<ResourceCapabilities>,
    /// How long a change can stay unseen by an incremental read, in seconds. Cursors overlap by it.
    pub visibility_lag_seconds: u32,
}

impl Descriptor {
    /// A connector that offers `resources`.
    pub fn new(name: &'static str, title: &'static str, resources: Vec<ResourceCapabilities>) -> Self {
        Self { name, title, resources, visibility_lag_seconds: 0 }
    }

    /// What it offers for `resource`.
    pub fn resource(&self, resource: Resource) -> Option<&ResourceCapabilities> {
        self.resources.iter().find(|offered| offered.resource == resource)
    }
}
