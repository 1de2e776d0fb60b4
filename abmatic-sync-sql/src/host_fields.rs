//! The fields of the embedded store's records, and which of them holds the match key.

use abmatic_sync_core::error::{Error, ErrorCode, Result};
use abmatic_sync_core::model::fields::Fields;
use abmatic_sync_core::model::resource::Resource;
use abmatic_sync_core::model::schema::{Field, FieldType, Schema};
use abmatic_sync_core::steps::normalize;

/// How many fields of their own a host's users get: `field_01` … `field_30`.
pub const CUSTOM_FIELDS: usize = 30;

/// The fields of `resource`.
pub(crate) fn schema(resource: Resource) -> Schema {
    let standard: &[(&str, FieldType)] = match resource {
        Resource::Account => &[
            ("name", FieldType::Text),
            ("website", FieldType::Url),
            ("industry", FieldType::Text),
            ("employee_count", FieldType::Integer),
        ],
        Resource::Contact => PERSON,
        Resource::Lead => &LEAD,
        Resource::Opportunity => &[
            ("name", FieldType::Text),
            ("amount", FieldType::Decimal),
            ("stage", FieldType::Text),
            ("close_date", FieldType::Date),
        ],
        // Activities and what may follow are not kept here.
        _ => return Schema::default(),
    };
    let standard = standard.iter().map(|(name, field_type)| Field::new(*name, *field_type));
    let relations = resource.relations().iter().map(|relation| Field::new(relation.field, FieldType::Reference));
    let custom = (1..=CUSTOM_FIELDS).map(|number| Field::new(format!("field_{number:02}"), FieldType::Any));
    let schema = Schema::new(standard.chain(relations).chain(custom).collect());
    match key_field(resource) {
        Some(name) => schema.with_key_field(name),
        None => schema,
    }
}

const PERSON: &[(&str, FieldType)] = &[
    ("work_email", FieldType::Email),
    ("first_name", FieldType::Text),
    ("last_name", FieldType::Text),
    ("job_title", FieldType::Text),
];

const LEAD: [(&str, FieldType); 5] = [PERSON[0], PERSON[1], PERSON[2], PERSON[3], ("company_name", FieldType::Text)];

fn key_field(resource: Resource) -> Option<&'static str> {
    match resource {
        Resource::Account => Some("website"),
        Resource::Contact | Resource::Lead => Some("work_email"),
        _ => None,
    }
}

/// The key under which a record with these fields is found.
pub(crate) fn match_key(resource: Resource, fields: &Fields) -> Option<String> {
    normalize::match_key(resource, fields.get(key_field(resource)?)?.as_text()?)
}

/// Refuses fields that the resource does not have.
pub(crate) fn check(resource: Resource, fields: &Fields) -> Result<()> {
    let schema = schema(resource);
    match fields.iter().find(|(name, _)| schema.field(name.as_str()).is_none()) {
        None => Ok(()),
        Some((name, _)) => {
            let message = format!("{resource} has no field \"{name}\"");
            Err(Error::invalid(ErrorCode::InvalidField, message).with_fields(vec![name.as_str().to_owned()]))
        }
    }
}
