//! Search: filters in HubSpot's disjunctive form, and a keyset that passes the cap of 10,000 results.
//!
//! Pages go by `hs_object_id` and never by `after`: equal timestamps and the cap then do not matter.

use abmatic_sync_core::filter::expr::{Comparison, Expr};
use abmatic_sync_core::model::schema::{FieldType, Schema};
use abmatic_sync_core::model::value::Value;
use chrono::{DateTime, NaiveTime, Utc};
use serde::Serialize;

use crate::object::{LEAD_STAGE, RECORD_ID, STAGE};
use crate::values;

/// Results in one page ("search the CRM").
pub(crate) const PAGE_MAX: usize = 200;
/// Groups of a search, filters of a group, filters in all ("search the CRM").
const GROUPS_MAX: usize = 5;
const GROUP_FILTERS_MAX: usize = 6;
const FILTERS_MAX: usize = 18;
/// Filters may not be longer than this, in bytes of JSON; documented are 3,000 for the whole body, yet long lists of
/// properties pass.
const FILTERS_BYTES_MAX: usize = 2_800;
/// What paging and a time window add to each group, and one more for leads.
const RESERVED: usize = 3;

/// One condition.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Filter {
    property_name: String,
    operator: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    value: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    values: Option<Vec<String>>,
}

impl Filter {
    /// Compares with one value.
    pub(crate) fn compare(property: &str, operator: &'static str, value: impl Into<String>) -> Self {
        Self { property_name: property.to_owned(), operator, value: Some(value.into()), values: None }
    }

    /// Is one of `values`, or none of them.
    pub(crate) fn list(property: &str, operator: &'static str, values: Vec<String>) -> Self {
        Self { property_name: property.to_owned(), operator, value: None, values: Some(values) }
    }

    /// Has a value, or none.
    fn presence(property: &str, operator: &'static str) -> Self {
        Self { property_name: property.to_owned(), operator, value: None, values: None }
    }

    /// Changed within the window, ends included.
    pub(crate) fn window(property: &str, since: DateTime<Utc>, until: DateTime<Utc>) -> [Self; 2] {
        let milliseconds = |time: DateTime<Utc>| time.timestamp_millis().to_string();
        [Self::compare(property, "GTE", milliseconds(since)), Self::compare(property, "LTE", milliseconds(until))]
    }

    /// Is a lead.
    pub(crate) fn lead() -> Self {
        Self::compare(STAGE, "EQ", LEAD_STAGE)
    }
}

/// Conditions of which all must hold.
pub(crate) type Group = Vec<Filter>;

#[derive(Serialize)]
struct FilterGroup<'a> {
    filters: Vec<&'a Filter>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Sort {
    property_name: &'static str,
    direction: &'static str,
}

/// The body of a search.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct SearchBody<'a> {
    filter_groups: Vec<FilterGroup<'a>>,
    sorts: [Sort; 1],
    properties: Vec<&'a str>,
    limit: usize,
}

impl<'a> SearchBody<'a> {
    /// Any of `groups`, and in each of them all of `common`. No groups mean that `common` is all there is.
    pub(crate) fn new(groups: &'a [Group], common: &'a [Filter], properties: Vec<&'a str>, limit: usize) -> Self {
        let with_common = |group: &'a [Filter]| FilterGroup { filters: group.iter().chain(common).collect() };
        let filter_groups = match groups {
            [] if common.is_empty() => Vec::new(),
            [] => vec![with_common(&[])],
            groups => groups.iter().map(|group| with_common(group)).collect(),
        };
        let sorts = [Sort { property_name: RECORD_ID, direction: "ASCENDING" }];
        Self { filter_groups, sorts, properties, limit }
    }
}

/// Translates a filter, or says why HubSpot cannot evaluate it.
///
/// `leads` takes the place of one filter in each group.
pub(crate) fn translate(filter: &Expr, schema: &Schema, leads: bool) -> Result<Vec<Group>, String> {
    let groups = groups(filter, schema, true)?;
    let reserved = RESERVED + usize::from(leads);
    let total: usize = groups.iter().map(|group| group.len() + reserved).sum();
    if groups.len() > GROUPS_MAX || total > FILTERS_MAX || groups.iter().any(|g| g.len() + reserved > GROUP_FILTERS_MAX)
    {
        return Err("hubspot's search takes fewer conditions than this".to_owned());
    }
    if serde_json::to_vec(&groups).map_or(usize::MAX, |json| json.len()) > FILTERS_BYTES_MAX {
        return Err("hubspot's search takes shorter conditions than these".to_owned());
    }
    if groups.is_empty() {
        // An OR of nothing holds of nothing, which a search cannot say.
        return Err("the filter holds of no record".to_owned());
    }
    Ok(groups)
}

/// The disjunctive form of `filter`, or of its opposite when `holds` is false.
fn groups(filter: &Expr, schema: &Schema, holds: bool) -> Result<Vec<Group>, String> {
    match (filter, holds) {
        (Expr::And(all), true) | (Expr::Or(all), false) => conjunction(all, schema, holds),
        (Expr::Or(any), true) | (Expr::And(any), false) => {
            let parts: Result<Vec<_>, _> = any.iter().map(|part| groups(part, schema, holds)).collect();
            Ok(parts?.concat())
        }
        (Expr::Not(inner), _) => groups(inner, schema, !holds),
        (Expr::IsNull(field), true) => Ok(vec![vec![Filter::presence(field.as_str(), "NOT_HAS_PROPERTY")]]),
        (Expr::IsNull(field), false) => Ok(vec![vec![Filter::presence(field.as_str(), "HAS_PROPERTY")]]),
        (Expr::In { field, values }, _) => membership(field.as_str(), values, schema, holds),
        (Expr::Compare { field, how, value }, _) => comparison(field.as_str(), *how, value, schema, holds),
        _ => Err("hubspot's search has no such condition".to_owned()),
    }
}

/// Multiplies out; stops as soon as there are too many groups.
fn conjunction(all: &[Expr], schema: &Schema, holds: bool) -> Result<Vec<Group>, String> {
    let mut product: Vec<Group> = vec![Vec::new()];
    for part in all {
        let factor = groups(part, schema, holds)?;
        if product.len() * factor.len() > GROUPS_MAX {
            return Err("hubspot's search takes fewer alternatives than this".to_owned());
        }
        let joined = |left: &Group| factor.iter().map(|right| [left.as_slice(), right].concat()).collect::<Vec<_>>();
        product = product.iter().flat_map(joined).collect();
    }
    Ok(product)
}

fn comparison(field: &str, how: Comparison, value: &Value, schema: &Schema, holds: bool) -> Result<Vec<Group>, String> {
    let (operator, opposite, ordered) = match how {
        Comparison::Equal => ("EQ", "NEQ", false),
        Comparison::NotEqual => ("NEQ", "EQ", false),
        Comparison::Greater => ("GT", "LTE", true),
        Comparison::GreaterOrEqual => ("GTE", "LT", true),
        Comparison::Less => ("LT", "GTE", true),
        Comparison::LessOrEqual => ("LTE", "GT", true),
        Comparison::Contains => return Err("hubspot's search finds whole words only, not parts of a text".to_owned()),
        Comparison::StartsWith => return Err("hubspot's search finds whole words only, not beginnings".to_owned()),
        _ => return Err("hubspot's search has no such comparison".to_owned()),
    };
    let text = operand(field, value, schema, ordered)?;
    let operator = if holds { operator } else { opposite };
    // An empty field is unequal to every value, and no order holds of it; so every opposite holds of it.
    let of_empty = operator == "NEQ" || (ordered && !holds);
    Ok(or_empty(field, Filter::compare(field, operator, text), of_empty))
}

fn membership(field: &str, values: &[Value], schema: &Schema, holds: bool) -> Result<Vec<Group>, String> {
    let texts: Result<Vec<_>, _> = values.iter().map(|value| operand(field, value, schema, false)).collect();
    let is_text = matches!(field_type(field, schema), FieldType::Text | FieldType::Email | FieldType::Url);
    // IN compares text as it stands in the index: in lower case.
    let texts = texts?.into_iter().map(|text| if is_text { text.to_lowercase() } else { text }).collect();
    let operator = if holds { "IN" } else { "NOT_IN" };
    Ok(or_empty(field, Filter::list(field, operator, texts), !holds))
}

/// A condition that the search does not find empty fields for, with or without those.
fn or_empty(field: &str, filter: Filter, of_empty: bool) -> Vec<Group> {
    let mut groups = vec![vec![filter]];
    if of_empty {
        groups.push(vec![Filter::presence(field, "NOT_HAS_PROPERTY")]);
    }
    groups
}

fn field_type(field: &str, schema: &Schema) -> FieldType {
    schema.field(field).map_or(FieldType::Text, |field| field.field_type)
}

/// A value as the search takes it for that field, where the search then means what the filter means.
fn operand(field: &str, value: &Value, schema: &Schema, ordered: bool) -> Result<String, String> {
    if value.is_blank() {
        return Err(format!("{field:?} is compared with nothing"));
    }
    let unfit = || format!("{field:?} is not compared with a {} by hubspot", value.type_name());
    match field_type(field, schema) {
        FieldType::Text | FieldType::Email | FieldType::Url if ordered => {
            Err(format!("hubspot's search does not order the text {field:?}"))
        }
        FieldType::Text | FieldType::Email | FieldType::Url => value.as_text().map(str::to_owned).ok_or_else(unfit),
        FieldType::Choice if ordered => Err(format!("hubspot's search does not order the options of {field:?}")),
        FieldType::Choice => Ok(option(field, &value.to_string(), schema)),
        FieldType::MultiChoice => Err(format!("hubspot's search does not compare the several options of {field:?}")),
        FieldType::Boolean => match value.to_string().to_ascii_lowercase() {
            word if !ordered && matches!(word.as_str(), "true" | "false") => Ok(word),
            _ => Err(unfit()),
        },
        FieldType::Decimal | FieldType::Integer => {
            let number = value.as_decimal().or_else(|| value.as_text()?.trim().parse().ok());
            number.map(|number| number.normalize().to_string()).ok_or_else(unfit)
        }
        FieldType::Date => match value {
            Value::Date(day) => Ok(day.to_string()),
            _ => Err(unfit()),
        },
        FieldType::Instant => match value {
            Value::Instant(time) => Ok(time.timestamp_millis().to_string()),
            // A day is its first moment, so only an order with it means the same on both sides.
            Value::Date(day) if ordered => Ok(day.and_time(NaiveTime::MIN).and_utc().timestamp_millis().to_string()),
            _ => Err(unfit()),
        },
        _ => Err(unfit()),
    }
}

/// The option as HubSpot spells it: its search is exact about options, users are not.
fn option(field: &str, text: &str, schema: &Schema) -> String {
    let options = schema.field(field).map_or(&[][..], |field| &field.options);
    let exact = options.iter().any(|option| option.value == text);
    let spelled = options.iter().find(|option| option.value.eq_ignore_ascii_case(text)).filter(|_| !exact);
    spelled.map_or_else(|| text.to_owned(), |option| option.value.clone())
}

/// Splits keys so that one IN filter of each part stays within the limit of bytes.
pub(crate) fn parts(keys: &[String]) -> Vec<Vec<String>> {
    let mut parts: Vec<Vec<String>> = Vec::new();
    let mut bytes = FILTERS_BYTES_MAX;
    for key in keys {
        bytes += key.len() + 3;
        if bytes > FILTERS_BYTES_MAX - 200 {
            parts.push(Vec::new());
            bytes = key.len() + 3;
        }
        if let Some(part) = parts.last_mut() {
            part.push(key.clone());
        }
    }
    parts
}

/// A typed value as text for an equality filter of a look-up.
pub(crate) fn equality(field: &str, value: &Value, field_type: FieldType) -> Filter {
    Filter::compare(field, "EQ", values::encode(value, field_type))
}

#[cfg(test)]
mod tests {
    use abmatic_sync_core::ids::FieldName;
    use abmatic_sync_core::model::schema::{ChoiceOption, Field};

    use super::*;

    fn schema() -> Schema {
        Schema::new(vec![
            Field::new("industry", FieldType::Choice).with_options(vec![ChoiceOption::new("BANKING", "Banking")]),
            Field::new("name", FieldType::Text),
            Field::new("revenue", FieldType::Decimal),
            Field::new("target", FieldType::Boolean),
        ])
    }

    fn compare(field: &str, how: Comparison, value: impl Into<Value>) -> Expr {
        Expr::Compare { field: FieldName::from(field), how, value: value.into() }
    }

    fn shown(filter: &Expr) -> String {
        match translate(filter, &schema(), false) {
            Err(why) => why,
            Ok(groups) => {
                let filter = |f: &Filter| {
                    let value = f.values.as_ref().map(|values| values.join(",")).or_else(|| f.value.clone());
                    format!("{} {} {}", f.property_name, f.operator, value.unwrap_or_default()).trim_end().to_owned()
                };
                let group = |g: &Group| g.iter().map(filter).collect::<Vec<_>>().join(" & ");
                groups.iter().map(group).collect::<Vec<_>>().join(" | ")
            }
        }
    }

    #[test]
    fn filters_become_groups() {
        let rich = || compare("revenue", Comparison::Greater, 1_000_000);
        let named = || compare("name", Comparison::Equal, "Acme");
        let table = [
            (named(), "name EQ Acme"),
            (rich(), "revenue GT 1000000"),
            (Expr::And(vec![named(), rich()]), "name EQ Acme & revenue GT 1000000"),
            (Expr::Or(vec![named(), rich()]), "name EQ Acme | revenue GT 1000000"),
            (compare("name", Comparison::NotEqual, "Acme"), "name NEQ Acme | name NOT_HAS_PROPERTY"),
            (Expr::Not(Box::new(named())), "name NEQ Acme | name NOT_HAS_PROPERTY"),
            (Expr::Not(Box::new(rich())), "revenue LTE 1000000 | revenue NOT_HAS_PROPERTY"),
            (Expr::Not(Box::new(compare("name", Comparison::NotEqual, "Acme"))), "name EQ Acme"),
            (
                Expr::Not(Box::new(Expr::Or(vec![rich(), Expr::IsNull(FieldName::from("name"))]))),
                "revenue LTE 1000000 & name HAS_PROPERTY | revenue NOT_HAS_PROPERTY & name HAS_PROPERTY",
            ),
            (
                Expr::In { field: FieldName::from("name"), values: vec!["Acme".into(), "Bolt".into()] },
                "name IN acme,bolt",
            ),
            (compare("industry", Comparison::Equal, "banking"), "industry EQ BANKING"),
            (compare("target", Comparison::Equal, true), "target EQ true"),
            (
                compare("name", Comparison::Contains, "a"),
                "hubspot's search finds whole words only, not parts of a text",
            ),
            (compare("name", Comparison::Less, "a"), "hubspot's search does not order the text \"name\""),
        ];
        for (filter, expected) in table {
            assert_eq!(shown(&filter), expected);
        }
    }

    #[test]
    fn too_many_conditions_are_not_for_the_server() {
        let many =
            |count: usize| (0..count).map(|n| compare("name", Comparison::Equal, n.to_string())).collect::<Vec<_>>();
        assert!(translate(&Expr::And(many(3)), &schema(), false).is_ok());
        assert!(translate(&Expr::And(many(3)), &schema(), true).is_err());
        assert!(translate(&Expr::And(many(4)), &schema(), false).is_err());
        assert!(translate(&Expr::Or(many(4)), &schema(), false).is_ok());
        assert!(translate(&Expr::Or(many(5)), &schema(), false).is_err());
        let product = Expr::And((0..40).map(|_| Expr::Or(many(2))).collect());
        assert!(translate(&product, &schema(), false).is_err());
    }

    #[test]
    fn keys_are_split_by_their_bytes() {
        let keys: Vec<String> = (0..200).map(|n| format!("company-number-{n}.example.com")).collect();
        let parts = parts(&keys);
        assert_eq!(parts.concat(), keys);
        assert!(
            parts.len() > 1 && parts.iter().all(|part| serde_json::to_vec(part).unwrap().len() < FILTERS_BYTES_MAX)
        );
    }
}
