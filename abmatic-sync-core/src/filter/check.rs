//! Fits a condition to the fields that it asks about: they exist, the operators suit them, and the values become theirs.

use rust_decimal::Decimal;
use rust_decimal::prelude::ToPrimitive;

use crate::error::{Error, ErrorCode, Result};
use crate::filter::expr::{Comparison, Expr};
use crate::ids::FieldName;
use crate::model::schema::{Field, FieldType, Schema};
use crate::model::value::Value;
use crate::steps::coerce::coerce;

/// The condition with every value in its field's type and every option by its internal value.
///
/// # Errors
/// [`ErrorCode::InvalidFilter`] names the field that does not exist (and those that are called nearly so), the operator that
/// does not suit its type, or the value that it cannot hold (and its options).
pub fn check(expr: &Expr, schema: &Schema) -> Result<Expr> {
    Ok(match expr {
        Expr::And(parts) => Expr::And(parts.iter().map(|part| check(part, schema)).collect::<Result<_>>()?),
        Expr::Compare { field, how, value } => {
            let described = find(schema, field)?;
            suits(described, *how)?;
            Expr::Compare { field: field.clone(), how: *how, value: fit(described, *how, value)? }
        }
        Expr::In { field, values } => {
            let described = find(schema, field)?;
            suits(described, Comparison::Equal)?;
            let fitted = values.iter().map(|value| fit(described, Comparison::Equal, value));
            Expr::In { field: field.clone(), values: fitted.collect::<Result<_>>()? }
        }
        Expr::IsNull(field) => {
            find(schema, field)?;
            expr.clone()
        }
        Expr::Not(inner) => Expr::Not(Box::new(check(inner, schema)?)),
        Expr::Or(parts) => Expr::Or(parts.iter().map(|part| check(part, schema)).collect::<Result<_>>()?),
    })
}

fn refused(field: &FieldName, message: String) -> Error {
    Error::invalid(ErrorCode::InvalidFilter, message).with_fields(vec![field.as_str().to_owned()])
}

fn find<'a>(schema: &'a Schema, name: &FieldName) -> Result<&'a Field> {
    schema.field(name.as_str()).ok_or_else(|| {
        let close = close_names(schema, name.as_str());
        let hint = if close.is_empty() { String::new() } else { format!("; did you mean {}?", close.join(", ")) };
        refused(name, format!("there is no field \"{name}\"{hint}"))
    })
}

fn suits(field: &Field, how: Comparison) -> Result<()> {
    let fits = match field.field_type {
        FieldType::Any => true,
        FieldType::Boolean | FieldType::Choice => matches!(how, Comparison::Equal | Comparison::NotEqual),
        FieldType::Date | FieldType::Decimal | FieldType::Instant | FieldType::Integer => {
            !matches!(how, Comparison::Contains | Comparison::StartsWith)
        }
        FieldType::MultiChoice | FieldType::Reference => {
            matches!(how, Comparison::Contains | Comparison::Equal | Comparison::NotEqual)
        }
        FieldType::Email | FieldType::Text | FieldType::Url => !how.is_ordering(),
    };
    if fits {
        return Ok(());
    }
    let (name, type_name, how) = (&field.name, field.field_type.as_str(), how.as_str());
    Err(refused(name, format!("\"{name}\" is a {type_name} field, which {how} does not suit")))
}

/// The value as the field would hold it.
fn fit(field: &Field, how: Comparison, value: &Value) -> Result<Value> {
    let fitted = match field.field_type {
        FieldType::Choice => return option(field, &value.to_string()).map(Value::Choice),
        FieldType::MultiChoice => return options(field, value),
        FieldType::Decimal | FieldType::Integer => number(value),
        FieldType::Date if matches!(value, Value::Instant(_)) => None,
        FieldType::Reference => match value {
            Value::Reference(_) => Some(value.clone()),
            Value::Text(_) | Value::Integer(_) => Some(Value::reference(value.to_string())),
            _ => None,
        },
        FieldType::Any
        | FieldType::Boolean
        | FieldType::Date
        | FieldType::Email
        | FieldType::Instant
        | FieldType::Text
        | FieldType::Url => coerce(value, field.field_type),
    };
    fitted.ok_or_else(|| {
        let (name, type_name) = (&field.name, field.field_type.as_str());
        let given = value.type_name();
        refused(name, format!("\"{name}\" {} {type_name}, got {given} \"{value}\"", wants(how)))
    })
}

fn wants(how: Comparison) -> &'static str {
    if how.is_ordering() { "can only be compared with a value of type" } else { "can only hold a value of type" }
}

fn number(value: &Value) -> Option<Value> {
    let number = match value {
        Value::Text(text) => text.trim().parse::<Decimal>().ok()?,
        _ => value.as_decimal()?,
    };
    let whole = if number.is_integer() { number.to_i64() } else { None };
    Some(whole.map_or(Value::Decimal(number), Value::Integer))
}

fn options(field: &Field, value: &Value) -> Result<Value> {
    let wanted = match coerce(value, FieldType::MultiChoice) {
        Some(Value::MultiChoice(set)) => set,
        _ => [value.to_string()].into(),
    };
    wanted.iter().map(|text| option(field, text)).collect::<Result<_>>().map(Value::MultiChoice)
}

/// The internal value of the option that is called `text`, by value or by label.
fn option(field: &Field, text: &str) -> Result<String> {
    const SHOWN_MAX: usize = 20;
    if field.options.is_empty() || text.is_empty() {
        return Ok(text.to_owned());
    }
    let same = |name: &str| name.to_lowercase() == text.to_lowercase();
    let by_value = || field.options.iter().find(|option| same(&option.value));
    let found = field.options.iter().find(|option| option.value == text).or_else(by_value);
    if let Some(option) = found.or_else(|| field.options.iter().find(|option| same(&option.label))) {
        return Ok(option.value.clone());
    }
    let shown: Vec<String> =
        field.options.iter().take(SHOWN_MAX).map(|option| format!("\"{}\"", option.value)).collect();
    let more = if field.options.len() > SHOWN_MAX { ", …" } else { "" };
    let name = &field.name;
    Err(refused(name, format!("\"{text}\" is no option of \"{name}\"; it has {}{more}", shown.join(", "))))
}

/// Up to three names that are spelled or labelled nearly like `name`, the nearest first.
fn close_names<'a>(schema: &'a Schema, name: &str) -> Vec<&'a str> {
    const SHOWN_MAX: usize = 3;
    let wanted = name.to_lowercase();
    let allowed = (wanted.chars().count() / 3).clamp(1, 3);
    let mut close: Vec<(usize, &str)> = schema
        .fields
        .iter()
        .filter_map(|field| {
            let by_name = distance(&wanted, &field.name.as_str().to_lowercase());
            let by_label = distance(&wanted, &field.label.to_lowercase());
            let nearest = by_name.min(by_label);
            (nearest <= allowed).then_some((nearest, field.name.as_str()))
        })
        .collect();
    close.sort_unstable();
    close.into_iter().take(SHOWN_MAX).map(|(_, name)| name).collect()
}

/// How many letters have to be put in, taken out or changed to make one of the other.
fn distance(a: &str, b: &str) -> usize {
    let b: Vec<char> = b.chars().collect();
    let mut row: Vec<usize> = (0..=b.len()).collect();
    for (place, letter) in a.chars().enumerate() {
        let mut diagonal = std::mem::replace(&mut row[0], place + 1);
        for (column, other) in b.iter().enumerate() {
            let changed = diagonal + usize::from(letter != *other);
            diagonal = row[column + 1];
            row[column + 1] = changed.min(diagonal + 1).min(row[column] + 1);
        }
    }
    row[b.len()]
}

#[cfg(test)]
mod tests {
    use super::check;
    use crate::filter::parse::parse;
    use crate::model::schema::{ChoiceOption, Field, FieldType, Schema};

    fn schema() -> Schema {
        let options = || vec![ChoiceOption::new("CUST", "Customer"), ChoiceOption::new("PART", "Partner")];
        Schema::new(vec![
            Field::new("name", FieldType::Text).with_label("Account Name"),
            Field::new("annualrevenue", FieldType::Decimal),
            Field::new("numberofemployees", FieldType::Integer),
            Field::new("target", FieldType::Boolean),
            Field::new("founded", FieldType::Date),
            Field::new("seen", FieldType::Instant),
            Field::new("type", FieldType::Choice).with_options(options()),
            Field::new("tags", FieldType::MultiChoice).with_options(options()),
            Field::new("account", FieldType::Reference),
        ])
    }

    #[test]
    fn values_become_their_fields_own() {
        let cases = [
            (r#"type = "customer""#, r#"type = "CUST""#),
            (r#"type IN ("Partner", "cust")"#, r#"type IN ("PART", "CUST")"#),
            (r#"tags CONTAINS "Partner""#, r#"tags CONTAINS "PART""#),
            (r#"annualrevenue > "1000000""#, "annualrevenue > 1000000"),
            ("numberofemployees > 5.5", "numberofemployees > 5.5"),
            (r#"target = "True""#, "target = true"),
            ("seen >= 2026-01-31", "seen >= 2026-01-31T00:00:00Z"),
            (r#"founded < "2026-01-31""#, "founded < 2026-01-31"),
            (r#"name CONTAINS 5"#, r#"name CONTAINS "5""#),
            ("NOT (name IS NULL OR account = 17)", r#"NOT (name IS NULL OR account = "17")"#),
        ];
        for (given, expected) in cases {
            assert_eq!(check(&parse(given).unwrap(), &schema()).unwrap().to_string(), expected, "{given}");
        }
    }

    #[test]
    fn what_does_not_fit_is_refused() {
        let cases = [
            ("anualrevenue > 1", "there is no field \"anualrevenue\"; did you mean annualrevenue?"),
            ("AccountName = \"x\"", "there is no field \"AccountName\"; did you mean name?"),
            ("zzz IS NULL", "there is no field \"zzz\""),
            ("name > 5", "\"name\" is a text field, which > does not suit"),
            ("founded CONTAINS \"2026\"", "\"founded\" is a date field, which CONTAINS does not suit"),
            ("target = \"maybe\"", "\"target\" can only hold a value of type boolean, got text \"maybe\""),
            ("seen > 5", "\"seen\" can only be compared with a value of type instant, got integer \"5\""),
            (
                "founded = 2026-01-31T10:00:00Z",
                "\"founded\" can only hold a value of type date, got instant \"2026-01-31T10:00:00Z\"",
            ),
            ("type = \"Rival\"", "\"Rival\" is no option of \"type\"; it has \"CUST\", \"PART\""),
        ];
        for (given, expected) in cases {
            let error = check(&parse(given).unwrap(), &schema()).unwrap_err();
            assert_eq!(error.message(), expected, "{given}");
            assert_eq!(error.fields().len(), 1, "{given}");
        }
    }
}
