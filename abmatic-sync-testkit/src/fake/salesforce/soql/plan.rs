//! A statement, checked against the org and ready to run.

use crate::fake::salesforce::errors::{self, Refusal};
use crate::fake::salesforce::field::FieldType;
use crate::fake::salesforce::id;
use crate::fake::salesforce::kind::Kind;
use crate::fake::salesforce::soql::aggregate::{self, Aggregation};
use crate::fake::salesforce::soql::ast::{Function, Item, Operator, Order, Path, Select};
use crate::fake::salesforce::soql::condition::{self, Operand, Test};
use crate::fake::salesforce::soql::path::{Column, Scope};
use crate::fake::salesforce::soql::shape::{Entry, Shape};
use crate::fake::salesforce::soql::token::{malformed, placed};
use crate::fake::salesforce::state::State;
use crate::fake::salesforce::tree::child_of;
use crate::fake::salesforce::turn::Turn;

const OFFSET_MAX: u64 = 2000;
/// Records of a statement that selects all or all custom fields.
const FIELDS_LIMIT_MAX: u64 = 200;
const SUBQUERIES_MAX: usize = 20;

/// A statement that can be run.
#[derive(Clone, Debug)]
pub(crate) struct Plan {
    pub(crate) kind: Kind,
    pub(crate) shape: Shape,
    /// The same as `shape` without children, one by one, for files.
    pub(crate) columns: Vec<Column>,
    pub(crate) test: Option<Test>,
    pub(crate) sorts: Vec<Sort>,
    pub(crate) limit: Option<u64>,
    pub(crate) offset: u64,
    pub(crate) all_rows: bool,
    pub(crate) output: Output,
}

/// What is answered.
#[derive(Clone, Debug)]
pub(crate) enum Output {
    /// `COUNT()`: a number.
    Count,
    Groups(Aggregation),
    Rows,
}

/// One column to sort by.
#[derive(Clone, Debug)]
pub(crate) struct Sort {
    pub(crate) column: Column,
    pub(crate) descending: bool,
    pub(crate) nulls_last: bool,
}

/// Checks a statement.
pub(crate) fn plan(state: &State, turn: &Turn, statement: &str, select: &Select) -> Result<Plan, Refusal> {
    let kind = state.kind(&select.from.text).ok_or_else(|| {
        let message = format!(
            "sObject type '{}' is not supported. If you are attempting to use a custom object, be sure to append the \
             '__c' after the entity name. Please reference your WSDL or the describe call for the appropriate names.",
            select.from.text
        );
        errors::invalid("INVALID_TYPE", placed(statement, select.from.at, &message))
    })?;
    plan_of(state, turn, statement, select, kind)
}

fn plan_of(state: &State, turn: &Turn, statement: &str, select: &Select, kind: Kind) -> Result<Plan, Refusal> {
    let scope = Scope { state, statement, kind, alias: select.alias.as_deref() };
    let mut plan = Plan {
        kind,
        shape: Shape::default(),
        columns: Vec::new(),
        test: test(scope, turn, select)?,
        sorts: Vec::new(),
        limit: select.limit,
        offset: select.offset.unwrap_or(0),
        all_rows: select.all_rows,
        output: output(scope, select)?,
    };
    if plan.offset > OFFSET_MAX {
        return Err(errors::invalid("NUMBER_OUTSIDE_VALID_RANGE", "Maximum SOQL offset allowed is 2000"));
    }
    if matches!(plan.output, Output::Rows) {
        plan.sorts = select.order_by.iter().map(|order| sort(scope, order)).collect::<Result<_, _>>()?;
        for item in &select.items {
            add_item(scope, turn, select, item, &mut plan)?;
        }
    }
    Ok(plan)
}

fn output(scope: Scope<'_>, select: &Select) -> Result<Output, Refusal> {
    let is_count =
        |item: &Item| matches!(item, Item::Aggregate { function: Function::Count, path, .. } if path.text.is_empty());
    if select.items.iter().any(is_count) {
        if select.items.len() > 1 || !select.order_by.is_empty() || !select.group_by.is_empty() {
            let message = "COUNT() must be the only element in the SELECT list and cannot be grouped or ordered";
            return Err(malformed(scope.statement, select.from.at, message));
        }
        return Ok(Output::Count);
    }
    let has_aggregates = select.items.iter().any(|item| matches!(item, Item::Aggregate { .. }));
    if has_aggregates || !select.group_by.is_empty() {
        return Ok(Output::Groups(aggregate::plan(scope, select)?));
    }
    Ok(Output::Rows)
}

fn test(scope: Scope<'_>, turn: &Turn, select: &Select) -> Result<Option<Test>, Refusal> {
    let written = select.condition.as_ref().map(|condition| condition::compile(scope, turn, condition)).transpose()?;
    if !select.mine {
        return Ok(written);
    }
    let owner = scope.column(&Path { text: "OwnerId".to_owned(), at: select.from.at })?;
    let me = id::text(Kind::USER.prefix(), turn.by);
    let mine = Test::Compare(owner, Operator::Equal, Operand::Exact(me));
    Ok(Some(Test::All(std::iter::once(mine).chain(written).collect())))
}

fn sort(scope: Scope<'_>, order: &Order) -> Result<Sort, Refusal> {
    let column = scope.column(&order.path)?;
    let field = column.field(scope.state);
    if field.is_some_and(|field| !field.is_filterable() || field.kind == FieldType::MultiPicklist) {
        let message = format!("field '{}' can not be sorted in a query call", order.path.text);
        return Err(scope.invalid(&order.path, &message));
    }
    let nulls_last = order.nulls_last.unwrap_or(order.descending);
    Ok(Sort { column, descending: order.descending, nulls_last })
}

fn add_item(scope: Scope<'_>, turn: &Turn, select: &Select, item: &Item, plan: &mut Plan) -> Result<(), Refusal> {
    match item {
        Item::Path(path, Some(_)) => {
            Err(malformed(scope.statement, path.at, "only aggregate expressions use field aliasing"))
        }
        Item::Path(path, None) => {
            let column = scope.column(path)?;
            if plan.columns.contains(&column) {
                return Err(scope.invalid(path, &format!("duplicate field selected: {}", path.text)));
            }
            add_column(scope.state, plan, column);
            Ok(())
        }
        Item::Fields(which) => add_fields(scope, select, which, plan),
        Item::Subquery(inner) => add_subquery(scope, turn, inner, plan),
        // There are none here: such statements are answered in groups.
        Item::Aggregate { .. } => Ok(()),
    }
}

fn add_column(state: &State, plan: &mut Plan, column: Column) {
    plan.shape.add(state, &column);
    plan.columns.push(column);
}

/// `FIELDS(ALL)`, `FIELDS(STANDARD)`, `FIELDS(CUSTOM)`.
fn add_fields(scope: Scope<'_>, select: &Select, which: &Path, plan: &mut Plan) -> Result<(), Refusal> {
    let word = which.text.to_ascii_uppercase();
    if !["ALL", "STANDARD", "CUSTOM"].contains(&word.as_str()) {
        return Err(malformed(scope.statement, which.at, &format!("unexpected token: '{}'", which.text)));
    }
    if word != "STANDARD" && select.limit.is_none_or(|limit| limit > FIELDS_LIMIT_MAX) {
        let message = "The SOQL FIELDS function must have a LIMIT of at most 200";
        return Err(malformed(scope.statement, which.at, message));
    }
    let fields = scope.state.shelf(scope.kind).catalogue.iter();
    let wanted = fields.filter(|(_, field)| match word.as_str() {
        "ALL" => true,
        "CUSTOM" => field.is_custom(),
        _ => !field.is_custom(),
    });
    for (_, field) in wanted {
        let column = scope.column(&Path { text: field.name.clone(), at: which.at })?;
        if !plan.columns.contains(&column) {
            add_column(scope.state, plan, column);
        }
    }
    Ok(())
}

fn add_subquery(scope: Scope<'_>, turn: &Turn, inner: &Select, plan: &mut Plan) -> Result<(), Refusal> {
    let state = scope.state;
    let missing = || {
        let message = format!(
            "Didn't understand relationship '{}' in FROM part of query call. If you are attempting to use a custom \
             relationship, be sure to append the '__r' after the custom relationship name. Please reference your WSDL or \
             the describe call for the appropriate names.",
            inner.from.text
        );
        errors::invalid("INVALID_TYPE", placed(scope.statement, inner.from.at, &message))
    };
    let (child, field) = child_of(state, scope.kind, &inner.from.text).ok_or_else(missing)?;
    let (reference, field) = state.shelf(child).catalogue.find(&field).ok_or_else(missing)?;
    let name = field.children.map(|(name, _)| name).ok_or_else(missing)?;
    let inner = plan_of(state, turn, scope.statement, inner, child)?;
    if !matches!(inner.output, Output::Rows) {
        return Err(malformed(scope.statement, 0, "aggregates are not allowed in a subquery"));
    }
    plan.shape.0.push(Entry::Children { name, reference, plan: Box::new(inner) });
    let subqueries = plan.shape.0.iter().filter(|entry| matches!(entry, Entry::Children { .. })).count();
    if subqueries > SUBQUERIES_MAX {
        return Err(malformed(scope.statement, 0, "a query may have 20 subqueries"));
    }
    Ok(())
}
