//! The vocabulary of the simulated host and CRMs.

use abmatic_sync_core::model::resource::Resource;
use abmatic_sync_core::model::schema::{Field, FieldType, Schema};
use abmatic_sync_core::model::value::Value;

use crate::simulator::account::Spelling;

/// A field of a simulated record.
#[derive(Clone, Copy, Debug)]
pub(crate) struct SimulatedField {
    /// The host's name for it.
    pub(crate) name: &'static str,
    /// The CRMs' name for it.
    pub(crate) remote: &'static str,
    pub(crate) kind: FieldKind,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum FieldKind {
    Email,
    Number,
    Text,
    Website,
}

const fn field(name: &'static str, remote: &'static str, kind: FieldKind) -> SimulatedField {
    SimulatedField { name, remote, kind }
}

/// Nobody edits the tag: it says which record a record was made from.
const TAG: SimulatedField = field("tag", "Tag__c", FieldKind::Text);

const ACCOUNT: &[SimulatedField] = &[
    TAG,
    field("name", "Name", FieldKind::Text),
    field("website", "Domain", FieldKind::Website),
    field("size", "Employees", FieldKind::Number),
];
const CONTACT: &[SimulatedField] = &[
    TAG,
    field("work_email", "Email", FieldKind::Email),
    field("name", "FullName", FieldKind::Text),
    field("note", "Note__c", FieldKind::Text),
];
const OPPORTUNITY: &[SimulatedField] =
    &[TAG, field("name", "Name", FieldKind::Text), field("amount", "Amount", FieldKind::Number)];

/// The fields of a resource, its relations left out.
pub(crate) fn fields_of(resource: Resource) -> &'static [SimulatedField] {
    match resource {
        Resource::Account => ACCOUNT,
        Resource::Contact => CONTACT,
        _ => OPPORTUNITY,
    }
}

/// The host's name of a CRM's field or relation.
pub(crate) fn host_name(resource: Resource, remote: &str) -> &str {
    fields_of(resource).iter().find(|field| field.remote == remote).map_or(remote, |field| field.name)
}

/// The CRM's name of a field or relation of the host's.
pub(crate) fn crm_name(resource: Resource, local: &str) -> &str {
    fields_of(resource).iter().find(|field| field.name == local).map_or(local, |field| field.remote)
}

/// What the host keeps, with fields that nobody edits.
pub(crate) fn host_schema(resource: Resource, constants: impl Iterator<Item = Field>) -> Schema {
    let fields = fields_of(resource).iter().map(|field| {
        let field_type = match field.kind {
            FieldKind::Email => FieldType::Email,
            FieldKind::Number => FieldType::Integer,
            FieldKind::Text => FieldType::Text,
            FieldKind::Website => FieldType::Url,
        };
        Field::new(field.name, field_type)
    });
    let relations = resource.relations().iter().map(|relation| Field::new(relation.field, FieldType::Reference));
    let schema = Schema::new(fields.chain(relations).chain(constants).collect());
    match resource {
        Resource::Account => schema.with_key_field("website"),
        Resource::Contact => schema.with_key_field("work_email"),
        _ => schema,
    }
}

/// What a CRM keeps: numbers are decimals there.
pub(crate) fn remote_schema(resource: Resource, unique_email: bool) -> Schema {
    let fields = fields_of(resource).iter().map(|field| match field.kind {
        FieldKind::Email if unique_email => Field::new(field.remote, FieldType::Email).unique(),
        FieldKind::Email => Field::new(field.remote, FieldType::Email),
        FieldKind::Number => Field::new(field.remote, FieldType::Decimal),
        FieldKind::Text => Field::new(field.remote, FieldType::Text),
        FieldKind::Website => Field::new(field.remote, FieldType::Url),
    });
    Schema::new(fields.collect())
}

/// Whether two values mean the same, however the sides spell and cut them. The model's own word, not the engine's.
pub(crate) fn same(field: &SimulatedField, a: &Value, b: &Value, spelling: Spelling) -> bool {
    let plain = |value: &Value| {
        let cut = |text: &str| text.chars().take(spelling.text_max).collect::<String>();
        match (value, field.kind) {
            (Value::Text(text), FieldKind::Email) => cut(text).to_lowercase(),
            (Value::Text(text), FieldKind::Website) if spelling.domains => domain(text),
            (Value::Text(text), FieldKind::Website) => cut(text).trim_end_matches('/').to_owned(),
            (Value::Text(text), FieldKind::Number | FieldKind::Text) => cut(text),
            (other, _) => other.to_string(),
        }
    };
    let [a_is_blank, b_is_blank] = [a, b].map(|value| is_blank(field, value, spelling));
    if a_is_blank || b_is_blank {
        return a_is_blank && b_is_blank;
    }
    plain(a) == plain(b)
}

/// Whether a value says nothing, however the sides spell that.
pub(crate) fn is_blank(field: &SimulatedField, value: &Value, spelling: Spelling) -> bool {
    value.is_blank() || (spelling.zeros.contains(&field.name) && value.same_as(&Value::Integer(0)))
}

fn domain(website: &str) -> String {
    let host = website.split_once("://").map_or(website, |(_, host)| host);
    let host = host.split('/').next().unwrap_or_default();
    host.strip_prefix("www.").unwrap_or(host).to_lowercase()
}
