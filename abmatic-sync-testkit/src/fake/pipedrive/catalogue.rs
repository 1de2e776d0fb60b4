//! The fields of one kind of record, in their order, by code, by key and by number.

use std::collections::BTreeMap;

use crate::fake::packed::FieldId;
use crate::fake::pipedrive::builtin::{self, BuiltIn};
use crate::fake::pipedrive::field::Definition;
use crate::fake::pipedrive::kind::Kind;

/// The fields of one kind of record.
#[derive(Clone, Debug)]
pub(crate) struct Catalogue {
    /// A deleted field leaves its place, so that the places of the others stay.
    fields: Vec<Option<Definition>>,
    by_key: BTreeMap<String, FieldId>,
}

impl Catalogue {
    /// The built-in fields; numbers start at `first`.
    pub(crate) fn new(kind: Kind, fields: &[BuiltIn], first: u64) -> Self {
        let mut catalogue = Self { fields: Vec::new(), by_key: BTreeMap::new() };
        for (number, field) in (first..).zip(fields) {
            catalogue.add(Definition {
                number,
                code: field.code.to_owned(),
                key: field.key().to_owned(),
                name: field.name.to_owned(),
                type_name: field.type_name,
                shape: field.shape,
                choices: builtin::choices(kind, field),
                custom: false,
                left_out: field.left_out,
                writes: field.writes,
                created_ms: 0,
                changed_ms: 0,
            });
        }
        catalogue
    }

    pub(crate) fn add(&mut self, definition: Definition) -> FieldId {
        let id = FieldId::try_from(self.fields.len()).unwrap_or(FieldId::MAX);
        self.by_key.insert(definition.key.clone(), id);
        self.fields.push(Some(definition));
        id
    }

    pub(crate) fn remove(&mut self, id: FieldId) -> Option<Definition> {
        let removed = self.fields.get_mut(usize::from(id))?.take()?;
        self.by_key.remove(&removed.key);
        Some(removed)
    }

    pub(crate) fn get(&self, id: FieldId) -> Option<&Definition> {
        self.fields.get(usize::from(id))?.as_ref()
    }

    pub(crate) fn get_mut(&mut self, id: FieldId) -> Option<&mut Definition> {
        self.fields.get_mut(usize::from(id))?.as_mut()
    }

    /// By its key in a record.
    pub(crate) fn by_key(&self, key: &str) -> Option<(FieldId, &Definition)> {
        let id = *self.by_key.get(key)?;
        Some((id, self.get(id)?))
    }

    /// By its code in the Fields API.
    pub(crate) fn by_code(&self, code: &str) -> Option<(FieldId, &Definition)> {
        self.iter().find(|(_, field)| field.code == code)
    }

    /// By its number in API v1.
    pub(crate) fn by_number(&self, number: u64) -> Option<(FieldId, &Definition)> {
        self.iter().find(|(_, field)| field.number == number)
    }

    pub(crate) fn iter(&self) -> impl Iterator<Item = (FieldId, &Definition)> {
        (0..).zip(&self.fields).filter_map(|(id, field)| Some((id, field.as_ref()?)))
    }
}
