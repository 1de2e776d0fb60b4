//! Single values: Pipedrive's JSON to ours and back. Numbers are taken by their digits, never through a float.

use std::collections::{BTreeMap, BTreeSet};

use abmatic_sync_core::error::{Error, ErrorCode, Result};
use abmatic_sync_core::model::value::Value;
use abmatic_sync_http::decode::plain_moment;
use chrono::{DateTime, NaiveDate, SecondsFormat, Utc};
use rust_decimal::Decimal;
use rust_decimal::prelude::ToPrimitive as _;
use serde_json::value::RawValue;
use serde_json::{Number, Value as Json};

use crate::column::{Column, Spelling};

/// A value that could be read, and whether it holds an option that is not known.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Read {
    pub(crate) value: Value,
    pub(crate) is_stale: bool,
}

impl From<Value> for Read {
    fn from(value: Value) -> Self {
        Self { value, is_stale: false }
    }
}

/// Reads a value of a column, or of the part that the column is about.
pub(crate) fn decode(column: &Column, raw: &RawValue) -> Result<Read, serde_json::Error> {
    let Some(part) = column.part else { return decode_plain(column, raw) };
    let parts: Option<BTreeMap<&str, &RawValue>> = serde_json::from_str(raw.get())?;
    match parts.and_then(|parts| parts.get(part).copied()) {
        Some(raw) => decode_plain(column, raw),
        None => Ok(Value::Null.into()),
    }
}

fn decode_plain(column: &Column, raw: &RawValue) -> Result<Read, serde_json::Error> {
    let text = raw.get().trim();
    if text == "null" {
        return Ok(Value::Null.into());
    }
    let read = |json: Json| match json {
        Json::String(text) => text,
        other => other.to_string(),
    };
    let value = match column.spelling {
        Spelling::Boolean => Value::Boolean(serde_json::from_str(text)?),
        Spelling::Choice => return Ok(choice(column, &read(option(serde_json::from_str(text)?)))),
        Spelling::Choices => return Ok(choices(column, serde_json::from_str(text)?)),
        Spelling::Contact => Value::text(primary(&serde_json::from_str::<Vec<Json>>(text)?)),
        Spelling::Decimal => decimal(text.trim_matches('"')).map_or_else(|| Value::text(text), Value::Decimal),
        Spelling::Integer => whole(text.trim_matches('"')).map_or_else(|| Value::text(text), Value::Integer),
        Spelling::Date => {
            let text = read(serde_json::from_str(text)?);
            text.parse::<NaiveDate>().map_or_else(|_| Value::text(text.as_str()), Value::Date)
        }
        Spelling::Instant => {
            let text = read(serde_json::from_str(text)?);
            moment(&text).map_or_else(|| Value::text(text.as_str()), Value::Instant)
        }
        Spelling::Text => Value::text(read(serde_json::from_str(text)?)),
    };
    Ok(value.into())
}

/// `2024-01-02T03:04:05Z`, with a fraction or without, and the older `2024-01-02 03:04:05` (migration guide).
pub(crate) fn moment(text: &str) -> Option<DateTime<Utc>> {
    let text = text.trim().replacen(' ', "T", 1);
    let bare = text.trim_end_matches('Z');
    plain_moment(&format!("{bare}.000")).or_else(|| format!("{bare}Z").parse().ok()).or_else(|| text.parse().ok())
}

fn decimal(text: &str) -> Option<Decimal> {
    text.parse().ok().or_else(|| Decimal::from_scientific(text).ok())
}

fn whole(text: &str) -> Option<i64> {
    text.parse().ok().or_else(|| decimal(text).filter(Decimal::is_integer)?.to_i64())
}

/// The id of an option, which comes alone, or with its label where that was asked for.
fn option(json: Json) -> Json {
    match json {
        Json::Object(mut map) => map.remove("id").unwrap_or_default(),
        other => other,
    }
}

fn choice(column: &Column, id: &str) -> Read {
    match column.option_value(id) {
        Some(value) => Value::Choice(value.to_owned()).into(),
        None => Read { value: Value::Choice(id.to_owned()), is_stale: !id.is_empty() },
    }
}

fn choices(column: &Column, ids: Vec<Json>) -> Read {
    let mut is_stale = false;
    let one = |id: Json| {
        let id = match option(id) {
            Json::String(text) => text,
            other => other.to_string(),
        };
        let known = column.option_value(&id).map(str::to_owned);
        is_stale |= known.is_none();
        known.unwrap_or(id)
    };
    let set: BTreeSet<String> = ids.into_iter().map(one).collect();
    let value = if set.is_empty() { Value::Null } else { Value::MultiChoice(set) };
    Read { value, is_stale }
}

/// The primary one of a list of addresses, else the first.
fn primary(entries: &[Json]) -> &str {
    let value = |entry: &'_ &Json| entry["value"].as_str().is_some_and(|text| !text.is_empty());
    let chosen = entries.iter().find(|entry| entry["primary"] == true && value(entry));
    let chosen = chosen.or_else(|| entries.iter().find(value));
    chosen.and_then(|entry| entry["value"].as_str()).unwrap_or_default()
}

/// A value as the column's bodies take it. Contacts and parts are put together elsewhere.
///
/// # Errors
/// [`ErrorCode::InvalidField`] for a value that the field does not take.
pub(crate) fn encode(column: &Column, value: &Value) -> Result<Json> {
    if value.is_blank() {
        return Ok(Json::Null);
    }
    let refused = |what: &str| {
        let message = format!("\"{}\" takes {what}, and was given {} \"{value}\"", column.name, value.type_name());
        Err(Error::invalid(ErrorCode::InvalidField, message).with_fields(vec![column.name.to_string()]))
    };
    match column.spelling {
        Spelling::Boolean => match value {
            Value::Boolean(truth) => Ok((*truth).into()),
            _ => refused("true or false"),
        },
        Spelling::Choice => match column.option_id(&value.to_string()) {
            Some(id) => Ok(option_json(id)),
            None => refused("one of its options"),
        },
        Spelling::Choices => {
            let Value::MultiChoice(set) = value else { return refused("several of its options") };
            let ids = set.iter().map(|one| column.option_id(one).map(option_json)).collect::<Option<Vec<_>>>();
            ids.map_or_else(|| refused("several of its options"), |ids| Ok(ids.into()))
        }
        Spelling::Date => match value {
            Value::Date(date) => Ok(date.to_string().into()),
            _ => refused("a day"),
        },
        Spelling::Decimal => match value.as_decimal().and_then(number) {
            Some(number) => Ok(number.into()),
            None => refused("a number"),
        },
        Spelling::Instant => match value {
            Value::Instant(time) => Ok(time.to_rfc3339_opts(SecondsFormat::Secs, true).into()),
            _ => refused("a moment"),
        },
        Spelling::Integer => match value.as_decimal().filter(Decimal::is_integer).and_then(number) {
            Some(number) => Ok(number.into()),
            None => refused("a whole number"),
        },
        Spelling::Contact | Spelling::Text => Ok(value.to_string().into()),
    }
}

fn number(decimal: Decimal) -> Option<Number> {
    serde_json::from_str(&decimal.normalize().to_string()).ok()
}

/// Ids of options are numbers, but for a deal's status.
fn option_json(id: &str) -> Json {
    id.parse::<u64>().map_or_else(|_| id.into(), Json::from)
}

/// A list of addresses with another primary one. What the list holds stays: the primary entry keeps its place and label, and
/// an address that is there already becomes the primary one where it stands. Null takes the primary one away.
pub(crate) fn with_primary(current: &[Json], value: &Value) -> Json {
    let mut entries: Vec<Json> =
        current.iter().filter(|entry| entry["value"].as_str().is_some_and(|text| !text.is_empty())).cloned().collect();
    let held = primary(&entries).to_owned();
    let at = entries.iter().position(|entry| entry["value"] == held.as_str());
    let Some(wanted) = value.as_text().filter(|text| !text.is_empty()) else {
        if let Some(at) = at {
            entries.remove(at);
        }
        return entries.into();
    };
    let known =
        entries.iter().position(|entry| entry["value"].as_str().is_some_and(|text| text.eq_ignore_ascii_case(wanted)));
    match (known, at) {
        (Some(known), _) => {
            for (place, entry) in entries.iter_mut().enumerate() {
                set(entry, "primary", (place == known).into());
                if place == known {
                    set(entry, "value", wanted.into());
                }
            }
        }
        (None, Some(at)) => {
            for (place, entry) in entries.iter_mut().enumerate() {
                set(entry, "primary", (place == at).into());
                if place == at {
                    set(entry, "value", wanted.into());
                }
            }
        }
        (None, None) => entries.push(serde_json::json!({"value": wanted, "primary": true, "label": "work"})),
    }
    entries.into()
}

fn set(entry: &mut Json, key: &str, value: Json) {
    if let Some(map) = entry.as_object_mut() {
        map.insert(key.to_owned(), value);
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn column(spelling: Spelling, part: Option<&'static str>) -> Column {
        Column {
            name: "f".into(),
            key: "f".to_owned(),
            custom: false,
            part,
            voids_others: false,
            spelling,
            field_type: abmatic_sync_core::model::schema::FieldType::Any,
            options: vec![("17".to_owned(), "Gold".to_owned()), ("won".to_owned(), "won".to_owned())],
            writable: true,
            optional: false,
            v1_key: "f".to_owned(),
        }
    }

    fn read(spelling: Spelling, part: Option<&'static str>, json: &str) -> Read {
        let raw: Box<RawValue> = serde_json::from_str(json).unwrap();
        decode(&column(spelling, part), &raw).unwrap()
    }

    #[test]
    fn values_are_read_by_their_spelling() {
        for (spelling, part, json, expected) in [
            (Spelling::Text, None, r#""Acme""#, Value::text("Acme")),
            (Spelling::Text, None, r#""""#, Value::Null),
            (Spelling::Text, None, "null", Value::Null),
            (Spelling::Decimal, None, "123456789.123456789", Value::Decimal("123456789.123456789".parse().unwrap())),
            (Spelling::Decimal, Some("value"), r#"{"value":500,"currency":"USD"}"#, Value::Decimal(500.into())),
            (Spelling::Text, Some("currency"), r#"{"value":500,"currency":"USD"}"#, Value::text("USD")),
            (Spelling::Text, Some("locality"), "null", Value::Null),
            (Spelling::Integer, None, "12", Value::Integer(12)),
            (Spelling::Choice, None, "17", Value::Choice("Gold".to_owned())),
            (Spelling::Choice, None, r#"{"id":17,"label":"Gold"}"#, Value::Choice("Gold".to_owned())),
            (Spelling::Choice, None, r#""won""#, Value::Choice("won".to_owned())),
            (Spelling::Choices, None, "[17]", Value::MultiChoice(["Gold".to_owned()].into())),
            (Spelling::Choices, None, "[]", Value::Null),
            (Spelling::Date, None, r#""2026-01-31""#, Value::Date("2026-01-31".parse().unwrap())),
            (
                Spelling::Instant,
                None,
                r#""2024-01-02T03:04:05Z""#,
                Value::Instant("2024-01-02T03:04:05Z".parse().unwrap()),
            ),
            (
                Spelling::Instant,
                None,
                r#""2024-01-02T03:04:05.120Z""#,
                Value::Instant("2024-01-02T03:04:05.120Z".parse().unwrap()),
            ),
            (
                Spelling::Instant,
                None,
                r#""2024-01-02 03:04:05""#,
                Value::Instant("2024-01-02T03:04:05Z".parse().unwrap()),
            ),
            (Spelling::Contact, None, r#"[{"value":"a"},{"value":"b","primary":true}]"#, Value::text("b")),
            (Spelling::Contact, None, r#"[{"value":"","primary":true},{"value":"b"}]"#, Value::text("b")),
            (Spelling::Contact, None, "[]", Value::Null),
        ] {
            assert_eq!(read(spelling, part, json), expected.into(), "{json}");
        }
        assert!(read(Spelling::Choice, None, "99").is_stale);
        assert!(read(Spelling::Choices, None, "[17,99]").is_stale);
    }

    #[test]
    fn values_are_written_as_bodies_take_them() {
        for (spelling, value, expected) in [
            (Spelling::Choice, Value::Choice("gold".to_owned()), json!(17)),
            (Spelling::Choice, Value::Choice("won".to_owned()), json!("won")),
            (Spelling::Choices, Value::MultiChoice(["Gold".to_owned()].into()), json!([17])),
            (Spelling::Choices, Value::MultiChoice(Default::default()), json!(null)),
            (Spelling::Decimal, Value::Decimal("12.50".parse().unwrap()), json!(12.5)),
            (Spelling::Integer, Value::Integer(7), json!(7)),
            (Spelling::Text, Value::Null, json!(null)),
            (
                Spelling::Instant,
                Value::Instant("2024-01-02T03:04:05.9Z".parse().unwrap()),
                json!("2024-01-02T03:04:05Z"),
            ),
        ] {
            assert_eq!(encode(&column(spelling, None), &value).unwrap(), expected, "{value:?}");
        }
        assert!(encode(&column(Spelling::Choice, None), &Value::Choice("Bronze".to_owned())).is_err());
    }

    #[test]
    fn the_primary_address_changes_in_its_place_and_the_others_stay() {
        let held = [
            json!({"value": "home@x.test", "primary": false, "label": "home"}),
            json!({"value": "work@x.test", "primary": true, "label": "work"}),
        ];
        assert_eq!(
            with_primary(&held, &Value::text("new@x.test")),
            json!([held[0], {"value": "new@x.test", "primary": true, "label": "work"}])
        );
        assert_eq!(
            with_primary(&held, &Value::text("home@x.test")),
            json!([
                {"value": "home@x.test", "primary": true, "label": "home"},
                {"value": "work@x.test", "primary": false, "label": "work"},
            ]),
            "one that is there becomes the primary one, and none is lost"
        );
        assert_eq!(with_primary(&held, &Value::Null), json!([held[0]]));
        assert_eq!(
            with_primary(&[], &Value::text("a@x.test")),
            json!([{"value": "a@x.test", "primary": true, "label": "work"}])
        );
    }
}
