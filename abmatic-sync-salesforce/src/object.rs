//! Salesforce's objects behind our resources, and what is fixed about each.

use abmatic_sync_core::error::{Error, ErrorCode, Result};
use abmatic_sync_core::model::resource::Resource;

/// The field of every record's id.
pub(crate) const ID: &str = "Id";
/// When a record was made.
pub(crate) const CREATED: &str = "CreatedDate";
/// When a user or a process last changed a record; deletions and merges change it too.
pub(crate) const MODIFIED: &str = "SystemModstamp";
/// Whether a record is in the recycle bin.
pub(crate) const DELETED: &str = "IsDeleted";
/// The record that a merged one went into.
pub(crate) const MASTER: &str = "MasterRecordId";
/// Whether a lead has become a contact.
pub(crate) const CONVERTED: &str = "IsConverted";
/// The contact that a lead has become.
pub(crate) const CONVERTED_CONTACT: &str = "ConvertedContactId";
/// Whether an account or contact is one half of a person account. Only orgs with person accounts have the field.
pub(crate) const PERSON_ACCOUNT: &str = "IsPersonAccount";
/// The account of a contact or opportunity.
pub(crate) const ACCOUNT_ID: &str = "AccountId";

/// The reference to an account, in our words.
pub(crate) const ACCOUNT_RELATION: &str = "account";
/// The references to contacts, in our words.
pub(crate) const CONTACTS_RELATION: &str = "contacts";

/// A kind of record in Salesforce's words.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Object {
    Account,
    CampaignMember,
    Contact,
    Lead,
    Opportunity,
    Task,
}

impl Object {
    /// The object that holds `resource`.
    pub(crate) fn of(resource: Resource) -> Result<Self> {
        match resource {
            Resource::Account => Ok(Self::Account),
            Resource::Contact => Ok(Self::Contact),
            Resource::Lead => Ok(Self::Lead),
            Resource::Opportunity => Ok(Self::Opportunity),
            Resource::Activity => Ok(Self::Task),
            _ => Err(Error::invalid(
                ErrorCode::Unsupported,
                format!("{resource} records are not synced with salesforce"),
            )),
        }
    }

    /// Its name in paths, queries and messages.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Account => "Account",
            Self::CampaignMember => "CampaignMember",
            Self::Contact => "Contact",
            Self::Lead => "Lead",
            Self::Opportunity => "Opportunity",
            Self::Task => "Task",
        }
    }

    /// The first three characters of its records' ids.
    pub(crate) fn prefix(self) -> &'static str {
        match self {
            Self::Account => "001",
            Self::CampaignMember => "00v",
            Self::Contact => "003",
            Self::Lead => "00Q",
            Self::Opportunity => "006",
            Self::Task => "00T",
        }
    }

    /// Whether its records can be merged, so that a loser names its survivor.
    pub(crate) fn merges(self) -> bool {
        matches!(self, Self::Account | Self::Contact | Self::Lead)
    }

    /// What a create needs whatever the field definitions say.
    pub(crate) fn required(self) -> &'static [&'static str] {
        match self {
            Self::Account => &["Name"],
            Self::CampaignMember => &["CampaignId"],
            Self::Contact => &["LastName"],
            Self::Lead => &["LastName", "Company"],
            Self::Opportunity => &["Name", "StageName", "CloseDate"],
            Self::Task => &[],
        }
    }

    /// The field by which its records are matched.
    pub(crate) fn key_field(self) -> Option<&'static str> {
        match self {
            Self::Account => Some("Website"),
            Self::Contact | Self::Lead => Some("Email"),
            Self::CampaignMember | Self::Opportunity | Self::Task => None,
        }
    }

    /// The field whose record is locked while one of these is written: siblings go into one chunk.
    pub(crate) fn parent_field(self) -> Option<&'static str> {
        match self {
            Self::Account => Some("ParentId"),
            Self::CampaignMember => Some("CampaignId"),
            Self::Contact | Self::Opportunity => Some(ACCOUNT_ID),
            Self::Task => Some("WhatId"),
            Self::Lead => None,
        }
    }

    /// The relations that are read and written.
    pub(crate) fn relations(self) -> &'static [&'static str] {
        match self {
            Self::Contact => &[ACCOUNT_RELATION],
            Self::Opportunity => &[ACCOUNT_RELATION, CONTACTS_RELATION],
            Self::Account | Self::CampaignMember | Self::Lead | Self::Task => &[],
        }
    }
}
