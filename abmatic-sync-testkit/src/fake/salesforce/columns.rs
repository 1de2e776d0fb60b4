//! The fields that all objects share, and short ways to write down the others.

use crate::fake::salesforce::field::{Field, FieldType, Source};

pub(crate) fn text(name: &str, label: &str, length: usize) -> Field {
    Field::new(name, label, FieldType::Text).long(length)
}

pub(crate) fn area(name: &str, label: &str, length: usize) -> Field {
    Field::new(name, label, FieldType::TextArea).long(length)
}

pub(crate) fn phone(name: &str, label: &str) -> Field {
    Field::new(name, label, FieldType::Phone).long(40)
}

pub(crate) fn url(name: &str, label: &str) -> Field {
    Field::new(name, label, FieldType::Url).long(255)
}

pub(crate) fn email(name: &str, label: &str) -> Field {
    Field::new(name, label, FieldType::Email).long(80)
}

pub(crate) fn flag(name: &str, label: &str) -> Field {
    Field::new(name, label, FieldType::Boolean).or_default("false")
}

pub(crate) fn money(name: &str, label: &str, scale: u32) -> Field {
    Field::new(name, label, FieldType::Currency).digits(18, scale)
}

pub(crate) fn int(name: &str, label: &str, digits: u32) -> Field {
    Field::new(name, label, FieldType::Int).digits(digits, 0)
}

pub(crate) fn double(name: &str, label: &str, precision: u32, scale: u32) -> Field {
    Field::new(name, label, FieldType::Double).digits(precision, scale)
}

pub(crate) fn date(name: &str, label: &str) -> Field {
    Field::new(name, label, FieldType::Date)
}

pub(crate) fn datetime(name: &str, label: &str) -> Field {
    Field::new(name, label, FieldType::DateTime)
}

pub(crate) fn pick(name: &str, label: &str, values: &[&str]) -> Field {
    Field::new(name, label, FieldType::Picklist).long(255).with_choices(values)
}

pub(crate) fn reference(name: &str, label: &str, targets: &'static [&'static str]) -> Field {
    Field::reference(name, label, targets)
}

/// The external id of every object.
pub(crate) fn external_id() -> Field {
    text("Abmatic_Id__c", "Abmatic Id", 64).external_id().unique()
}

/// A person's name: the parts are written, the whole is read.
pub(crate) fn person_name(required_last: bool) -> Vec<Field> {
    let last = text("LastName", "Last Name", 80).part_of("Name");
    vec![
        if required_last { last.required() } else { last },
        text("FirstName", "First Name", 40).part_of("Name"),
        pick("Salutation", "Salutation", &["Mr.", "Ms.", "Mrs.", "Dr.", "Prof.", "Mx."]).long(40).part_of("Name"),
        text("Name", "Full Name", 121).from(Source::PersonName).required().naming(),
    ]
}

/// The parts of an address and the compound that is made of them. `prefix` is empty on leads and users.
pub(crate) fn address(prefix: &'static str, compound: &'static str, label: &str) -> Vec<Field> {
    let name = |part: &str| format!("{prefix}{part}");
    let titled = |part: &str| format!("{label} {part}").trim().to_owned();
    vec![
        area(&name("Street"), &titled("Street"), 255).part_of(compound),
        text(&name("City"), &titled("City"), 40).part_of(compound),
        text(&name("State"), &titled("State/Province"), 80).part_of(compound),
        text(&name("PostalCode"), &titled("Zip/Postal Code"), 20).part_of(compound),
        text(&name("Country"), &titled("Country"), 80).part_of(compound),
        double(&name("Latitude"), &titled("Latitude"), 18, 15).part_of(compound),
        double(&name("Longitude"), &titled("Longitude"), 18, 15).part_of(compound),
        Field::new(compound, &titled("Address"), FieldType::Address).from(Source::Address(prefix)),
    ]
}

/// `Id` and `IsDeleted`, which come first.
pub(crate) fn head(label: &str, mergeable: Option<&'static [&'static str]>) -> Vec<Field> {
    let mut fields = vec![
        Field::new("Id", &format!("{label} ID"), FieldType::Id).long(18).from(Source::Id).required().by_id_lookup(),
        Field::new("IsDeleted", "Deleted", FieldType::Boolean).from(Source::IsDeleted).required(),
    ];
    fields
        .extend(mergeable.map(|own| reference("MasterRecordId", "Master Record ID", own).from(Source::MasterRecordId)));
    fields
}

/// The owner; a record that is made without one belongs to the caller.
pub(crate) fn owner(targets: &'static [&'static str]) -> Field {
    reference("OwnerId", "Owner ID", targets).required()
}

/// Who made and who changed a record, and when.
pub(crate) fn audit() -> Vec<Field> {
    vec![
        datetime("CreatedDate", "Created Date").from(Source::CreatedDate).required(),
        reference("CreatedById", "Created By ID", &["User"]).from(Source::CreatedById).required(),
        datetime("LastModifiedDate", "Last Modified Date").from(Source::LastModifiedDate).required(),
        reference("LastModifiedById", "Last Modified By ID", &["User"]).from(Source::LastModifiedById).required(),
        datetime("SystemModstamp", "System Modstamp").from(Source::SystemModstamp).required(),
    ]
}
