//! An object's fields by position, by name and by relationship, names without regard to case.

use std::collections::HashMap;

use crate::fake::packed::FieldId;
use crate::fake::salesforce::field::{Field, FieldType, Source};

/// The fields of one object that the integration user can see.
#[derive(Clone, Debug)]
pub(crate) struct Catalogue {
    fields: Vec<Field>,
    /// By names in lower case, and by names as they are, which is how they are mostly asked for.
    by_name: HashMap<String, FieldId>,
    by_relationship: HashMap<String, FieldId>,
}

impl Catalogue {
    pub(crate) fn new(fields: Vec<Field>) -> Self {
        let mut catalogue = Self { fields: Vec::new(), by_name: HashMap::new(), by_relationship: HashMap::new() };
        for field in fields {
            catalogue.add(field);
        }
        catalogue
    }

    /// Adds a field, or replaces the one of that name.
    pub(crate) fn add(&mut self, field: Field) {
        let name = field.name.to_ascii_lowercase();
        if let Some(id) = self.by_name.get(&name).copied() {
            self.by_name.insert(field.name.clone(), id);
            self.fields[usize::from(id)] = field;
            return;
        }
        let id = FieldId::try_from(self.fields.len()).unwrap_or(FieldId::MAX);
        if let Some(relationship) = &field.relationship {
            self.by_relationship.insert(relationship.to_ascii_lowercase(), id);
        }
        self.by_name.insert(name, id);
        self.by_name.insert(field.name.clone(), id);
        self.fields.push(field);
    }

    /// Hides a field as field-level security does: its position stays, its name is gone.
    pub(crate) fn hide(&mut self, name: &str) {
        if let Some(id) = self.id(name) {
            self.by_name.retain(|_, field| *field != id);
            self.by_relationship.retain(|_, field| *field != id);
        }
    }

    /// Makes a field one that may be read only.
    pub(crate) fn protect(&mut self, name: &str) {
        if let Some(field) = self.id(name).and_then(|id| self.fields.get_mut(usize::from(id))) {
            (field.createable, field.updateable) = (false, false);
        }
    }

    pub(crate) fn get(&self, id: FieldId) -> Option<&Field> {
        self.fields.get(usize::from(id))
    }

    pub(crate) fn find(&self, name: &str) -> Option<(FieldId, &Field)> {
        let id = self.id(name)?;
        Some((id, self.get(id)?))
    }

    pub(crate) fn id(&self, name: &str) -> Option<FieldId> {
        self.by_name.get(name).or_else(|| self.by_name.get(&name.to_ascii_lowercase())).copied()
    }

    /// The reference behind a relationship's name, for example `Account` → `AccountId`.
    pub(crate) fn relationship(&self, name: &str) -> Option<(FieldId, &Field)> {
        let id = *self.by_relationship.get(&name.to_ascii_lowercase())?;
        Some((id, self.get(id)?))
    }

    /// Every visible field, in describe's order.
    pub(crate) fn iter(&self) -> impl Iterator<Item = (FieldId, &Field)> {
        (0..).zip(&self.fields).filter(|(id, field)| self.by_name.get(&field.name) == Some(id))
    }

    /// The fields that the record's own values hold, and that are indexed.
    pub(crate) fn indexed(&self) -> impl Iterator<Item = FieldId> {
        (0..).zip(&self.fields).filter(|(_, field)| field.indexed && field.source == Source::Stored).map(|(id, _)| id)
    }

    /// The parts of a compound address, in the order of [`Catalogue::iter`].
    pub(crate) fn part(&self, prefix: &str, part: &str) -> Option<FieldId> {
        self.find(&format!("{prefix}{part}")).filter(|(_, field)| field.kind != FieldType::Address).map(|(id, _)| id)
    }
}
