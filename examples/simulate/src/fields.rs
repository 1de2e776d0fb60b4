//! Which of a CRM's fields stand for which of the simulated host's.

use abmatic_sync_core::ids::RemoteId;
use abmatic_sync_core::model::fields::Fields;
use abmatic_sync_core::model::mapping::{FieldMapping, Mapping};
use abmatic_sync_core::model::value::Value;

/// The host's name of each field, and the CRM's.
pub(crate) type Names = &'static [(&'static str, &'static str)];

pub(crate) fn mapping(names: Names) -> Mapping {
    Mapping::new(names.iter().map(|(host, crm)| FieldMapping::new(*host, *crm)).collect())
}

/// What people enter into the CRM's fields, as text; relations are left out.
pub(crate) fn entered(names: Names, fields: &Fields) -> Vec<(&'static str, String)> {
    let known = names.iter().filter_map(|(host, crm)| Some((*crm, fields.get(host)?)));
    known.map(|(crm, value)| (crm, if value.is_blank() { String::new() } else { value.to_string() })).collect()
}

pub(crate) fn borrowed<'a>(pairs: &'a [(&'static str, String)]) -> Vec<(&'static str, &'a str)> {
    pairs.iter().map(|(name, text)| (*name, text.as_str())).collect()
}

/// A record's fields by the host's names, from what the CRM shows of each.
pub(crate) fn shown(names: Names, text: impl Fn(&str) -> String) -> Fields {
    names.iter().map(|(host, crm)| (*host, typed(host, &text(crm)))).collect()
}

fn typed(host: &str, text: &str) -> Value {
    match host {
        _ if text.is_empty() => Value::Null,
        "size" | "amount" => text.parse().map_or_else(|_| Value::text(text), Value::Decimal),
        _ => Value::text(text),
    }
}

/// The ids that a relation is to hold, where it is to change.
pub(crate) fn related(fields: &Fields, relation: &str) -> Option<Vec<String>> {
    Some(fields.get(relation)?.ids().map(str::to_owned).collect())
}

/// An id that is a number there.
pub(crate) fn number(id: &RemoteId) -> u64 {
    id.as_str().parse().unwrap_or(0)
}

/// A relation's value.
pub(crate) fn reference(ids: impl IntoIterator<Item = String>) -> Value {
    let ids: std::collections::BTreeSet<String> = ids.into_iter().collect();
    if ids.is_empty() { Value::Null } else { Value::Reference(ids) }
}
