//! A record as the fake keeps it: each value as the JSON that a list shows, packed into one text.

use serde_json::Value;

use crate::fake::packed::{FieldId, Values};

/// One record; its id is its key in the shelf. Moments are whole seconds, in milliseconds since 1970.
#[derive(Clone, Debug, Default)]
pub(crate) struct Record {
    pub(crate) created: i64,
    /// `None` for old records that were never edited.
    pub(crate) updated: Option<i64>,
    pub(crate) deleted: bool,
    pub(crate) values: Values,
}

impl Record {
    /// The JSON text of a value.
    pub(crate) fn raw(&self, field: FieldId) -> Option<&str> {
        self.values.get(field)
    }

    /// A value, null where it has none.
    pub(crate) fn value(&self, field: FieldId) -> Value {
        self.raw(field).and_then(|raw| serde_json::from_str(raw).ok()).unwrap_or_default()
    }
}

/// A value as it is kept; null is kept as nothing.
pub(crate) fn kept(value: &Value) -> Option<String> {
    if value.is_null() { None } else { Some(value.to_string()) }
}
