//! Names of fields, also of parents' fields: found in the org, and read from a record.

use std::borrow::Cow;

use crate::fake::packed::FieldId;
use crate::fake::salesforce::errors::{self, Refusal};
use crate::fake::salesforce::field::{Field, FieldType};
use crate::fake::salesforce::id;
use crate::fake::salesforce::kind::Kind;
use crate::fake::salesforce::soql::ast::Path;
use crate::fake::salesforce::soql::token::placed;
use crate::fake::salesforce::state::State;
use crate::fake::salesforce::view::{Cell, View};

/// Relationships that a path may follow.
const STEPS_MAX: usize = 5;

/// A field, and the references that lead to its record.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Column {
    /// Each reference with the object that has it.
    pub(crate) steps: Vec<(Kind, FieldId)>,
    pub(crate) leaf: Leaf,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Leaf {
    Field(Kind, FieldId),
    /// A field of a parent that may be of several objects; the pair is one that has it.
    Named(String, Option<(Kind, FieldId)>),
}

/// Where names are looked up.
#[derive(Clone, Copy)]
pub(crate) struct Scope<'a> {
    pub(crate) state: &'a State,
    pub(crate) statement: &'a str,
    pub(crate) kind: Kind,
    /// Names under which the object itself may be called.
    pub(crate) alias: Option<&'a str>,
}

impl Scope<'_> {
    /// `INVALID_FIELD` with the place.
    pub(crate) fn invalid(&self, path: &Path, message: &str) -> Refusal {
        errors::invalid("INVALID_FIELD", placed(self.statement, path.at, message))
    }

    fn no_column(&self, path: &Path, name: &str, entity: &str) -> Refusal {
        let message = format!(
            "No such column '{name}' on entity '{entity}'. If you are attempting to use a custom field, be sure to append \
             the '__c' after the custom field name. Please reference your WSDL or the describe call for the appropriate \
             names."
        );
        self.invalid(path, &message)
    }

    /// Finds what a path names.
    pub(crate) fn column(&self, path: &Path) -> Result<Column, Refusal> {
        let mut names: Vec<&str> = path.text.split('.').collect();
        let is_own = |name: &str| {
            name.eq_ignore_ascii_case(self.kind.name())
                || self.alias.is_some_and(|alias| name.eq_ignore_ascii_case(alias))
        };
        let own_first = names
            .first()
            .is_some_and(|name| is_own(name) && self.state.shelf(self.kind).catalogue.relationship(name).is_none());
        if names.len() > 1 && own_first {
            names.remove(0);
        }
        let Some((last, parents)) = names.split_last() else { return Err(self.no_column(path, "", self.kind.name())) };
        if parents.len() > STEPS_MAX {
            return Err(self.invalid(path, "a path may follow five relationships"));
        }
        let mut kind = self.kind;
        let mut steps = Vec::with_capacity(parents.len());
        for (at, name) in parents.iter().enumerate() {
            let (id, field) = self.relationship(path, kind, name)?;
            steps.push((kind, id));
            match field.targets {
                [only] => kind = self.state.kind(only).ok_or_else(|| self.no_column(path, name, kind.name()))?,
                _ if at + 1 == parents.len() => return self.named(path, field, last, steps),
                _ => return Err(self.no_relationship(path, parents.get(at + 1).unwrap_or(last))),
            }
        }
        let found = self.state.shelf(kind).catalogue.id(last);
        let id = found.ok_or_else(|| self.no_column(path, last, kind.name()))?;
        Ok(Column { steps, leaf: Leaf::Field(kind, id) })
    }

    fn relationship(&self, path: &Path, kind: Kind, name: &str) -> Result<(FieldId, &Field), Refusal> {
        self.state.shelf(kind).catalogue.relationship(name).ok_or_else(|| self.no_relationship(path, name))
    }

    fn no_relationship(&self, path: &Path, name: &str) -> Refusal {
        let message = format!(
            "Didn't understand relationship '{name}' in field path. If you are attempting to use a custom relationship, \
             be sure to append the '__r' after the custom relationship name. Please reference your WSDL or the describe \
             call for the appropriate names."
        );
        self.invalid(path, &message)
    }

    fn named(&self, path: &Path, field: &Field, name: &str, steps: Vec<(Kind, FieldId)>) -> Result<Column, Refusal> {
        let targets = field.targets.iter().filter_map(|target| self.state.kind(target));
        let found = targets.filter_map(|kind| Some((kind, self.state.shelf(kind).catalogue.id(name)?))).next();
        if found.is_none() && !name.eq_ignore_ascii_case("Type") {
            return Err(self.no_column(path, name, "Name"));
        }
        let found = found.filter(|_| !name.eq_ignore_ascii_case("Type"));
        let known = found.and_then(|(kind, id)| self.state.shelf(kind).catalogue.get(id));
        let name = known.map_or_else(|| "Type".to_owned(), |field| field.name.clone());
        Ok(Column { steps, leaf: Leaf::Named(name, found) })
    }
}

impl Column {
    /// What is known of the field; `None` for the type of a parent.
    pub(crate) fn field<'a>(&self, state: &'a State) -> Option<&'a Field> {
        let (kind, id) = match &self.leaf {
            Leaf::Field(kind, id) => (*kind, *id),
            Leaf::Named(_, found) => (*found)?,
        };
        state.shelf(kind).catalogue.get(id)
    }

    pub(crate) fn kind(&self, state: &State) -> FieldType {
        self.field(state).map_or(FieldType::Text, |field| field.kind)
    }

    /// The field itself, if the path follows no relationship.
    pub(crate) fn own(&self) -> Option<FieldId> {
        match (&self.steps.as_slice(), &self.leaf) {
            ([], Leaf::Field(_, id)) => Some(*id),
            _ => None,
        }
    }

    /// As it is written with everyone's own case, for example `Account.Name`.
    pub(crate) fn name(&self, state: &State) -> String {
        let mut names: Vec<&str> = self
            .steps
            .iter()
            .filter_map(|(kind, id)| state.shelf(*kind).catalogue.get(*id)?.relationship.as_deref())
            .collect();
        match &self.leaf {
            Leaf::Named(name, _) => names.push(name),
            Leaf::Field(..) => names.extend(self.field(state).map(|field| field.name.as_str())),
        }
        names.join(".")
    }

    /// The value in a record.
    pub(crate) fn cell<'a>(&self, state: &'a State, view: View<'a>) -> Cell<'a> {
        let mut view = view;
        for (_, step) in &self.steps {
            match parent(state, view, *step) {
                Some(parent) => view = parent,
                None => return Cell::Null,
            }
        }
        match &self.leaf {
            Leaf::Field(_, id) => view.shelf.catalogue.get(*id).map_or(Cell::Null, |field| view.cell(*id, field)),
            Leaf::Named(name, _) => named_cell(view, name),
        }
    }

    /// The value as a cell of a CSV file.
    pub(crate) fn csv<'a>(&self, state: &'a State, view: View<'a>) -> Cow<'a, str> {
        let mut view = view;
        for (_, step) in &self.steps {
            match parent(state, view, *step) {
                Some(parent) => view = parent,
                None => return "".into(),
            }
        }
        let found = match &self.leaf {
            Leaf::Field(_, id) => Some(*id),
            Leaf::Named(name, _) if name == "Type" => return view.shelf.kind.name().into(),
            Leaf::Named(name, _) => view.shelf.catalogue.id(name),
        };
        found.and_then(|id| Some(view.csv(id, view.shelf.catalogue.get(id)?))).unwrap_or_default()
    }
}

fn named_cell<'a>(view: View<'a>, name: &str) -> Cell<'a> {
    if name == "Type" {
        return Cell::Text(view.shelf.kind.name().into());
    }
    view.shelf.catalogue.find(name).map_or(Cell::Null, |(id, field)| view.cell(id, field))
}

/// The record that a reference leads to.
pub(crate) fn parent<'a>(state: &'a State, view: View<'a>, step: FieldId) -> Option<View<'a>> {
    let field = view.shelf.catalogue.get(step)?;
    let Cell::Text(text) = view.cell(step, field) else { return None };
    let parsed = id::parse(&text)?;
    View::of(state.shelf(state.kind_of_prefix(parsed.prefix)?), parsed.number)
}
