//! What a new record has to hold, and what it had better hold.

use crate::error::{Error, ErrorCode, Result};
use crate::ids::FieldName;
use crate::model::resource::Side;
use crate::steps::merge::Mode;
use crate::steps::plan::{PlanRules, Planned};

/// Refuses a create that the target would refuse, and warns where a recommended field is empty.
pub(crate) fn check_required(planned: &mut Planned, mode: Mode, rules: &PlanRules<'_>) -> Result<()> {
    let Mode::New { source } = mode else { return Ok(()) };
    let (schema, fields) = match source {
        Side::Local => (rules.remote_schema, &planned.to_remote),
        Side::Remote => (rules.local_schema, &planned.to_local),
    };
    let filled = |name: &FieldName| fields.get(name.as_str()).is_some_and(|value| !value.is_blank());
    let missing = |name: &FieldName| {
        let local = rules.mapping.by_remote(name.as_str()).map(|field| field.local.to_string());
        let hint = match (source, local) {
            (Side::Local, Some(local)) => format!("fill \"{local}\""),
            _ => "map a field to it".to_owned(),
        };
        (name.to_string(), hint)
    };
    if let Some(field) = schema.fields.iter().find(|field| field.required_on_create && !filled(&field.name)) {
        let (name, hint) = missing(&field.name);
        return Err(required_missing(vec![name.clone()], format!("\"{name}\" is required on create: {hint}")));
    }
    if let Some(group) = schema.required_any.iter().find(|group| !group.iter().any(filled)) {
        let names: Vec<String> = group.iter().map(FieldName::to_string).collect();
        let message = format!("one of {} is required on create", names.join(", "));
        return Err(required_missing(names, message));
    }
    let empty: Vec<String> = schema
        .recommended
        .iter()
        .filter(|name| !filled(name))
        .map(|name| format!("\"{name}\" is recommended and empty"))
        .collect();
    planned.pair.warnings.extend(empty);
    Ok(())
}

fn required_missing(fields: Vec<String>, message: String) -> Error {
    Error::invalid(ErrorCode::RequiredFieldMissing, message).with_fields(fields)
}
