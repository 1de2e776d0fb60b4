//! Field values: Salesforce's JSON and CSV to typed values and back.

use abmatic_sync_core::error::{Error, ErrorCode, Result};
use abmatic_sync_core::model::schema::FieldType;
use abmatic_sync_core::model::value::Value;
use abmatic_sync_http::decode::plain_moment;
use chrono::{DateTime, NaiveDate, NaiveTime, SecondsFormat, Utc};
use rust_decimal::Decimal;
use rust_decimal::prelude::ToPrimitive as _;
use serde::Serialize;
use serde_json::value::RawValue;

use crate::id::long_id;

/// What a Bulk cell holds that is to be cleared; an empty cell changes nothing ("Prepare CSV Files").
pub(crate) const CSV_NULL: &str = "#N/A";

/// A text as a value of its field's type. A text that does not fit its type stays text, so that nothing is lost and
/// whoever needs the type can say what is wrong.
pub(crate) fn decode(text: &str, field_type: FieldType) -> Value {
    if text.is_empty() {
        return Value::Null;
    }
    let typed = match field_type {
        FieldType::Boolean => boolean(text).map(Value::Boolean),
        FieldType::Choice => Some(Value::Choice(text.to_owned())),
        FieldType::Date => date(text).map(Value::Date),
        FieldType::Decimal => decimal(text).map(Value::Decimal),
        FieldType::Instant => instant(text).map(Value::Instant),
        FieldType::Integer => integer(text).map(Value::Integer),
        FieldType::MultiChoice => Some(multi_choice(text)),
        FieldType::Reference => Some(Value::reference(long_id(text))),
        _ => None,
    };
    typed.unwrap_or_else(|| Value::Text(text.to_owned()))
}

fn boolean(text: &str) -> Option<bool> {
    match text {
        "true" => Some(true),
        "false" => Some(false),
        _ => None,
    }
}

fn date(text: &str) -> Option<NaiveDate> {
    text.parse().ok().or_else(|| instant(text).map(|time| time.date_naive()))
}

/// `2026-02-03T09:10:11.000+0000` from REST, without a colon in the offset; `…Z` from Bulk.
pub(crate) fn instant(text: &str) -> Option<DateTime<Utc>> {
    let without_zone = text.strip_suffix("+0000").or_else(|| text.strip_suffix('Z'));
    if let Some(time) = without_zone.and_then(plain_moment) {
        return Some(time);
    }
    let parsed =
        DateTime::parse_from_rfc3339(text).or_else(|_| DateTime::parse_from_str(text, "%Y-%m-%dT%H:%M:%S%.f%z"));
    parsed.ok().map(|time| time.to_utc())
}

fn decimal(text: &str) -> Option<Decimal> {
    let number = text.parse().ok().or_else(|| Decimal::from_scientific(text).ok())?;
    Some(Decimal::normalize(&number))
}

fn integer(text: &str) -> Option<i64> {
    text.parse().ok().or_else(|| decimal(text).filter(Decimal::is_integer)?.to_i64())
}

fn multi_choice(text: &str) -> Value {
    Value::MultiChoice(text.split(';').map(str::trim).filter(|option| !option.is_empty()).map(str::to_owned).collect())
}

/// A value as JSON or CSV takes it.
#[derive(Clone, Debug, Serialize)]
#[serde(untagged)]
pub(crate) enum Cell {
    Null,
    Boolean(bool),
    Number(Box<RawValue>),
    Text(String),
}

impl Cell {
    /// A typed value for a field of that type.
    ///
    /// # Errors
    /// [`ErrorCode::InvalidField`] for a number that JSON cannot hold: there is none of ours.
    pub(crate) fn of(value: &Value, field_type: FieldType) -> Result<Self> {
        if value.is_blank() {
            // A checkbox is never empty: it is off.
            return Ok(if field_type == FieldType::Boolean { Self::Boolean(false) } else { Self::Null });
        }
        Ok(match value {
            Value::Boolean(truth) => Self::Boolean(*truth),
            Value::Integer(_) | Value::Decimal(_) if field_type != FieldType::Text => Self::number(&value.to_string())?,
            Value::Date(day) if field_type == FieldType::Instant => {
                Self::Text(stamp(day.and_time(NaiveTime::MIN).and_utc()))
            }
            Value::Instant(time) if field_type == FieldType::Date => Self::Text(time.date_naive().to_string()),
            Value::Instant(time) => Self::Text(stamp(*time)),
            Value::Reference(ids) => Self::Text(ids.first().map(|id| long_id(id)).unwrap_or_default()),
            _ => Self::Text(value.to_string()),
        })
    }

    fn number(text: &str) -> Result<Self> {
        let raw = RawValue::from_string(text.to_owned()).map_err(|error| {
            Error::invalid(ErrorCode::InvalidField, format!("{text:?} is no number")).caused_by(error)
        })?;
        Ok(Self::Number(raw))
    }

    pub(crate) fn is_null(&self) -> bool {
        matches!(self, Self::Null)
    }

    /// The text, for everything but nothing.
    pub(crate) fn text(&self) -> Option<&str> {
        match self {
            Self::Null => None,
            Self::Boolean(true) => Some("true"),
            Self::Boolean(false) => Some("false"),
            Self::Number(raw) => Some(raw.get()),
            Self::Text(text) => Some(text),
        }
    }
}

fn stamp(time: DateTime<Utc>) -> String {
    time.to_rfc3339_opts(SecondsFormat::Millis, true)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn texts_become_what_their_field_says() {
        let number = |text: &str| Value::Decimal(text.parse().unwrap());
        let time = Value::Instant("2026-02-03T09:10:11Z".parse().unwrap());
        let table = [
            ("", FieldType::Decimal, Value::Null),
            ("2026-02-03T09:10:11.000+0000", FieldType::Instant, time.clone()),
            ("2026-02-03T09:10:11.000Z", FieldType::Instant, time.clone()),
            ("2026-02-03T10:10:11+0100", FieldType::Instant, time),
            ("2026-02-03", FieldType::Date, Value::Date("2026-02-03".parse().unwrap())),
            ("100.0", FieldType::Integer, Value::Integer(100)),
            ("100.0", FieldType::Decimal, number("100")),
            ("1.2E7", FieldType::Decimal, number("12000000")),
            ("999999999999999.99", FieldType::Decimal, number("999999999999999.99")),
            ("true", FieldType::Boolean, Value::Boolean(true)),
            ("B;A", FieldType::MultiChoice, Value::MultiChoice(["A".to_owned(), "B".to_owned()].into())),
            ("001D000000IqhSL", FieldType::Reference, Value::reference("001D000000IqhSLIAZ")),
            ("N/A", FieldType::Text, Value::text("N/A")),
            ("odd", FieldType::Date, Value::text("odd")),
        ];
        for (text, field_type, expected) in table {
            assert_eq!(decode(text, field_type), expected, "{text:?} as {field_type:?}");
        }
    }

    #[test]
    fn values_become_json() {
        let table = [
            (Value::Null, FieldType::Text, "null"),
            (Value::Null, FieldType::Boolean, "false"),
            (Value::Integer(7), FieldType::Integer, "7"),
            (Value::Integer(7), FieldType::Text, "\"7\""),
            (Value::Decimal("999999999999999.990".parse().unwrap()), FieldType::Decimal, "999999999999999.99"),
            (Value::Date("2026-03-31".parse().unwrap()), FieldType::Instant, "\"2026-03-31T00:00:00.000Z\""),
            (Value::MultiChoice(["b".to_owned(), "a".to_owned()].into()), FieldType::MultiChoice, "\"a;b\""),
            (Value::reference("001D000000IqhSL"), FieldType::Reference, "\"001D000000IqhSLIAZ\""),
        ];
        for (value, field_type, expected) in table {
            let cell = Cell::of(&value, field_type).unwrap();
            assert_eq!(serde_json::to_string(&cell).unwrap(), expected);
        }
    }
}
