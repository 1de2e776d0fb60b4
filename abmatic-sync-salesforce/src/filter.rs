//! Filters as SOQL conditions that mean what the filter means, or the reason why Salesforce cannot evaluate them.
//!
//! Negations are pushed down to single comparisons, and each says what it makes of empty fields: Salesforce's own `NOT` is
//! not documented for them.

use abmatic_sync_core::filter::expr::{Comparison, Expr};
use abmatic_sync_core::model::schema::{Field, FieldType, Schema};
use abmatic_sync_core::model::value::Value;
use chrono::NaiveTime;

use crate::describe::{Described, FILTERABLE_TEXT_MAX};
use crate::id::{is_id, long_id};
use crate::object::{ACCOUNT_ID, ACCOUNT_RELATION};
use crate::soql::{ALWAYS, NEVER, QUERY_BYTES_MAX, TEXT_MAX, encoded_len, is_name, moment, pattern, quoted};

/// What a condition may take of an address; the rest is left to the fields.
const CONDITION_BYTES_MAX: usize = QUERY_BYTES_MAX * 2 / 3;

/// What a translation needs to know of a field.
struct Facts {
    field_type: FieldType,
    filterable: bool,
    /// In their defined order, which is that of stored values. Empty where any value goes.
    options: Vec<String>,
}

/// Translates a filter by what the engine knows of the fields: good enough to say who evaluates it.
pub(crate) fn by_schema(filter: &Expr, schema: &Schema) -> Result<String, String> {
    let facts = |name: &str| {
        let field: &Field = schema.fields.iter().find(|field| field.name.as_str().eq_ignore_ascii_case(name))?;
        Some(Facts {
            field_type: field.field_type,
            filterable: field.length_max.is_none_or(|length| length <= FILTERABLE_TEXT_MAX),
            options: field.options.iter().map(|option| option.value.clone()).collect(),
        })
    };
    translate(filter, &facts)
}

/// Translates a filter by the org's own definitions.
pub(crate) fn by_definitions(filter: &Expr, described: &Described) -> Result<String, String> {
    let facts = |name: &str| {
        let detail = described.detail(name)?;
        Some(Facts { field_type: detail.field_type, filterable: detail.filterable, options: detail.options.clone() })
    };
    translate(filter, &facts)
}

fn translate(filter: &Expr, facts: &dyn Fn(&str) -> Option<Facts>) -> Result<String, String> {
    let condition = condition(filter, facts, true)?;
    if encoded_len(&condition) > CONDITION_BYTES_MAX {
        return Err("salesforce takes shorter conditions than this".to_owned());
    }
    Ok(condition)
}

/// The condition of `filter`, or of its opposite when `holds` is false.
fn condition(filter: &Expr, facts: &dyn Fn(&str) -> Option<Facts>, holds: bool) -> Result<String, String> {
    match (filter, holds) {
        (Expr::And(parts), true) | (Expr::Or(parts), false) => joined(parts, facts, holds, " AND ", ALWAYS),
        (Expr::Or(parts), true) | (Expr::And(parts), false) => joined(parts, facts, holds, " OR ", NEVER),
        (Expr::Not(inner), _) => condition(inner, facts, !holds),
        (Expr::IsNull(field), _) => {
            let field = Subject::of(field.as_str(), facts)?;
            Ok(field.is_null(holds))
        }
        (Expr::In { field, values }, _) => Subject::of(field.as_str(), facts)?.membership(values, holds),
        (Expr::Compare { field, how, value }, _) => Subject::of(field.as_str(), facts)?.comparison(*how, value, holds),
        _ => Err("salesforce has no such condition".to_owned()),
    }
}

fn joined(
    parts: &[Expr],
    facts: &dyn Fn(&str) -> Option<Facts>,
    holds: bool,
    with: &str,
    of_none: &str,
) -> Result<String, String> {
    let parts = parts.iter().map(|part| condition(part, facts, holds)).collect::<Result<Vec<_>, _>>()?;
    Ok(match parts.as_slice() {
        [] => of_none.to_owned(),
        [only] => only.clone(),
        several => format!("({})", several.join(with)),
    })
}

/// The field of a condition.
struct Subject {
    name: String,
    facts: Facts,
}

impl Subject {
    fn of(name: &str, facts: &dyn Fn(&str) -> Option<Facts>) -> Result<Self, String> {
        let name = if name == ACCOUNT_RELATION { ACCOUNT_ID } else { name };
        let facts = facts(name).filter(|_| is_name(name)).ok_or_else(|| format!("salesforce has no field {name:?}"))?;
        if !facts.filterable {
            return Err(format!("salesforce does not filter by {name}: it is a long or encrypted field"));
        }
        Ok(Self { name: name.to_owned(), facts })
    }

    fn is_null(&self, holds: bool) -> String {
        match (self.facts.field_type, holds) {
            // A checkbox is never empty, and `= null` finds those that are off.
            (FieldType::Boolean, true) => NEVER.to_owned(),
            (FieldType::Boolean, false) => ALWAYS.to_owned(),
            (_, true) => format!("{} = null", self.name),
            (_, false) => format!("{} != null", self.name),
        }
    }

    /// A condition that is not known to find empty fields, with those.
    fn or_empty(&self, condition: &str) -> String {
        format!("({condition} OR {} = null)", self.name)
    }

    fn comparison(&self, how: Comparison, value: &Value, holds: bool) -> Result<String, String> {
        let name = &self.name;
        if value.is_blank() {
            return match (how, holds) {
                (Comparison::Equal, _) => Ok(self.is_null(holds)),
                (Comparison::NotEqual, _) => Ok(self.is_null(!holds)),
                _ => Err(format!("{name} is compared with nothing")),
            };
        }
        let (operator, opposite) = match how {
            Comparison::Equal => return self.equality(value, holds),
            Comparison::NotEqual => return self.equality(value, !holds),
            Comparison::Contains => return self.containment(value, holds),
            Comparison::StartsWith => {
                let text = self.text(value)?;
                return Ok(self.like(&pattern("", text, "%"), holds));
            }
            Comparison::Greater => (">", "<="),
            Comparison::GreaterOrEqual => (">=", "<"),
            Comparison::Less => ("<", ">="),
            Comparison::LessOrEqual => ("<=", ">"),
            _ => return Err("salesforce has no such comparison".to_owned()),
        };
        if !matches!(
            self.facts.field_type,
            FieldType::Date | FieldType::Decimal | FieldType::Instant | FieldType::Integer
        ) {
            return Err(format!("{name} is not ordered by salesforce as it is here"));
        }
        let literal = self.literal(value)?;
        // No order holds of an empty field, so every opposite does.
        Ok(if holds {
            format!("{name} {operator} {literal}")
        } else {
            self.or_empty(&format!("{name} {opposite} {literal}"))
        })
    }

    fn equality(&self, value: &Value, holds: bool) -> Result<String, String> {
        let name = &self.name;
        if self.facts.field_type == FieldType::Boolean {
            let Value::Boolean(truth) = value else { return Err(self.unfit(value)) };
            return Ok(format!("{name} = {}", if *truth == holds { "TRUE" } else { "FALSE" }));
        }
        let literal = self.literal(value)?;
        Ok(if holds { format!("{name} = {literal}") } else { self.or_empty(&format!("{name} != {literal}")) })
    }

    fn containment(&self, value: &Value, holds: bool) -> Result<String, String> {
        let name = &self.name;
        match self.facts.field_type {
            FieldType::MultiChoice => {
                let wanted = options_of(value);
                if holds {
                    return Ok(format!("{name} INCLUDES ({})", quoted(&wanted.join(";"))));
                }
                let without: Vec<String> =
                    wanted.iter().map(|one| format!("{name} EXCLUDES ({})", quoted(one))).collect();
                Ok(self.or_empty(&without.join(" OR ")))
            }
            FieldType::Reference => self.equality(value, holds),
            _ => {
                let text = self.text(value)?;
                Ok(self.like(&pattern("%", text, "%"), holds))
            }
        }
    }

    fn like(&self, pattern: &str, holds: bool) -> String {
        let condition = format!("{} LIKE {pattern}", self.name);
        if holds { condition } else { self.or_empty(&format!("(NOT {condition})")) }
    }

    fn membership(&self, values: &[Value], holds: bool) -> Result<String, String> {
        if self.facts.field_type == FieldType::Boolean {
            let each = values.iter().map(|value| self.equality(value, holds)).collect::<Result<Vec<_>, _>>()?;
            let (with, of_none) = if holds { (" OR ", NEVER) } else { (" AND ", ALWAYS) };
            return Ok(if each.is_empty() { of_none.to_owned() } else { format!("({})", each.join(with)) });
        }
        let blank = values.iter().any(Value::is_blank);
        let literals = values.iter().filter(|value| !value.is_blank()).map(|value| self.literal(value));
        let literals = literals.collect::<Result<Vec<_>, _>>()?;
        let (name, list) = (&self.name, literals.join(","));
        Ok(match (literals.is_empty(), blank, holds) {
            (true, true, _) => self.is_null(holds),
            (true, false, true) => NEVER.to_owned(),
            (true, false, false) => ALWAYS.to_owned(),
            (false, false, true) => format!("{name} IN ({list})"),
            (false, true, true) => self.or_empty(&format!("{name} IN ({list})")),
            (false, false, false) => self.or_empty(&format!("{name} NOT IN ({list})")),
            (false, true, false) => format!("({name} NOT IN ({list}) AND {name} != null)"),
        })
    }

    /// The text that a part of a text field is compared with.
    fn text<'v>(&self, value: &'v Value) -> Result<&'v str, String> {
        if !matches!(self.facts.field_type, FieldType::Email | FieldType::Text | FieldType::Url | FieldType::Choice) {
            return Err(format!("{} is no text in salesforce", self.name));
        }
        let text = value.as_text().ok_or_else(|| self.unfit(value))?;
        self.bounded(text)
    }

    fn bounded<'t>(&self, text: &'t str) -> Result<&'t str, String> {
        if text.chars().count() > TEXT_MAX {
            return Err(format!("{} is compared with more than {TEXT_MAX} characters", self.name));
        }
        Ok(text)
    }

    /// The value as it stands in a condition on this field.
    fn literal(&self, value: &Value) -> Result<String, String> {
        let unfit = || self.unfit(value);
        match self.facts.field_type {
            FieldType::Choice | FieldType::Email | FieldType::Text | FieldType::Url => {
                value.as_text().ok_or_else(unfit).and_then(|text| self.bounded(text)).map(quoted)
            }
            FieldType::Date => match value {
                Value::Date(day) => Ok(day.to_string()),
                _ => Err(unfit()),
            },
            FieldType::Instant => match value {
                Value::Instant(time) => Ok(moment(*time)),
                Value::Date(day) => Ok(moment(day.and_time(NaiveTime::MIN).and_utc())),
                _ => Err(unfit()),
            },
            FieldType::Decimal | FieldType::Integer => {
                let number = value.as_decimal().or_else(|| value.as_text()?.trim().parse().ok());
                number.map(|number| number.normalize().to_string()).ok_or_else(unfit)
            }
            FieldType::MultiChoice => self.stored_options(value),
            FieldType::Reference => {
                let id = value.ids().next().map_or_else(|| value.to_string(), str::to_owned);
                let single = value.ids().count() <= 1 && is_id(&id);
                single.then(|| quoted(&long_id(&id))).ok_or_else(unfit)
            }
            _ => Err(unfit()),
        }
    }

    /// Exactly these options, as they are stored: in their defined order.
    fn stored_options(&self, value: &Value) -> Result<String, String> {
        let places = options_of(value).into_iter().map(|wanted| {
            self.facts.options.iter().position(|option| option.eq_ignore_ascii_case(&wanted)).ok_or_else(|| {
                format!("the order in which salesforce stores the options of {} is not known", self.name)
            })
        });
        let mut places = places.collect::<Result<Vec<_>, _>>()?;
        places.sort_unstable();
        let held: Vec<&str> =
            places.iter().filter_map(|place| self.facts.options.get(*place)).map(String::as_str).collect();
        Ok(quoted(&held.join(";")))
    }

    fn unfit(&self, value: &Value) -> String {
        format!("{} is not compared with a {} by salesforce", self.name, value.type_name())
    }
}

fn options_of(value: &Value) -> Vec<String> {
    match value {
        Value::MultiChoice(set) => set.iter().cloned().collect(),
        other => other.to_string().split(';').map(|one| one.trim().to_owned()).filter(|one| !one.is_empty()).collect(),
    }
}

#[cfg(test)]
mod tests {
    use abmatic_sync_core::filter::check::check;
    use abmatic_sync_core::filter::parse::parse;
    use abmatic_sync_core::model::schema::ChoiceOption;

    use super::*;

    fn schema() -> Schema {
        let options = || ["Gold", "Silver", "EU"].map(|name| ChoiceOption::new(name, name)).to_vec();
        let mut notes = Field::new("Description", FieldType::Text);
        notes.length_max = Some(32_000);
        Schema::new(vec![
            Field::new("Name", FieldType::Text),
            notes,
            Field::new("AnnualRevenue", FieldType::Decimal),
            Field::new("Employees", FieldType::Integer),
            Field::new("IsTarget__c", FieldType::Boolean),
            Field::new("Founded__c", FieldType::Date),
            Field::new("CreatedDate", FieldType::Instant),
            Field::new("Type", FieldType::Choice),
            Field::new("Tags__c", FieldType::MultiChoice).with_options(options()),
            Field::new("OwnerId", FieldType::Reference),
            Field::new("Account.Industry", FieldType::Choice),
        ])
    }

    fn shown(text: &str) -> String {
        let schema = schema();
        let filter = check(&parse(text).unwrap(), &schema).unwrap();
        by_schema(&filter, &schema).unwrap_or_else(|why| format!("!{why}"))
    }

    #[test]
    fn every_operator_has_its_condition_and_its_opposite() {
        let table = [
            (r#"Name = "Acme""#, "Name = 'Acme'"),
            (r#"Name != "Acme""#, "(Name != 'Acme' OR Name = null)"),
            (r#"NOT Name = "Acme""#, "(Name != 'Acme' OR Name = null)"),
            (r#"NOT Name != "Acme""#, "Name = 'Acme'"),
            (r#"Name CONTAINS "50%""#, r"Name LIKE '%50\%%'"),
            (r#"NOT Name CONTAINS "x""#, "((NOT Name LIKE '%x%') OR Name = null)"),
            (r#"Name STARTS WITH "O'B""#, r"Name LIKE 'O\'B%'"),
            ("Name IS NULL", "Name = null"),
            ("Name IS NOT NULL", "Name != null"),
            (r#"Name IN ("a", "b")"#, "Name IN ('a','b')"),
            (r#"Name NOT IN ("a")"#, "(Name NOT IN ('a') OR Name = null)"),
            (r#"Name IN ("a", "")"#, "(Name IN ('a') OR Name = null)"),
            (r#"Name NOT IN ("a", "")"#, "(Name NOT IN ('a') AND Name != null)"),
            ("AnnualRevenue > 1000000.50", "AnnualRevenue > 1000000.5"),
            ("NOT AnnualRevenue > 5", "(AnnualRevenue <= 5 OR AnnualRevenue = null)"),
            ("Employees IN (1, 2)", "Employees IN (1,2)"),
            ("IsTarget__c = true", "IsTarget__c = TRUE"),
            ("IsTarget__c != true", "IsTarget__c = FALSE"),
            ("IsTarget__c IS NULL", "Id = null"),
            ("IsTarget__c IS NOT NULL", "Id != null"),
            ("Founded__c < 2026-01-31", "Founded__c < 2026-01-31"),
            ("CreatedDate >= 2026-01-31", "CreatedDate >= 2026-01-31T00:00:00Z"),
            ("CreatedDate = 2026-01-31T10:00:00.5Z", "CreatedDate = 2026-01-31T10:00:00.500Z"),
            (r#"Type = "Customer""#, "Type = 'Customer'"),
            (r#"Tags__c CONTAINS "Gold""#, "Tags__c INCLUDES ('Gold')"),
            (r#"Tags__c CONTAINS "EU;Gold""#, "Tags__c INCLUDES ('EU;Gold')"),
            (
                r#"NOT Tags__c CONTAINS "EU;Gold""#,
                "(Tags__c EXCLUDES ('EU') OR Tags__c EXCLUDES ('Gold') OR Tags__c = null)",
            ),
            (r#"Tags__c = "EU;Gold""#, "Tags__c = 'Gold;EU'"),
            (r#"OwnerId = "005000000000001""#, "OwnerId = '005000000000001AAA'"),
            (r#"`Account.Industry` = "Banking""#, "Account.Industry = 'Banking'"),
            (r#"Name = "a" AND (Employees > 1 OR Employees = 0)"#, "(Name = 'a' AND (Employees > 1 OR Employees = 0))"),
            (
                r#"NOT (Name = "a" OR Employees > 1)"#,
                "((Name != 'a' OR Name = null) AND (Employees <= 1 OR Employees = null))",
            ),
        ];
        for (text, expected) in table {
            assert_eq!(shown(text), expected, "{text}");
        }
    }

    #[test]
    fn what_salesforce_cannot_evaluate_is_said() {
        let table = [
            (r#"Description = "x""#, "!salesforce does not filter by Description: it is a long or encrypted field"),
            (r#"OwnerId = "17""#, "!OwnerId is not compared with a reference by salesforce"),
        ];
        for (text, expected) in table {
            assert_eq!(shown(text), expected);
        }
        let odd = Expr::IsNull("Name = null OR Name".into());
        assert_eq!(by_schema(&odd, &schema()), Err("salesforce has no field \"Name = null OR Name\"".to_owned()));
        let long = Expr::Compare { field: "Name".into(), how: Comparison::Equal, value: "x".repeat(4_001).into() };
        assert!(by_schema(&long, &schema()).is_err());
        let many = Expr::In { field: "Name".into(), values: (0..2_000).map(|n| format!("name {n}").into()).collect() };
        assert_eq!(by_schema(&many, &schema()), Err("salesforce takes shorter conditions than this".to_owned()));
    }

    #[test]
    fn conditions_of_no_parts() {
        assert_eq!(by_schema(&Expr::Or(Vec::new()), &schema()).as_deref(), Ok(NEVER));
        assert_eq!(by_schema(&Expr::And(Vec::new()), &schema()).as_deref(), Ok(ALWAYS));
        let none = Expr::In { field: "Name".into(), values: Vec::new() };
        assert_eq!(by_schema(&Expr::Not(Box::new(none)), &schema()).as_deref(), Ok(ALWAYS));
    }
}
