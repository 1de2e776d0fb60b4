//! Which local field is which remote field, which way it travels, and how its values are translated.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::ids::FieldName;
use crate::model::change::Direction;
use crate::model::resource::Side;

/// Which ways a mapped field may travel.
#[non_exhaustive]
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum MappingDirection {
    /// Both ways.
    #[default]
    Both,
    /// Only to the CRM.
    ExportOnly,
    /// Only to the host.
    ImportOnly,
}

impl MappingDirection {
    /// Whether a value may travel that way.
    pub fn allows(self, way: Direction) -> bool {
        match self {
            Self::Both => true,
            Self::ExportOnly => way == Direction::FromAbmatic,
            Self::ImportOnly => way == Direction::ToAbmatic,
        }
    }
}

/// What is done to a value on its way, beyond its type.
#[non_exhaustive]
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Transform {
    /// Nothing.
    #[default]
    None,
    /// Options are translated: local value → remote value. A value without a translation is an error, so that none is lost.
    Options(BTreeMap<String, String>),
    /// Text is lower-cased, both ways.
    Lowercase,
    /// Blanks around a text are cut, both ways.
    Trim,
    /// A web address is kept as its host name on the CRM's side.
    Domain,
}

/// One local field ↔ remote field pair.
#[non_exhaustive]
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct FieldMapping {
    /// The host's field. `account.name` is the name of a contact's account: it only goes to the CRM, and with the contact's
    /// own next change.
    pub local: FieldName,
    /// The CRM's field.
    pub remote: FieldName,
    /// Which ways it may travel.
    pub direction: MappingDirection,
    /// Who wins a conflict, whatever the edit times say.
    pub source_of_truth: Option<Side>,
    /// What is done to its values.
    pub transform: Transform,
}

impl FieldMapping {
    /// Maps `local` to `remote`, both ways, values as they are.
    pub fn new(local: impl Into<FieldName>, remote: impl Into<FieldName>) -> Self {
        Self {
            local: local.into(),
            remote: remote.into(),
            direction: MappingDirection::Both,
            source_of_truth: None,
            transform: Transform::None,
        }
    }

    /// Restricts the ways.
    #[must_use]
    pub fn with_direction(mut self, direction: MappingDirection) -> Self {
        self.direction = direction;
        self
    }

    /// Names the side that wins every conflict.
    #[must_use]
    pub fn with_source_of_truth(mut self, side: Side) -> Self {
        self.source_of_truth = Some(side);
        self
    }

    /// Translates values.
    #[must_use]
    pub fn with_transform(mut self, transform: Transform) -> Self {
        self.transform = transform;
        self
    }
}

/// The mapped fields of one resource over one connection.
#[non_exhaustive]
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Mapping {
    /// The pairs. No local and no remote field stands in two of them.
    pub fields: Vec<FieldMapping>,
}

impl Mapping {
    /// A mapping of these pairs.
    pub fn new(fields: Vec<FieldMapping>) -> Self {
        Self { fields }
    }

    /// Adds a pair, in place of one with the same local field.
    #[must_use]
    pub fn with(mut self, field: FieldMapping) -> Self {
        self.fields.retain(|held| held.local != field.local);
        self.fields.push(field);
        self
    }

    /// The pair of a local field.
    pub fn by_local(&self, name: &str) -> Option<&FieldMapping> {
        self.fields.iter().find(|field| field.local.as_str() == name)
    }
}
