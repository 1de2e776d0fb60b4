//! Where a field's value stands in a record, and how it is spelled there.

use abmatic_sync_core::ids::FieldName;
use abmatic_sync_core::model::schema::{ChoiceOption, FieldType};

/// Where a value stands.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Place {
    /// Among the values of custom fields, by the field's number.
    Custom(u64),
    /// On the association of a contact with its account.
    JobTitle,
    /// In the record, under this key.
    Own(&'static str),
}

/// How a value is spelled.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Spelling {
    /// Cents of a currency.
    Cents,
    /// A number of one of these, by its name.
    Named(Vec<(String, String)>),
    /// As its type has it.
    Plain(FieldType),
}

/// A field.
#[derive(Clone, Debug)]
pub(crate) struct Column {
    pub(crate) name: FieldName,
    pub(crate) label: String,
    pub(crate) place: Place,
    pub(crate) spelling: Spelling,
    pub(crate) options: Vec<ChoiceOption>,
    /// The currency of its amounts, unless a record has another ("fieldDefaultCurrency").
    pub(crate) currency: Option<String>,
}

impl Column {
    /// A field that every account has.
    pub(crate) fn own(key: &'static str, label: &str, field_type: FieldType) -> Self {
        Self {
            name: FieldName::from(key),
            label: label.to_owned(),
            place: Place::Own(key),
            spelling: Spelling::Plain(field_type),
            options: Vec::new(),
            currency: None,
        }
    }

    /// The type of its values here.
    pub(crate) fn field_type(&self) -> FieldType {
        match &self.spelling {
            Spelling::Cents => FieldType::Decimal,
            Spelling::Named(_) => FieldType::Choice,
            Spelling::Plain(field_type) => *field_type,
        }
    }
}
