//! Conditions as Pipedrive's saved filters have them: all of one group and any of another, with at most sixteen in sum.
//!
//! A filter is translated to one that finds at least what is wanted. What comes is held against the condition here, because
//! the documentation does not say how texts compare.

use abmatic_sync_core::filter::expr::{Comparison, Expr};
use abmatic_sync_core::model::schema::{Field, FieldType, Schema};
use abmatic_sync_core::model::value::Value;

/// How many conditions a filter takes ("OpenAPI v1").
pub(crate) const CONDITIONS_MAX: usize = 16;

/// One condition of a saved filter.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Condition {
    /// The field, by our name.
    pub(crate) field: String,
    /// The operator, in Pipedrive's words.
    pub(crate) operator: &'static str,
    /// The value; none for tests of emptiness.
    pub(crate) value: Option<Value>,
}

/// All of one group, and any of another one where that is not empty.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Groups {
    pub(crate) all: Vec<Condition>,
    pub(crate) any: Vec<Condition>,
}

/// The condition as a saved filter, or why it cannot be one.
pub(crate) fn translate(filter: &Expr, schema: &Schema) -> Result<Groups, String> {
    let mut groups = Groups::default();
    add(filter, schema, &mut groups)?;
    let count = groups.all.len() + groups.any.len();
    if count > CONDITIONS_MAX {
        return Err(format!("a filter of Pipedrive takes {CONDITIONS_MAX} conditions, and this one has {count}"));
    }
    Ok(groups)
}

fn add(filter: &Expr, schema: &Schema, groups: &mut Groups) -> Result<(), String> {
    match filter {
        Expr::And(parts) => parts.iter().try_for_each(|part| add(part, schema, groups)),
        Expr::Or(parts) => {
            let all = parts.iter().map(|part| alternatives(part, schema)).collect::<Result<Vec<_>, _>>()?;
            either(all.concat(), groups)
        }
        other => {
            let mut found = alternatives(other, schema)?;
            match (found.len(), found.pop()) {
                (1, Some(only)) => {
                    groups.all.push(only);
                    Ok(())
                }
                (_, last) => either(found.into_iter().chain(last).collect(), groups),
            }
        }
    }
}

fn either(conditions: Vec<Condition>, groups: &mut Groups) -> Result<(), String> {
    if !groups.any.is_empty() {
        return Err("a filter of Pipedrive has one group of alternatives only".to_owned());
    }
    groups.any = conditions;
    Ok(())
}

/// A condition as alternatives, of which one has to hold.
fn alternatives(filter: &Expr, schema: &Schema) -> Result<Vec<Condition>, String> {
    match filter {
        Expr::Compare { field, how, value } => compare(found(schema, field.as_str())?, *how, value),
        Expr::In { field, values } => {
            let field = found(schema, field.as_str())?;
            let each = values.iter().map(|value| compare(field, Comparison::Equal, value));
            Ok(each.collect::<Result<Vec<_>, _>>()?.concat())
        }
        Expr::IsNull(field) => Ok(vec![empty(found(schema, field.as_str())?, "IS NULL")?]),
        Expr::Not(inner) => match inner.as_ref() {
            Expr::IsNull(field) => Ok(vec![empty(found(schema, field.as_str())?, "IS NOT NULL")?]),
            Expr::Compare { field, how: Comparison::Equal, value } => {
                compare(found(schema, field.as_str())?, Comparison::NotEqual, value)
            }
            _ => Err("Pipedrive cannot negate this condition".to_owned()),
        },
        Expr::Or(parts) => {
            let all = parts.iter().map(|part| alternatives(part, schema)).collect::<Result<Vec<_>, _>>()?;
            Ok(all.concat())
        }
        Expr::And(_) => Err("Pipedrive cannot nest AND within OR".to_owned()),
        _ => Err("Pipedrive has no such condition".to_owned()),
    }
}

fn found<'s>(schema: &'s Schema, name: &str) -> Result<&'s Field, String> {
    schema.field(name).ok_or_else(|| format!("there is no field \"{name}\""))
}

/// Which operators a field has: those of parts and of moments are not documented well enough to be relied on.
fn comparable(field: &Field) -> Result<(), String> {
    let name = field.name.as_str();
    let is_part = name.contains('.') || matches!(name, "address" | "postal_address" | "location");
    match field.field_type {
        _ if is_part => Err(format!("Pipedrive cannot compare parts of \"{name}\"")),
        FieldType::Boolean | FieldType::Instant | FieldType::Reference => {
            Err(format!("Pipedrive compares no {} field such as \"{name}\" exactly", field.field_type.as_str()))
        }
        _ => Ok(()),
    }
}

fn empty(field: &Field, operator: &'static str) -> Result<Condition, String> {
    comparable(field)?;
    if matches!(field.name.as_str(), "stage_id" | "status" | "pipeline_id" | "visible_to" | "currency") {
        return Err(format!("Pipedrive does not ask whether \"{}\" is empty", field.name));
    }
    Ok(Condition { field: field.name.to_string(), operator, value: None })
}

fn compare(field: &Field, how: Comparison, value: &Value) -> Result<Vec<Condition>, String> {
    comparable(field)?;
    if value.is_blank() {
        return match how {
            Comparison::Equal => Ok(vec![empty(field, "IS NULL")?]),
            Comparison::NotEqual => Ok(vec![empty(field, "IS NOT NULL")?]),
            _ => Err("nothing compares with an empty value".to_owned()),
        };
    }
    let is_text = matches!(field.field_type, FieldType::Email | FieldType::Text | FieldType::Url);
    let is_ordered = matches!(field.field_type, FieldType::Date | FieldType::Decimal | FieldType::Integer);
    let operator = match how {
        Comparison::Contains if is_text => "LIKE '%$%'",
        Comparison::Contains if field.field_type == FieldType::MultiChoice => return holds_all(field, value),
        Comparison::StartsWith if is_text => "LIKE '$%'",
        Comparison::Equal if field.field_type == FieldType::MultiChoice => return holds_all(field, value),
        Comparison::Equal => "=",
        Comparison::NotEqual if field.field_type != FieldType::MultiChoice => {
            // An empty field differs from every value here; whether it does there is not said.
            let differs = Condition { field: field.name.to_string(), operator: "!=", value: Some(value.clone()) };
            return Ok(std::iter::once(differs).chain(empty(field, "IS NULL").ok()).collect());
        }
        Comparison::Greater if is_ordered => ">",
        Comparison::GreaterOrEqual if is_ordered => ">=",
        Comparison::Less if is_ordered => "<",
        Comparison::LessOrEqual if is_ordered => "<=",
        _ => {
            let (name, how) = (&field.name, how.as_str());
            return Err(format!("Pipedrive cannot evaluate {how} on \"{name}\""));
        }
    };
    Ok(vec![Condition { field: field.name.to_string(), operator, value: Some(value.clone()) }])
}

/// A record that holds exactly these options holds the first of them; the rest is looked at here.
fn holds_all(field: &Field, value: &Value) -> Result<Vec<Condition>, String> {
    let first = match value {
        Value::MultiChoice(set) => set.first().cloned(),
        other => other.as_text().map(str::to_owned),
    };
    let first = first.ok_or_else(|| "nothing compares with an empty value".to_owned())?;
    Ok(vec![Condition { field: field.name.to_string(), operator: "contains", value: Some(Value::Choice(first)) }])
}

#[cfg(test)]
mod tests {
    use abmatic_sync_core::filter::check::check;
    use abmatic_sync_core::filter::parse::parse;

    use super::*;

    fn schema() -> Schema {
        Schema::new(vec![
            Field::new("name", FieldType::Text),
            Field::new("website", FieldType::Url),
            Field::new("employee_count", FieldType::Integer),
            Field::new("closes", FieldType::Date),
            Field::new("label_ids", FieldType::MultiChoice),
            Field::new("update_time", FieldType::Instant),
            Field::new("status", FieldType::Choice),
            Field::new("address.locality", FieldType::Text),
        ])
    }

    fn shown(text: &str) -> Result<String, String> {
        let schema = schema();
        let groups = translate(&check(&parse(text).unwrap(), &schema).unwrap(), &schema)?;
        let one = |condition: &Condition| {
            let value = condition.value.as_ref().map(|value| format!(" {value}")).unwrap_or_default();
            format!("{} {}{value}", condition.field, condition.operator)
        };
        let join = |group: &[Condition]| group.iter().map(one).collect::<Vec<_>>().join(", ");
        Ok(format!("{} | {}", join(&groups.all), join(&groups.any)))
    }

    #[test]
    fn conditions_become_two_groups() {
        for (text, expected) in [
            ("name = \"Acme\"", "name = Acme | "),
            ("name = \"Acme\" AND employee_count > 10", "name = Acme, employee_count > 10 | "),
            ("name STARTS WITH \"Ac\" OR website CONTAINS \"acme\"", " | name LIKE '$%' Ac, website LIKE '%$%' acme"),
            ("name IN (\"A\", \"B\") AND closes >= 2026-01-31", "closes >= 2026-01-31 | name = A, name = B"),
            ("name != \"Acme\"", " | name != Acme, name IS NULL"),
            ("NOT name = \"Acme\"", " | name != Acme, name IS NULL"),
            ("status != \"won\"", "status != won | "),
            ("NOT website IS NULL AND name IN (\"A\")", "website IS NOT NULL, name = A | "),
            ("label_ids CONTAINS \"Customer\"", "label_ids contains Customer | "),
        ] {
            assert_eq!(shown(text).as_deref(), Ok(expected), "{text}");
        }
    }

    #[test]
    fn what_a_filter_cannot_say_is_told() {
        for text in [
            "(name = \"A\" AND employee_count > 1) OR name = \"B\"",
            "name IN (\"A\", \"B\") AND website IN (\"a\", \"b\")",
            "update_time > \"2026-01-31T00:00:00Z\"",
            "NOT employee_count > 10",
            "address.locality = \"Oulu\"",
            "status IS NULL",
            "label_ids != \"Customer\"",
        ] {
            assert!(shown(text).is_err(), "{text}");
        }
        let many: Vec<String> = (0..17).map(|number| format!("\"{number}\"")).collect();
        let refused = shown(&format!("name IN ({})", many.join(", "))).unwrap_err();
        assert_eq!(refused, "a filter of Pipedrive takes 16 conditions, and this one has 17");
    }
}
