//! Values as ActiveCampaign spells them, in both directions; read tolerantly, written as documented.

use std::collections::BTreeSet;

use abmatic_sync_core::error::{Error, ErrorCode, Result};
use abmatic_sync_core::model::schema::FieldType;
use abmatic_sync_core::model::value::Value;
use abmatic_sync_core::steps::coerce::coerce;
use chrono::{DateTime, NaiveDate, SecondsFormat};
use rust_decimal::Decimal;
use rust_decimal::prelude::ToPrimitive as _;
use serde_json::Value as Json;

use crate::column::{Column, Place, Spelling};
use crate::object::Object;
use crate::wire::text;

/// What stands between several options of a contact's field, and around them.
const BETWEEN: &str = "||";
/// Days that are none.
const NO_DATES: [&str; 2] = ["0000-00-00", "0000-00-00 00:00:00"];

/// A value as it stands in a record. What is not of its type stays a text, so that nothing is lost.
pub(crate) fn decode(column: &Column, json: &Json) -> Value {
    if let Json::Array(items) = json {
        return Value::MultiChoice(items.iter().filter_map(text).collect());
    }
    let Some(text) = text(json).filter(|text| !NO_DATES.contains(&text.as_str())) else { return Value::Null };
    let plain = || Value::text(text.as_str());
    match &column.spelling {
        Spelling::Cents => text.parse::<i64>().map_or_else(|_| plain(), |cents| Value::Decimal(Decimal::new(cents, 2))),
        Spelling::Named(names) => {
            let named = names.iter().find(|(number, _)| *number == text);
            named.map_or_else(plain, |(_, name)| Value::Choice(name.clone()))
        }
        Spelling::Plain(FieldType::MultiChoice) => {
            let options: BTreeSet<String> =
                text.split(BETWEEN).filter(|one| !one.is_empty()).map(str::to_owned).collect();
            Value::MultiChoice(options)
        }
        Spelling::Plain(FieldType::Choice) => {
            let bare = text.trim_matches('|');
            if bare.is_empty() { Value::Null } else { Value::Choice(bare.to_owned()) }
        }
        Spelling::Plain(FieldType::Date) => {
            text.get(..10).and_then(|day| day.parse::<NaiveDate>().ok()).map_or_else(plain, Value::Date)
        }
        Spelling::Plain(FieldType::Instant) => {
            DateTime::parse_from_rfc3339(&text).map_or_else(|_| plain(), |moment| Value::Instant(moment.to_utc()))
        }
        Spelling::Plain(FieldType::Decimal) => text.trim().parse().map_or_else(|_| plain(), Value::Decimal),
        Spelling::Plain(_) => plain(),
    }
}

/// A value as it is sent; an empty text clears.
///
/// # Errors
/// [`ErrorCode::InvalidField`] for a value that the field cannot hold.
pub(crate) fn encode(object: Object, column: &Column, value: &Value) -> Result<Json> {
    let unfit = || {
        let (shown, wanted) = (value.to_string(), column.field_type().as_str());
        let message = format!("\"{}\" takes a {wanted}, and not \"{shown}\"", column.name);
        Error::invalid(ErrorCode::InvalidField, message).with_fields(vec![column.name.to_string()])
    };
    let is_custom = matches!(column.place, Place::Custom(_));
    if value.is_blank() {
        let is_list = column.field_type() == FieldType::MultiChoice && is_custom && object != Object::Contact;
        return Ok(if is_list { Json::Array(Vec::new()) } else { Json::from("") });
    }
    let value = coerce(value, column.field_type()).ok_or_else(unfit)?;
    Ok(match (&column.spelling, &value) {
        (Spelling::Cents, Value::Decimal(amount)) => {
            let cents = (amount * Decimal::ONE_HUNDRED).normalize();
            Json::from(Some(cents).filter(Decimal::is_integer).and_then(|cents| cents.to_i64()).ok_or_else(unfit)?)
        }
        (Spelling::Named(names), value) => {
            let name = value.to_string();
            let number = names.iter().find(|(_, known)| *known == name).ok_or_else(unfit)?;
            Json::from(number.0.as_str())
        }
        (_, Value::MultiChoice(options)) if object == Object::Contact => {
            let joined: Vec<&str> = options.iter().map(String::as_str).collect();
            Json::from(format!("{BETWEEN}{}{BETWEEN}", joined.join(BETWEEN)))
        }
        (_, Value::MultiChoice(options)) => options.iter().map(String::as_str).collect(),
        (_, Value::Instant(moment)) => Json::from(moment.to_rfc3339_opts(SecondsFormat::Secs, false)),
        (_, value) => Json::from(value.to_string()),
    })
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn column(spelling: Spelling) -> Column {
        Column { spelling, place: Place::Custom(1), ..Column::own("x", "X", FieldType::Text) }
    }

    #[test]
    fn values_are_read_as_they_come_and_sent_as_documented() {
        let options = |options: &[&str]| Value::MultiChoice(options.iter().map(|one| (*one).to_owned()).collect());
        let stages = Spelling::Named(vec![("7".to_owned(), "To Contact".to_owned())]);
        let plain = Spelling::Plain;
        for (object, spelling, read, value, sent) in [
            (Object::Deal, Spelling::Cents, json!("45600"), Value::Decimal(Decimal::new(45_600, 2)), json!(45_600)),
            (Object::Account, Spelling::Cents, json!(10_050), Value::Decimal(Decimal::new(10_050, 2)), json!(10_050)),
            (Object::Deal, stages, json!("7"), Value::Choice("To Contact".into()), json!("7")),
            (
                Object::Contact,
                plain(FieldType::MultiChoice),
                json!("||a||c||"),
                options(&["a", "c"]),
                json!("||a||c||"),
            ),
            (Object::Contact, plain(FieldType::MultiChoice), json!("a||c"), options(&["a", "c"]), json!("||a||c||")),
            (
                Object::Account,
                plain(FieldType::MultiChoice),
                json!(["a", "c"]),
                options(&["a", "c"]),
                json!(["a", "c"]),
            ),
            (Object::Contact, plain(FieldType::Choice), json!("||a||"), Value::Choice("a".into()), json!("a")),
            (
                Object::Contact,
                plain(FieldType::Date),
                json!("2026-01-20"),
                Value::Date("2026-01-20".parse().unwrap()),
                json!("2026-01-20"),
            ),
            (
                Object::Contact,
                plain(FieldType::Decimal),
                json!("12.50"),
                Value::Decimal("12.50".parse().unwrap()),
                json!("12.5"),
            ),
            (Object::Contact, plain(FieldType::Text), json!(7), Value::text("7"), json!("7")),
        ] {
            let column = column(spelling);
            assert!(decode(&column, &read).same_as(&value), "{read} {:?}", decode(&column, &read));
            assert_eq!(encode(object, &column, &value).unwrap(), sent);
        }
        for blank in [json!(null), json!(""), json!("0000-00-00"), json!("0000-00-00 00:00:00")] {
            assert_eq!(decode(&column(plain(FieldType::Date)), &blank), Value::Null, "{blank}");
        }
        let multi = column(plain(FieldType::MultiChoice));
        assert_eq!(encode(Object::Account, &multi, &Value::Null).unwrap(), json!([]));
        assert_eq!(encode(Object::Contact, &multi, &Value::Null).unwrap(), json!(""));
        for bad in [Value::text("much"), Value::Decimal("0.001".parse().unwrap())] {
            let error = encode(Object::Deal, &column(Spelling::Cents), &bad).unwrap_err();
            assert_eq!((error.code(), error.fields()), (ErrorCode::InvalidField, ["x".to_owned()].as_slice()));
        }
    }
}
