//! Aggregates: records counted and summed, group by group.

use std::cmp::Ordering;
use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Map, Value, json};

use crate::fake::salesforce::errors::Refusal;
use crate::fake::salesforce::field::FieldType;
use crate::fake::salesforce::soql::ast::{Function, Item, Order, Select};
use crate::fake::salesforce::soql::path::{Column, Scope};
use crate::fake::salesforce::soql::plan::Plan;
use crate::fake::salesforce::soql::run;
use crate::fake::salesforce::soql::token::malformed;
use crate::fake::salesforce::state::State;
use crate::fake::salesforce::view::{Cell, View, moment_text};

/// What is answered of each group.
#[derive(Clone, Debug)]
pub(crate) struct Aggregation {
    /// What groups are made by.
    keys: Vec<Column>,
    /// Key of the answer, its column, and how it is aggregated; `None` for what is grouped by.
    shown: Vec<(String, Column, Option<Function>)>,
    /// Position in `shown`, and whether descending.
    order: Vec<(usize, bool)>,
}

/// Checks the selected things of a statement with aggregates.
pub(crate) fn plan(scope: Scope<'_>, select: &Select) -> Result<Aggregation, Refusal> {
    let keys: Vec<Column> = select.group_by.iter().map(|path| scope.column(path)).collect::<Result<_, _>>()?;
    let mut shown = Vec::new();
    let mut written = Vec::new();
    for item in &select.items {
        match item {
            Item::Aggregate { function, path, alias } => {
                let unnamed = shown.iter().filter(|(name, ..): &&(String, _, _)| name.starts_with("expr")).count();
                let name = alias.clone().unwrap_or_else(|| format!("expr{unnamed}"));
                written.push(format!("{function:?}({})", path.text).replace("CountDistinct", "COUNT_DISTINCT"));
                shown.push((name, scope.column(path)?, Some(*function)));
            }
            Item::Path(path, alias) => {
                let column = scope.column(path)?;
                if !keys.contains(&column) {
                    let message = format!("Field must be grouped or aggregated: {}", path.text);
                    return Err(malformed(scope.statement, path.at, &message));
                }
                let full = column.name(scope.state);
                let name = alias.clone().unwrap_or_else(|| full.rsplit('.').next().unwrap_or(&full).to_owned());
                written.push(path.text.clone());
                shown.push((name, column, None));
            }
            Item::Fields(path) => {
                return Err(malformed(
                    scope.statement,
                    path.at,
                    "The SOQL FIELDS function is not supported with GROUP BY",
                ));
            }
            Item::Subquery(inner) => {
                return Err(malformed(scope.statement, inner.from.at, "a subquery is not supported with GROUP BY"));
            }
        }
    }
    let position = |order: &Order| {
        let is_it = |(text, (name, ..)): &(&String, &(String, Column, Option<Function>))| {
            text.eq_ignore_ascii_case(&order.path.text) || name.eq_ignore_ascii_case(&order.path.text)
        };
        let found = written.iter().zip(&shown).position(|pair| is_it(&pair));
        let message = format!("Ordered field must be grouped or aggregated: {}", order.path.text);
        found.map(|at| (at, order.descending)).ok_or_else(|| malformed(scope.statement, order.path.at, &message))
    };
    let order = select.order_by.iter().map(position).collect::<Result<_, _>>()?;
    Ok(Aggregation { keys, shown, order })
}

/// The groups of a plan, as records.
pub(crate) fn records(state: &State, plan: &Plan, aggregation: &Aggregation, with_deleted: bool) -> Vec<Value> {
    let everything = Plan { limit: None, offset: 0, ..plan.clone() };
    let shelf = state.shelf(plan.kind);
    let mut groups: BTreeMap<Vec<String>, Vec<View<'_>>> = BTreeMap::new();
    if aggregation.keys.is_empty() {
        groups.insert(Vec::new(), Vec::new());
    }
    for view in run::numbers(state, &everything, with_deleted).into_iter().filter_map(|number| View::of(shelf, number))
    {
        let key = aggregation.keys.iter().map(|column| value(&column.cell(state, view)).to_string().to_lowercase());
        groups.entry(key.collect()).or_default().push(view);
    }
    let mut rows: Vec<Vec<Value>> = groups.values().map(|views| row(state, aggregation, views)).collect();
    rows.sort_by(|left, right| {
        let orders = aggregation.order.iter().map(|(at, descending)| {
            let order = compare(left.get(*at), right.get(*at));
            if *descending { order.reverse() } else { order }
        });
        orders.into_iter().find(|order| order.is_ne()).unwrap_or(Ordering::Equal)
    });
    let size = |count: u64| usize::try_from(count).unwrap_or(usize::MAX);
    let kept = rows.into_iter().skip(size(plan.offset)).take(size(plan.limit.unwrap_or(2000)));
    kept.map(|row| shown(aggregation, row)).collect()
}

fn shown(aggregation: &Aggregation, row: Vec<Value>) -> Value {
    let mut record = Map::from_iter([("attributes".to_owned(), json!({"type": "AggregateResult"}))]);
    record.extend(aggregation.shown.iter().map(|(name, ..)| name.clone()).zip(row));
    record.into()
}

fn row(state: &State, aggregation: &Aggregation, views: &[View<'_>]) -> Vec<Value> {
    let one = |(_, column, function): &(String, Column, Option<Function>)| match function {
        None => views.first().map_or(Value::Null, |view| value(&column.cell(state, *view))),
        Some(function) => aggregate(state, column, *function, views),
    };
    aggregation.shown.iter().map(one).collect()
}

fn aggregate(state: &State, column: &Column, function: Function, views: &[View<'_>]) -> Value {
    let values: Vec<Value> =
        views.iter().map(|view| value(&column.cell(state, *view))).filter(|one| !one.is_null()).collect();
    let numbers = || values.iter().filter_map(Value::as_f64);
    match function {
        Function::Count => values.len().into(),
        Function::CountDistinct => {
            values.iter().map(|one| one.to_string().to_lowercase()).collect::<BTreeSet<_>>().len().into()
        }
        Function::Max => {
            values.iter().max_by(|left, right| compare(Some(left), Some(right))).cloned().unwrap_or_default()
        }
        Function::Min => {
            values.iter().min_by(|left, right| compare(Some(left), Some(right))).cloned().unwrap_or_default()
        }
        Function::Sum if values.is_empty() => Value::Null,
        Function::Sum if column.kind(state) == FieldType::Int => {
            values.iter().filter_map(Value::as_i64).sum::<i64>().into()
        }
        Function::Sum => numbers().sum::<f64>().into(),
        Function::Avg if values.is_empty() => Value::Null,
        Function::Avg => {
            #[expect(clippy::cast_precision_loss, reason = "a mean of far fewer than 2^53 records")]
            let count = values.len() as f64;
            (numbers().sum::<f64>() / count).into()
        }
    }
}

fn value(cell: &Cell<'_>) -> Value {
    match cell {
        Cell::Null | Cell::Address(_) => Value::Null,
        Cell::Flag(flag) => (*flag).into(),
        Cell::Moment(ms) => moment_text(*ms).into(),
        Cell::Number(text) => {
            text.parse::<i64>().map(Value::from).or_else(|_| text.parse::<f64>().map(Value::from)).unwrap_or_default()
        }
        Cell::Text(text) => text.as_ref().into(),
    }
}

/// Nulls are least.
fn compare(left: Option<&Value>, right: Option<&Value>) -> Ordering {
    match (left, right) {
        (Some(Value::Number(left)), Some(Value::Number(right))) => {
            left.as_f64().unwrap_or(0.0).total_cmp(&right.as_f64().unwrap_or(0.0))
        }
        (Some(Value::String(left)), Some(Value::String(right))) => left.to_lowercase().cmp(&right.to_lowercase()),
        (left, right) => left.is_some_and(|one| !one.is_null()).cmp(&right.is_some_and(|one| !one.is_null())),
    }
}
