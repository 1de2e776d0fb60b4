//! The kinds of record that are kept aligned, and the two sides that hold them.

use std::fmt;

use serde::{Deserialize, Serialize};

/// A kind of record, in the host's words.
#[non_exhaustive]
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Resource {
    /// A company: HubSpot company, Salesforce Account, Pipedrive organization.
    Account,
    /// A person who works at an account.
    Contact,
    /// A person who is not yet a contact.
    Lead,
    /// A possible sale: HubSpot deal, Salesforce Opportunity.
    Opportunity,
    /// Campaign engagement. Push-only.
    Activity,
}

impl Resource {
    /// Every resource, parents first: the order in which runs take them (I12).
    pub const ALL: [Self; 5] = [Self::Account, Self::Contact, Self::Lead, Self::Opportunity, Self::Activity];

    /// The word for one, as stored and shown.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Account => "account",
            Self::Contact => "contact",
            Self::Lead => "lead",
            Self::Opportunity => "opportunity",
            Self::Activity => "activity",
        }
    }

    /// Reads the word for one or for many.
    pub fn parse(text: &str) -> Option<Self> {
        match text.to_ascii_lowercase().as_str() {
            "account" | "accounts" => Some(Self::Account),
            "contact" | "contacts" => Some(Self::Contact),
            "lead" | "leads" => Some(Self::Lead),
            "opportunity" | "opportunities" => Some(Self::Opportunity),
            "activity" | "activities" => Some(Self::Activity),
            _ => None,
        }
    }

    /// Whether it is matched by email rather than by domain.
    pub fn is_person(self) -> bool {
        matches!(self, Self::Contact | Self::Lead)
    }

    /// The resources that a record of this one hangs on, with the reference field that names them.
    pub fn relations(self) -> &'static [Relation] {
        match self {
            Self::Contact => &[Relation { field: "account", target: Self::Account, many: false }],
            Self::Opportunity => &[
                Relation { field: "account", target: Self::Account, many: false },
                Relation { field: "contacts", target: Self::Contact, many: true },
            ],
            Self::Account | Self::Lead | Self::Activity => &[],
        }
    }
}

impl fmt::Display for Resource {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// How records of one resource hang on those of another. It is merged like a field, under the name [`Relation::field`].
#[non_exhaustive]
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Relation {
    /// The reference field in the host's vocabulary, such as `account`.
    pub field: &'static str,
    /// What it points to.
    pub target: Resource,
    /// Whether it holds several.
    pub many: bool,
}

/// One of the two sides of a link.
#[expect(clippy::exhaustive_enums, reason = "a link has two ends")]
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Side {
    /// The host's.
    Local,
    /// The CRM's.
    Remote,
}

impl Side {
    /// What it is called in messages.
    pub fn name(self) -> &'static str {
        match self {
            Self::Local => "host",
            Self::Remote => "CRM",
        }
    }

    /// The other one.
    #[must_use]
    pub fn other(self) -> Self {
        match self {
            Self::Local => Self::Remote,
            Self::Remote => Self::Local,
        }
    }
}
