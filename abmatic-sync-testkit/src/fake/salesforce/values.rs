//! Values: from what a caller sends to the one text under which a record keeps them.
//!
//! Kept are: `true`/`false`, plain decimals, `2026-01-31`, moments in milliseconds since 1970, ids of 18 characters.

use serde_json::Value;

use crate::fake::moment;
use crate::fake::salesforce::errors::{self, RowError};
use crate::fake::salesforce::field::{Field, FieldType};
use crate::fake::salesforce::id;

/// Digits of any number.
const DIGITS_MAX: usize = 18;

/// Reads one value; `None` clears the field.
pub(crate) fn read(field: &Field, value: &Value) -> Result<Option<String>, RowError> {
    let text = match (value, field.kind) {
        (Value::Null, FieldType::Boolean) => return Err(not_of_type(field, "")),
        (Value::Null, _) => return Ok(None),
        (Value::String(text), _) => text.as_str(),
        (Value::Bool(flag), FieldType::Boolean) => return Ok(Some(flag.to_string())),
        (Value::Number(number), FieldType::Int) if number.is_f64() => {
            return Err(errors::wrong_json("int", "VALUE_NUMBER_FLOAT", &number.to_string()));
        }
        (Value::Number(number), kind) if kind == FieldType::Int || kind.is_decimal() => {
            return read_number(field, &number.to_string()).map(Some);
        }
        _ => return Err(errors::wrong_json(field.kind.names().0, token_of(value), &shown(value))),
    };
    read_text(field, text)
}

/// Reads a cell of a CSV file, where nothing but the row can fail.
pub(crate) fn read_cell(field: &Field, text: &str) -> Result<Option<String>, RowError> {
    let text = match (field.kind, text) {
        (FieldType::Boolean, "1") => "true",
        (FieldType::Boolean, "0" | "") => "false",
        _ => text,
    };
    read_text(field, text).map_err(|error| if error.whole_call { not_of_type(field, text) } else { error })
}

fn token_of(value: &Value) -> &'static str {
    match value {
        Value::Null => "VALUE_NULL",
        Value::Bool(true) => "VALUE_TRUE",
        Value::Bool(false) => "VALUE_FALSE",
        Value::Number(number) if number.is_f64() => "VALUE_NUMBER_FLOAT",
        Value::Number(_) => "VALUE_NUMBER_INT",
        Value::String(_) => "VALUE_STRING",
        Value::Array(_) => "START_ARRAY",
        Value::Object(_) => "START_OBJECT",
    }
}

fn shown(value: &Value) -> String {
    match value {
        Value::Array(_) => "[".to_owned(),
        Value::Object(_) => "{".to_owned(),
        Value::String(text) => text.clone(),
        other => other.to_string(),
    }
}

fn not_of_type(field: &Field, value: &str) -> RowError {
    let message = format!("{}: value not of required type: {value}", field.label);
    RowError::new("INVALID_TYPE_ON_FIELD_IN_RECORD", message).on(&[&field.name])
}

/// Trims as the platform does: blanks and controls, but no U+00A0. What is then empty is null.
fn trimmed(text: &str) -> &str {
    text.trim_matches(|character: char| character <= ' ')
}

fn read_text(field: &Field, text: &str) -> Result<Option<String>, RowError> {
    let text = trimmed(text);
    if text.is_empty() {
        return if field.kind == FieldType::Boolean { Err(not_of_type(field, "")) } else { Ok(None) };
    }
    let wrong = || errors::wrong_json(field.kind.names().0, "VALUE_STRING", text);
    let read = match field.kind {
        FieldType::Boolean => match text.to_ascii_lowercase().as_str() {
            flag @ ("true" | "false") => flag.to_owned(),
            _ => return Err(wrong()),
        },
        FieldType::Int | FieldType::Currency | FieldType::Double | FieldType::Percent => read_number(field, text)?,
        FieldType::Date => moment::parse_date(text).map(moment::date).ok_or_else(wrong)?,
        FieldType::DateTime => parse_moment(text).ok_or_else(wrong)?.to_string(),
        FieldType::Reference | FieldType::Id => id::canonical(text).ok_or_else(|| wrong_id(field, text))?,
        FieldType::Email if !is_email(text) => {
            let message = format!("{}: invalid email address: {text}", field.label);
            return Err(RowError::new("INVALID_EMAIL_ADDRESS", message).on(&[&field.name]));
        }
        FieldType::Picklist => read_choice(field, text)?,
        FieldType::MultiPicklist => read_choices(field, text)?,
        FieldType::Address => return Err(errors::not_writable(&[&field.name])),
        FieldType::Email | FieldType::Phone | FieldType::Text | FieldType::TextArea | FieldType::Url => text.to_owned(),
    };
    if field.kind.is_text() && read.chars().count() > field.length {
        let message = format!("{}: data value too large: {read} (max length={})", field.label, field.length);
        return Err(RowError::new("STRING_TOO_LONG", message).on(&[&field.name]));
    }
    Ok(Some(read))
}

/// The error of an id that cannot be one of this field.
pub(crate) fn wrong_id(field: &Field, text: &str) -> RowError {
    RowError::new("MALFORMED_ID", format!("{}: id value of incorrect type: {text}", field.label)).on(&[&field.name])
}

/// Datetimes with a zone in any of its forms; without one they are UTC. Milliseconds are dropped.
pub(crate) fn parse_moment(text: &str) -> Option<i64> {
    if text.get(10..11) != Some("T") {
        return None;
    }
    let bytes = text.as_bytes();
    let sign = bytes.len().checked_sub(5).and_then(|at| bytes.get(at));
    let with_colon = match sign {
        // `+0100` as the API itself writes it.
        Some(b'+' | b'-') if text.is_char_boundary(text.len() - 2) && text.len() > 16 => {
            let (head, minutes) = text.split_at(text.len() - 2);
            format!("{head}:{minutes}")
        }
        _ => text.to_owned(),
    };
    moment::parse_iso(&with_colon).map(|ms| ms.div_euclid(1000) * 1000)
}

/// One `@`, no blanks, ASCII, and a domain with a point.
fn is_email(text: &str) -> bool {
    let Some((local, domain)) = text.split_once('@') else { return false };
    let plain = |part: &str| !part.is_empty() && part.bytes().all(|byte| byte.is_ascii_graphic() && byte != b'@');
    let labels: Vec<&str> = domain.split('.').collect();
    let is_label = |label: &&str| {
        !label.is_empty()
            && !label.starts_with('-')
            && !label.ends_with('-')
            && label.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-')
    };
    plain(local)
        && !local.starts_with('.')
        && !local.ends_with('.')
        && !local.contains("..")
        && !local.contains([',', '(', ')', '<', '>', '[', ']', ';', ':', '\\', '"'])
        && labels.len() > 1
        && labels.iter().all(is_label)
        && labels.last().is_some_and(|last| last.len() > 1)
}

/// A plain decimal with as many digits behind the point as the field has.
fn read_number(field: &Field, text: &str) -> Result<String, RowError> {
    let number: f64 = match text.parse() {
        Ok(number) if f64::is_finite(number) => number,
        _ => return Err(errors::wrong_json(field.kind.names().0, "VALUE_STRING", text)),
    };
    let scale = usize::try_from(field.scale).unwrap_or(0);
    let plain = if text.bytes().all(|byte| byte.is_ascii_digit() || matches!(byte, b'.' | b'-')) {
        rounded(text, scale)
    } else {
        None
    };
    let plain = plain.unwrap_or_else(|| format!("{number:.scale$}"));
    let whole = plain.trim_start_matches('-').split('.').next().unwrap_or_default().len();
    let allowed = usize::try_from(field.precision.saturating_sub(field.scale)).unwrap_or(0).max(1);
    if whole > allowed.min(DIGITS_MAX) {
        let message = format!("{}: value outside of valid range on numeric field: {text}", field.label);
        return Err(RowError::new("NUMBER_OUTSIDE_VALID_RANGE", message).on(&[&field.name]));
    }
    Ok(plain)
}

/// Rounds a decimal half up without going through binary; `None` where that is not needed or not possible.
fn rounded(text: &str, scale: usize) -> Option<String> {
    let (whole, fraction) = text.split_once('.').unwrap_or((text, ""));
    if fraction.len() > scale {
        // More digits than the field has: binary rounding is near enough, halves are helped over the edge.
        let number: f64 = text.parse().ok()?;
        let nudged = number + number.signum() * 1e-9;
        return Some(without_zeros(&format!("{nudged:.scale$}")));
    }
    let number = whole.trim_start_matches('-').trim_start_matches('0');
    let sign = if whole.starts_with('-') { "-" } else { "" };
    let number = if number.is_empty() { "0" } else { number };
    Some(without_zeros(&format!("{sign}{number}.{fraction}")))
}

fn without_zeros(text: &str) -> String {
    if !text.contains('.') {
        return text.to_owned();
    }
    let short = text.trim_end_matches('0').trim_end_matches('.');
    if short == "-0" { "0".to_owned() } else { short.to_owned() }
}

fn canonical_choice<'a>(field: &'a Field, text: &str) -> Option<(usize, &'a str)> {
    let mut choices = field.choices.iter().enumerate();
    let (at, choice) = choices.find(|(_, choice)| choice.value.eq_ignore_ascii_case(text))?;
    (choice.active || !field.restricted).then_some((at, choice.value.as_str()))
}

fn bad_choice(field: &Field, text: &str) -> RowError {
    let message = format!("{}: bad value for restricted picklist field: {text}", field.label);
    RowError::new("INVALID_OR_NULL_FOR_RESTRICTED_PICKLIST", message).on(&[&field.name])
}

fn read_choice(field: &Field, text: &str) -> Result<String, RowError> {
    match canonical_choice(field, text) {
        Some((_, value)) => Ok(value.to_owned()),
        None if field.restricted => Err(bad_choice(field, text)),
        None => Ok(text.to_owned()),
    }
}

/// The chosen values in the order of their definition, others behind them.
fn read_choices(field: &Field, text: &str) -> Result<String, RowError> {
    let mut chosen: Vec<(usize, String)> = Vec::new();
    for part in text.split(';').map(trimmed).filter(|part| !part.is_empty()) {
        let entry = match canonical_choice(field, part) {
            Some((at, value)) => (at, value.to_owned()),
            None if field.restricted => return Err(bad_choice(field, part)),
            None => (usize::MAX, part.to_owned()),
        };
        if !chosen.contains(&entry) {
            chosen.push(entry);
        }
    }
    chosen.sort_by_key(|(at, _)| *at);
    let values: Vec<String> = chosen.into_iter().map(|(_, value)| value).collect();
    Ok(values.join(";"))
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::{parse_moment, read};
    use crate::fake::salesforce::field::Field;

    fn code(field: &Field, value: &Value) -> Result<Option<String>, &'static str> {
        read(field, value).map_err(|error| error.code)
    }

    #[test]
    fn values_are_kept_in_one_form() {
        let email = crate::fake::salesforce::columns::email("Email", "Email");
        let tier = Field::picklist("Tier__c", &["A", "B"]).restricted().with_inactive("D");
        let multi = Field::multipicklist("M__c", &["x", "y", "z"]);
        for (field, sent, kept) in [
            (&Field::text("T__c", 3), json!("  ab\n"), Ok(Some("ab"))),
            (&Field::text("T__c", 3), json!(" "), Ok(None)),
            (&Field::text("T__c", 3), json!("äöüß"), Err("STRING_TOO_LONG")),
            (&Field::text("T__c", 3), json!(7), Err("JSON_PARSER_ERROR")),
            (&Field::number("N__c", 2), json!("12.345"), Ok(Some("12.35"))),
            (&Field::number("N__c", 2), json!(12), Ok(Some("12"))),
            (&Field::number("N__c", 2), json!(1e20), Err("NUMBER_OUTSIDE_VALID_RANGE")),
            (&Field::number("N__c", 2), json!("many"), Err("JSON_PARSER_ERROR")),
            (&Field::checkbox("C__c"), json!("TRUE"), Ok(Some("true"))),
            (&Field::date("D__c"), json!("2026-02-30"), Err("JSON_PARSER_ERROR")),
            (&Field::datetime("D__c"), json!("2026-11-24T11:00:00.123+0100"), Ok(Some("1795514400000"))),
            (&tier, json!("a"), Ok(Some("A"))),
            (&tier, json!("D"), Err("INVALID_OR_NULL_FOR_RESTRICTED_PICKLIST")),
            (&multi, json!("z;w;X;z"), Ok(Some("x;z;w"))),
            (&email, json!("a@x.com"), Ok(Some("a@x.com"))),
            (&email, json!("a@x"), Err("INVALID_EMAIL_ADDRESS")),
            (&email, json!("ä@x.com"), Err("INVALID_EMAIL_ADDRESS")),
        ] {
            assert_eq!(code(field, &sent), kept.map(|kept| kept.map(str::to_owned)), "{sent} in {}", field.name);
        }
    }

    #[test]
    fn moments_have_many_spellings() {
        for text in ["2026-11-24T10:00:00Z", "2026-11-24T10:00:00.000+0000", "2026-11-24T12:00:00+02:00"] {
            assert_eq!(parse_moment(text), Some(1_795_514_400_000), "{text}");
        }
        assert_eq!(parse_moment("2026-11-24"), None);
    }
}
