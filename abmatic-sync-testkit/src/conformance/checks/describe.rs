//! What the connector says of itself, and of the CRM's fields.

use std::collections::BTreeSet;

use abmatic_sync_core::ids::FieldName;
use abmatic_sync_core::model::change::Direction;
use abmatic_sync_core::model::schema::FieldType;

use crate::conformance::check::{Check, Judgement, check, ensure, not_applicable};
use crate::conformance::probe::Probe;

pub(crate) const CHECKS: &[Check] = &[
    check!(
        Describe,
        Connector,
        the_descriptor_is_whole,
        "a connector without a name cannot be registered, and a limit of nothing stops every run",
        "give `Descriptor` a lower-case name, a title, each resource once, and limits of at least one"
    ),
    check!(
        Describe,
        Resource,
        relations_are_known_ones,
        "the engine translates references by the relations of `Resource::relations`; any other would be lost",
        "offer only relations that `Resource::relations` names, and as single only what is offered and of many"
    ),
    check!(
        Describe,
        Resource,
        fields_are_named_once,
        "two fields of one name hide each other in mappings",
        "leave out or rename what the CRM lists twice"
    ),
    check!(
        Describe,
        Resource,
        describing_again_says_the_same,
        "plans and filters that were checked against a schema must fit the next one",
        "derive the schema from the CRM's answer alone"
    ),
    check!(
        Describe,
        Resource,
        the_key_field_is_described,
        "matching by a field that is not there finds nothing, and every record is made twice",
        "name in `key_field` a text, email or web address that `describe` tells of"
    ),
    check!(
        Describe,
        Resource,
        the_default_mapping_names_fields_that_exist,
        "a new connection would start with a mapping that no run accepts",
        "name in the mapping what `describe` tells of; name by `Subject::without_field` what only some accounts have"
    ),
    check!(
        Describe,
        Resource,
        the_default_mapping_can_be_written,
        "an export of a read-only field fails record by record",
        "map read-only fields `ImportOnly`, or describe them as writable"
    ),
    check!(
        Describe,
        Resource,
        required_fields_can_be_written,
        "a create that needs what nobody may write can never succeed",
        "describe as required only what is writable, and name in `required_any` fields that exist"
    ),
    check!(
        Describe,
        Resource,
        options_are_told_apart,
        "two options of one value, or one without, cannot be mapped",
        "give each `ChoiceOption` its own value"
    ),
];

async fn the_descriptor_is_whole(probe: Probe<'_>) -> Judgement {
    let descriptor = probe.subject().connector.descriptor();
    let name = descriptor.name;
    ensure!(
        !name.is_empty() && !name.chars().any(|letter| letter.is_uppercase() || letter.is_whitespace()),
        "{name:?} is no name"
    );
    ensure!(!descriptor.title.is_empty(), "it has no title");
    let mut seen = BTreeSet::new();
    for offered in &descriptor.resources {
        let resource = offered.resource;
        ensure!(seen.insert(resource), "{resource} is offered twice");
        let limits = [offered.page_max, offered.batch_max, offered.find_max];
        ensure!(!limits.contains(&0), "a limit of {resource} is 0");
    }
    Ok(())
}

async fn relations_are_known_ones(probe: Probe<'_>) -> Judgement {
    let offered = &probe.offer.capabilities;
    if offered.relations.is_empty() && offered.single_relations.is_empty() {
        return not_applicable("no relation is offered");
    }
    for name in offered.relations {
        let known = probe.resource().relations().iter().any(|relation| relation.field == *name);
        ensure!(known, "{} has no relation {name:?}", probe.resource());
    }
    for name in offered.single_relations {
        let of_many = probe.resource().relations().iter().any(|relation| relation.many && relation.field == *name);
        ensure!(of_many && offered.relations.contains(name), "{name:?} is single, but not offered or not of many");
    }
    Ok(())
}

async fn fields_are_named_once(probe: Probe<'_>) -> Judgement {
    let fields = &probe.offer.schema.fields;
    ensure!(!fields.is_empty(), "it has no fields");
    for field in fields {
        let name = field.name.as_str();
        ensure!(!name.trim().is_empty(), "a field has no name");
        ensure!(fields.iter().filter(|other| other.name == field.name).count() == 1, "{name:?} is there twice");
        let is_found = probe.offer.schema.field(name).is_some();
        ensure!(is_found, "{name:?} is not found by its name: make the schema by `Schema::new`, which sorts");
    }
    Ok(())
}

async fn describing_again_says_the_same(probe: Probe<'_>) -> Judgement {
    let again = probe.subject().connector.describe(&probe.subject().on, probe.resource()).await?;
    ensure!(again == probe.offer.schema, "the second schema differs from the first");
    Ok(())
}

async fn the_key_field_is_described(probe: Probe<'_>) -> Judgement {
    let offered = &probe.offer.capabilities;
    let claimed = offered.key_field.map(str::to_owned);
    let named = probe.offer.schema.key_field.as_ref().map(ToString::to_string);
    let Some(name) = named.or(claimed) else { return not_applicable("no key field is claimed") };
    let Some(field) = probe.offer.schema.field(&name) else {
        // What an account lacks may be left out where the CRM has it only for some.
        ensure!(probe.offer.schema.key_field.is_none(), "the schema names {name:?} and has no such field");
        return not_applicable(format!("this account has no {name:?}"));
    };
    let fits = matches!(field.field_type, FieldType::Text | FieldType::Email | FieldType::Url | FieldType::Any);
    ensure!(fits, "{name:?} is a {} field", field.field_type.as_str());
    ensure!(probe.resource().relations().iter().all(|relation| relation.field != name), "{name:?} is a relation");
    Ok(())
}

async fn the_default_mapping_names_fields_that_exist(probe: Probe<'_>) -> Judgement {
    let mapping = &probe.offer.capabilities.default_mapping;
    if mapping.fields.is_empty() {
        return not_applicable("there is no default mapping");
    }
    let lacking = |name: &FieldName| probe.subject().lacking.contains(&(probe.resource(), name.clone()));
    let named = mapping.fields.iter().map(|field| &field.remote).filter(|name| !lacking(name));
    let missing: Vec<&FieldName> = named.filter(|name| probe.offer.schema.field(name.as_str()).is_none()).collect();
    ensure!(missing.is_empty(), "{missing:?} do not exist");
    let needed = probe.offer.schema.fields.iter().filter(|field| field.required_on_create);
    let unfilled: Vec<&str> = needed
        .filter(|field| mapping.fields.iter().all(|mapped| mapped.remote != field.name))
        .filter(|field| !probe.subject().values.contains_key(&(probe.resource(), field.name.clone())))
        .map(|field| field.name.as_str())
        .collect();
    ensure!(unfilled.is_empty(), "creates need {unfilled:?}, which is not mapped");
    Ok(())
}

async fn the_default_mapping_can_be_written(probe: Probe<'_>) -> Judgement {
    let mapping = &probe.offer.capabilities.default_mapping;
    let exported = mapping.fields.iter().filter(|field| field.direction.allows(Direction::FromAbmatic));
    let mut described = exported.filter_map(|field| probe.offer.schema.field(field.remote.as_str())).peekable();
    if described.peek().is_none() {
        return not_applicable("nothing is mapped toward the CRM");
    }
    for field in described {
        ensure!(field.writable, "{:?} is mapped toward the CRM and read-only there", field.name.as_str());
    }
    Ok(())
}

async fn required_fields_can_be_written(probe: Probe<'_>) -> Judgement {
    let schema = &probe.offer.schema;
    let named = schema.required_any.iter().flatten().chain(&schema.recommended);
    for name in named {
        ensure!(schema.field(name.as_str()).is_some(), "{name:?} is wanted and does not exist");
    }
    for field in schema.fields.iter().filter(|field| field.required_on_create) {
        ensure!(field.writable, "{:?} is required and read-only", field.name.as_str());
    }
    for group in &schema.required_any {
        let may = group.iter().filter_map(|name| schema.field(name.as_str())).any(|field| field.writable);
        ensure!(may, "one of {group:?} is required, and all are read-only");
    }
    Ok(())
}

async fn options_are_told_apart(probe: Probe<'_>) -> Judgement {
    let mut with_options = probe.offer.schema.fields.iter().filter(|field| !field.options.is_empty()).peekable();
    if with_options.peek().is_none() {
        return not_applicable("no field has options");
    }
    for field in with_options {
        let values: BTreeSet<&str> = field.options.iter().map(|option| option.value.as_str()).collect();
        let name = field.name.as_str();
        ensure!(values.len() == field.options.len(), "two options of {name:?} have one value");
        ensure!(!values.contains(""), "an option of {name:?} has no value");
    }
    Ok(())
}
