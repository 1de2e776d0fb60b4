//! Single values of API v2 bodies: what is accepted for a shape, and what is kept of it.

use serde_json::{Map, Number, Value, json};

use crate::fake::moment::{parse_date, parse_iso};
use crate::fake::pipedrive::field::{Definition, Shape};
use crate::fake::pipedrive::kind::Kind;
use crate::fake::pipedrive::people::{CURRENCIES, HOME_CURRENCY, PIPELINES};
use crate::fake::pipedrive::state::State;

/// What is kept of a value, or what is wrong with it. Null clears; that a value must not be null is said elsewhere.
pub(crate) fn accept(state: &State, field: &Definition, value: &Value) -> Result<Value, String> {
    if value.is_null() {
        return Ok(Value::Null);
    }
    match field.shape {
        Shape::Address => address(value),
        Shape::Boolean => value.as_bool().map(Value::from).ok_or_else(|| "Expected 'boolean'".to_owned()),
        Shape::Clock => text(value, 8).and_then(|value| clock(&value)),
        Shape::ClockZoned => parts(value, &["value"], &["timezone_name"], clock),
        Shape::Contacts => contacts(value),
        Shape::Currency => currency(value),
        Shape::Date => text(value, 10).and_then(|value| date(&value)),
        Shape::DateRange => parts(value, &["value", "until"], &[], date),
        Shape::Integer => integer(value).map(Value::from),
        Shape::Labels => labels(field, value),
        Shape::Moment => text(value, 40).and_then(|value| moment(&value)),
        Shape::Money => money(value),
        Shape::Number => number(value),
        Shape::OptionId => option(field, value),
        Shape::OptionIds => options(field, value),
        Shape::Participants => participants(state, value),
        Shape::Pipeline => known(value, |id| PIPELINES.iter().any(|(known, _)| *known == id)),
        Shape::Record(kind) => known(value, |id| state.shelf(kind).live(id).is_some()),
        Shape::Stage => known(value, |id| state.stages.iter().any(|stage| stage.id == id)),
        Shape::Status => one_of(value, &["open", "won", "lost"]),
        Shape::Text(characters) => text(value, characters),
        Shape::TimeRange => parts(value, &["value", "until"], &["timezone_name"], clock),
        Shape::User => known(value, |id| state.is_user(id)),
        Shape::Visibility => known(value, |id| matches!(id, 1 | 3 | 5 | 7)),
    }
}

fn text(value: &Value, characters: usize) -> Result<Value, String> {
    let text = value.as_str().ok_or("Expected 'string'")?;
    if text.chars().count() > characters {
        return Err(format!("String must contain at most {characters} character(s)"));
    }
    Ok(text.into())
}

fn integer(value: &Value) -> Result<i64, String> {
    let whole = value.as_i64().or_else(|| {
        // 12.0 is a whole number in JSON, which knows no other kind.
        let number = value.as_f64().filter(|number| number.fract() == 0.0)?;
        #[expect(clippy::cast_possible_truncation, reason = "bounded by the check")]
        (number.abs() < 9.0e15).then_some(number as i64)
    });
    whole.ok_or_else(|| "Expected 'integer'".to_owned())
}

fn number(value: &Value) -> Result<Value, String> {
    if value.is_number() { Ok(plain(value)) } else { Err("Expected 'number'".to_owned()) }
}

/// `500.0` is shown as `500`.
fn plain(value: &Value) -> Value {
    integer(value).map_or_else(|_| value.clone(), |whole| Value::Number(Number::from(whole)))
}

fn id(value: &Value) -> Result<u64, String> {
    value.as_u64().filter(|id| *id > 0).ok_or_else(|| "Expected 'number'".to_owned())
}

fn known(value: &Value, is_known: impl Fn(u64) -> bool) -> Result<Value, String> {
    let id = id(value)?;
    if is_known(id) { Ok(id.into()) } else { Err(format!("Value {id} is not valid or not visible")) }
}

fn one_of(value: &Value, words: &[&str]) -> Result<Value, String> {
    let found = value.as_str().filter(|text| words.contains(text));
    found.map(Value::from).ok_or_else(|| format!("Must be one of {}", words.join(", ")))
}

fn currency(value: &Value) -> Result<Value, String> {
    let found = value.as_str().filter(|text| CURRENCIES.iter().any(|(code, ..)| code == text));
    found.map(Value::from).ok_or_else(|| "not a valid currency".to_owned())
}

fn date(value: &Value) -> Result<Value, String> {
    let found = value.as_str().filter(|text| parse_date(text).is_some());
    found.map(Value::from).ok_or_else(|| format!("{value} is not a valid date"))
}

/// `2026-01-31T10:20:00Z`, and the older `2026-01-31 10:20:00`.
fn moment(value: &Value) -> Result<Value, String> {
    let text = value.as_str().unwrap_or_default();
    let spelled = text.replacen(' ', "T", 1);
    let ms = parse_iso(&spelled).ok_or_else(|| format!("{value} is not a valid datetime"))?;
    Ok(moment_text(ms).into())
}

/// A moment as API v2 writes it.
pub(crate) fn moment_text(ms: i64) -> String {
    let mut text = crate::fake::moment::iso(ms);
    text.truncate(19);
    text.push('Z');
    text
}

/// A moment as API v1 writes it.
pub(crate) fn moment_text_v1(ms: i64) -> String {
    let text = moment_text(ms).replacen('T', " ", 1);
    text.trim_end_matches('Z').to_owned()
}

fn clock(value: &Value) -> Result<Value, String> {
    let text = value.as_str().unwrap_or_default();
    let parts: Vec<&str> = text.split(':').collect();
    let good = matches!(parts.len(), 2 | 3)
        && parts.iter().all(|part| part.len() == 2 && part.bytes().all(|byte| byte.is_ascii_digit()));
    match (good, parts.len()) {
        (true, 2) => Ok(format!("{text}:00").into()),
        (true, _) => Ok(text.into()),
        (false, _) => Err(format!("{value} is not a valid time")),
    }
}

/// An object of known keys: `needed` ones read by `read`, and texts that may be left out.
fn parts(
    value: &Value,
    needed: &[&str],
    more: &[&str],
    read: fn(&Value) -> Result<Value, String>,
) -> Result<Value, String> {
    let map = object(value, &[needed, more].concat())?;
    let mut out = Map::new();
    for key in needed {
        out.insert((*key).to_owned(), read(map.get(*key).unwrap_or(&Value::Null))?);
    }
    for key in more {
        out.insert((*key).to_owned(), map.get(*key).cloned().unwrap_or_default());
    }
    Ok(out.into())
}

fn object<'a>(value: &'a Value, keys: &[&str]) -> Result<&'a Map<String, Value>, String> {
    let map = value.as_object().ok_or("Expected 'object'")?;
    match map.keys().find(|key| !keys.contains(&key.as_str())) {
        Some(key) => Err(format!("Parameter '{key}' is not allowed for this request")),
        None => Ok(map),
    }
}

/// The parts that are left out become null.
fn address(value: &Value) -> Result<Value, String> {
    const PARTS: &[&str] = &[
        "value",
        "country",
        "admin_area_level_1",
        "admin_area_level_2",
        "locality",
        "sublocality",
        "route",
        "street_number",
        "subpremise",
        "postal_code",
        "formatted_address",
    ];
    let map = object(value, PARTS)?;
    if !map.get("value").is_some_and(Value::is_string) {
        return Err("value is required".to_owned());
    }
    if let Some((key, _)) = map.iter().find(|(_, part)| !part.is_string() && !part.is_null()) {
        return Err(format!("{key}: Expected 'string'"));
    }
    let shown = PARTS.iter().filter(|part| **part != "formatted_address");
    Ok(shown
        .map(|part| ((*part).to_owned(), map.get(*part).cloned().unwrap_or_default()))
        .collect::<Map<_, _>>()
        .into())
}

fn money(value: &Value) -> Result<Value, String> {
    let map = object(value, &["value", "currency"])?;
    let amount = number(map.get("value").unwrap_or(&Value::Null))?;
    let currency = map.get("currency").map_or_else(|| Ok(HOME_CURRENCY.into()), currency)?;
    Ok(json!({"value": amount, "currency": currency}))
}

/// At most one is the primary one; where none is, the first becomes it.
fn contacts(value: &Value) -> Result<Value, String> {
    let entries = value.as_array().ok_or("Expected 'array'")?;
    let mut out = Vec::with_capacity(entries.len());
    let mut primary = None;
    for (at, entry) in entries.iter().enumerate() {
        let map = object(entry, &["value", "primary", "label"])?;
        let text = map.get("value").and_then(Value::as_str).ok_or("value is required")?;
        let label = match map.get("label") {
            None | Some(Value::Null) => "work",
            Some(label) => label.as_str().ok_or("label: Expected 'string'")?,
        };
        let wanted = match map.get("primary") {
            None | Some(Value::Null) => false,
            Some(flag) => flag.as_bool().ok_or("primary: Expected 'boolean'")?,
        };
        if wanted && primary.is_none() {
            primary = Some(at);
        }
        if !text.is_empty() {
            out.push((at, text, label));
        }
    }
    let primary = primary.or_else(|| out.first().map(|(at, ..)| *at));
    let shown = out
        .into_iter()
        .map(|(at, value, label)| json!({"label": label, "value": value, "primary": primary == Some(at)}));
    Ok(shown.collect())
}

fn participants(state: &State, value: &Value) -> Result<Value, String> {
    let entries = value.as_array().ok_or("Expected 'array'")?;
    let mut out = Vec::with_capacity(entries.len());
    for entry in entries {
        let map = object(entry, &["person_id", "primary"])?;
        let person = map.get("person_id").ok_or("person_id is required")?;
        let person = known(person, |id| state.shelf(Kind::Person).live(id).is_some())?;
        let primary = map.get("primary").and_then(Value::as_bool).unwrap_or(false);
        out.push(json!({"person_id": person, "primary": primary}));
    }
    let nobody = !out.iter().any(|entry| entry["primary"] == true);
    if let Some(first) = out.first_mut().filter(|_| nobody) {
        first["primary"] = true.into();
    }
    Ok(out.into())
}

fn option(field: &Definition, value: &Value) -> Result<Value, String> {
    let kind = if field.custom { "custom field" } else { "field" };
    let Some(id) = value.as_u64() else {
        return Err(format!("Expected 'number' as value for single option {kind} '{}'", field.code));
    };
    match field.choice(id) {
        Some(_) => Ok(id.into()),
        None => Err(format!("Option {id} is not valid for {kind} '{}'", field.code)),
    }
}

fn options(field: &Definition, value: &Value) -> Result<Value, String> {
    let code = &field.code;
    let ids = value.as_array().filter(|ids| !ids.is_empty());
    let ids =
        ids.ok_or_else(|| format!("Expected non-empty 'array' as value for multiple option custom field '{code}'"))?;
    labels_of(field, ids)
}

fn labels(field: &Definition, value: &Value) -> Result<Value, String> {
    labels_of(field, value.as_array().ok_or("Expected 'array'")?)
}

fn labels_of(field: &Definition, ids: &[Value]) -> Result<Value, String> {
    let mut out: Vec<u64> = Vec::with_capacity(ids.len());
    for value in ids {
        let id = value.as_u64().ok_or("Expected 'number'")?;
        field.choice(id).ok_or_else(|| format!("Option {id} is not valid for field '{}'", field.code))?;
        if !out.contains(&id) {
            out.push(id);
        }
    }
    Ok(out.into())
}
