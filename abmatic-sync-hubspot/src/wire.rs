//! HubSpot's JSON as serde types, known to no other crate. Every field that may be missing somewhere may be missing here.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::fmt;

use serde::de::{self, IgnoredAny, Visitor};
use serde::{Deserialize, Deserializer, Serialize};
use serde_json::value::RawValue;

/// A page of a list, a search or a list's members. Each record stays raw, so that a bad one fails alone.
#[derive(Debug, Deserialize)]
pub(crate) struct Listing<'a> {
    #[serde(borrow)]
    pub(crate) results: Vec<&'a RawValue>,
    #[serde(default)]
    pub(crate) paging: Option<Paging>,
    #[serde(default)]
    pub(crate) total: Option<u64>,
}

impl Listing<'_> {
    /// The next page's cursor; absent, null and empty all mean the end.
    pub(crate) fn after(&mut self) -> Option<String> {
        self.paging.take().and_then(Paging::after)
    }
}

/// Where the next page is.
#[derive(Debug, Deserialize)]
pub(crate) struct Paging {
    #[serde(default)]
    next: Option<NextPage>,
}

#[derive(Debug, Deserialize)]
struct NextPage {
    #[serde(default)]
    after: Option<IdText>,
}

impl Paging {
    pub(crate) fn after(self) -> Option<String> {
        self.next?.after.map(|after| after.0).filter(|after| !after.is_empty())
    }
}

/// A batch's answer, whole or in part (207).
#[derive(Debug, Deserialize)]
pub(crate) struct Batch<R> {
    pub(crate) results: Vec<R>,
    #[serde(default)]
    pub(crate) errors: Vec<Refusal>,
}

/// A batch read's answer with its records raw.
#[derive(Debug, Deserialize)]
pub(crate) struct RawBatch<'a> {
    #[serde(borrow)]
    pub(crate) results: Vec<&'a RawValue>,
    #[serde(default)]
    pub(crate) errors: Vec<Refusal>,
}

/// A member of a list.
#[derive(Debug, Deserialize)]
pub(crate) struct Member {
    #[serde(rename = "recordId")]
    pub(crate) record_id: IdText,
}

/// Which account a token is for.
#[derive(Debug, Deserialize)]
pub(crate) struct AccountDetails {
    #[serde(rename = "portalId")]
    pub(crate) portal_id: IdText,
}

/// `{"list":{"size":…}}`.
#[derive(Debug, Deserialize)]
pub(crate) struct ListAnswer {
    pub(crate) list: ListFacts,
}

/// What is asked of a list.
#[derive(Debug, Deserialize)]
pub(crate) struct ListFacts {
    #[serde(default)]
    pub(crate) size: Option<u64>,
}

/// A record after a write.
#[derive(Debug, Deserialize)]
pub(crate) struct WrittenRecord {
    pub(crate) id: IdText,
    #[serde(default)]
    pub(crate) properties: BTreeMap<String, Option<Scalar>>,
    #[serde(default, rename = "updatedAt")]
    pub(crate) updated_at: Option<String>,
    #[serde(default, rename = "objectWriteTraceId")]
    pub(crate) trace_id: Option<IdText>,
}

impl WrittenRecord {
    /// A record of which only the id is known.
    pub(crate) fn of_id(id: &str) -> Self {
        Self { id: IdText(id.to_owned()), properties: BTreeMap::new(), updated_at: None, trace_id: None }
    }

    /// A property's text, `None` where the answer has it not or empty.
    pub(crate) fn text(&self, property: &str) -> Option<&str> {
        self.properties.get(property)?.as_ref().map(|scalar| scalar.0.as_str()).filter(|text| !text.is_empty())
    }
}

/// An error answer, or one error of a batch.
#[derive(Clone, Debug, Default, Deserialize)]
pub(crate) struct Refusal {
    #[serde(default)]
    pub(crate) message: Option<String>,
    #[serde(default)]
    pub(crate) category: Option<String>,
    #[serde(default, rename = "subCategory")]
    pub(crate) sub_category: Option<Words>,
    #[serde(default, rename = "errorType")]
    pub(crate) error_type: Option<String>,
    #[serde(default, rename = "policyName")]
    pub(crate) policy_name: Option<String>,
    #[serde(default)]
    pub(crate) errors: Vec<Detail>,
    #[serde(default)]
    pub(crate) context: BTreeMap<String, Words>,
}

/// One of the errors within an error.
#[derive(Clone, Debug, Deserialize)]
pub(crate) struct Detail {
    #[serde(default)]
    pub(crate) message: Option<String>,
    #[serde(default)]
    pub(crate) code: Option<String>,
    #[serde(default)]
    pub(crate) context: BTreeMap<String, Words>,
}

/// One of the errors that stand as JSON text behind `Property values were not valid: `.
#[derive(Debug, Deserialize)]
pub(crate) struct ValueError {
    #[serde(default)]
    pub(crate) message: Option<String>,
    #[serde(default)]
    pub(crate) error: Option<String>,
    #[serde(default)]
    pub(crate) name: Option<String>,
}

/// Texts in a context: documented as a list, seen as one; anything else counts as none.
#[derive(Clone, Debug, Default)]
pub(crate) struct Words(pub(crate) Vec<String>);

impl<'de> Deserialize<'de> for Words {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        #[derive(Deserialize)]
        #[serde(untagged)]
        enum Shape {
            Many(Vec<IdText>),
            One(IdText),
            Other(IgnoredAny),
        }
        Ok(Self(match Shape::deserialize(deserializer)? {
            Shape::Many(words) => words.into_iter().map(|word| word.0).collect(),
            Shape::One(word) => vec![word.0],
            Shape::Other(_) => Vec::new(),
        }))
    }
}

/// An id: text by the specification, a number in recorded answers. Both are taken.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(transparent)]
pub(crate) struct IdText(pub(crate) String);

impl<'de> Deserialize<'de> for IdText {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(ScalarVisitor).map(|text| Self(text.into_owned()))
    }
}

/// A property's value: text by the documentation; numbers and booleans are taken as their text.
#[derive(Debug)]
pub(crate) struct Scalar(pub(crate) String);

impl<'de> Deserialize<'de> for Scalar {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(ScalarVisitor).map(|text| Self(text.into_owned()))
    }
}

struct ScalarVisitor;

impl<'de> Visitor<'de> for ScalarVisitor {
    type Value = Cow<'de, str>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a text or a number")
    }

    fn visit_borrowed_str<E>(self, text: &'de str) -> Result<Self::Value, E> {
        Ok(Cow::Borrowed(text))
    }

    fn visit_str<E>(self, text: &str) -> Result<Self::Value, E> {
        Ok(Cow::Owned(text.to_owned()))
    }

    fn visit_u64<E>(self, number: u64) -> Result<Self::Value, E> {
        Ok(Cow::Owned(number.to_string()))
    }

    fn visit_i64<E>(self, number: i64) -> Result<Self::Value, E> {
        Ok(Cow::Owned(number.to_string()))
    }

    fn visit_f64<E: de::Error>(self, number: f64) -> Result<Self::Value, E> {
        Ok(Cow::Owned(number.to_string()))
    }

    fn visit_bool<E>(self, value: bool) -> Result<Self::Value, E> {
        Ok(Cow::Owned(value.to_string()))
    }
}

/// A property definition.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Property {
    pub(crate) name: String,
    #[serde(default)]
    pub(crate) label: Option<String>,
    #[serde(default, rename = "type")]
    pub(crate) kind: String,
    #[serde(default)]
    pub(crate) field_type: String,
    #[serde(default)]
    pub(crate) options: Vec<PropertyOption>,
    #[serde(default)]
    pub(crate) calculated: bool,
    #[serde(default)]
    pub(crate) has_unique_value: bool,
    #[serde(default)]
    pub(crate) archived: bool,
    #[serde(default)]
    pub(crate) modification_metadata: Option<ModificationMetadata>,
}

/// What may be changed about a property.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct ModificationMetadata {
    #[serde(default)]
    pub(crate) read_only_value: bool,
}

/// An option of an enumeration.
#[derive(Debug, Deserialize)]
pub(crate) struct PropertyOption {
    pub(crate) value: IdText,
    #[serde(default)]
    pub(crate) label: Option<String>,
}

/// Everything that comes as `{"results":[…]}` without paging.
#[derive(Debug, Deserialize)]
pub(crate) struct Results<T> {
    pub(crate) results: Vec<T>,
}

/// A deal pipeline.
#[derive(Debug, Deserialize)]
pub(crate) struct Pipeline {
    pub(crate) id: IdText,
    #[serde(default)]
    pub(crate) label: Option<String>,
    #[serde(default)]
    pub(crate) stages: Vec<PipelineStage>,
}

/// A stage of a pipeline.
#[derive(Debug, Deserialize)]
pub(crate) struct PipelineStage {
    pub(crate) id: IdText,
    #[serde(default)]
    pub(crate) label: Option<String>,
}

/// What a record is associated with, as a batch read tells it.
#[derive(Debug, Deserialize)]
pub(crate) struct AssociationsOfOne {
    pub(crate) from: WithId,
    #[serde(default)]
    pub(crate) to: Vec<AssociatedTo>,
    #[serde(default)]
    pub(crate) paging: Option<Paging>,
}

/// `{"id":…}`.
#[derive(Clone, Debug, Deserialize, Serialize)]
pub(crate) struct WithId {
    pub(crate) id: IdText,
}

impl WithId {
    pub(crate) fn new(id: &str) -> Self {
        Self { id: IdText(id.to_owned()) }
    }
}

/// One associated record with the labels it is associated by.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct AssociatedTo {
    pub(crate) to_object_id: IdText,
    #[serde(default)]
    pub(crate) association_types: Vec<AssociationLabel>,
}

/// One label of an association.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct AssociationLabel {
    #[serde(default)]
    pub(crate) category: Option<String>,
    #[serde(default)]
    pub(crate) type_id: Option<u32>,
}

/// What a record is associated with, as a list read tells it.
#[derive(Debug, Deserialize)]
pub(crate) struct InlineAssociations {
    #[serde(default)]
    pub(crate) results: Vec<InlineAssociation>,
    #[serde(default)]
    pub(crate) paging: Option<Paging>,
}

/// One associated record in a list read; a primary one comes twice.
#[derive(Debug, Deserialize)]
pub(crate) struct InlineAssociation {
    pub(crate) id: IdText,
    #[serde(default, rename = "type")]
    pub(crate) label: Option<String>,
}

/// A kind of association, as writes name it.
#[derive(Clone, Copy, Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct AssociationType {
    association_category: &'static str,
    association_type_id: u32,
}

impl AssociationType {
    /// One of HubSpot's own.
    pub(crate) fn hubspot(association_type_id: u32) -> Self {
        Self { association_category: "HUBSPOT_DEFINED", association_type_id }
    }
}
