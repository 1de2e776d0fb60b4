//! Makes a value be of another type where it means the same there.

use std::collections::BTreeSet;

use chrono::{DateTime, NaiveDate, Utc};
use rust_decimal::Decimal;
use rust_decimal::prelude::ToPrimitive;

use crate::model::schema::FieldType;
use crate::model::value::Value;

/// The value as `target`, `None` where it cannot be that without loss. Blanks become null.
pub fn coerce(value: &Value, target: FieldType) -> Option<Value> {
    if value.is_blank() {
        return Some(Value::Null);
    }
    let coerced = match target {
        FieldType::Any => Some(value.clone()),
        FieldType::Boolean => boolean(value),
        FieldType::Choice => choice(value),
        FieldType::Date => date(value).map(Value::Date),
        FieldType::Decimal => decimal(value).map(Value::Decimal),
        FieldType::Instant => instant(value).map(Value::Instant),
        FieldType::Integer => integer(value).map(Value::Integer),
        FieldType::MultiChoice => multi_choice(value),
        FieldType::Reference => matches!(value, Value::Reference(_)).then(|| value.clone()),
        FieldType::Email | FieldType::Text | FieldType::Url => text(value),
    };
    // `" ; "` holds no option, and an option without a name is no text.
    coerced.map(|value| if value.is_blank() { Value::Null } else { value })
}

/// The host of a web address or bare domain: lower case, no scheme, port, path or trailing dot, and no `www.` before a host.
pub fn web_host(text: &str) -> Option<String> {
    let text = text.trim();
    let rest = text.split_once("://").map_or(text, |(_, rest)| rest);
    let authority = rest.split(['/', '?', '#']).next().unwrap_or(rest);
    let host = authority.rsplit_once('@').map_or(authority, |(_, host)| host);
    let lower = host.split(':').next().unwrap_or(host).trim_end_matches('.').to_lowercase();
    let mut host = lower.as_str();
    while let Some(bare) = host.strip_prefix("www.").filter(|bare| bare.contains('.')) {
        host = bare;
    }
    (host.contains('.') && !host.contains(char::is_whitespace)).then(|| host.to_owned())
}

fn text(value: &Value) -> Option<Value> {
    match value {
        Value::Text(_) => Some(value.clone()),
        Value::Reference(_) => None,
        _ => Some(Value::Text(value.to_string())),
    }
}

fn choice(value: &Value) -> Option<Value> {
    match value {
        Value::Choice(_) => Some(value.clone()),
        Value::MultiChoice(set) if set.len() == 1 => set.first().cloned().map(Value::Choice),
        Value::MultiChoice(_) | Value::Reference(_) => None,
        _ => Some(Value::Choice(value.to_string())),
    }
}

fn multi_choice(value: &Value) -> Option<Value> {
    match value {
        Value::MultiChoice(_) => Some(value.clone()),
        Value::Text(text) => {
            let options: BTreeSet<String> =
                text.split(';').map(str::trim).filter(|option| !option.is_empty()).map(str::to_owned).collect();
            Some(Value::MultiChoice(options))
        }
        Value::Choice(text) => Some(Value::MultiChoice(BTreeSet::from([text.clone()]))),
        _ => None,
    }
}

fn boolean(value: &Value) -> Option<Value> {
    let truth = match value {
        Value::Boolean(truth) => *truth,
        Value::Integer(0) => false,
        Value::Integer(1) => true,
        Value::Text(text) | Value::Choice(text) => match text.trim().to_ascii_lowercase().as_str() {
            "true" | "yes" | "1" => true,
            "false" | "no" | "0" => false,
            _ => return None,
        },
        _ => return None,
    };
    Some(Value::Boolean(truth))
}

fn decimal(value: &Value) -> Option<Decimal> {
    match value {
        Value::Integer(_) | Value::Decimal(_) => value.as_decimal(),
        Value::Text(text) | Value::Choice(text) => text.trim().parse().ok(),
        _ => None,
    }
}

fn integer(value: &Value) -> Option<i64> {
    let number = decimal(value)?;
    number.is_integer().then(|| number.to_i64()).flatten()
}

fn date(value: &Value) -> Option<NaiveDate> {
    match value {
        Value::Date(date) => Some(*date),
        Value::Instant(time) => Some(time.date_naive()),
        Value::Text(text) => {
            let text = text.trim();
            text.parse().ok().or_else(|| text.parse::<DateTime<Utc>>().ok().map(|time| time.date_naive()))
        }
        _ => None,
    }
}

fn instant(value: &Value) -> Option<DateTime<Utc>> {
    match value {
        Value::Instant(time) => Some(*time),
        Value::Date(date) => Some(date.and_hms_opt(0, 0, 0)?.and_utc()),
        Value::Text(text) => {
            let text = text.trim();
            text.parse().ok().or_else(|| Some(text.parse::<NaiveDate>().ok()?.and_hms_opt(0, 0, 0)?.and_utc()))
        }
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use chrono::{DateTime, TimeDelta};
    use rust_decimal::Decimal;

    use super::{coerce, web_host};
    use crate::model::schema::FieldType;
    use crate::model::value::Value;

    #[test]
    fn values_become_other_types_only_without_loss() {
        let day = DateTime::UNIX_EPOCH.date_naive();
        let noon = DateTime::UNIX_EPOCH + TimeDelta::hours(12);
        let cases: &[(Value, FieldType, Option<Value>)] = &[
            (Value::text("42"), FieldType::Integer, Some(Value::Integer(42))),
            (Value::text("42.5"), FieldType::Integer, None),
            (Value::text("forty"), FieldType::Decimal, None),
            (Value::text("TRUE"), FieldType::Boolean, Some(Value::Boolean(true))),
            (Value::text("maybe"), FieldType::Boolean, None),
            (Value::Integer(7), FieldType::Text, Some(Value::text("7"))),
            (Value::text("  "), FieldType::Integer, None),
            (Value::text(""), FieldType::Integer, Some(Value::Null)),
            (Value::text("2026-02-30"), FieldType::Date, None),
            (Value::text("No"), FieldType::Boolean, Some(Value::Boolean(false))),
            (Value::Choice("1".into()), FieldType::Boolean, Some(Value::Boolean(true))),
            (Value::Integer(1), FieldType::Boolean, Some(Value::Boolean(true))),
            (Value::Integer(0), FieldType::Boolean, Some(Value::Boolean(false))),
            (Value::Integer(2), FieldType::Boolean, None),
            (Value::Date(day), FieldType::Boolean, None),
            (Value::Decimal(Decimal::TWO), FieldType::Integer, Some(Value::Integer(2))),
            (Value::Choice(" 7 ".into()), FieldType::Decimal, Some(Value::Decimal(7.into()))),
            (Value::Boolean(true), FieldType::Decimal, None),
            (Value::Instant(noon), FieldType::Date, Some(Value::Date(day))),
            (Value::text(" 1970-01-01 "), FieldType::Date, Some(Value::Date(day))),
            (Value::text("1970-01-01T12:00:00Z"), FieldType::Date, Some(Value::Date(day))),
            (Value::Integer(1), FieldType::Date, None),
            (Value::Date(day), FieldType::Instant, Some(Value::Instant(DateTime::UNIX_EPOCH))),
            (Value::text("1970-01-01"), FieldType::Instant, Some(Value::Instant(DateTime::UNIX_EPOCH))),
            (Value::text("1970-01-01T12:00:00Z"), FieldType::Instant, Some(Value::Instant(noon))),
            (Value::Boolean(true), FieldType::Instant, None),
            (Value::MultiChoice(["a".into()].into()), FieldType::Choice, Some(Value::Choice("a".into()))),
            (Value::MultiChoice(["a".into(), "b".into()].into()), FieldType::Choice, None),
            (Value::reference("7"), FieldType::Choice, None),
            (Value::reference("7"), FieldType::Text, None),
            (Value::reference("7"), FieldType::Reference, Some(Value::reference("7"))),
            (Value::text("7"), FieldType::Reference, None),
            (Value::Choice("a;b".into()), FieldType::MultiChoice, Some(Value::MultiChoice(["a;b".into()].into()))),
            (Value::Integer(7), FieldType::MultiChoice, None),
            (Value::text("a; b"), FieldType::MultiChoice, Some(Value::MultiChoice(["a".into(), "b".into()].into()))),
            (Value::text(" ; "), FieldType::MultiChoice, Some(Value::Null)),
            (Value::MultiChoice([String::new()].into()), FieldType::Text, Some(Value::Null)),
        ];
        for (value, target, expected) in cases {
            assert_eq!(&coerce(value, *target), expected, "{value:?} as {target:?}");
        }
    }

    #[test]
    fn the_host_of_an_address_is_bare() {
        for text in ["acme.com", "https://www.Acme.com/about?x=1", "ACME.COM.", "http://u:p@acme.com:8080"] {
            assert_eq!(web_host(text).as_deref(), Some("acme.com"), "{text}");
        }
        for (text, expected) in [("www.www.acme.com", "acme.com"), ("www.com", "www.com"), ("www.acme.com", "acme.com")]
        {
            assert_eq!(web_host(text).as_deref(), Some(expected), "{text}");
        }
        assert_eq!(web_host("not a site"), None);
    }
}
