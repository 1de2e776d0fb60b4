//! What the connector under test says of itself and of its fields.

use abmatic_sync_core::connector::capabilities::{BulkWrites, Descriptor};
use abmatic_sync_core::model::mapping::FieldMapping;
use abmatic_sync_core::model::resource::Resource;
use abmatic_sync_core::model::schema::{ChoiceOption, Field, FieldType, Schema};

use crate::fault::Fault;

/// From so many on writes go as a job.
pub(crate) const BULK_MIN: usize = 20;
/// Fields of accounts beyond those of the memory CRM, one of each type.
pub(crate) const TYPED: [&str; 6] = ["founded", "kind", "revenue", "seen", "tags", "target"];

/// The memory CRM's descriptor with all that can be offered.
pub(crate) fn descriptor(mut descriptor: Descriptor, fault: Option<Fault>) -> Descriptor {
    if fault == Some(Fault::SpaceInName) {
        descriptor.name = "memory crm";
    }
    for offered in &mut descriptor.resources {
        offered.archived = true;
        offered.bulk = (offered.resource == Resource::Account).then(|| BulkWrites::new(BULK_MIN, BULK_MIN));
        offered.lists = offered.resource == Resource::Account;
        match fault {
            Some(Fault::UnknownRelation) if offered.resource == Resource::Contact => offered.relations = &["boss"],
            Some(Fault::MapsMissingField) => {
                offered.default_mapping.fields.push(FieldMapping::new("shoe_size", "shoe_size"));
            }
            Some(Fault::SmallPagesClaimed) => offered.page_max = 5,
            _ => {}
        }
    }
    descriptor
}

/// The memory CRM's schema with the typed fields. `times` is how often it was asked for before.
pub(crate) fn schema(schema: Schema, resource: Resource, fault: Option<Fault>, times: u32) -> Schema {
    let options = |values: &[&str]| values.iter().map(|value| ChoiceOption::new(*value, *value)).collect::<Vec<_>>();
    let mut fields = schema.fields;
    if resource == Resource::Account {
        let kinds: &[&str] = if fault == Some(Fault::ExtraOption) { &["a", "b", "a"] } else { &["a", "b"] };
        fields.extend([
            Field::new("founded", FieldType::Date),
            Field::new("kind", FieldType::Choice).with_options(options(kinds)),
            Field::new("revenue", FieldType::Decimal),
            Field::new("seen", FieldType::Instant),
            Field::new("tags", FieldType::MultiChoice).with_options(options(&["x", "y", "z"])),
            Field::new("target", FieldType::Boolean),
        ]);
    }
    for field in &mut fields {
        let is_key = matches!(field.name.as_str(), "domain" | "email");
        match fault {
            Some(Fault::KeyIsNumber) if is_key => field.field_type = FieldType::Integer,
            Some(Fault::MapsReadOnly) if is_key => field.writable = false,
            Some(Fault::RequiresReadOnly) if field.required_on_create => field.writable = false,
            _ => {}
        }
    }
    match fault {
        Some(Fault::DescribesTwice) => fields.extend(fields.first().cloned()),
        Some(Fault::SchemaChanges) => fields.push(Field::new(format!("new_{times}"), FieldType::Text)),
        _ => {}
    }
    Schema::new(fields)
}
