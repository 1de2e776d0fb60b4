//! ActiveCampaign's objects behind our resources.

use abmatic_sync_core::error::{Error, ErrorCode, Result};
use abmatic_sync_core::model::resource::Resource;

/// The relation of contacts and deals to their account.
pub(crate) const ACCOUNT_RELATION: &str = "account";
/// The relation of deals to their contact.
pub(crate) const CONTACTS_RELATION: &str = "contacts";

/// An object of ActiveCampaign.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Object {
    Account,
    Contact,
    Deal,
    Note,
}

impl Object {
    /// The object of a resource.
    ///
    /// # Errors
    /// [`ErrorCode::Unsupported`] for leads: there are contacts only.
    pub(crate) fn of(resource: Resource) -> Result<Self> {
        match resource {
            Resource::Account => Ok(Self::Account),
            Resource::Activity => Ok(Self::Note),
            Resource::Contact => Ok(Self::Contact),
            Resource::Opportunity => Ok(Self::Deal),
            _ => Err(Error::invalid(ErrorCode::Unsupported, format!("activecampaign keeps no people as {resource}s"))),
        }
    }

    /// Many of it, as paths and lists have it.
    pub(crate) fn plural(self) -> &'static str {
        match self {
            Self::Account => "accounts",
            Self::Contact => "contacts",
            Self::Deal => "deals",
            Self::Note => "notes",
        }
    }

    /// One of it, as bodies have it.
    pub(crate) fn singular(self) -> &'static str {
        match self {
            Self::Account => "account",
            Self::Contact => "contact",
            Self::Deal => "deal",
            Self::Note => "note",
        }
    }

    /// The field that records are matched by.
    pub(crate) fn key_field(self) -> Option<&'static str> {
        match self {
            Self::Account => Some("accountUrl"),
            Self::Contact => Some("email"),
            Self::Deal | Self::Note => None,
        }
    }

    /// Its relations.
    pub(crate) fn relations(self) -> &'static [&'static str] {
        match self {
            Self::Contact => &[ACCOUNT_RELATION],
            Self::Deal => &[ACCOUNT_RELATION, CONTACTS_RELATION],
            Self::Account | Self::Note => &[],
        }
    }

    /// Where a record says when it was made and changed last.
    pub(crate) fn clocks(self) -> (&'static str, &'static str) {
        match self {
            Self::Account => ("createdTimestamp", "updatedTimestamp"),
            Self::Contact => ("cdate", "udate"),
            Self::Deal | Self::Note => ("cdate", "mdate"),
        }
    }

    /// The list of its custom fields, that of their values, and whose a value is.
    pub(crate) fn custom(self) -> Option<(&'static str, &'static str, &'static str)> {
        match self {
            Self::Account => Some(("accountCustomFieldMeta", "accountCustomFieldData", "customerAccountId")),
            Self::Deal => Some(("dealCustomFieldMeta", "dealCustomFieldData", "dealId")),
            Self::Contact | Self::Note => None,
        }
    }
}
