//! What a field shows of a record, derived fields included, and how it is written as JSON and CSV.

use std::borrow::Cow;

use crate::fake::json;
use crate::fake::moment;
use crate::fake::packed::FieldId;
use crate::fake::salesforce::field::{Field, FieldType, Source};
use crate::fake::salesforce::id;
use crate::fake::salesforce::kind::Kind;
use crate::fake::salesforce::record::Record;
use crate::fake::salesforce::shelf::Shelf;

/// One record with what is needed to read it.
#[derive(Clone, Copy)]
pub(crate) struct View<'a> {
    pub(crate) shelf: &'a Shelf,
    pub(crate) number: u64,
    pub(crate) record: &'a Record,
}

/// A field's value in one record.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Cell<'a> {
    Null,
    Flag(bool),
    /// Milliseconds since 1970.
    Moment(i64),
    Number(Cow<'a, str>),
    Text(Cow<'a, str>),
    /// A compound address.
    Address(&'static str),
}

impl<'a> View<'a> {
    pub(crate) fn of(shelf: &'a Shelf, number: u64) -> Option<Self> {
        Some(Self { shelf, number, record: shelf.get(number)? })
    }

    /// A stored value by its field's name.
    pub(crate) fn stored(&self, name: &str) -> Option<&'a str> {
        self.record.values.get(self.shelf.catalogue.id(name)?)
    }

    pub(crate) fn cell(&self, id: FieldId, field: &Field) -> Cell<'a> {
        let record = self.record;
        match field.source {
            Source::Stored => stored(field, record.values.get(id)),
            Source::Id => Cell::Text(self.shelf.id(self.number).into()),
            Source::IsDeleted => Cell::Flag(!record.is_live()),
            Source::MasterRecordId => match record.master {
                Some(master) => Cell::Text(self.shelf.id(master).into()),
                None => Cell::Null,
            },
            Source::CreatedById => user(record.created_by),
            Source::LastModifiedById => user(record.modified_by),
            Source::CreatedDate => Cell::Moment(record.created),
            Source::LastModifiedDate => Cell::Moment(record.modified),
            Source::SystemModstamp => Cell::Moment(record.stamp),
            Source::PersonName => self.person_name(),
            Source::Address(prefix) => self.address(prefix),
            Source::ExpectedRevenue => self.expected_revenue(),
            Source::NameLength => {
                let length = self.stored("Name").map_or(0, |name| name.chars().count());
                Cell::Number(length.to_string().into())
            }
        }
    }

    fn person_name(&self) -> Cell<'a> {
        match (self.stored("FirstName"), self.stored("LastName")) {
            (Some(first), Some(last)) => Cell::Text(format!("{first} {last}").into()),
            (None, Some(name)) | (Some(name), None) => Cell::Text(name.into()),
            (None, None) => Cell::Null,
        }
    }

    fn address(&self, prefix: &'static str) -> Cell<'a> {
        let catalogue = &self.shelf.catalogue;
        let part = |(_, part): &(&str, &str)| Some(self.record.values.get(catalogue.part(prefix, part)?)?.to_owned());
        if ADDRESS_PARTS.iter().any(|entry| part(entry).is_some()) { Cell::Address(prefix) } else { Cell::Null }
    }

    fn expected_revenue(&self) -> Cell<'a> {
        let number = |name: &str| self.stored(name).and_then(|text| text.parse::<f64>().ok());
        match (number("Amount"), number("Probability")) {
            (Some(amount), Some(percent)) => Cell::Number(format!("{:.2}", amount * percent / 100.0).into()),
            _ => Cell::Null,
        }
    }

    /// Appends the field's value as JSON.
    pub(crate) fn write_json(&self, out: &mut Vec<u8>, id: FieldId, field: &Field) {
        match self.cell(id, field) {
            Cell::Null => out.extend_from_slice(b"null"),
            Cell::Flag(flag) => out.extend_from_slice(if flag { b"true" } else { b"false" }),
            Cell::Moment(ms) => write_moment(out, ms),
            Cell::Number(text) => write_number(out, field, &text),
            Cell::Text(text) => json::string(out, &text),
            Cell::Address(prefix) => self.write_address(out, prefix),
        }
    }

    fn write_address(&self, out: &mut Vec<u8>, prefix: &str) {
        for (at, (key, part)) in ADDRESS_PARTS.iter().enumerate() {
            out.push(if at == 0 { b'{' } else { b',' });
            json::string(out, key);
            out.push(b':');
            let value = self.shelf.catalogue.part(prefix, part).and_then(|id| self.record.values.get(id));
            match value {
                Some(value) if matches!(*key, "latitude" | "longitude") => out.extend_from_slice(value.as_bytes()),
                Some(value) => json::string(out, value),
                None => out.extend_from_slice(b"null"),
            }
        }
        out.push(b'}');
    }

    /// The field's value as a cell of a CSV file; empty for null.
    pub(crate) fn csv(&self, id: FieldId, field: &Field) -> Cow<'a, str> {
        match self.cell(id, field) {
            Cell::Null | Cell::Address(_) => "".into(),
            Cell::Flag(flag) => if flag { "true" } else { "false" }.into(),
            Cell::Moment(ms) => moment::iso(ms).into(),
            Cell::Number(text) if field.kind.is_decimal() && !text.contains('.') => format!("{text}.0").into(),
            Cell::Number(text) | Cell::Text(text) => text,
        }
    }
}

/// Keys of a compound address, and the ends of the names of its parts.
const ADDRESS_PARTS: &[(&str, &str)] = &[
    ("city", "City"),
    ("country", "Country"),
    ("geocodeAccuracy", "GeocodeAccuracy"),
    ("latitude", "Latitude"),
    ("longitude", "Longitude"),
    ("postalCode", "PostalCode"),
    ("state", "State"),
    ("street", "Street"),
];

fn stored<'a>(field: &Field, value: Option<&'a str>) -> Cell<'a> {
    match (value, field.kind) {
        (None, FieldType::Boolean) => Cell::Flag(false),
        (None, _) => Cell::Null,
        (Some(value), FieldType::Boolean) => Cell::Flag(value == "true"),
        (Some(value), FieldType::DateTime) => value.parse().map_or(Cell::Null, Cell::Moment),
        (Some(value), kind) if kind == FieldType::Int || kind.is_decimal() => Cell::Number(value.into()),
        (Some(value), _) => Cell::Text(value.into()),
    }
}

fn user(number: u64) -> Cell<'static> {
    Cell::Text(id::text(Kind::USER.prefix(), number).into())
}

/// Appends `"2026-11-24T10:00:00.000+0000"`.
pub(crate) fn write_moment(out: &mut Vec<u8>, ms: i64) {
    out.push(b'"');
    moment::write_iso(out, ms);
    out.pop();
    out.extend_from_slice(b"+0000\"");
}

/// `2026-11-24T10:00:00.000+0000`.
pub(crate) fn moment_text(ms: i64) -> String {
    let mut text = moment::iso(ms);
    text.pop();
    text.push_str("+0000");
    text
}

/// Integers are plain; other numbers always have a point.
fn write_number(out: &mut Vec<u8>, field: &Field, text: &str) {
    out.extend_from_slice(text.as_bytes());
    if field.kind.is_decimal() && !text.contains('.') {
        out.extend_from_slice(b".0");
    }
}
