//! Conditions of saved filters, held against records.

use chrono::{DateTime, Months, NaiveDate, TimeDelta};
use serde_json::Value;

use crate::fake::moment;
use crate::fake::packed::FieldId;
use crate::fake::pipedrive::field::{Definition, Shape};
use crate::fake::pipedrive::filters::Filter;
use crate::fake::pipedrive::kind::Kind;
use crate::fake::pipedrive::record::Record;
use crate::fake::pipedrive::state::State;

/// One condition of a filter.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Condition {
    pub(crate) kind: Kind,
    pub(crate) number: u64,
    pub(crate) operator: String,
    pub(crate) value: Option<String>,
}

const COMPARED: &[&str] = &["=", "!=", ">", "<", ">=", "<=", "IS NULL", "IS NOT NULL"];
const EQUAL: &[&str] = &["=", "!=", "IS NULL", "IS NOT NULL"];
const TEXTS: &[&str] = &["=", "!=", "IS NULL", "IS NOT NULL", "LIKE '%$%'", "LIKE '$%'", "NOT LIKE '$%'"];

/// The operators of each type.
pub(crate) const OPERATORS: &[(&str, &[&str])] = &[
    ("address", TEXTS),
    ("date", COMPARED),
    ("daterange", COMPARED),
    ("double", COMPARED),
    ("enum", EQUAL),
    ("int", COMPARED),
    ("monetary", COMPARED),
    ("phone", TEXTS),
    ("set", &["=", "!=", "IS NULL", "IS NOT NULL", "contains", "not_contains"]),
    ("stage", &["=", "!="]),
    ("status", &["=", "!="]),
    ("text", TEXTS),
    ("time", COMPARED),
    ("timerange", COMPARED),
    ("varchar", TEXTS),
    ("varchar_auto", TEXTS),
    ("varchar_options", TEXTS),
    ("visible_to", &["=", "!="]),
];

/// The operators of a type.
pub(crate) fn operators_of(type_name: &str) -> &'static [&'static str] {
    OPERATORS.iter().find(|(name, _)| *name == type_name).map_or(EQUAL, |(_, operators)| operators)
}

/// A filter, ready to be held against records.
#[derive(Debug)]
pub(crate) struct Conditions<'a> {
    state: &'a State,
    kind: Kind,
    all: Vec<Ready<'a>>,
    any: Vec<Ready<'a>>,
}

#[derive(Debug)]
struct Ready<'a> {
    kind: Kind,
    field: FieldId,
    definition: &'a Definition,
    operator: &'a str,
    /// In lower case; a relative date is a date by now.
    value: String,
    number: Option<f64>,
}

impl<'a> Conditions<'a> {
    pub(crate) fn new(state: &'a State, now: i64, filter: &'a Filter) -> Self {
        let ready = |condition: &'a Condition| {
            // A condition on a field that was deleted meanwhile is none.
            let (field, definition) = state.shelf(condition.kind).catalogue.by_number(condition.number)?;
            let value = condition.value.as_deref().unwrap_or_default().to_lowercase();
            let value = if definition.type_name == "date" { day(&value, now) } else { value };
            let (kind, operator) = (condition.kind, condition.operator.as_str());
            Some(Ready { kind, field, definition, operator, number: value.parse().ok(), value })
        };
        let group = |conditions: &'a [Condition]| conditions.iter().filter_map(ready).collect();
        Self { state, kind: filter.kind, all: group(&filter.all), any: group(&filter.any) }
    }

    /// Whether the record fulfils all of the first group and one of the second.
    pub(crate) fn hold(&self, record: &Record) -> bool {
        let holds = |condition: &Ready<'_>| {
            let target = if condition.kind == self.kind { Some(record) } else { self.related(condition.kind, record) };
            target.map_or(condition.operator == "IS NULL", |target| condition.holds(target))
        };
        self.all.iter().all(holds) && (self.any.is_empty() || self.any.iter().any(holds))
    }

    /// The record of another kind that this one hangs on.
    fn related(&self, kind: Kind, record: &Record) -> Option<&'a Record> {
        let key = match kind {
            Kind::Activity => return None,
            Kind::Deal => "deal_id",
            Kind::Organization => "org_id",
            Kind::Person => "person_id",
        };
        let (field, _) = self.state.shelf(self.kind).catalogue.by_key(key)?;
        self.state.shelf(kind).live(record.raw(field)?.parse().ok()?)
    }
}

impl Ready<'_> {
    fn holds(&self, record: &Record) -> bool {
        let texts = self.texts(record);
        match self.operator {
            "IS NULL" => texts.is_empty(),
            "IS NOT NULL" => !texts.is_empty(),
            "!=" => !texts.iter().any(|text| self.compare(text) == Some(std::cmp::Ordering::Equal)),
            "NOT LIKE '$%'" => !texts.iter().any(|text| text.starts_with(&self.value)),
            "not_contains" => !texts.contains(&self.value),
            "LIKE '$%'" => texts.iter().any(|text| text.starts_with(&self.value)),
            "LIKE '%$%'" => texts.iter().any(|text| text.contains(&self.value)),
            "contains" => texts.contains(&self.value),
            operator => texts.iter().filter_map(|text| self.compare(text)).any(|order| match operator {
                "=" => order.is_eq(),
                ">" => order.is_gt(),
                "<" => order.is_lt(),
                ">=" => order.is_ge(),
                "<=" => order.is_le(),
                _ => false,
            }),
        }
    }

    fn compare(&self, text: &str) -> Option<std::cmp::Ordering> {
        match (self.definition.type_name, self.number) {
            ("int" | "double" | "monetary", Some(number)) => text.parse::<f64>().ok()?.partial_cmp(&number),
            _ => Some(text.cmp(&self.value)),
        }
    }

    /// The texts of a field, in lower case: several for lists, days for moments.
    fn texts(&self, record: &Record) -> Vec<String> {
        match (self.definition.key.as_str(), self.definition.shape) {
            ("add_time", _) => vec![moment::date(record.created)],
            ("update_time", _) => record.updated.map(moment::date).into_iter().collect(),
            (_, Shape::Moment) => {
                let value = record.value(self.field);
                value.as_str().and_then(|text| text.get(..10)).map(str::to_owned).into_iter().collect()
            }
            _ => texts(&record.value(self.field)),
        }
    }
}

fn texts(value: &Value) -> Vec<String> {
    match value {
        Value::Null => Vec::new(),
        Value::String(text) if text.is_empty() => Vec::new(),
        Value::String(text) => vec![text.to_lowercase()],
        Value::Array(entries) => entries.iter().flat_map(texts).collect(),
        Value::Object(map) => map.get("value").map(texts).unwrap_or_default(),
        other => vec![other.to_string()],
    }
}

/// `2026-01-31`, `today`, `yesterday`, `tomorrow`, `3_weeks_ago` and the like.
fn day(text: &str, now: i64) -> String {
    let today = DateTime::from_timestamp_millis(now).unwrap_or_default().date_naive();
    let found: Option<NaiveDate> = match text {
        "today" => Some(today),
        "yesterday" => today.checked_sub_signed(TimeDelta::days(1)),
        "tomorrow" => today.checked_add_signed(TimeDelta::days(1)),
        _ => text.strip_suffix("_ago").and_then(|text| {
            let (count, unit) = text.split_once('_')?;
            let count: u32 = count.parse().ok()?;
            match unit {
                "day" | "days" => today.checked_sub_signed(TimeDelta::days(i64::from(count))),
                "week" | "weeks" => today.checked_sub_signed(TimeDelta::weeks(i64::from(count))),
                "month" | "months" => today.checked_sub_months(Months::new(count)),
                "year" | "years" => today.checked_sub_months(Months::new(count.checked_mul(12)?)),
                _ => None,
            }
        }),
    };
    found.map_or_else(|| text.to_owned(), |day| day.format("%Y-%m-%d").to_string())
}
