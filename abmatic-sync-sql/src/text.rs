//! How times, fields and changes stand in the database.

use std::collections::BTreeMap;
use std::fmt;

use abmatic_sync_core::error::Result;
use abmatic_sync_core::ids::FieldName;
use abmatic_sync_core::model::change::{Direction, FieldChange, Reason};
use abmatic_sync_core::model::resource::Side;
use abmatic_sync_core::model::value::Value;
use chrono::{DateTime, Utc};
use serde::de::{self, DeserializeOwned, MapAccess, Visitor};
use serde::ser::SerializeMap;
use serde::{Deserialize, Deserializer, Serialize, Serializer};

use crate::failure::unreadable;

/// Microseconds since 1970.
pub(crate) fn micros(time: DateTime<Utc>) -> i64 {
    time.timestamp_micros()
}

/// The time of so many microseconds since 1970; times beyond what can be told are the epoch.
pub(crate) fn time(micros: i64) -> DateTime<Utc> {
    DateTime::from_timestamp_micros(micros).unwrap_or_default()
}

/// The host's side is 0, the CRM's 1.
pub(crate) fn side_number(side: Side) -> i64 {
    match side {
        Side::Local => 0,
        Side::Remote => 1,
    }
}

pub(crate) fn side_of(number: i64) -> Side {
    if number == 0 { Side::Local } else { Side::Remote }
}

pub(crate) fn to_json(value: &impl Serialize) -> Result<String> {
    // Most records' fields fit in that.
    const ROOM: usize = 384;
    let mut json = Vec::with_capacity(ROOM);
    serde_json::to_writer(&mut json, value).map_err(|error| unreadable("a value", error))?;
    String::from_utf8(json).map_err(|error| unreadable("a value", error))
}

pub(crate) fn from_json<T: DeserializeOwned>(what: &'static str, text: &str) -> Result<T> {
    serde_json::from_str(text).map_err(|error| unreadable(what, error))
}

/// Edit times of fields; nothing where there are none.
pub(crate) fn edits_to_json(edits: &BTreeMap<FieldName, i64>) -> Result<Option<String>> {
    if edits.is_empty() { Ok(None) } else { to_json(edits).map(Some) }
}

/// A log line's changes; nothing where there are none.
///
/// Changes that share direction, reason and whether they are written are one group, each a name with its new value, or with
/// old and new: `[{"d":"to_abmatic","r":"new_record","f":{"name":"Acme"}}]`.
pub(crate) fn changes_to_json(changes: &[FieldChange]) -> Result<Option<String>> {
    if changes.is_empty() {
        return Ok(None);
    }
    let same =
        |a: &FieldChange, b: &FieldChange| (a.direction, a.reason, a.written) == (b.direction, b.reason, b.written);
    let groups: Vec<GroupOut<'_>> = changes.chunk_by(same).map(GroupOut).collect();
    to_json(&groups).map(Some)
}

pub(crate) fn changes_from_json(text: Option<&str>) -> Result<Vec<FieldChange>> {
    let Some(text) = text else { return Ok(Vec::new()) };
    let groups: Vec<GroupIn> = from_json("a log entry's changes", text)?;
    // A record that was made has blank fields too, which are no changes.
    let is_change = |change: &FieldChange| change.reason != Reason::NewRecord || !change.new.is_blank();
    Ok(groups.into_iter().flat_map(GroupIn::changes).filter(is_change).collect())
}

struct GroupOut<'a>(&'a [FieldChange]);

impl Serialize for GroupOut<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(None)?;
        if let Some(first) = self.0.first() {
            map.serialize_entry("d", &first.direction)?;
            map.serialize_entry("r", &first.reason)?;
            if !first.written {
                map.serialize_entry("w", &first.written)?;
            }
        }
        map.serialize_entry("f", &PairsOut(self.0))?;
        map.end()
    }
}

struct PairsOut<'a>(&'a [FieldChange]);

impl Serialize for PairsOut<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(Some(self.0.len()))?;
        for change in self.0 {
            if change.old.is_blank() {
                map.serialize_entry(&change.field, &change.new)?;
            } else {
                map.serialize_entry(&change.field, &[&change.old, &change.new])?;
            }
        }
        map.end()
    }
}

#[derive(Deserialize)]
struct GroupIn {
    d: Direction,
    r: Reason,
    #[serde(default = "written")]
    w: bool,
    f: PairsIn,
}

fn written() -> bool {
    true
}

impl GroupIn {
    fn changes(self) -> impl Iterator<Item = FieldChange> {
        let (direction, reason, written) = (self.d, self.r, self.w);
        self.f.0.into_iter().map(move |(field, values)| {
            let (old, new) = match values {
                OldNew::Both([old, new]) => (old, new),
                OldNew::New(new) => (Value::Null, new),
            };
            let change = FieldChange::new(field, direction, old, new, reason);
            if written { change } else { change.not_written() }
        })
    }
}

/// A value never is an array, so an array is two of them.
#[derive(Deserialize)]
#[serde(untagged)]
enum OldNew {
    Both([Value; 2]),
    New(Value),
}

struct PairsIn(Vec<(FieldName, OldNew)>);

impl<'de> Deserialize<'de> for PairsIn {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_map(PairsVisitor)
    }
}

struct PairsVisitor;

impl<'de> Visitor<'de> for PairsVisitor {
    type Value = PairsIn;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("fields with their values")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<PairsIn, A::Error> {
        let mut pairs = Vec::with_capacity(map.size_hint().unwrap_or(0));
        while let Some(pair) = map.next_entry()? {
            pairs.push(pair);
        }
        Ok(PairsIn(pairs))
    }
}

/// A unit variant by its stored word.
pub(crate) fn word<T: DeserializeOwned>(what: &'static str, word: &str) -> Result<T> {
    T::deserialize(de::value::StrDeserializer::<de::value::Error>::new(word)).map_err(|error| unreadable(what, error))
}

#[cfg(test)]
mod tests {
    use abmatic_sync_core::model::change::{Direction, FieldChange, Reason};
    use abmatic_sync_core::model::value::Value;

    use super::{changes_from_json, changes_to_json};

    #[test]
    fn changes_read_back_as_they_were() {
        let change = |field: &str, old: Value, new: Value, reason| {
            FieldChange::new(field.into(), Direction::ToAbmatic, old, new, reason)
        };
        let changes = vec![
            change("name", Value::Null, Value::text("Acme"), Reason::NewRecord),
            change("industry", Value::Null, Value::Choice("IT".into()), Reason::NewRecord),
            change("website", Value::text("a.com"), Value::Null, Reason::OnlyChange),
            change("tags", Value::MultiChoice(["a".into()].into()), Value::reference("1"), Reason::OnlyChange),
            change("field_01", Value::Null, Value::Null, Reason::KeptBlank).not_written(),
            change("name", Value::Integer(1), Value::Integer(2), Reason::NewRecord),
        ];
        let text = changes_to_json(&changes).unwrap();
        assert!(text.as_deref().unwrap().starts_with(r#"[{"d":"to_abmatic","r":"new_record","f":{"name":"Acme","#));
        assert_eq!(changes_from_json(text.as_deref()).unwrap(), changes);
        assert_eq!(changes_to_json(&[]).unwrap(), None);
        assert_eq!(changes_from_json(None).unwrap(), []);
    }
}
