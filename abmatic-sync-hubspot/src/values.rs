//! Property values: HubSpot's texts to typed values and back.

use std::borrow::Cow;

use abmatic_sync_core::model::schema::FieldType;
use abmatic_sync_core::model::value::Value;
use abmatic_sync_http::decode::plain_moment;
use chrono::{DateTime, NaiveDate, NaiveTime, SecondsFormat, Utc};
use rust_decimal::Decimal;

/// Decimals keep this many digits; a longer text is a binary float written out.
const DIGITS_MAX: usize = 28;

/// A property's text as a value of its type. A text that does not fit its type stays text, so that nothing is lost and
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
        FieldType::Integer => text.parse().ok().map(Value::Integer),
        FieldType::MultiChoice => Some(multi_choice(text)),
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

/// `2026-03-31`, a whole moment, or milliseconds at midnight UTC.
fn date(text: &str) -> Option<NaiveDate> {
    text.parse().ok().or_else(|| instant(text).map(|time| time.date_naive()))
}

/// `2026-03-31T10:20:30.000Z` with or without the fraction, or milliseconds since 1970.
pub(crate) fn instant(text: &str) -> Option<DateTime<Utc>> {
    if let Some(time) = text.strip_suffix('Z').and_then(plain_moment) {
        return Some(time);
    }
    if let Ok(time) = DateTime::parse_from_rfc3339(text) {
        return Some(time.to_utc());
    }
    if let Ok(milliseconds) = text.parse() {
        return DateTime::from_timestamp_millis(milliseconds);
    }
    let day: NaiveDate = text.parse().ok()?;
    Some(day.and_time(NaiveTime::MIN).and_utc())
}

/// `hs_deal_stage_probability` comes as `0.200000000000000011102230246251565404236316680908203125`: that is 0.2.
fn decimal(text: &str) -> Option<Decimal> {
    let text = text.trim();
    let float: Cow<'_, str> = if text.bytes().filter(u8::is_ascii_digit).count() > DIGITS_MAX {
        Cow::Owned(text.parse::<f64>().ok()?.to_string())
    } else {
        Cow::Borrowed(text)
    };
    float.parse().ok().or_else(|| Decimal::from_scientific(&float).ok())
}

fn multi_choice(text: &str) -> Value {
    Value::MultiChoice(text.split(';').map(str::trim).filter(|option| !option.is_empty()).map(str::to_owned).collect())
}

/// A value as HubSpot takes it: everything is text, and empty text clears.
pub(crate) fn encode(value: &Value, field_type: FieldType) -> String {
    match value {
        Value::Date(day) if field_type == FieldType::Instant => stamp(day.and_time(NaiveTime::MIN).and_utc()),
        Value::Instant(time) if field_type == FieldType::Date => time.date_naive().to_string(),
        Value::Instant(time) => stamp(*time),
        _ => value.to_string(),
    }
}

fn stamp(time: DateTime<Utc>) -> String {
    time.to_rfc3339_opts(SecondsFormat::Millis, true)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn texts_become_what_their_property_says() {
        let number = |text: &str| Value::Decimal(text.parse().unwrap());
        let time = Value::Instant("2026-03-31T10:20:30Z".parse().unwrap());
        let day = Value::Date("2026-03-31".parse().unwrap());
        let table = [
            ("", FieldType::Decimal, Value::Null),
            ("1500.50", FieldType::Decimal, number("1500.5")),
            ("0.200000000000000011102230246251565404236316680908203125", FieldType::Decimal, number("0.2")),
            ("1.5E7", FieldType::Decimal, number("15000000")),
            ("many", FieldType::Decimal, Value::text("many")),
            ("true", FieldType::Boolean, Value::Boolean(true)),
            ("2026-03-31", FieldType::Date, day.clone()),
            ("1774915200000", FieldType::Date, day),
            ("2026-03-31T10:20:30.000Z", FieldType::Instant, time.clone()),
            ("2026-03-31T10:20:30Z", FieldType::Instant, time.clone()),
            ("1774952430000", FieldType::Instant, time),
            ("b;a; ", FieldType::MultiChoice, Value::MultiChoice(["a".to_owned(), "b".to_owned()].into())),
            ("lead", FieldType::Choice, Value::Choice("lead".to_owned())),
            (" x ", FieldType::Text, Value::text(" x ")),
        ];
        for (text, field_type, expected) in table {
            let decoded = decode(text, field_type);
            assert!(
                decoded == expected || decoded.as_decimal().is_some_and(|n| Some(n) == expected.as_decimal()),
                "{text}: {decoded:?}"
            );
        }
    }

    #[test]
    fn values_become_texts() {
        let day = Value::Date("2026-03-31".parse().unwrap());
        let time = Value::Instant("2026-03-31T10:20:30Z".parse().unwrap());
        let table = [
            (Value::Null, FieldType::Text, ""),
            (Value::Boolean(false), FieldType::Boolean, "false"),
            (Value::Decimal("1500.50".parse().unwrap()), FieldType::Decimal, "1500.5"),
            (Value::Integer(7), FieldType::Decimal, "7"),
            (day.clone(), FieldType::Date, "2026-03-31"),
            (day, FieldType::Instant, "2026-03-31T00:00:00.000Z"),
            (time.clone(), FieldType::Instant, "2026-03-31T10:20:30.000Z"),
            (time, FieldType::Date, "2026-03-31"),
            (Value::MultiChoice(["b".to_owned(), "a".to_owned()].into()), FieldType::MultiChoice, "a;b"),
        ];
        for (value, field_type, expected) in table {
            assert_eq!(encode(&value, field_type), expected);
        }
    }
}
