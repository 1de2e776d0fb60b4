//! SOQL: literals that no value can break out of, queries in parts, and lists cut to what an address can hold.
//!
//! Escapes are those of "Quoted String Escape Sequences"; nothing but field names of the org's own stands outside quotes.

use std::fmt::Write as _;

use chrono::{DateTime, SecondsFormat, Utc};
use url::form_urlencoded;

/// What a query may take of an address, encoded: 16,384 bytes are the most, headers included ("REST API: status codes").
pub(crate) const QUERY_BYTES_MAX: usize = 12_000;
/// The longest text within quotes ("SOQL and SOSL Limits").
pub(crate) const TEXT_MAX: usize = 4_000;

/// A condition that holds of every record.
pub(crate) const ALWAYS: &str = "Id != null";
/// A condition that holds of none.
pub(crate) const NEVER: &str = "Id = null";

/// A text in quotes.
pub(crate) fn quoted(text: &str) -> String {
    format!("'{}'", escaped(text))
}

/// A pattern in quotes: `before` and `after` are wildcards, the text stands for itself.
pub(crate) fn pattern(before: &str, text: &str, after: &str) -> String {
    let inner = escaped(text).replace('%', "\\%").replace('_', "\\_");
    format!("'{before}{inner}{after}'")
}

fn escaped(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len() + 8);
    for letter in text.chars() {
        match letter {
            '\\' => escaped.push_str("\\\\"),
            '\'' => escaped.push_str("\\'"),
            '"' => escaped.push_str("\\\""),
            '\n' => escaped.push_str("\\n"),
            '\r' => escaped.push_str("\\r"),
            '\t' => escaped.push_str("\\t"),
            '\u{8}' => escaped.push_str("\\b"),
            '\u{c}' => escaped.push_str("\\f"),
            control if control.is_control() => {
                // Writing to a string does not fail.
                let _ = write!(escaped, "\\u{:04X}", u32::from(control));
            }
            plain => escaped.push(plain),
        }
    }
    escaped
}

/// A moment as it stands in a condition: unquoted, in UTC, with milliseconds at the most ("Date Formats").
pub(crate) fn moment(time: DateTime<Utc>) -> String {
    let format = if time.timestamp_subsec_millis() == 0 { SecondsFormat::Secs } else { SecondsFormat::Millis };
    time.to_rfc3339_opts(format, true)
}

/// Whether a name can stand outside quotes: a field of letters, digits and underscores, or a path of such.
pub(crate) fn is_name(name: &str) -> bool {
    name.split('.').all(|part| {
        part.starts_with(|first: char| first.is_ascii_alphabetic())
            && part.bytes().all(|letter| letter.is_ascii_alphanumeric() || letter == b'_')
    })
}

/// How many bytes a text takes in an address.
pub(crate) fn encoded_len(text: &str) -> usize {
    form_urlencoded::byte_serialize(text.as_bytes()).map(str::len).sum()
}

/// Cuts values so that each part, joined by `joint`, takes no more than `bytes` of an address; no part is empty.
pub(crate) fn parts<T>(values: Vec<T>, text: impl Fn(&T) -> String, joint: &str, bytes: usize) -> Vec<Vec<T>> {
    let joint = encoded_len(joint);
    let mut parts: Vec<Vec<T>> = Vec::new();
    let mut held = usize::MAX;
    for value in values {
        let more = encoded_len(&text(&value)) + joint;
        held = held.saturating_add(more);
        if held > bytes {
            parts.push(Vec::new());
            held = more;
        }
        if let Some(part) = parts.last_mut() {
            part.push(value);
        }
    }
    parts
}

/// A condition on membership.
pub(crate) fn one_of(field: &str, values: &[String]) -> String {
    let list: Vec<String> = values.iter().map(|value| quoted(value)).collect();
    format!("{field} IN ({})", list.join(","))
}

/// A query over one object.
#[derive(Clone, Debug)]
pub(crate) struct Query {
    select: String,
    from: String,
    conditions: Vec<String>,
    order: Option<&'static str>,
}

impl Query {
    /// All of an object's records. `from` may hold a scope too.
    pub(crate) fn new(select: impl Into<String>, from: impl Into<String>) -> Self {
        Self { select: select.into(), from: from.into(), conditions: Vec::new(), order: None }
    }

    /// Only those for which this holds too.
    #[must_use]
    pub(crate) fn filtered(mut self, condition: impl Into<String>) -> Self {
        self.conditions.push(condition.into());
        self
    }

    /// In this order; without one there is none.
    #[must_use]
    pub(crate) fn ordered(mut self, by: &'static str) -> Self {
        self.order = Some(by);
        self
    }

    /// The query's text.
    pub(crate) fn text(&self) -> String {
        let mut text = format!("SELECT {} FROM {}", self.select, self.from);
        match self.conditions.as_slice() {
            [] => {}
            [only] => text.push_str(&format!(" WHERE {only}")),
            several => text.push_str(&format!(" WHERE ({})", several.join(") AND ("))),
        }
        if let Some(order) = self.order {
            text.push_str(&format!(" ORDER BY {order}"));
        }
        text
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_text_breaks_out_of_its_quotes() {
        let table = [
            ("O'Brien", r"'O\'Brien'"),
            (r"a\' OR Id != null OR Name = \'", r"'a\\\' OR Id != null OR Name = \\\''"),
            ("line\nbreak\ttab\"", r#"'line\nbreak\ttab\"'"#),
            ("\u{8}\u{c}\u{1}\u{85}", r"'\b\f\u0001\u0085'"),
            ("Ärzte 東京", "'Ärzte 東京'"),
        ];
        for (text, expected) in table {
            assert_eq!(quoted(text), expected);
        }
        assert_eq!(pattern("%", "50%_'x", "%"), r"'%50\%\_\'x%'");
    }

    #[test]
    fn names_are_paths_of_plain_names() {
        for name in ["Name", "Ext__c", "Account.Owner.Name"] {
            assert!(is_name(name), "{name}");
        }
        for name in ["", "1a", "Na me", "Name)", "a..b", "Name;", "Näme", "a.", "__c"] {
            assert!(!is_name(name), "{name}");
        }
    }

    #[test]
    fn moments_have_no_more_than_milliseconds() {
        for (given, expected) in [
            ("2026-01-31T10:00:00Z", "2026-01-31T10:00:00Z"),
            ("2026-01-31T10:00:00.123456789Z", "2026-01-31T10:00:00.123Z"),
            ("2026-01-31T10:00:00.000456Z", "2026-01-31T10:00:00Z"),
        ] {
            assert_eq!(moment(given.parse().unwrap()), expected);
        }
    }

    #[test]
    fn lists_are_cut_by_their_length_in_an_address() {
        let values: Vec<String> = (0..10).map(|n| format!("n{n}@x.com")).collect();
        let cut = parts(values.clone(), |value| quoted(value), ",", 60);
        assert_eq!(cut.iter().map(Vec::len).collect::<Vec<_>>(), [3, 3, 3, 1]);
        assert_eq!(cut.concat(), values);
        assert_eq!(parts(vec!["x".repeat(100)], String::clone, ",", 60).len(), 1);
        assert!(parts(Vec::<String>::new(), String::clone, ",", 60).is_empty());
    }

    #[test]
    fn conditions_are_kept_apart() {
        let query = Query::new("Id", "Account").filtered("a = 1 OR b = 2");
        assert_eq!(query.text(), "SELECT Id FROM Account WHERE a = 1 OR b = 2");
        let query = query.filtered("c = 3").ordered("Id");
        assert_eq!(query.text(), "SELECT Id FROM Account WHERE (a = 1 OR b = 2) AND (c = 3) ORDER BY Id");
    }
}
