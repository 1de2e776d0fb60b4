//! What a side's fields are: type, required, writable, unique, options.

use serde::{Deserialize, Serialize};

use crate::ids::FieldName;

/// A field's type, as far as mapping and merging need it.
#[non_exhaustive]
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum FieldType {
    /// Takes whatever its counterpart is: the host's custom fields.
    Any,
    /// True or false.
    Boolean,
    /// One of [`Field::options`].
    Choice,
    /// A day.
    Date,
    /// An exact number.
    Decimal,
    /// An email address: compared without case.
    Email,
    /// A moment.
    Instant,
    /// A whole number.
    Integer,
    /// Several of [`Field::options`].
    MultiChoice,
    /// Ids of other records.
    Reference,
    /// Text.
    Text,
    /// A web address or domain: compared by what the CRM keeps of it.
    Url,
}

impl FieldType {
    /// The name as errors show it.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Any => "any",
            Self::Boolean => "boolean",
            Self::Choice => "choice",
            Self::Date => "date",
            Self::Decimal => "decimal",
            Self::Email => "email",
            Self::Instant => "instant",
            Self::Integer => "integer",
            Self::MultiChoice => "multi-choice",
            Self::Reference => "reference",
            Self::Text => "text",
            Self::Url => "url",
        }
    }
}

/// One option of a choice.
#[non_exhaustive]
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ChoiceOption {
    /// What is stored.
    pub value: String,
    /// What people see.
    pub label: String,
}

impl ChoiceOption {
    /// An option with its stored value and its label.
    pub fn new(value: impl Into<String>, label: impl Into<String>) -> Self {
        Self { value: value.into(), label: label.into() }
    }
}

/// One field of one resource on one side.
#[non_exhaustive]
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Field {
    /// Its name in that side's API.
    pub name: FieldName,
    /// Its name as people see it.
    pub label: String,
    /// Its type.
    pub field_type: FieldType,
    /// Whether a create without it is refused.
    pub required_on_create: bool,
    /// Whether it can be written at all.
    pub writable: bool,
    /// Whether that side refuses the same value twice.
    pub unique: bool,
    /// What a choice can hold. Empty where any value goes.
    pub options: Vec<ChoiceOption>,
    /// Longest text, in characters, where that side has a limit.
    pub length_max: Option<u32>,
}

impl Field {
    /// A writable field that is neither required nor unique.
    pub fn new(name: impl Into<FieldName>, field_type: FieldType) -> Self {
        let name = name.into();
        Self {
            label: name.as_str().to_owned(),
            name,
            field_type,
            required_on_create: false,
            writable: true,
            unique: false,
            options: Vec::new(),
            length_max: None,
        }
    }

    /// Sets the label.
    #[must_use]
    pub fn with_label(mut self, label: impl Into<String>) -> Self {
        self.label = label.into();
        self
    }

    /// Makes it required on create.
    #[must_use]
    pub fn required_on_create(mut self) -> Self {
        self.required_on_create = true;
        self
    }

    /// Makes it read-only.
    #[must_use]
    pub fn read_only(mut self) -> Self {
        self.writable = false;
        self
    }

    /// Makes it unique.
    #[must_use]
    pub fn unique(mut self) -> Self {
        self.unique = true;
        self
    }

    /// Sets its options.
    #[must_use]
    pub fn with_options(mut self, options: Vec<ChoiceOption>) -> Self {
        self.options = options;
        self
    }
}

/// The fields of one resource on one side, and what a create there needs beyond single fields.
#[non_exhaustive]
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Schema {
    /// The fields, sorted by name.
    pub fields: Vec<Field>,
    /// Groups of fields of which a create needs at least one, such as HubSpot's contact: email, first name or last name.
    pub required_any: Vec<Vec<FieldName>>,
    /// Fields whose absence is worth a warning in the plan.
    pub recommended: Vec<FieldName>,
    /// The field that holds the match key: a web address for accounts, an email address for people.
    pub key_field: Option<FieldName>,
}

impl Schema {
    /// A schema of `fields`.
    pub fn new(mut fields: Vec<Field>) -> Self {
        fields.sort_by(|a, b| a.name.cmp(&b.name));
        Self { fields, required_any: Vec::new(), recommended: Vec::new(), key_field: None }
    }

    /// Adds a group of which a create needs at least one.
    #[must_use]
    pub fn with_required_any(mut self, group: &[&str]) -> Self {
        self.required_any.push(group.iter().map(|name| FieldName::from(*name)).collect());
        self
    }

    /// Adds fields that should be filled.
    #[must_use]
    pub fn with_recommended(mut self, fields: &[&str]) -> Self {
        self.recommended.extend(fields.iter().map(|name| FieldName::from(*name)));
        self
    }

    /// Names the field that holds the match key.
    #[must_use]
    pub fn with_key_field(mut self, name: &str) -> Self {
        self.key_field = Some(FieldName::from(name));
        self
    }

    /// The field of that name.
    pub fn field(&self, name: &str) -> Option<&Field> {
        self.fields.binary_search_by(|field| field.name.as_str().cmp(name)).ok().map(|position| &self.fields[position])
    }
}
