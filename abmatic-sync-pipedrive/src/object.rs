//! Pipedrive's objects: how a resource is called there, and what of it can be written.

use abmatic_sync_core::error::{Error, ErrorCode, Result};
use abmatic_sync_core::model::resource::Resource;

/// The relation of persons and deals to their organization.
pub(crate) const ACCOUNT_RELATION: &str = "account";
/// The relation of deals to their person.
pub(crate) const CONTACTS_RELATION: &str = "contacts";

/// An object of Pipedrive.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Object {
    Activity,
    Deal,
    Organization,
    Person,
}

impl Object {
    /// The object of a resource.
    ///
    /// # Errors
    /// [`ErrorCode::Unsupported`] for leads: a lead of Pipedrive is an inquiry about a person or an organization, and no
    /// person itself.
    pub(crate) fn of(resource: Resource) -> Result<Self> {
        match resource {
            Resource::Account => Ok(Self::Organization),
            Resource::Activity => Ok(Self::Activity),
            Resource::Contact => Ok(Self::Person),
            Resource::Opportunity => Ok(Self::Deal),
            _ => Err(Error::invalid(ErrorCode::Unsupported, format!("pipedrive keeps no people as {resource}s"))),
        }
    }

    /// Many of it, as paths have it.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Activity => "activities",
            Self::Deal => "deals",
            Self::Organization => "organizations",
            Self::Person => "persons",
        }
    }

    /// One of it, as a filter's condition has it.
    pub(crate) fn singular(self) -> &'static str {
        match self {
            Self::Activity => "activity",
            Self::Deal => "deal",
            Self::Organization => "organization",
            Self::Person => "person",
        }
    }

    /// The type of its filters.
    pub(crate) fn filter_type(self) -> &'static str {
        match self {
            Self::Activity => "activity",
            Self::Deal => "deals",
            Self::Organization => "org",
            Self::Person => "people",
        }
    }

    /// The field that holds the match key.
    pub(crate) fn key_field(self) -> Option<&'static str> {
        match self {
            Self::Organization => Some("website"),
            Self::Person => Some("email"),
            Self::Activity | Self::Deal => None,
        }
    }

    /// The field without which nothing is created (OpenAPI v2: `name`, `title`).
    pub(crate) fn title(self) -> Option<&'static str> {
        match self {
            Self::Organization | Self::Person => Some("name"),
            Self::Deal => Some("title"),
            Self::Activity => None,
        }
    }

    pub(crate) fn relations(self) -> &'static [&'static str] {
        match self {
            Self::Deal => &[ACCOUNT_RELATION, CONTACTS_RELATION],
            Self::Person => &[ACCOUNT_RELATION],
            Self::Activity | Self::Organization => &[],
        }
    }

    /// Built-in fields that bodies of POST and PATCH take (OpenAPI v2).
    pub(crate) fn writable(self) -> &'static [&'static str] {
        match self {
            Self::Activity => &[
                "busy",
                "deal_id",
                "done",
                "due_date",
                "due_time",
                "duration",
                "lead_id",
                "location",
                "note",
                "org_id",
                "owner_id",
                "person_id",
                "priority",
                "project_id",
                "public_description",
                "subject",
                "type",
            ],
            Self::Deal => &[
                "close_time",
                "currency",
                "expected_close_date",
                "label_ids",
                "lost_reason",
                "lost_time",
                "org_id",
                "owner_id",
                "person_id",
                "pipeline_id",
                "probability",
                "stage_id",
                "status",
                "title",
                "value",
                "visible_to",
                "won_time",
            ],
            Self::Organization => &[
                "address",
                "annual_revenue",
                "employee_count",
                "industry",
                "label_ids",
                "linkedin",
                "name",
                "owner_id",
                "visible_to",
                "website",
            ],
            Self::Person => &[
                "birthday",
                "email",
                "first_name",
                "job_title",
                "label_ids",
                "last_name",
                "name",
                "notes",
                "org_id",
                "owner_id",
                "phone",
                "postal_address",
                "visible_to",
            ],
        }
    }

    /// The fields by which a create in doubt is recognised: all that were sent have to be held.
    pub(crate) fn telling(self) -> &'static [&'static str] {
        match self {
            Self::Activity => &["due_date", "subject", "type"],
            Self::Deal => &["title", "stage_id", "value"],
            Self::Organization => &["name", "website"],
            Self::Person => &["email", "first_name", "last_name", "name"],
        }
    }
}
