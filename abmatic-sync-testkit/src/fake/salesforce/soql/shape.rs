//! The shape of the records that are answered: fields, parents and children in the order they were selected.

use crate::fake::packed::FieldId;
use crate::fake::salesforce::kind::Kind;
use crate::fake::salesforce::soql::path::{Column, Leaf};
use crate::fake::salesforce::soql::plan::Plan;
use crate::fake::salesforce::state::State;

/// What is shown of a record.
#[derive(Clone, Debug, Default)]
pub(crate) struct Shape(pub(crate) Vec<Entry>);

#[derive(Clone, Debug)]
pub(crate) enum Entry {
    Field(FieldId),
    /// A field of a parent that may be of several objects.
    Named(String),
    /// `step` is the reference that leads to it.
    Parent {
        name: String,
        step: FieldId,
        shape: Shape,
    },
    /// `reference` is the field by which the children hang on the record.
    Children {
        name: &'static str,
        reference: FieldId,
        plan: Box<Plan>,
    },
}

impl Shape {
    /// Adds a column; parents that are there already are shared.
    pub(crate) fn add(&mut self, state: &State, column: &Column) {
        self.add_behind(state, &column.steps, &column.leaf);
    }

    fn add_behind(&mut self, state: &State, steps: &[(Kind, FieldId)], leaf: &Leaf) {
        let Some(((kind, wanted), rest)) = steps.split_first() else {
            self.0.push(match leaf {
                Leaf::Field(_, id) => Entry::Field(*id),
                Leaf::Named(name, _) => Entry::Named(name.clone()),
            });
            return;
        };
        let is_it = |entry: &Entry| matches!(entry, Entry::Parent { step, .. } if step == wanted);
        if !self.0.iter().any(is_it) {
            let field = state.shelf(*kind).catalogue.get(*wanted);
            let name = field.and_then(|field| field.relationship.clone()).unwrap_or_default();
            self.0.push(Entry::Parent { name, step: *wanted, shape: Self::default() });
        }
        let mut parents = self.0.iter_mut().filter(|entry| is_it(entry));
        if let Some(Entry::Parent { shape, .. }) = parents.next() {
            shape.add_behind(state, rest, leaf);
        }
    }
}
