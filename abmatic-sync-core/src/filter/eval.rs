//! Whether a condition holds of a record, for what a CRM cannot filter itself.
//!
//! - A field that is blank or was not read is null: it equals nothing, is greater and less than nothing, and is
//!   *not equal* to every value.
//! - Texts and choices compare without case; ids of references with it.
//! - A multi-choice or reference equals a value when it holds exactly that (`"a;b"` is two options, in any order), and
//!   contains it when it holds it among others.
//! - Values of two types compare where one can be read as the other: a day is the moment at which it begins, a text
//!   that spells a number is that number.

use std::cmp::Ordering;
use std::collections::BTreeSet;

use chrono::{DateTime, NaiveTime, Utc};

use crate::filter::expr::{Comparison, Expr};
use crate::model::fields::Fields;
use crate::model::value::Value;

/// Whether `expr` holds of a record with these fields.
pub fn holds(expr: &Expr, fields: &Fields) -> bool {
    match expr {
        Expr::And(parts) => parts.iter().all(|part| holds(part, fields)),
        Expr::Compare { field, how, value } => compares(present(fields, field.as_str()), *how, value),
        Expr::In { field, values } => {
            let held = present(fields, field.as_str());
            values.iter().any(|value| match held {
                Some(held) => equal(held, value),
                None => value.is_blank(),
            })
        }
        Expr::IsNull(field) => present(fields, field.as_str()).is_none(),
        Expr::Not(inner) => !holds(inner, fields),
        Expr::Or(parts) => parts.iter().any(|part| holds(part, fields)),
    }
}

fn present<'a>(fields: &'a Fields, name: &str) -> Option<&'a Value> {
    fields.get(name).filter(|value| !value.is_blank())
}

fn compares(held: Option<&Value>, how: Comparison, value: &Value) -> bool {
    let Some(held) = held else {
        return match how {
            Comparison::Equal => value.is_blank(),
            Comparison::NotEqual => !value.is_blank(),
            Comparison::Contains
            | Comparison::Greater
            | Comparison::GreaterOrEqual
            | Comparison::Less
            | Comparison::LessOrEqual
            | Comparison::StartsWith => false,
        };
    };
    match how {
        Comparison::Contains => contains(held, value),
        Comparison::Equal => equal(held, value),
        Comparison::Greater => order(held, value).is_some_and(Ordering::is_gt),
        Comparison::GreaterOrEqual => order(held, value).is_some_and(Ordering::is_ge),
        Comparison::Less => order(held, value).is_some_and(Ordering::is_lt),
        Comparison::LessOrEqual => order(held, value).is_some_and(Ordering::is_le),
        Comparison::NotEqual => !equal(held, value),
        Comparison::StartsWith => starts_with(held, value),
    }
}

fn equal(held: &Value, value: &Value) -> bool {
    match (held, value) {
        (Value::Text(a) | Value::Choice(a), Value::Text(b) | Value::Choice(b)) => same_text(a, b),
        (Value::MultiChoice(held), Value::MultiChoice(wanted)) => same_options(held, wanted),
        (Value::MultiChoice(held), Value::Text(text) | Value::Choice(text)) => {
            let wanted = text.split(';').map(|option| option.trim().to_owned()).collect();
            same_options(held, &wanted)
        }
        (Value::Reference(held), Value::Text(id)) => held.len() == 1 && held.contains(id),
        (Value::Date(_), Value::Instant(_)) | (Value::Instant(_), Value::Date(_)) => moment(held) == moment(value),
        _ => held.same_as(value),
    }
}

fn order(held: &Value, value: &Value) -> Option<Ordering> {
    if let (Value::Text(a) | Value::Choice(a), Value::Text(b) | Value::Choice(b)) = (held, value) {
        return Some(a.to_lowercase().cmp(&b.to_lowercase()));
    }
    if let (Some(a), Some(b)) = (number(held), number(value)) {
        return Some(a.cmp(&b));
    }
    Some(moment(held)?.cmp(&moment(value)?))
}

fn contains(held: &Value, value: &Value) -> bool {
    match (held, value) {
        (Value::MultiChoice(held), Value::MultiChoice(wanted)) => {
            wanted.iter().all(|wanted| held.iter().any(|option| same_text(option, wanted)))
        }
        (Value::MultiChoice(held), _) => {
            let wanted = value.to_string();
            held.iter().any(|option| same_text(option, &wanted))
        }
        (Value::Reference(held), Value::Reference(wanted)) => wanted.is_subset(held),
        (Value::Reference(held), _) => held.contains(&value.to_string()),
        _ => held.to_string().to_lowercase().contains(&value.to_string().to_lowercase()),
    }
}

fn starts_with(held: &Value, value: &Value) -> bool {
    held.to_string().to_lowercase().starts_with(&value.to_string().to_lowercase())
}

fn same_text(a: &str, b: &str) -> bool {
    a.eq_ignore_ascii_case(b) || (!(a.is_ascii() && b.is_ascii()) && a.to_lowercase() == b.to_lowercase())
}

fn same_options(a: &BTreeSet<String>, b: &BTreeSet<String>) -> bool {
    a == b || {
        let folded = |set: &BTreeSet<String>| set.iter().map(|option| option.to_lowercase()).collect::<BTreeSet<_>>();
        folded(a) == folded(b)
    }
}

fn number(value: &Value) -> Option<rust_decimal::Decimal> {
    match value {
        Value::Text(text) => text.trim().parse().ok(),
        _ => value.as_decimal(),
    }
}

fn moment(value: &Value) -> Option<DateTime<Utc>> {
    match value {
        Value::Date(date) => Some(date.and_time(NaiveTime::MIN).and_utc()),
        Value::Instant(time) => Some(*time),
        Value::Text(text) => {
            let text = text.trim();
            text.parse()
                .ok()
                .or_else(|| Some(text.parse::<chrono::NaiveDate>().ok()?.and_time(NaiveTime::MIN).and_utc()))
        }
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::holds;
    use crate::filter::expr::field;
    use crate::filter::parse::parse;
    use crate::model::fields::Fields;
    use crate::model::value::Value;

    fn record() -> Fields {
        Fields::from_iter([
            ("Name", Value::text("Acme Ärzte")),
            ("Type", Value::Choice("Customer".into())),
            ("Revenue", Value::Decimal("1000000.50".parse().unwrap())),
            ("Employees", Value::Integer(42)),
            ("Target", Value::Boolean(true)),
            ("Founded", Value::Date("2020-05-01".parse().unwrap())),
            ("Seen", Value::Instant("2026-01-31T10:00:00Z".parse().unwrap())),
            ("Tags", Value::MultiChoice(["Gold".into(), "EU".into()].into())),
            ("account", Value::reference("17")),
            ("Zip", Value::text("0123")),
            ("Empty", Value::Null),
        ])
    }

    #[test]
    fn conditions_hold_of_a_record_or_do_not() {
        let cases: &[(&str, bool)] = &[
            (r#"Type = "customer""#, true),
            (r#"Type != "Customer""#, false),
            (r#"Name CONTAINS "ärz""#, true),
            (r#"Name STARTS WITH "acme""#, true),
            (r#"Name STARTS WITH "ärzte""#, false),
            ("Revenue > 1000000", true),
            ("Revenue = 1000000.5", true),
            ("Revenue <= 1000000.49", false),
            ("Employees >= 42", true),
            ("Employees < 42.5", true),
            ("Zip = \"123\"", false),
            ("Target = true", true),
            ("Target = \"TRUE\"", true),
            ("Founded < 2020-05-02", true),
            ("Founded = 2020-05-01T00:00:00Z", true),
            ("Seen >= 2026-01-31", true),
            ("Seen > 2026-01-31T10:00:00Z", false),
            (r#"Tags CONTAINS "gold""#, true),
            (r#"Tags = "Gold""#, false),
            (r#"Tags = "eu;gold""#, true),
            (r#"account = "17""#, true),
            (r#"account CONTAINS 17"#, true),
            ("Empty IS NULL", true),
            ("Missing IS NULL", true),
            ("Name IS NOT NULL", true),
            ("Empty > 0", false),
            ("Empty < 0", false),
            ("Empty = 0", false),
            ("Empty != 0", true),
            ("NOT Empty = 0", true),
            (r#"Empty IN ("", "x")"#, true),
            (r#"Type IN ("Partner", "CUSTOMER")"#, true),
            (r#"Type NOT IN ("Partner")"#, true),
            (r#"Empty NOT IN ("x")"#, true),
            ("Employees = 42 AND (Target = false OR Revenue > 1)", true),
            ("Employees = 41 OR Target = true AND Employees = 1", false),
            ("Employees = 42\nTarget = false", false),
        ];
        for (text, expected) in cases {
            assert_eq!(holds(&parse(text).unwrap(), &record()), *expected, "{text}");
        }
        let two = Value::Reference(["17".into(), "18".into()].into());
        let record_of_two = Fields::from_iter([("account", two.clone())]);
        for (text, expected) in [
            (r#"Name CONTAINS "bcme""#, false),
            (r#"Tags CONTAINS "old""#, false),
            (r#"Tags CONTAINS "EU;Gold""#, false),
            ("account CONTAINS 1", false),
        ] {
            assert_eq!(holds(&parse(text).unwrap(), &record()), expected, "{text}");
        }
        for (text, expected) in
            [(r#"account = "17""#, false), (r#"account = "17;18""#, false), ("account CONTAINS 18", true)]
        {
            assert_eq!(holds(&parse(text).unwrap(), &record_of_two), expected, "{text}");
        }
        assert!(holds(&field("account").contains(Value::reference("18")), &record_of_two));
        assert!(holds(&field("account").contains(two), &record_of_two));
        assert!(!holds(&field("account").contains(Value::reference("1")), &record_of_two));
        // As a checked filter holds them.
        let options = |names: &[&str]| Value::MultiChoice(names.iter().map(|name| (*name).to_owned()).collect());
        for (names, expected) in [(&["eu", "GOLD"][..], true), (&["eu"], false), (&["eu", "gold", "x"], false)] {
            assert_eq!(holds(&field("Tags").equals(options(names)), &record()), expected, "{names:?}");
            let contains = holds(&field("Tags").contains(options(names)), &record());
            assert_eq!(contains, names.len() < 3, "{names:?}");
        }
    }
}
