//! Records as HubSpot sends them, decoded in one pass straight into typed fields.
//!
//! A full import decodes millions of them: names are shared, values are typed while they are parsed, and there is no JSON
//! tree in between.

use std::borrow::Cow;
use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

use abmatic_sync_core::connector::request::Undecodable;
use abmatic_sync_core::error::{Error, ErrorCode, ErrorKind};
use abmatic_sync_core::ids::{FieldName, RemoteId};
use abmatic_sync_core::model::fields::Fields;
use abmatic_sync_core::model::record::RemoteRecord;
use abmatic_sync_core::model::schema::FieldType;
use abmatic_sync_core::model::value::Value;
use abmatic_sync_http::decode::Scalar;
use chrono::{DateTime, Utc};
use serde::de::{DeserializeSeed, Error as _, IgnoredAny, MapAccess, SeqAccess, Visitor};
use serde::{Deserialize, Deserializer};
use serde_json::value::RawValue;

use crate::associations::{Relation, pick_inline};
use crate::describe::Described;
use crate::object::MERGED_IDS;
use crate::values;
use crate::wire::{IdText, InlineAssociations, Paging, WithId};

/// Which properties and relations are decoded, and as what.
#[derive(Clone, Debug)]
pub(crate) struct Layout {
    /// Sorted by name, as HubSpot sends them.
    columns: Vec<(FieldName, FieldType)>,
    pub(crate) relations: Vec<&'static Relation>,
    /// [`MERGED_IDS`] was added to the columns and is taken out of the fields again.
    merged_is_extra: bool,
}

impl Layout {
    /// The `fields`, typed as `described`.
    pub(crate) fn new(fields: &BTreeSet<FieldName>, described: &Described, relations: Vec<&'static Relation>) -> Self {
        let typed = |name: &FieldName| (name.clone(), described.field_type(name.as_str()));
        Self { columns: fields.iter().map(typed).collect(), relations, merged_is_extra: false }
    }

    /// Nothing but ids.
    pub(crate) fn ids_only() -> Self {
        Self { columns: Vec::new(), relations: Vec::new(), merged_is_extra: false }
    }

    /// Adds a property that was not asked for.
    #[must_use]
    pub(crate) fn with(mut self, name: &str, field_type: FieldType) -> Self {
        if let Err(position) = self.position(name) {
            self.columns.insert(position, (FieldName::from(name), field_type));
        }
        self
    }

    /// Reads the ids that were merged into each record.
    #[must_use]
    pub(crate) fn with_merged_ids(self) -> Self {
        let merged_is_extra = self.position(MERGED_IDS).is_err();
        Self { merged_is_extra, ..self.with(MERGED_IDS, FieldType::Text) }
    }

    /// The properties to ask HubSpot for.
    pub(crate) fn names(&self) -> Vec<&str> {
        self.columns.iter().map(|(name, _)| name.as_str()).collect()
    }

    /// The properties that were asked of us.
    pub(crate) fn asked(&self) -> Vec<&str> {
        let extra = self.merged_is_extra.then_some(MERGED_IDS);
        self.names().into_iter().filter(|name| extra != Some(*name)).collect()
    }

    fn position(&self, name: &str) -> Result<usize, usize> {
        self.columns.binary_search_by(|(held, _)| held.as_str().cmp(name))
    }
}

/// A decoded record, and what has to be fetched on top of it.
#[derive(Debug)]
pub(crate) struct Decoded {
    pub(crate) record: RemoteRecord,
    pub(crate) archived_at: Option<DateTime<Utc>>,
    /// Relations of which the answer held only a first part.
    pub(crate) cut_off: Vec<&'static Relation>,
}

/// Decodes one record.
pub(crate) fn decode(layout: &Layout, raw: &RawValue) -> Result<Decoded, Undecodable> {
    let mut json = serde_json::Deserializer::from_str(raw.get());
    RecordSeed(layout).deserialize(&mut json).map_err(|error| {
        let id = serde_json::from_str::<WithId>(raw.get()).ok().map(|with| RemoteId::from(with.id.0));
        let what = Error::new(ErrorKind::Undocumented, ErrorCode::InvalidAnswer, "the record does not parse");
        Undecodable::new(id, what.caused_by(error))
    })
}

/// A list's page of which every record decodes, read in one pass.
#[derive(Debug)]
pub(crate) struct WholePage {
    pub(crate) records: Vec<Decoded>,
    pub(crate) after: Option<String>,
}

impl WholePage {
    /// `None` where anything is not as it should be: then the records are to be decoded one by one, so that a bad one
    /// fails alone.
    pub(crate) fn decode(layout: &Layout, body: &[u8]) -> Option<Self> {
        let mut json = serde_json::Deserializer::from_slice(body);
        let page = json.deserialize_map(PageVisitor(layout)).ok()?;
        json.end().ok().map(|()| page)
    }
}

struct PageVisitor<'l>(&'l Layout);

impl<'de> Visitor<'de> for PageVisitor<'_> {
    type Value = WholePage;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a page of records")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<WholePage, A::Error> {
        let mut records = None;
        let mut paging: Option<Paging> = None;
        while let Some(part) = map.next_key::<Cow<'de, str>>()? {
            match &*part {
                "results" => records = Some(map.next_value_seed(RecordsSeed(self.0))?),
                "paging" => paging = map.next_value()?,
                _ => drop(map.next_value::<IgnoredAny>()?),
            }
        }
        let records = records.ok_or_else(|| A::Error::missing_field("results"))?;
        Ok(WholePage { records, after: paging.and_then(Paging::after) })
    }
}

struct RecordsSeed<'l>(&'l Layout);

impl<'de> DeserializeSeed<'de> for RecordsSeed<'_> {
    type Value = Vec<Decoded>;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Self::Value, D::Error> {
        deserializer.deserialize_seq(self)
    }
}

impl<'de> Visitor<'de> for RecordsSeed<'_> {
    type Value = Vec<Decoded>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("records")
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<Self::Value, A::Error> {
        let mut records = Vec::new();
        while let Some(record) = seq.next_element_seed(RecordSeed(self.0))? {
            records.push(record);
        }
        Ok(records)
    }
}

#[derive(Deserialize)]
#[serde(field_identifier, rename_all = "camelCase")]
enum Part {
    Id,
    Properties,
    PropertiesWithHistory,
    Associations,
    CreatedAt,
    UpdatedAt,
    Archived,
    ArchivedAt,
    #[serde(other)]
    Other,
}

struct RecordSeed<'l>(&'l Layout);

impl<'de> DeserializeSeed<'de> for RecordSeed<'_> {
    type Value = Decoded;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Decoded, D::Error> {
        deserializer.deserialize_map(self)
    }
}

impl<'de> Visitor<'de> for RecordSeed<'_> {
    type Value = Decoded;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a record")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Decoded, A::Error> {
        let mut id = None;
        let mut record = RemoteRecord::new("", Fields::new());
        let mut archived_at = None;
        let mut associations = Vec::new();
        while let Some(part) = map.next_key()? {
            match part {
                Part::Id => id = Some(map.next_value::<IdText>()?.0),
                Part::Properties => record.fields = map.next_value_seed(FieldsSeed(self.0))?,
                Part::PropertiesWithHistory => record.edited_at = map.next_value_seed(HistorySeed(self.0))?,
                Part::Associations => associations = map.next_value_seed(AssociationsSeed(self.0))?,
                Part::CreatedAt => record.created_at = map.next_value::<Time>()?.0,
                Part::UpdatedAt => record.modified_at = map.next_value::<Time>()?.0,
                Part::Archived => record.deleted = map.next_value::<Option<bool>>()?.unwrap_or(false),
                Part::ArchivedAt => archived_at = map.next_value::<Time>()?.0,
                Part::Other => drop(map.next_value::<IgnoredAny>()?),
            }
        }
        record.id = RemoteId::from(id.filter(|id| !id.is_empty()).ok_or_else(|| A::Error::missing_field("id"))?);
        take_merged_ids(&mut record, self.0);
        let cut_off = place_associations(&mut record, self.0, &associations);
        Ok(Decoded { record, archived_at, cut_off })
    }
}

fn take_merged_ids(record: &mut RemoteRecord, layout: &Layout) {
    let held =
        if layout.merged_is_extra { record.fields.remove(MERGED_IDS) } else { record.fields.get(MERGED_IDS).cloned() };
    if let Some(Value::Text(ids)) = held {
        record.merged_ids = ids.split(';').map(str::trim).filter(|id| !id.is_empty()).map(RemoteId::from).collect();
    }
}

/// Puts each relation among the fields; names those that HubSpot cut off after their first part.
fn place_associations(record: &mut RemoteRecord, layout: &Layout, held: &[Associated]) -> Vec<&'static Relation> {
    let mut cut_off = Vec::new();
    for relation in &layout.relations {
        let associated = held.iter().find(|(of, _)| std::ptr::eq(*of, *relation)).map(|(_, associated)| associated);
        let value = associated.map_or(Value::Null, |associated| pick_inline(relation, &associated.results));
        record.fields.insert(relation.name.clone(), value);
        if associated.is_some_and(|associated| associated.paging.is_some()) {
            cut_off.push(*relation);
        }
    }
    cut_off
}

/// One relation's part of a record.
type Associated = (&'static Relation, InlineAssociations);

struct AssociationsSeed<'l>(&'l Layout);

impl<'de> DeserializeSeed<'de> for AssociationsSeed<'_> {
    type Value = Vec<Associated>;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Self::Value, D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for AssociationsSeed<'_> {
    type Value = Vec<Associated>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("associations")
    }

    fn visit_unit<E>(self) -> Result<Self::Value, E> {
        Ok(Vec::new())
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
        let mut held = Vec::new();
        while let Some(target) = map.next_key::<Cow<'de, str>>()? {
            match self.0.relations.iter().find(|relation| relation.to.name() == target) {
                Some(relation) => held.push((*relation, map.next_value()?)),
                None => drop(map.next_value::<IgnoredAny>()?),
            }
        }
        Ok(held)
    }
}

struct FieldsSeed<'l>(&'l Layout);

impl<'de> DeserializeSeed<'de> for FieldsSeed<'_> {
    type Value = Fields;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Fields, D::Error> {
        deserializer.deserialize_map(self)
    }
}

impl<'de> Visitor<'de> for FieldsSeed<'_> {
    type Value = Fields;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("properties")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Fields, A::Error> {
        let mut fields = Fields::with_capacity(self.0.columns.len() + self.0.relations.len());
        let mut expected = 0;
        while let Some(column) = map.next_key_seed(ColumnSeed { layout: self.0, expected })? {
            let Some((name, field_type)) = column.and_then(|position| self.0.columns.get(position)) else {
                map.next_value::<IgnoredAny>()?;
                continue;
            };
            let value = map.next_value_seed(value_seed(*field_type))?;
            fields.insert(name.clone(), value);
            expected = column.map_or(expected, |position| position + 1);
        }
        Ok(fields)
    }
}

/// Finds a property's column. HubSpot sends them sorted, so it mostly is the one after the last.
struct ColumnSeed<'l> {
    layout: &'l Layout,
    expected: usize,
}

impl<'de> DeserializeSeed<'de> for ColumnSeed<'_> {
    type Value = Option<usize>;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Self::Value, D::Error> {
        deserializer.deserialize_str(self)
    }
}

impl Visitor<'_> for ColumnSeed<'_> {
    type Value = Option<usize>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a property name")
    }

    fn visit_str<E>(self, name: &str) -> Result<Self::Value, E> {
        match self.layout.columns.get(self.expected) {
            Some((expected, _)) if expected.as_str() == name => Ok(Some(self.expected)),
            _ => Ok(self.layout.position(name).ok()),
        }
    }
}

/// Documented is text or null; numbers and booleans are taken as their text.
fn value_seed(field_type: FieldType) -> Scalar<impl Fn(&str) -> Value> {
    Scalar::new("a property value", move |text| values::decode(text, field_type))
}

/// The times of the last edits: histories come newest first, but none relies on it.
struct HistorySeed<'l>(&'l Layout);

#[derive(Deserialize)]
struct Edit {
    #[serde(default)]
    timestamp: Time,
}

impl<'de> DeserializeSeed<'de> for HistorySeed<'_> {
    type Value = BTreeMap<FieldName, DateTime<Utc>>;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Self::Value, D::Error> {
        let histories = BTreeMap::<String, Vec<Edit>>::deserialize(deserializer)?;
        let newest = histories.into_iter().filter_map(|(name, edits)| {
            let position = self.0.position(&name).ok()?;
            let time = edits.into_iter().filter_map(|edit| edit.timestamp.0).max()?;
            Some((self.0.columns.get(position)?.0.clone(), time))
        });
        Ok(newest.collect())
    }
}

/// A moment of the envelope; what does not parse counts as unknown.
#[derive(Default)]
struct Time(Option<DateTime<Utc>>);

impl<'de> Deserialize<'de> for Time {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(TimeVisitor).map(Self)
    }
}

struct TimeVisitor;

impl Visitor<'_> for TimeVisitor {
    type Value = Option<DateTime<Utc>>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a moment")
    }

    fn visit_unit<E>(self) -> Result<Self::Value, E> {
        Ok(None)
    }

    fn visit_str<E>(self, text: &str) -> Result<Self::Value, E> {
        Ok(values::instant(text))
    }

    fn visit_u64<E>(self, milliseconds: u64) -> Result<Self::Value, E> {
        Ok(i64::try_from(milliseconds).ok().and_then(DateTime::from_timestamp_millis))
    }
}

#[cfg(test)]
mod tests {
    use abmatic_sync_core::model::schema::{Field, Schema};

    use super::*;
    use crate::describe::OwnKey;
    use crate::object::Object;

    fn layout() -> Layout {
        let schema =
            Schema::new(vec![Field::new("amount", FieldType::Decimal), Field::new("closedate", FieldType::Instant)]);
        let described = Described { schema, own_key: OwnKey::Missing, pipelines: BTreeMap::new() };
        let fields = ["amount", "closedate", "dealname"].map(FieldName::from).into();
        let relations = ["account", "contacts"].map(FieldName::from).into();
        Layout::new(&fields, &described, Relation::among(Object::Deals, &relations)).with_merged_ids()
    }

    fn decoded(json: &str) -> Result<Decoded, Undecodable> {
        decode(&layout(), serde_json::from_str::<&RawValue>(json).unwrap())
    }

    #[test]
    fn properties_come_typed_in_any_order_and_others_are_left_out() {
        let one = decoded(
            r#"{"archived":false,"id":7,"properties":{"dealname":"Big \u00e9","closedate":"2026-01-02T03:04:05Z","amount":12.5,
            "hs_object_id":"7","hs_merged_object_ids":"3;4"},"updatedAt":"2026-01-02T03:04:05.678Z","url":"x"}"#,
        );
        let record = one.unwrap().record;
        let expected = Fields::from_iter([
            ("account", Value::Null),
            ("amount", Value::Decimal("12.5".parse().unwrap())),
            ("closedate", Value::Instant("2026-01-02T03:04:05Z".parse().unwrap())),
            ("contacts", Value::Null),
            ("dealname", Value::text("Big é")),
        ]);
        assert_eq!((record.id.as_str(), record.fields), ("7", expected));
        assert_eq!(record.merged_ids, ["3", "4"].map(RemoteId::from));
        assert_eq!(record.modified_at, values::instant("2026-01-02T03:04:05.678Z"));
    }

    #[test]
    fn relations_that_were_cut_off_are_named() {
        let one = decoded(
            r#"{"id":"7","properties":{},"associations":{"companies":{"results":[{"id":"9","type":"deal_to_company_unlabeled"}]},
            "contacts":{"results":[{"id":"2","type":"deal_to_contact"}],"paging":{"next":{"after":"3"}}},"line items":{"results":[]}}}"#,
        );
        let one = one.unwrap();
        assert_eq!(one.record.fields.get("account"), Some(&Value::reference("9")), "without a primary one the oldest");
        assert_eq!(one.cut_off.iter().map(|relation| relation.name.as_str()).collect::<Vec<_>>(), ["contacts"]);
    }

    #[test]
    fn the_newest_edit_of_each_property_counts() {
        let one = decoded(
            r#"{"id":"7","properties":{},"propertiesWithHistory":{"amount":[{"value":"2","timestamp":"2026-02-01T00:00:00Z"},
            {"value":"1","timestamp":"2026-01-01T00:00:00Z"}],"unasked":[{"timestamp":"2026-03-01T00:00:00Z"}],"dealname":[]}}"#,
        );
        let edited = one.unwrap().record.edited_at;
        assert_eq!(edited, BTreeMap::from([(FieldName::from("amount"), "2026-02-01T00:00:00Z".parse().unwrap())]));
    }

    #[test]
    fn a_bad_record_is_named_where_its_id_can_be_read() {
        for (json, id) in [(r#"{"id":"7","properties":[]}"#, Some("7")), (r#"{"properties":{}}"#, None), ("null", None)]
        {
            let bad = decoded(json).unwrap_err();
            assert_eq!(bad.id, id.map(RemoteId::from), "{json}");
            assert_eq!(bad.error.code(), ErrorCode::InvalidAnswer);
        }
    }
}
