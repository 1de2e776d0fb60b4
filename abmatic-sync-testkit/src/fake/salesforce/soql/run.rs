//! Runs a plan: which records it finds, and in which order. An index is used where one helps.

use std::cmp::Ordering;
use std::collections::{BTreeSet, HashSet};

use crate::fake::packed::FieldId;
use crate::fake::salesforce::field::Source;
use crate::fake::salesforce::id;
use crate::fake::salesforce::shelf::{Shelf, folded};
use crate::fake::salesforce::soql::ast::Operator;
use crate::fake::salesforce::soql::condition::{Operand, Test, passes};
use crate::fake::salesforce::soql::plan::{Plan, Sort};
use crate::fake::salesforce::state::State;
use crate::fake::salesforce::view::{Cell, View};

/// Records that may pass: all others surely do not.
enum Candidates {
    All,
    /// Ids from this one on.
    From(u64),
    Numbers(BTreeSet<u64>),
    /// `SystemModstamp` from this one on.
    StampedFrom(i64),
}

/// The numbers of the records that a plan finds, in its order. Deleted ones are found only if `with_deleted`.
pub(crate) fn numbers(state: &State, plan: &Plan, with_deleted: bool) -> Vec<u64> {
    found(state, plan, with_deleted, candidates_of(state, plan))
}

/// The children of a record that a plan finds.
pub(crate) fn children(state: &State, plan: &Plan, reference: FieldId, parent: &str, with_deleted: bool) -> Vec<u64> {
    let shelf = state.shelf(plan.kind);
    let hangs = |number: &u64| shelf.get(*number).and_then(|record| record.values.get(reference)) == Some(parent);
    let numbers: BTreeSet<u64> = if shelf.is_indexed(reference) {
        shelf.candidates(reference, parent).filter(hangs).collect()
    } else {
        shelf.iter().map(|(number, _)| number).filter(hangs).collect()
    };
    found(state, plan, with_deleted, Candidates::Numbers(numbers))
}

/// The first column's values, which are ids, for a semi-join.
pub(crate) fn ids(state: &State, plan: &Plan) -> HashSet<String> {
    let shelf = state.shelf(plan.kind);
    let Some(column) = plan.columns.first() else { return HashSet::new() };
    let text = |number: u64| match column.cell(state, View::of(shelf, number)?) {
        Cell::Text(text) => Some(text.into_owned()),
        _ => None,
    };
    numbers(state, plan, false).into_iter().filter_map(text).collect()
}

fn found(state: &State, plan: &Plan, with_deleted: bool, candidates: Candidates) -> Vec<u64> {
    let shelf = state.shelf(plan.kind);
    let wanted = |number: &u64| {
        View::of(shelf, *number).is_some_and(|view| {
            (with_deleted || plan.all_rows || view.record.is_live())
                && plan.test.as_ref().is_none_or(|test| passes(state, view, test))
        })
    };
    let by_stamp = is_by_stamp(shelf, &plan.sorts);
    let stamped = |from: i64| Box::new(shelf.iter_stamped(from)) as Box<dyn Iterator<Item = u64>>;
    let (walk, in_order): (Box<dyn Iterator<Item = u64>>, bool) = match candidates {
        Candidates::Numbers(numbers) => (Box::new(numbers.into_iter()), false),
        Candidates::StampedFrom(from) => (stamped(from), by_stamp),
        Candidates::All | Candidates::From(0) if by_stamp => (stamped(i64::MIN), true),
        Candidates::All => (Box::new(shelf.iter_from(0)), is_by_id(shelf, &plan.sorts)),
        Candidates::From(from) => (Box::new(shelf.iter_from(from)), is_by_id(shelf, &plan.sorts)),
    };
    let size = |count: u64| usize::try_from(count).unwrap_or(usize::MAX);
    let (offset, limit) = (size(plan.offset), size(plan.limit.unwrap_or(u64::MAX)));
    let walk = walk.filter(wanted);
    if in_order {
        return walk.skip(offset).take(limit).collect();
    }
    let mut numbers: Vec<u64> = walk.collect();
    sort(state, shelf, &plan.sorts, &mut numbers);
    numbers.into_iter().skip(offset).take(limit).collect()
}

fn source(shelf: &Shelf, sort: &Sort) -> Option<Source> {
    let id = sort.column.own().filter(|_| !sort.descending)?;
    shelf.catalogue.get(id).map(|field| field.source)
}

/// Ids ascend as numbers do. Without an order the real order is undefined; here it is this one.
fn is_by_id(shelf: &Shelf, sorts: &[Sort]) -> bool {
    sorts.first().is_none_or(|first| source(shelf, first) == Some(Source::Id))
}

fn is_by_stamp(shelf: &Shelf, sorts: &[Sort]) -> bool {
    let sources: Vec<_> = sorts.iter().map(|sort| source(shelf, sort)).collect();
    matches!(sources.as_slice(), [Some(Source::SystemModstamp)] | [Some(Source::SystemModstamp), Some(Source::Id)])
}

fn candidates_of(state: &State, plan: &Plan) -> Candidates {
    let shelf = state.shelf(plan.kind);
    plan.test.as_ref().map_or(Candidates::All, |test| narrow(shelf, test))
}

/// What an index says about a condition.
fn narrow(shelf: &Shelf, test: &Test) -> Candidates {
    match test {
        Test::All(all) => {
            let rank = |candidates: &Candidates| match candidates {
                Candidates::Numbers(numbers) => numbers.len(),
                Candidates::StampedFrom(_) | Candidates::From(_) => usize::MAX - 1,
                Candidates::All => usize::MAX,
            };
            all.iter().map(|one| narrow(shelf, one)).min_by_key(rank).unwrap_or(Candidates::All)
        }
        Test::Any(all) => all.iter().map(|one| narrow(shelf, one)).reduce(join).unwrap_or(Candidates::All),
        Test::Compare(column, operator, operand) => match column.own() {
            Some(field) => narrow_compare(shelf, field, *operator, operand),
            None => Candidates::All,
        },
        Test::Among { column, negated: false, values, null: false } => match column.own() {
            Some(field) => equal(shelf, field, values.iter().map(String::as_str)),
            None => Candidates::All,
        },
        Test::Among { .. } | Test::Includes { .. } | Test::Like(..) | Test::Not(_) => Candidates::All,
    }
}

fn join(left: Candidates, right: Candidates) -> Candidates {
    match (left, right) {
        (Candidates::Numbers(mut left), Candidates::Numbers(right)) => {
            left.extend(right);
            Candidates::Numbers(left)
        }
        (Candidates::StampedFrom(left), Candidates::StampedFrom(right)) => Candidates::StampedFrom(left.min(right)),
        (Candidates::From(left), Candidates::From(right)) => Candidates::From(left.min(right)),
        _ => Candidates::All,
    }
}

fn narrow_compare(shelf: &Shelf, field: FieldId, operator: Operator, operand: &Operand) -> Candidates {
    let source = shelf.catalogue.get(field).map(|field| field.source);
    match (source, operator, operand) {
        (_, Operator::Equal, Operand::Exact(value) | Operand::Folded(value)) => {
            equal(shelf, field, std::iter::once(value.as_str()))
        }
        (Some(Source::Id), Operator::Greater | Operator::GreaterOrEqual, Operand::Exact(value)) => {
            let parsed = id::parse(value).filter(|parsed| parsed.prefix == shelf.kind.prefix());
            parsed.map_or(Candidates::All, |parsed| Candidates::From(parsed.number))
        }
        (
            Some(Source::SystemModstamp),
            Operator::Equal | Operator::Greater | Operator::GreaterOrEqual,
            Operand::Span(span),
        ) => Candidates::StampedFrom(span.from),
        _ => Candidates::All,
    }
}

fn equal<'a>(shelf: &Shelf, field: FieldId, values: impl Iterator<Item = &'a str>) -> Candidates {
    let is_id = shelf.catalogue.get(field).is_some_and(|field| field.source == Source::Id);
    if is_id {
        let own = values.filter_map(id::parse).filter(|parsed| parsed.prefix == shelf.kind.prefix());
        return Candidates::Numbers(own.map(|parsed| parsed.number).collect());
    }
    if !shelf.is_indexed(field) {
        return Candidates::All;
    }
    Candidates::Numbers(values.flat_map(|value| shelf.candidates(field, value)).collect())
}

/// A value to sort by.
#[derive(Debug, PartialEq)]
enum Key {
    Flag(bool),
    Moment(i64),
    Null,
    Number(f64),
    Text(String),
}

impl Key {
    fn of(cell: Cell<'_>) -> Self {
        match cell {
            Cell::Null | Cell::Address(_) => Self::Null,
            Cell::Flag(flag) => Self::Flag(flag),
            Cell::Moment(ms) => Self::Moment(ms),
            Cell::Number(text) => text.parse().map_or(Self::Null, Self::Number),
            Cell::Text(text) => Self::Text(folded(&text)),
        }
    }

    fn order(&self, other: &Self, sort: &Sort) -> Ordering {
        let nulls = if sort.nulls_last { Ordering::Greater } else { Ordering::Less };
        let order = match (self, other) {
            (Self::Null, Self::Null) => return Ordering::Equal,
            (Self::Null, _) => return nulls,
            (_, Self::Null) => return nulls.reverse(),
            (Self::Flag(left), Self::Flag(right)) => left.cmp(right),
            (Self::Moment(left), Self::Moment(right)) => left.cmp(right),
            (Self::Number(left), Self::Number(right)) => left.total_cmp(right),
            (Self::Text(left), Self::Text(right)) => left.cmp(right),
            _ => Ordering::Equal,
        };
        if sort.descending { order.reverse() } else { order }
    }
}

fn sort(state: &State, shelf: &Shelf, sorts: &[Sort], numbers: &mut [u64]) {
    if sorts.is_empty() {
        return;
    }
    // Ids are compared as numbers: in lower case, two of them can be the same text.
    let key = |sort: &Sort, number: u64| match sort.column.own().and_then(|id| shelf.catalogue.get(id)) {
        Some(field) if field.source == Source::Id => Key::Moment(i64::try_from(number).unwrap_or(i64::MAX)),
        _ => View::of(shelf, number).map_or(Key::Null, |view| Key::of(sort.column.cell(state, view))),
    };
    let mut keyed: Vec<(Vec<Key>, u64)> =
        numbers.iter().map(|number| (sorts.iter().map(|sort| key(sort, *number)).collect(), *number)).collect();
    keyed.sort_by(|(left, left_number), (right, right_number)| {
        let pairs = sorts.iter().zip(left.iter().zip(right));
        let order = pairs.map(|(sort, (left, right))| left.order(right, sort)).find(|order| order.is_ne());
        order.unwrap_or(Ordering::Equal).then(left_number.cmp(right_number))
    });
    for (slot, (_, number)) in numbers.iter_mut().zip(keyed) {
        *slot = number;
    }
}
