//! Records as REST sends them, decoded in one pass straight into typed fields.
//!
//! A full import decodes millions of them: names are shared, values are typed while they are parsed, and there is no JSON
//! tree in between. Numbers are taken by their digits, never through a float.

use std::borrow::Cow;
use std::collections::BTreeSet;
use std::fmt;
use std::ops::Range;

use abmatic_sync_core::connector::request::Undecodable;
use abmatic_sync_core::error::{Error, ErrorCode, ErrorKind};
use abmatic_sync_core::ids::{FieldName, RemoteId};
use abmatic_sync_core::model::fields::Fields;
use abmatic_sync_core::model::record::RemoteRecord;
use abmatic_sync_core::model::schema::FieldType;
use abmatic_sync_core::model::value::Value;
use abmatic_sync_http::decode::Scalar;
use serde::Deserialize;
use serde::de::{DeserializeSeed, Deserializer, Error as _, IgnoredAny, MapAccess, Visitor};
use serde_json::value::RawValue;

use crate::id::long_id;
use crate::layout::{Layout, ROLES, System};
use crate::object::{ACCOUNT_RELATION, CONTACTS_RELATION};
use crate::values;
use crate::wire::WithId;

/// A decoded record, and what it says of others.
#[derive(Debug)]
pub(crate) struct Decoded {
    pub(crate) record: RemoteRecord,
    /// The record that it was merged into.
    pub(crate) master: Option<String>,
    /// It is a lead that became a contact: which, where that can be seen.
    pub(crate) converted: Option<Option<String>>,
    /// The answer holds only the first of its contacts.
    pub(crate) roles_cut_off: bool,
}

/// Decodes one record.
pub(crate) fn decode(layout: &Layout, raw: &RawValue) -> Result<Decoded, Undecodable> {
    let mut json = serde_json::Deserializer::from_str(raw.get());
    let mut draft = Draft::new(layout);
    let decoded = Walk { draft: &mut draft, prefix: "" }.deserialize(&mut json);
    decoded.and_then(|()| draft.finish().map_err(serde_json::Error::custom)).map_err(|error| {
        let id = serde_json::from_str::<WithId>(raw.get()).ok().map(|with| RemoteId::from(long_id(&with.id)));
        let what = Error::new(ErrorKind::Undocumented, ErrorCode::InvalidAnswer, "the record does not parse");
        Undecodable::new(id, what.caused_by(error))
    })
}

/// Where a value goes, and as what it is read.
#[derive(Debug)]
pub(crate) struct Slot {
    columns: Range<usize>,
    system: Option<System>,
    pub(crate) field_type: FieldType,
}

/// A record on its way, from JSON or from CSV.
#[derive(Debug)]
pub(crate) struct Draft<'l> {
    layout: &'l Layout,
    decoded: Decoded,
    is_converted: bool,
    is_person: bool,
    converted_contact: Option<String>,
    /// The place of the column after the last one.
    expected: usize,
}

impl<'l> Draft<'l> {
    pub(crate) fn new(layout: &'l Layout) -> Self {
        let fields = Fields::with_capacity(layout.columns().len() + 1);
        let record = RemoteRecord::new("", fields);
        let decoded = Decoded { record, master: None, converted: None, roles_cut_off: false };
        Self { layout, decoded, is_converted: false, is_person: false, converted_contact: None, expected: 0 }
    }

    /// Where a path's value goes, `None` where nobody asked for it.
    pub(crate) fn slot(&self, path: &str) -> Option<Slot> {
        let columns = self.layout.columns_of(path, self.expected);
        let system = self.layout.system_of(path);
        let column = self.layout.columns().get(columns.start).filter(|_| !columns.is_empty());
        let field_type = column.map(|column| column.field_type).or_else(|| system.map(System::field_type))?;
        Some(Slot { columns, system, field_type })
    }

    /// Puts a value where it is wanted.
    pub(crate) fn set(&mut self, slot: Slot, value: Value) {
        if let Some(system) = slot.system {
            self.set_system(system, &value);
        }
        if slot.columns.is_empty() {
            return;
        }
        self.expected = slot.columns.end;
        let fields = &mut self.decoded.record.fields;
        let columns = self.layout.columns().get(slot.columns).unwrap_or_default();
        let Some((last, others)) = columns.split_last() else { return };
        for column in others {
            fields.insert(column.name.clone(), value.clone());
        }
        fields.insert(last.name.clone(), value);
    }

    fn set_system(&mut self, system: System, value: &Value) {
        let id = || value.ids().next().or_else(|| value.as_text()).map(long_id);
        let time = || if let Value::Instant(time) = value { Some(*time) } else { None };
        let truth = *value == Value::Boolean(true);
        let record = &mut self.decoded.record;
        match system {
            System::Id => record.id = RemoteId::from(id().unwrap_or_default()),
            System::Created => record.created_at = time(),
            System::Modified => record.modified_at = time(),
            System::Deleted => record.deleted = truth,
            System::Master => self.decoded.master = id(),
            System::Converted => self.is_converted = truth,
            System::ConvertedContact => self.converted_contact = id(),
            System::PersonAccount => self.is_person = truth,
        }
    }

    fn set_roles(&mut self, roles: Option<Roles>) {
        let roles = roles.unwrap_or_default();
        let ids: BTreeSet<String> =
            roles.records.iter().filter_map(|role| role.contact.as_deref().map(long_id)).collect();
        self.decoded.roles_cut_off = roles.next_records_url.is_some();
        let value = if ids.is_empty() { Value::Null } else { Value::Reference(ids) };
        self.decoded.record.fields.insert(CONTACTS_RELATION, value);
    }

    /// The record, once all its values are set.
    ///
    /// # Errors
    /// For a record without an id, which could not be told from any other.
    pub(crate) fn finish(mut self) -> Result<Decoded, &'static str> {
        if self.decoded.record.id.as_str().is_empty() {
            return Err("the record has no id");
        }
        let fields = &mut self.decoded.record.fields;
        // A parent that is missing leaves out all that is under it.
        for column in self.layout.columns().iter().filter(|column| column.path.contains('.')) {
            if fields.get(column.name.as_str()).is_none() {
                fields.insert(column.name.clone(), Value::Null);
            }
        }
        // A person account is a person: the account beside is itself.
        if self.is_person && fields.get(ACCOUNT_RELATION).is_some() {
            fields.insert(FieldName::from(ACCOUNT_RELATION), Value::Null);
        }
        self.decoded.converted = self.is_converted.then_some(self.converted_contact);
        Ok(self.decoded)
    }
}

/// The contacts of an opportunity, as child rows.
#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Roles {
    #[serde(default)]
    records: Vec<Role>,
    #[serde(default)]
    next_records_url: Option<String>,
}

#[derive(Debug, Deserialize)]
struct Role {
    #[serde(default, rename = "ContactId")]
    contact: Option<String>,
}

/// Walks a record and its parents.
struct Walk<'d, 'l, 'p> {
    draft: &'d mut Draft<'l>,
    /// The path so far, with its dot.
    prefix: &'p str,
}

impl<'de> DeserializeSeed<'de> for Walk<'_, '_, '_> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Walk<'_, '_, '_> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a record")
    }

    /// A parent that is not there.
    fn visit_unit<E: serde::de::Error>(self) -> Result<(), E> {
        if self.prefix.is_empty() { Err(E::custom("null where a record is expected")) } else { Ok(()) }
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<(), A::Error> {
        let Self { draft, prefix } = self;
        while let Some(key) = map.next_key::<Cow<'de, str>>()? {
            let path = if prefix.is_empty() { key } else { Cow::Owned(format!("{prefix}{key}")) };
            if draft.layout.roles && path == ROLES {
                draft.set_roles(map.next_value()?);
                continue;
            }
            if let Some(slot) = draft.slot(&path) {
                let value = match slot.field_type {
                    FieldType::Decimal | FieldType::Integer => number(map.next_value()?, slot.field_type),
                    _ => map.next_value_seed(value_seed(slot.field_type))?,
                };
                draft.set(slot, value);
                continue;
            }
            let below = format!("{path}.");
            if draft.layout.leads_through(&below) {
                map.next_value_seed(Walk { draft: &mut *draft, prefix: &below })?;
            } else {
                map.next_value::<IgnoredAny>()?;
            }
        }
        Ok(())
    }
}

/// A number by its digits.
fn number(raw: &RawValue, field_type: FieldType) -> Value {
    match raw.get().trim_matches('"') {
        "null" => Value::Null,
        digits => values::decode(digits, field_type),
    }
}

/// Text, true, false or null; a number in a field of another type is taken as its text.
fn value_seed(field_type: FieldType) -> Scalar<impl Fn(&str) -> Value> {
    Scalar::new("a field's value", move |text| values::decode(text, field_type))
}

#[cfg(test)]
mod tests {
    use abmatic_sync_core::model::schema::Schema;

    use super::*;
    use crate::describe::Described;
    use crate::object::Object;

    fn layout(names: &[&str], relations: &[&str]) -> Layout {
        let set = |names: &[&str]| names.iter().map(|name| FieldName::from(*name)).collect();
        Layout::new(Object::Opportunity, &set(names), &set(relations), &Described::bare(Schema::default()))
    }

    fn decoded(layout: &Layout, json: &str) -> Decoded {
        decode(layout, serde_json::from_str(json).unwrap()).unwrap()
    }

    #[test]
    fn values_go_under_the_names_that_were_asked_for() {
        let layout = layout(&["account.owner.name", "Name", "Id", "Missing"], &["account"]);
        let json = r#"{"attributes":{"type":"X","url":"/x"},"Id":"006000000000001","name":"D \u00e9","Other":{"a":[1]},
            "Account":{"attributes":{},"Owner":{"Name":"Jo"}},"AccountId":"001000000000001"}"#;
        let one = decoded(&layout, json);
        assert_eq!(one.record.id.as_str(), "006000000000001AAA");
        let fields = Fields::from_iter([
            ("Id", Value::text("006000000000001")),
            ("Name", Value::text("D é")),
            ("account", Value::reference("001000000000001AAA")),
            ("account.owner.name", Value::text("Jo")),
        ]);
        assert_eq!(one.record.fields, fields);
    }

    #[test]
    fn a_record_without_an_id_is_none() {
        let bad = decode(&layout(&[], &[]), serde_json::from_str(r#"{"Name":"x"}"#).unwrap()).unwrap_err();
        assert_eq!((bad.id, bad.error.code()), (None, ErrorCode::InvalidAnswer));
        assert!(decode(&layout(&[], &[]), serde_json::from_str("null").unwrap()).is_err());
    }

    #[test]
    fn contacts_that_were_cut_off_are_told() {
        let json = r#"{"Id":"006000000000001AAA","OpportunityContactRoles":{"done":false,"nextRecordsUrl":"/x",
            "records":[{"ContactId":"003000000000001"},{"ContactId":null}]}}"#;
        let one = decoded(&layout(&[], &["contacts"]), json);
        assert!(one.roles_cut_off);
        assert_eq!(one.record.fields.get("contacts"), Some(&Value::reference("003000000000001AAA")));
    }
}
