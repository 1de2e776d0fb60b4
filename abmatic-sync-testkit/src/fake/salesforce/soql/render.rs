//! Writes the records that a plan has found, as JSON and as CSV.

use crate::fake::json;
use crate::fake::salesforce::bulk::csv;
use crate::fake::salesforce::rows::write_attributes;
use crate::fake::salesforce::soql::path::parent;
use crate::fake::salesforce::soql::plan::Plan;
use crate::fake::salesforce::soql::run;
use crate::fake::salesforce::soql::shape::{Entry, Shape};
use crate::fake::salesforce::state::State;
use crate::fake::salesforce::turn::Turn;
use crate::fake::salesforce::view::View;

/// What is needed to write records.
#[derive(Clone, Copy)]
pub(crate) struct Pen<'a> {
    pub(crate) state: &'a State,
    pub(crate) turn: &'a Turn,
    /// Deleted children are shown too.
    pub(crate) with_deleted: bool,
}

impl Pen<'_> {
    /// Appends `[{…},…]`.
    pub(crate) fn records(&self, out: &mut Vec<u8>, plan: &Plan, numbers: &[u64]) {
        let shelf = self.state.shelf(plan.kind);
        let views = numbers.iter().filter_map(|number| View::of(shelf, *number));
        json::array(out, views, |out, view| self.record(out, view, &plan.shape));
    }

    fn record(&self, out: &mut Vec<u8>, view: View<'_>, shape: &Shape) {
        write_attributes(out, self.turn, view);
        self.entries(out, view, shape);
    }

    fn entries(&self, out: &mut Vec<u8>, view: View<'_>, shape: &Shape) {
        for entry in &shape.0 {
            out.push(b',');
            match entry {
                Entry::Field(id) => self.field(out, view, *id),
                Entry::Named(name) => named(out, view, name),
                Entry::Parent { name, step, shape } => {
                    key(out, name);
                    match parent(self.state, view, *step) {
                        Some(parent) => self.record(out, parent, shape),
                        None => out.extend_from_slice(b"null"),
                    }
                }
                Entry::Children { name, reference, plan } => {
                    key(out, name);
                    let id = view.shelf.id(view.number);
                    let numbers = run::children(self.state, plan, *reference, &id, self.with_deleted);
                    self.children(out, plan, &numbers);
                }
            }
        }
        out.push(b'}');
    }

    fn field(&self, out: &mut Vec<u8>, view: View<'_>, id: u16) {
        if let Some(field) = view.shelf.catalogue.get(id) {
            key(out, &field.name);
            view.write_json(out, id, field);
        }
    }

    fn children(&self, out: &mut Vec<u8>, plan: &Plan, numbers: &[u64]) {
        if numbers.is_empty() {
            out.extend_from_slice(b"null");
            return;
        }
        out.extend_from_slice(b"{\"totalSize\":");
        json::number(out, numbers.len() as u64);
        out.extend_from_slice(b",\"done\":true,\"records\":");
        self.records(out, plan, numbers);
        out.push(b'}');
    }

    /// Appends one line for each record, every value in quotes.
    pub(crate) fn lines(&self, out: &mut Vec<u8>, plan: &Plan, numbers: &[u64], format: csv::Format) {
        let shelf = self.state.shelf(plan.kind);
        for view in numbers.iter().filter_map(|number| View::of(shelf, *number)) {
            csv::write_line(out, format, plan.columns.iter().map(|column| column.csv(self.state, view)));
        }
    }
}

fn key(out: &mut Vec<u8>, name: &str) {
    json::string(out, name);
    out.push(b':');
}

/// A field of a parent that may be of several objects; null where this one has no such field.
fn named(out: &mut Vec<u8>, view: View<'_>, name: &str) {
    key(out, name);
    match view.shelf.catalogue.find(name) {
        _ if name == "Type" => json::string(out, view.shelf.kind.name()),
        Some((id, field)) => view.write_json(out, id, field),
        None => out.extend_from_slice(b"null"),
    }
}
