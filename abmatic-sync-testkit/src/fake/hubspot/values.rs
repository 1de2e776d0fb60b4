//! What a property accepts, and what is stored of it.

use serde_json::Value;

use crate::fake::hubspot::definition::{Choice, Definition, Source, ValueType};
use crate::fake::hubspot::errors::BadValue;
use crate::fake::hubspot::kind::Kind;
use crate::fake::moment::{self, DAY_MS};

const TEXT_CHARACTERS_MAX: usize = 65_536;
/// Numbers below this are seconds, not milliseconds, for a version that repairs dates.
const SECONDS_BELOW: i64 = 100_000_000_000;

/// A value as it will be stored; `None` clears.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Accepted {
    pub(crate) value: Option<String>,
    /// The value was repaired, and the answer warns of it.
    pub(crate) normalised: bool,
}

impl Accepted {
    fn plain(value: String) -> Self {
        Self { value: Some(value), normalised: false }
    }
}

/// What is known around a value that is written.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Around<'a> {
    pub(crate) kind: Kind,
    pub(crate) owner_ids: &'a [&'a str],
    /// The stored value, which `;x` appends to.
    pub(crate) before: Option<&'a str>,
    /// Whether odd dates are repaired, as from 2026-09 on.
    pub(crate) repair_dates: bool,
}

/// The text of a JSON value; `None` for objects and arrays, which no property takes.
pub(crate) fn text_of(raw: &Value) -> Option<String> {
    match raw {
        Value::Null => Some(String::new()),
        Value::Bool(flag) => Some(flag.to_string()),
        Value::Number(number) => Some(number.to_string()),
        Value::String(text) => Some(text.clone()),
        Value::Array(_) | Value::Object(_) => None,
    }
}

/// Checks a value against its property.
pub(crate) fn accept(definition: &Definition, text: &str, around: Around<'_>) -> Result<Accepted, BadValue> {
    if text.is_empty() {
        return Ok(Accepted::default());
    }
    let bad = |code, message| BadValue::new(&definition.name, code, message);
    match definition.value_type {
        ValueType::Bool => choice(definition, text).map(Accepted::plain),
        ValueType::Date => date(text, around.repair_dates).map_err(|(code, message)| bad(code, message)),
        ValueType::Datetime => datetime(text, around.repair_dates).map_err(|(code, message)| bad(code, message)),
        ValueType::Enumeration => enumeration(definition, text, around).map(Accepted::plain),
        ValueType::Number => match text.trim().parse::<f64>() {
            Ok(number) if number.is_finite() => Ok(Accepted::plain(text.trim().to_owned())),
            _ => Err(bad("INVALID_INTEGER", format!("{text} was not a valid number"))),
        },
        ValueType::PhoneNumber | ValueType::String => string(definition, text, around.kind),
    }
}

fn string(definition: &Definition, text: &str, kind: Kind) -> Result<Accepted, BadValue> {
    if text.chars().count() > TEXT_CHARACTERS_MAX {
        let message = format!("{} is longer than {TEXT_CHARACTERS_MAX} characters", definition.name);
        return Err(BadValue::new(&definition.name, "PROPERTY_LENGTH_EXCEEDED", message));
    }
    match (kind, definition.name.as_str()) {
        (Kind::CONTACTS, "email") => {
            let email = text.trim().to_lowercase();
            if !is_email(&email) {
                let message = format!("Email address {text} is invalid");
                return Err(BadValue::new(&definition.name, "INVALID_EMAIL", message));
            }
            Ok(Accepted::plain(email))
        }
        (Kind::COMPANIES, "domain") => Ok(Accepted::plain(domain(text))),
        _ => Ok(Accepted::plain(text.to_owned())),
    }
}

fn is_email(text: &str) -> bool {
    let Some((local, domain)) = text.rsplit_once('@') else { return false };
    let clean =
        |part: &str| !part.is_empty() && !part.chars().any(|c| c.is_whitespace() || matches!(c, ',' | '@' | '<' | '>'));
    let dots = |part: &str| !part.starts_with('.') && !part.ends_with('.') && !part.contains("..");
    clean(local) && clean(domain) && dots(local) && dots(domain) && domain.contains('.')
}

/// Scheme, `www.`, path and case do not count.
pub(crate) fn domain(text: &str) -> String {
    let lower = text.trim().to_lowercase();
    let rest = lower.split_once("://").map_or(lower.as_str(), |(_, rest)| rest);
    let host = rest.split(['/', '?', '#']).next().unwrap_or_default();
    host.strip_prefix("www.").unwrap_or(host).to_owned()
}

fn enumeration(definition: &Definition, text: &str, around: Around<'_>) -> Result<String, BadValue> {
    if definition.source == Source::Owner {
        if around.owner_ids.contains(&text) {
            return Ok(text.to_owned());
        }
        let message = format!("{text} is not a valid owner");
        return Err(BadValue::new(&definition.name, "INVALID_OWNER_ID", message));
    }
    if definition.choices.is_empty() && definition.hubspot_defined {
        // Options that come from elsewhere, stages and pipelines among them; they are checked where they are known.
        return Ok(text.to_owned());
    }
    if !definition.is_multiple() {
        return choice(definition, text);
    }
    let mut chosen: Vec<String> = Vec::new();
    if text.starts_with(';') {
        chosen.extend(around.before.unwrap_or_default().split(';').filter(|part| !part.is_empty()).map(str::to_owned));
    }
    for part in text.split(';').filter(|part| !part.is_empty()) {
        let value = choice(definition, part)?;
        if !chosen.contains(&value) {
            chosen.push(value);
        }
    }
    Ok(chosen.join(";"))
}

fn choice(definition: &Definition, text: &str) -> Result<String, BadValue> {
    if definition.choices.iter().any(|choice| choice.value == text) {
        return Ok(text.to_owned());
    }
    Err(not_an_option(definition, text, &definition.choices))
}

/// The words for a value that is none of the options.
pub(crate) fn not_an_option(definition: &Definition, text: &str, choices: &[Choice]) -> BadValue {
    let shown: String = choices
        .iter()
        .map(|choice| {
            format!(
                "label: \"{}\"\nvalue: \"{}\"\ndisplay_order: {}\nhidden: {}\nread_only: false\n, ",
                choice.label, choice.value, choice.display_order, choice.hidden
            )
        })
        .collect();
    let shown = shown.strip_suffix(", ").unwrap_or(&shown);
    let message = format!("{text} was not one of the allowed options: [{shown}]");
    BadValue::new(&definition.name, "INVALID_OPTION", message)
}

type DateResult = Result<Accepted, (&'static str, String)>;

fn date(text: &str, repair: bool) -> DateResult {
    if moment::parse_date(text).is_some() {
        return Ok(Accepted::plain(text.to_owned()));
    }
    let (ms, odd) = match text.parse::<i64>() {
        Ok(seconds) if repair && seconds.abs() < SECONDS_BELOW && seconds != 0 => (seconds * 1000, true),
        Ok(ms) => (ms, false),
        Err(_) => match moment::parse_iso(text) {
            Some(ms) => (ms, true),
            None if repair => return Err(("INVALID_DATE", format!("{text} is not a valid date."))),
            None => return Err(("INVALID_LONG", format!("{text} was not a valid long."))),
        },
    };
    let odd = odd || ms.rem_euclid(DAY_MS) != 0;
    if odd && !repair {
        let message = format!("{text} is at {}, not midnight; it is not a valid date.", moment::iso(ms));
        return Err(("INVALID_DATE", message));
    }
    Ok(Accepted { value: Some(moment::date(ms)), normalised: odd })
}

fn datetime(text: &str, repair: bool) -> DateResult {
    let (ms, odd) = match text.parse::<i64>() {
        Ok(seconds) if repair && seconds.abs() < SECONDS_BELOW && seconds != 0 => (seconds * 1000, true),
        Ok(ms) => (ms, false),
        Err(_) => match (moment::parse_iso(text), moment::parse_date(text)) {
            (Some(ms), _) => (ms, false),
            (None, Some(ms)) if repair => (ms, true),
            (None, Some(_)) => return Err(("INVALID_DATE", format!("{text} is not a valid date."))),
            (None, None) if repair => return Err(("INVALID_DATE", format!("{text} is not a valid date."))),
            (None, None) => return Err(("INVALID_LONG", format!("{text} was not a valid long."))),
        },
    };
    Ok(Accepted { value: Some(moment::iso(ms)), normalised: odd })
}

#[cfg(test)]
mod tests {
    use super::{date, datetime, domain, is_email};

    #[test]
    fn domains_lose_scheme_www_path_and_case() {
        for (given, stored) in
            [("https://www.Acme.com/about?x=1", "acme.com"), ("ACME.COM", "acme.com"), ("www.acme.co.uk", "acme.co.uk")]
        {
            assert_eq!(domain(given), stored);
        }
    }

    #[test]
    fn emails_need_a_local_part_and_a_dotted_domain() {
        assert!(is_email("a.b+c@x.co"));
        for bad in ["foo", "@x.com", "a@", "a b@x.com", "a@x", "a@x..com", "a,b@x.com"] {
            assert!(!is_email(bad), "{bad}");
        }
    }

    #[test]
    fn dates_are_midnight_or_repaired() {
        assert_eq!(date("2026-03-31", false).unwrap().value.as_deref(), Some("2026-03-31"));
        assert_eq!(date("631152000000", false).unwrap().value.as_deref(), Some("1990-01-01"));
        assert_eq!(date("1990-01-01T00:00:00Z", false).unwrap_err().0, "INVALID_DATE");
        assert!(date("1990-01-01T00:00:00Z", true).unwrap().normalised);
        assert_eq!(date("soon", false).unwrap_err().0, "INVALID_LONG");
        assert_eq!(datetime("1764000000000", false).unwrap().value.as_deref(), Some("2025-11-24T16:00:00.000Z"));
    }
}
