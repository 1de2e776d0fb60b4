//! HubSpot's objects behind our resources, and what is fixed about each.

use abmatic_sync_core::error::{Error, ErrorCode, Result};
use abmatic_sync_core::model::resource::Resource;

/// The own unique property by which creates are exactly-once.
pub(crate) const OWN_KEY: &str = "abmatic_sync_id";
/// The ids that were merged into a record, `;`-separated.
pub(crate) const MERGED_IDS: &str = "hs_merged_object_ids";
/// A record's id as a number property, by which searches are paged.
pub(crate) const RECORD_ID: &str = "hs_object_id";
/// What makes a contact a lead, when it holds [`LEAD_STAGE`].
pub(crate) const STAGE: &str = "lifecyclestage";
/// The stage of a lead.
pub(crate) const LEAD_STAGE: &str = "lead";

/// A kind of record in HubSpot's words.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Object {
    Companies,
    Contacts,
    Deals,
}

impl Object {
    /// The object that holds `resource`. Leads are contacts whose `lifecyclestage` is `lead`.
    pub(crate) fn of(resource: Resource) -> Result<Self> {
        match resource {
            Resource::Account => Ok(Self::Companies),
            Resource::Contact | Resource::Lead => Ok(Self::Contacts),
            Resource::Opportunity => Ok(Self::Deals),
            _ => Err(Error::invalid(ErrorCode::Unsupported, format!("{resource} records are not synced with hubspot"))),
        }
    }

    /// Its name in paths and messages.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Companies => "companies",
            Self::Contacts => "contacts",
            Self::Deals => "deals",
        }
    }

    /// The property that an incremental read goes by. The wrong one finds nothing, without an error.
    pub(crate) fn modified_property(self) -> &'static str {
        match self {
            Self::Contacts => "lastmodifieddate",
            Self::Companies | Self::Deals => "hs_lastmodifieddate",
        }
    }
}
