//! Records to try a connector with: the fields of the default mapping and the required ones, filled by their types.

use abmatic_sync_core::connector::capabilities::ResourceCapabilities;
use abmatic_sync_core::ids::FieldName;
use abmatic_sync_core::model::change::Direction;
use abmatic_sync_core::model::fields::Fields;
use abmatic_sync_core::model::schema::{Field, FieldType, Schema};
use abmatic_sync_core::model::value::Value;
use chrono::{Days, NaiveDate, NaiveTime};

use crate::conformance::subject::Subject;

/// Whether the suite may write a field: the default mapping, the CRM or the subject names it.
pub(crate) fn is_exercised(subject: &Subject, offered: &ResourceCapabilities, field: &Field) -> bool {
    let mut mapped = offered.default_mapping.fields.iter().filter(|one| one.direction.allows(Direction::FromAbmatic));
    let is_named = mapped.any(|one| one.remote == field.name)
        || subject.fields.contains(&(offered.resource, field.name.clone()))
        || subject.values.contains_key(&(offered.resource, field.name.clone()));
    field.writable && (field.required_on_create || is_named)
}

/// The fields of a record that no other one has: `tag` is a word that stands in no other, `number` counts them.
pub(crate) fn sample(
    subject: &Subject,
    offered: &ResourceCapabilities,
    schema: &Schema,
    tag: &str,
    number: u64,
) -> Fields {
    let exercised = schema.fields.iter().filter(|field| is_exercised(subject, offered, field));
    let key = key_field(offered, schema);
    let filled = exercised.filter_map(|field| {
        let fixed = subject.values.get(&(offered.resource, field.name.clone())).cloned();
        let is_key = key.as_ref() == Some(&field.name);
        let value = fixed.or_else(|| if is_key { Some(key_value(offered, tag)) } else { value(field, tag, number) })?;
        Some((field.name.clone(), value))
    });
    filled.collect()
}

/// The field that holds the match key, where the CRM has it.
pub(crate) fn key_field(offered: &ResourceCapabilities, schema: &Schema) -> Option<FieldName> {
    let claimed = || offered.key_field.map(FieldName::from);
    schema.key_field.clone().or_else(claimed).filter(|name| schema.field(name.as_str()).is_some())
}

/// A match key with `tag`.
pub(crate) fn key_value(offered: &ResourceCapabilities, tag: &str) -> Value {
    Value::text(if offered.resource.is_person() { format!("{tag}@example.com") } else { format!("{tag}.example") })
}

fn value(field: &Field, tag: &str, number: u64) -> Option<Value> {
    let small = i64::try_from(number % 1_000).ok()?;
    let day = || NaiveDate::from_ymd_opt(2026, 1, 1)?.checked_add_days(Days::new(number % 300));
    let option = field.options.first().map(|option| option.value.clone());
    Some(match field.field_type {
        FieldType::Boolean => Value::Boolean(true),
        FieldType::Choice => Value::Choice(option.unwrap_or_else(|| "Conformance".to_owned())),
        FieldType::Date => Value::Date(day()?),
        FieldType::Decimal => Value::Decimal(small.into()),
        FieldType::Email => Value::text(format!("{tag}@example.com")),
        FieldType::Instant => Value::Instant(day()?.and_time(NaiveTime::MIN).and_utc()),
        FieldType::Integer => Value::Integer(small),
        FieldType::MultiChoice => Value::MultiChoice([option?].into()),
        FieldType::Text => Value::text(tag),
        FieldType::Url => Value::text(format!("https://{tag}.example")),
        _ => return None,
    })
}
