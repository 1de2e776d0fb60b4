//! Pipedrive's JSON, as serde types. No other crate knows it.

use std::borrow::Cow;
use std::collections::BTreeMap;

use serde::Deserialize;
use serde_json::value::RawValue;

/// A page of a list of API v2.
#[derive(Debug, Deserialize)]
pub(crate) struct Listing<'a> {
    #[serde(borrow, default)]
    pub(crate) data: Vec<&'a RawValue>,
    #[serde(default)]
    additional_data: Option<More>,
}

#[derive(Debug, Deserialize)]
struct More {
    #[serde(default)]
    next_cursor: Option<String>,
    #[serde(default)]
    more_items_in_collection: bool,
    #[serde(default)]
    pagination: Option<Pagination>,
}

#[derive(Debug, Deserialize)]
struct Pagination {
    #[serde(default)]
    more_items_in_collection: bool,
}

impl Listing<'_> {
    /// The cursor of the next page.
    pub(crate) fn next_cursor(&self) -> Option<String> {
        self.additional_data.as_ref()?.next_cursor.clone().filter(|cursor| !cursor.is_empty())
    }

    /// Whether a list of API v1 goes on, in either place where it may say so.
    pub(crate) fn goes_on(&self) -> bool {
        self.additional_data.as_ref().is_some_and(|more| {
            more.more_items_in_collection || more.pagination.as_ref().is_some_and(|page| page.more_items_in_collection)
        })
    }
}

/// One thing alone.
#[derive(Debug, Deserialize)]
pub(crate) struct Single<'a> {
    #[serde(borrow)]
    pub(crate) data: &'a RawValue,
}

/// What is common to all that has a number.
#[derive(Debug, Deserialize)]
pub(crate) struct WithId {
    pub(crate) id: u64,
}

/// A record, its values not read yet.
pub(crate) type RawRecord<'a> = BTreeMap<Cow<'a, str>, &'a RawValue>;

/// A field of API v2.
#[derive(Clone, Debug, Deserialize)]
pub(crate) struct FieldInfo {
    pub(crate) field_code: String,
    #[serde(default)]
    pub(crate) field_name: String,
    #[serde(default)]
    pub(crate) field_type: String,
    #[serde(default)]
    pub(crate) options: Option<Vec<OptionInfo>>,
    #[serde(default)]
    pub(crate) is_custom_field: bool,
    #[serde(default)]
    pub(crate) is_optional_response_field: bool,
}

/// An option of a field.
#[derive(Clone, Debug, Deserialize)]
pub(crate) struct OptionInfo {
    pub(crate) id: OptionId,
    #[serde(default)]
    pub(crate) label: String,
}

/// A number on custom fields, maybe a text on built-in ones.
#[derive(Clone, Debug, Deserialize)]
#[serde(untagged)]
pub(crate) enum OptionId {
    Number(u64),
    Text(String),
}

impl OptionId {
    pub(crate) fn into_text(self) -> String {
        match self {
            Self::Number(number) => number.to_string(),
            Self::Text(text) => text,
        }
    }
}

/// A field of API v1: its number is what filters want.
#[derive(Debug, Deserialize)]
pub(crate) struct FieldNumber {
    pub(crate) id: u64,
    pub(crate) key: String,
}

/// A pipeline.
#[derive(Debug, Deserialize)]
pub(crate) struct Pipeline {
    pub(crate) id: u64,
    #[serde(default)]
    pub(crate) name: String,
}

/// A stage.
#[derive(Debug, Deserialize)]
pub(crate) struct Stage {
    pub(crate) id: u64,
    #[serde(default)]
    pub(crate) name: String,
    #[serde(default)]
    pub(crate) pipeline_id: u64,
}

/// A saved filter.
#[derive(Debug, Deserialize)]
pub(crate) struct SavedFilter {
    pub(crate) id: u64,
    #[serde(default)]
    pub(crate) name: String,
}

/// Who the token belongs to.
#[derive(Debug, Deserialize)]
pub(crate) struct Me {
    #[serde(default)]
    pub(crate) default_currency: Option<String>,
}

/// A refusal, in whatever shape it comes.
#[derive(Debug, Default, Deserialize)]
#[serde(from = "serde_json::Value")]
pub(crate) struct Refusal {
    text: Option<String>,
    pub(crate) code: Option<String>,
    /// What is wrong, by field.
    errors: BTreeMap<String, String>,
}

impl From<serde_json::Value> for Refusal {
    fn from(body: serde_json::Value) -> Self {
        let text = |key: &str| body.get(key).and_then(serde_json::Value::as_str).map(str::to_owned);
        let words = |value: &serde_json::Value| match value {
            serde_json::Value::Array(all) => {
                all.iter().filter_map(serde_json::Value::as_str).collect::<Vec<_>>().join(", ")
            }
            serde_json::Value::String(text) => text.clone(),
            other => other.to_string(),
        };
        let errors = body.get("errors").and_then(serde_json::Value::as_object);
        let errors = errors.into_iter().flatten().map(|(field, value)| (field.clone(), words(value)));
        Self { text: text("error").or_else(|| text("message")), code: text("code"), errors: errors.collect() }
    }
}

/// What stands before the list of a validation error.
const VALIDATION: &str = "Validation failed:";

impl Refusal {
    /// Its words.
    pub(crate) fn text(&self) -> Cow<'_, str> {
        if let Some(text) = &self.text {
            return Cow::Borrowed(text);
        }
        let named = self.errors.iter().map(|(field, words)| format!("{field}: {words}"));
        Cow::Owned(named.collect::<Vec<_>>().join("; "))
    }

    /// The fields that it complains of: the paths of `Validation failed: path: words; path: words`.
    pub(crate) fn fields(&self) -> Vec<String> {
        let text = self.text.as_deref().and_then(|text| text.trim().strip_prefix(VALIDATION));
        let paths = text.into_iter().flat_map(|text| text.split(';')).filter_map(|part| Some(part.split_once(':')?.0));
        let mut fields: Vec<String> = self.errors.keys().cloned().collect();
        for path in paths {
            let name = path.trim().strip_prefix("custom_fields.").unwrap_or(path.trim());
            if !name.contains(' ') && !fields.iter().any(|known| known == name) {
                fields.push(name.to_owned());
            }
        }
        fields
    }
}
