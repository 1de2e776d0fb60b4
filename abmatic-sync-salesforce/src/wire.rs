//! Salesforce's JSON as serde types, known to no other crate. Every field that may be missing somewhere may be missing here.

use serde::{Deserialize, Deserializer};
use serde_json::value::RawValue;

/// A page of a query. Each record stays raw, so that a bad one fails alone.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct QueryPage<'a> {
    #[serde(borrow)]
    pub(crate) records: Vec<&'a RawValue>,
    #[serde(default)]
    pub(crate) total_size: Option<u64>,
    /// A path; absent on the last page.
    #[serde(default)]
    pub(crate) next_records_url: Option<String>,
}

/// The number of a `COUNT()` query.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct CountAnswer {
    pub(crate) total_size: u64,
}

/// A retrieve by ids: null where an id is invalid, invisible or deleted.
#[derive(Debug, Deserialize)]
#[serde(transparent)]
pub(crate) struct Retrieved<'a> {
    #[serde(borrow)]
    pub(crate) records: Vec<Option<&'a RawValue>>,
}

/// Just the id of a record.
#[derive(Debug, Deserialize)]
pub(crate) struct WithId {
    #[serde(rename = "Id")]
    pub(crate) id: String,
}

/// One row of a Collections answer, or a single create's or upsert's.
#[derive(Debug, Default, Deserialize)]
pub(crate) struct SaveResult {
    #[serde(default, deserialize_with = "or_default")]
    pub(crate) id: Option<String>,
    #[serde(default)]
    pub(crate) success: bool,
    #[serde(default)]
    pub(crate) errors: Vec<Refusal>,
}

/// One error: of a request by `errorCode`, of a row by `statusCode`.
#[derive(Clone, Debug, Default, Deserialize)]
pub(crate) struct Refusal {
    #[serde(default, rename = "errorCode", alias = "statusCode")]
    pub(crate) code: Option<String>,
    #[serde(default, deserialize_with = "or_default")]
    pub(crate) message: String,
    #[serde(default, deserialize_with = "or_default")]
    pub(crate) fields: Vec<String>,
    /// Spelled wrongly by older versions of the API, rightly by newer ones.
    #[serde(default, rename = "duplicateResult", alias = "duplicateResut")]
    pub(crate) duplicates: Option<DuplicateResult>,
}

/// What a duplicate rule found.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct DuplicateResult {
    #[serde(default)]
    match_results: Vec<MatchResult>,
}

#[derive(Clone, Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase")]
struct MatchResult {
    #[serde(default)]
    entity_type: Option<String>,
    #[serde(default)]
    match_records: Vec<MatchRecord>,
}

#[derive(Clone, Debug, Deserialize)]
struct MatchRecord {
    record: WithIdAndType,
}

#[derive(Clone, Debug, Deserialize)]
struct WithIdAndType {
    #[serde(rename = "Id")]
    id: String,
    #[serde(default)]
    attributes: Option<Attributes>,
}

#[derive(Clone, Debug, Deserialize)]
struct Attributes {
    #[serde(default, rename = "type")]
    kind: Option<String>,
}

impl DuplicateResult {
    /// The matched records: their object and id. A rule may match another object than the one written.
    pub(crate) fn matches(&self) -> impl Iterator<Item = (&str, &str)> {
        self.match_results.iter().flat_map(|result| {
            result.match_records.iter().filter_map(|found| {
                let own = found.record.attributes.as_ref().and_then(|attributes| attributes.kind.as_deref());
                Some((own.or(result.entity_type.as_deref())?, found.record.id.as_str()))
            })
        })
    }
}

/// An object's definition.
#[derive(Debug, Deserialize)]
pub(crate) struct ObjectDescribe {
    #[serde(default)]
    pub(crate) fields: Vec<FieldDescribe>,
}

/// A field's definition. REST prints every key; what is missing is taken as no.
#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub(crate) struct FieldDescribe {
    pub(crate) name: String,
    pub(crate) label: Option<String>,
    #[serde(rename = "type")]
    pub(crate) kind: String,
    pub(crate) length: u32,
    pub(crate) scale: u32,
    pub(crate) createable: bool,
    pub(crate) updateable: bool,
    pub(crate) nillable: bool,
    pub(crate) defaulted_on_create: bool,
    pub(crate) external_id: bool,
    pub(crate) unique: bool,
    pub(crate) filterable: bool,
    pub(crate) restricted_picklist: bool,
    pub(crate) picklist_values: Vec<PicklistValue>,
}

/// One value of a picklist.
#[derive(Debug, Deserialize)]
pub(crate) struct PicklistValue {
    #[serde(default)]
    pub(crate) active: bool,
    #[serde(default)]
    pub(crate) label: Option<String>,
    pub(crate) value: String,
}

/// A page of an object's list views.
#[derive(Debug, Deserialize)]
pub(crate) struct ListViews {
    #[serde(default)]
    pub(crate) listviews: Vec<ListView>,
    #[serde(default)]
    pub(crate) done: bool,
}

/// One list view by its names.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct ListView {
    pub(crate) id: String,
    #[serde(default)]
    pub(crate) developer_name: Option<String>,
    #[serde(default)]
    pub(crate) label: Option<String>,
}

/// What a list view shows, as a query where there is one for it.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct ListViewDescribe {
    #[serde(default)]
    pub(crate) query: Option<String>,
    #[serde(default)]
    pub(crate) scope: Option<String>,
    #[serde(default)]
    pub(crate) scope_entity_id: Option<String>,
}

/// A page of a list view's rows, as display strings: only the ids are of use.
#[derive(Debug, Deserialize)]
pub(crate) struct ListViewResults {
    #[serde(default)]
    pub(crate) records: Vec<ListViewRow>,
    #[serde(default)]
    pub(crate) done: bool,
}

/// One row of a list view.
#[derive(Debug, Deserialize)]
pub(crate) struct ListViewRow {
    #[serde(default)]
    columns: Vec<ListViewCell>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
struct ListViewCell {
    #[serde(default)]
    field_name_or_path: String,
    #[serde(default)]
    value: Option<String>,
}

impl ListViewRow {
    /// The record's id.
    pub(crate) fn id(&self) -> Option<&str> {
        let cell = self.columns.iter().find(|cell| cell.field_name_or_path.eq_ignore_ascii_case("Id"))?;
        cell.value.as_deref()
    }
}

/// A Bulk job.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Job {
    pub(crate) id: String,
    pub(crate) state: String,
    #[serde(default, deserialize_with = "or_default")]
    pub(crate) error_message: String,
    #[serde(default)]
    pub(crate) object: Option<String>,
    #[serde(default)]
    pub(crate) external_id_field_name: Option<String>,
}

/// A page of an org's jobs.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Jobs {
    #[serde(default)]
    pub(crate) records: Vec<Job>,
    /// A path; absent or null on the last page.
    #[serde(default)]
    pub(crate) next_records_url: Option<String>,
}

/// Null as the default.
fn or_default<'de, D: Deserializer<'de>, T: Deserialize<'de> + Default>(deserializer: D) -> Result<T, D::Error> {
    Option::<T>::deserialize(deserializer).map(Option::unwrap_or_default)
}
