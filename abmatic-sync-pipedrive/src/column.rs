//! A field as its values stand in a record: where, as what, and with which options.

use abmatic_sync_core::ids::FieldName;
use abmatic_sync_core::model::schema::FieldType;

/// How a value is spelled in Pipedrive's JSON.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Spelling {
    Boolean,
    /// The id of an option.
    Choice,
    /// The ids of options; cleared by null, never by an empty list (OpenAPI v2).
    Choices,
    /// The primary one of a list of objects with `value`, `primary`, `label`.
    Contact,
    Date,
    /// Digits, taken as they are.
    Decimal,
    Instant,
    Integer,
    Text,
}

/// Where a field's value stands.
#[derive(Clone, Debug)]
pub(crate) struct Column {
    pub(crate) name: FieldName,
    /// The key in the record, or among its custom fields.
    pub(crate) key: String,
    pub(crate) custom: bool,
    /// The part of a value that has several, such as `currency`.
    pub(crate) part: Option<&'static str>,
    /// Whether a change of this part makes the others void: a new address has another town.
    pub(crate) voids_others: bool,
    pub(crate) spelling: Spelling,
    pub(crate) field_type: FieldType,
    /// Options as id and value: their labels, where those tell them apart.
    pub(crate) options: Vec<(String, String)>,
    pub(crate) writable: bool,
    /// Only returned when it is asked for.
    pub(crate) optional: bool,
    /// Its key in API v1, which filters go by.
    pub(crate) v1_key: String,
}

impl Column {
    /// The value of an option that has this id.
    pub(crate) fn option_value(&self, id: &str) -> Option<&str> {
        self.options.iter().find(|(known, _)| known == id).map(|(_, value)| value.as_str())
    }

    /// The id of an option that has this value, whatever its case.
    pub(crate) fn option_id(&self, value: &str) -> Option<&str> {
        let exact = self.options.iter().find(|(_, known)| known == value);
        let found =
            exact.or_else(|| self.options.iter().find(|(_, known)| known.to_lowercase() == value.to_lowercase()));
        found.map(|(id, _)| id.as_str())
    }
}
