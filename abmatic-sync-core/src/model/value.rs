//! A field's value, typed: equality is by type, not by spelling.

use std::collections::BTreeSet;
use std::fmt;

use chrono::{DateTime, NaiveDate, SecondsFormat, Utc};
use rust_decimal::Decimal;
use serde::de::{self, MapAccess, Visitor};
use serde::ser::SerializeMap;
use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// A field's value on either side.
///
/// `PartialEq` compares what was stored; [`Value::same_as`] compares what it means (1 = 1.0, sets without order).
#[non_exhaustive]
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum Value {
    /// Nothing there. An empty text is stored as this.
    #[default]
    Null,
    /// True or false.
    Boolean(bool),
    /// One of a list of options, by its internal value.
    Choice(String),
    /// A day without a time.
    Date(NaiveDate),
    /// An exact number: money is never a float.
    Decimal(Decimal),
    /// A moment, in UTC.
    Instant(DateTime<Utc>),
    /// A whole number.
    Integer(i64),
    /// Several options, without order.
    MultiChoice(BTreeSet<String>),
    /// The ids of other records, without order.
    Reference(BTreeSet<String>),
    /// Text.
    Text(String),
}

impl Value {
    /// Text, or [`Value::Null`] when it is empty.
    pub fn text(text: impl Into<String>) -> Self {
        let text = text.into();
        if text.is_empty() { Self::Null } else { Self::Text(text) }
    }

    /// A reference to one record.
    pub fn reference(id: impl Into<String>) -> Self {
        Self::Reference(BTreeSet::from([id.into()]))
    }

    /// Whether nothing is there: null, empty text or an empty set.
    pub fn is_blank(&self) -> bool {
        match self {
            Self::Null => true,
            Self::Text(text) | Self::Choice(text) => text.is_empty(),
            Self::MultiChoice(set) | Self::Reference(set) => set.is_empty(),
            Self::Boolean(_) | Self::Date(_) | Self::Decimal(_) | Self::Instant(_) | Self::Integer(_) => false,
        }
    }

    /// Whether both mean the same: numbers by value, blanks alike, a choice like its text, a moment like its time stamp,
    /// `"true"` like true.
    ///
    /// ```
    /// use abmatic_sync_core::model::value::Value;
    /// assert!(Value::Integer(1).same_as(&Value::Decimal("1.00".parse().unwrap())));
    /// assert!(Value::Null.same_as(&Value::Text(String::new())));
    /// assert!(!Value::text("a").same_as(&Value::text("A")));
    /// ```
    pub fn same_as(&self, other: &Self) -> bool {
        if self.is_blank() || other.is_blank() {
            return self.is_blank() && other.is_blank();
        }
        match (self, other) {
            (Self::Text(a) | Self::Choice(a), Self::Text(b) | Self::Choice(b)) => a == b,
            (Self::Boolean(a), Self::Boolean(b)) => a == b,
            (Self::Date(a), Self::Date(b)) => a == b,
            (Self::Instant(a), Self::Instant(b)) => a == b,
            (Self::MultiChoice(a), Self::MultiChoice(b)) | (Self::Reference(a), Self::Reference(b)) => a == b,
            (Self::Text(text) | Self::Choice(text), typed) | (typed, Self::Text(text) | Self::Choice(text)) => {
                typed.is_spelled(text)
            }
            (a, b) => matches!((a.as_decimal(), b.as_decimal()), (Some(a), Some(b)) if a == b),
        }
    }

    /// The number, where it is one.
    pub fn as_decimal(&self) -> Option<Decimal> {
        match self {
            Self::Integer(number) => Some(Decimal::from(*number)),
            Self::Decimal(number) => Some(*number),
            Self::Null
            | Self::Boolean(_)
            | Self::Choice(_)
            | Self::Date(_)
            | Self::Instant(_)
            | Self::MultiChoice(_)
            | Self::Reference(_)
            | Self::Text(_) => None,
        }
    }

    /// The text or choice, where it is one.
    pub fn as_text(&self) -> Option<&str> {
        match self {
            Self::Text(text) | Self::Choice(text) => Some(text),
            Self::Null
            | Self::Boolean(_)
            | Self::Date(_)
            | Self::Decimal(_)
            | Self::Instant(_)
            | Self::Integer(_)
            | Self::MultiChoice(_)
            | Self::Reference(_) => None,
        }
    }

    /// The ids of a reference; empty for every other value.
    pub fn ids(&self) -> impl Iterator<Item = &str> {
        let set = if let Self::Reference(set) = self { Some(set) } else { None };
        set.into_iter().flatten().map(String::as_str)
    }

    /// The name of the type, as errors show it.
    pub fn type_name(&self) -> &'static str {
        match self {
            Self::Null => "null",
            Self::Boolean(_) => "boolean",
            Self::Choice(_) => "choice",
            Self::Date(_) => "date",
            Self::Decimal(_) => "decimal",
            Self::Instant(_) => "instant",
            Self::Integer(_) => "integer",
            Self::MultiChoice(_) => "multi-choice",
            Self::Reference(_) => "reference",
            Self::Text(_) => "text",
        }
    }

    fn is_spelled(&self, text: &str) -> bool {
        match self {
            Self::Boolean(value) => text.eq_ignore_ascii_case(if *value { "true" } else { "false" }),
            Self::Integer(_) | Self::Decimal(_) => text.trim().parse::<Decimal>().ok() == self.as_decimal(),
            Self::Date(_) | Self::Instant(_) | Self::MultiChoice(_) | Self::Reference(_) => self.to_string() == text,
            Self::Null | Self::Text(_) | Self::Choice(_) => false,
        }
    }
}

/// The value as people read it; sets are joined by `;`.
impl fmt::Display for Value {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Null => Ok(()),
            Self::Boolean(value) => write!(f, "{value}"),
            Self::Choice(text) | Self::Text(text) => f.write_str(text),
            Self::Date(date) => write!(f, "{date}"),
            Self::Decimal(number) => write!(f, "{}", number.normalize()),
            Self::Instant(time) => f.write_str(&time.to_rfc3339_opts(SecondsFormat::AutoSi, true)),
            Self::Integer(number) => write!(f, "{number}"),
            Self::MultiChoice(set) | Self::Reference(set) => {
                for (position, item) in set.iter().enumerate() {
                    if position > 0 {
                        f.write_str(";")?;
                    }
                    f.write_str(item)?;
                }
                Ok(())
            }
        }
    }
}

impl From<&str> for Value {
    fn from(text: &str) -> Self {
        Self::text(text)
    }
}

impl From<String> for Value {
    fn from(text: String) -> Self {
        Self::text(text)
    }
}

impl From<i64> for Value {
    fn from(number: i64) -> Self {
        Self::Integer(number)
    }
}

impl From<bool> for Value {
    fn from(value: bool) -> Self {
        Self::Boolean(value)
    }
}

impl From<Decimal> for Value {
    fn from(number: Decimal) -> Self {
        Self::Decimal(number)
    }
}

impl From<NaiveDate> for Value {
    fn from(date: NaiveDate) -> Self {
        Self::Date(date)
    }
}

impl From<DateTime<Utc>> for Value {
    fn from(time: DateTime<Utc>) -> Self {
        Self::Instant(time)
    }
}

/// Text, booleans, integers and null are plain JSON; every other type is an object with its name as the one key.
impl Serialize for Value {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            Self::Null => serializer.serialize_unit(),
            Self::Boolean(value) => serializer.serialize_bool(*value),
            Self::Integer(number) => serializer.serialize_i64(*number),
            Self::Text(text) => serializer.serialize_str(text),
            Self::Choice(text) => tagged(serializer, "choice", text),
            Self::Date(date) => tagged(serializer, "date", date),
            Self::Decimal(number) => tagged(serializer, "decimal", &number.to_string()),
            Self::Instant(time) => tagged(serializer, "instant", time),
            Self::MultiChoice(set) => tagged(serializer, "choices", set),
            Self::Reference(set) => tagged(serializer, "reference", set),
        }
    }
}

fn tagged<S: Serializer>(
    serializer: S,
    tag: &'static str,
    value: &(impl Serialize + ?Sized),
) -> Result<S::Ok, S::Error> {
    let mut map = serializer.serialize_map(Some(1))?;
    map.serialize_entry(tag, value)?;
    map.end()
}

impl<'de> Deserialize<'de> for Value {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(ValueVisitor)
    }
}

struct ValueVisitor;

impl<'de> Visitor<'de> for ValueVisitor {
    type Value = Value;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a stored value")
    }

    fn visit_unit<E>(self) -> Result<Value, E> {
        Ok(Value::Null)
    }

    fn visit_bool<E>(self, value: bool) -> Result<Value, E> {
        Ok(Value::Boolean(value))
    }

    fn visit_i64<E>(self, number: i64) -> Result<Value, E> {
        Ok(Value::Integer(number))
    }

    fn visit_u64<E: de::Error>(self, number: u64) -> Result<Value, E> {
        i64::try_from(number).map(Value::Integer).map_err(|_| E::custom("integer beyond 64 bits"))
    }

    fn visit_str<E>(self, text: &str) -> Result<Value, E> {
        Ok(Value::Text(text.to_owned()))
    }

    fn visit_string<E>(self, text: String) -> Result<Value, E> {
        Ok(Value::Text(text))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Value, A::Error> {
        let tag: String = map.next_key()?.ok_or_else(|| de::Error::custom("a value object without its type"))?;
        match tag.as_str() {
            "choice" => map.next_value().map(Value::Choice),
            "date" => map.next_value().map(Value::Date),
            "decimal" => {
                let text: String = map.next_value()?;
                text.parse().map(Value::Decimal).map_err(de::Error::custom)
            }
            "instant" => map.next_value().map(Value::Instant),
            "choices" => map.next_value().map(Value::MultiChoice),
            "reference" => map.next_value().map(Value::Reference),
            other => Err(de::Error::custom(format!("unknown value type {other:?}"))),
        }
    }
}
