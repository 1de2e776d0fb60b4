//! Conditions: checked against the fields they name, and asked of records.

use std::cmp::Ordering;
use std::collections::HashSet;

use crate::fake::moment::parse_date;
use crate::fake::salesforce::errors::{self, Refusal};
use crate::fake::salesforce::field::FieldType;
use crate::fake::salesforce::id;
use crate::fake::salesforce::shelf::folded;
use crate::fake::salesforce::soql::ast::{Condition, Literal, LiteralValue, Operator, Path};
use crate::fake::salesforce::soql::dates::{self, Span, Time};
use crate::fake::salesforce::soql::literal::{self, Part};
use crate::fake::salesforce::soql::path::{Column, Scope};
use crate::fake::salesforce::soql::token::placed;
use crate::fake::salesforce::soql::{plan, run};
use crate::fake::salesforce::state::State;
use crate::fake::salesforce::turn::Turn;
use crate::fake::salesforce::view::{Cell, View};

/// A condition that can be asked. It is true or false: where a value is missing, only `!=` and its like are true.
#[derive(Clone, Debug)]
pub(crate) enum Test {
    All(Vec<Self>),
    Any(Vec<Self>),
    Not(Box<Self>),
    Compare(Column, Operator, Operand),
    /// Values in lower case, ids in their long form.
    Among {
        column: Column,
        negated: bool,
        values: HashSet<String>,
        null: bool,
    },
    Includes {
        column: Column,
        negated: bool,
        groups: Vec<Vec<String>>,
    },
    Like(Column, Vec<Part>),
}

/// The other side of a comparison.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Operand {
    Exact(String),
    Flag(bool),
    Folded(String),
    Null,
    Number(f64),
    Span(Span),
}

/// Checks a condition.
pub(crate) fn compile(scope: Scope<'_>, turn: &Turn, condition: &Condition) -> Result<Test, Refusal> {
    let each = |all: &[Condition]| all.iter().map(|one| compile(scope, turn, one)).collect::<Result<Vec<_>, _>>();
    Ok(match condition {
        Condition::All(all) => Test::All(each(all)?),
        Condition::Any(all) => Test::Any(each(all)?),
        Condition::Not(inner) => Test::Not(Box::new(compile(scope, turn, inner)?)),
        Condition::Compare(path, operator, literal) => {
            let column = filterable(scope, path)?;
            let operand = operand(scope, turn, path, &column, literal)?;
            Test::Compare(column, *operator, operand)
        }
        Condition::Like(path, literal) => {
            let column = filterable(scope, path)?;
            match &literal.value {
                LiteralValue::Quoted(raw) if column.kind(scope.state).is_text() => {
                    Test::Like(column, literal::pattern(scope.statement, literal.at, raw)?)
                }
                _ => return Err(wrong_operator(scope, path)),
            }
        }
        Condition::In { path, negated, list } => among(scope, turn, path, *negated, list)?,
        Condition::InSelect { path, negated, select } => {
            let column = filterable(scope, path)?;
            let inner = plan::plan(scope.state, turn, scope.statement, select)?;
            let values = run::ids(scope.state, &inner);
            Test::Among { column, negated: *negated, values, null: false }
        }
        Condition::Includes { path, negated, list } => {
            let column = filterable(scope, path)?;
            if column.kind(scope.state) != FieldType::MultiPicklist {
                return Err(wrong_operator(scope, path));
            }
            let group = |literal: &Literal| {
                let LiteralValue::Quoted(raw) = &literal.value else { return Err(wrong_operator(scope, path)) };
                let text = literal::text(scope.statement, literal.at, raw)?;
                Ok(text.split(';').map(|part| folded(part.trim())).collect())
            };
            Test::Includes { column, negated: *negated, groups: list.iter().map(group).collect::<Result<_, _>>()? }
        }
    })
}

fn filterable(scope: Scope<'_>, path: &Path) -> Result<Column, Refusal> {
    let column = scope.column(path)?;
    if column.field(scope.state).is_some_and(|field| !field.is_filterable()) {
        let message = format!("field '{}' can not be filtered in a query call", path.text);
        return Err(scope.invalid(path, &message));
    }
    Ok(column)
}

fn wrong_operator(scope: Scope<'_>, path: &Path) -> Refusal {
    let message = format!("invalid operator on {} field", path.text);
    errors::invalid("INVALID_QUERY_FILTER_OPERATOR", placed(scope.statement, path.at, &message))
}

fn wrong_type(scope: Scope<'_>, path: &Path, wanted: &str, quotes: bool) -> Refusal {
    let quotes = if quotes { "should be" } else { "should not be" };
    let name = path.text.rsplit('.').next().unwrap_or(&path.text);
    let message = format!(
        "value of filter criterion for field '{name}' must be of type {wanted} and {quotes} enclosed in quotes"
    );
    scope.invalid(path, &message)
}

fn operand(scope: Scope<'_>, turn: &Turn, path: &Path, column: &Column, literal: &Literal) -> Result<Operand, Refusal> {
    let kind = column.kind(scope.state);
    let exact = column.field(scope.state).is_some_and(|field| field.case_sensitive);
    Ok(match (&literal.value, kind) {
        (LiteralValue::Null, _) => Operand::Null,
        (LiteralValue::Flag(flag), FieldType::Boolean) => Operand::Flag(*flag),
        (_, FieldType::Boolean) => return Err(wrong_type(scope, path, "boolean", false)),
        (LiteralValue::Quoted(raw), FieldType::Id | FieldType::Reference) => {
            let text = literal::text(scope.statement, literal.at, raw)?;
            if text.is_empty() {
                return Ok(Operand::Null);
            }
            let id = id::canonical(&text).ok_or_else(|| {
                errors::invalid(
                    "INVALID_QUERY_FILTER_OPERATOR",
                    placed(scope.statement, path.at, &format!("invalid ID field: {text}")),
                )
            })?;
            Operand::Exact(id)
        }
        (LiteralValue::Quoted(raw), kind) if kind.is_text() => {
            let text = literal::text(scope.statement, literal.at, raw)?;
            match (text.is_empty(), exact) {
                (true, _) => Operand::Null,
                (false, true) => Operand::Exact(text),
                (false, false) => Operand::Folded(folded(&text)),
            }
        }
        (LiteralValue::Plain(text), FieldType::Date) => match dates::parse(text, turn.now) {
            Some(Time::Date(span) | Time::Relative(span)) => Operand::Span(span),
            _ => return Err(wrong_type(scope, path, "date", false)),
        },
        (LiteralValue::Plain(text), FieldType::DateTime) => match dates::parse(text, turn.now) {
            Some(Time::Moment(span) | Time::Relative(span)) => Operand::Span(span),
            _ => return Err(wrong_type(scope, path, "dateTime", false)),
        },
        (LiteralValue::Plain(text), kind) if kind == FieldType::Int || kind.is_decimal() => {
            // `USD5000` is an amount in a currency; this org has one.
            let digits = text.trim_start_matches(|character: char| character.is_ascii_uppercase());
            let number = digits.parse().map_err(|_| wrong_type(scope, path, kind.names().0, false))?;
            Operand::Number(number)
        }
        (_, FieldType::Date) => return Err(wrong_type(scope, path, "date", false)),
        (_, FieldType::DateTime) => return Err(wrong_type(scope, path, "dateTime", false)),
        (_, kind) if kind == FieldType::Int || kind.is_decimal() => {
            return Err(wrong_type(scope, path, kind.names().0, false));
        }
        _ => return Err(wrong_type(scope, path, "string", true)),
    })
}

fn among(scope: Scope<'_>, turn: &Turn, path: &Path, negated: bool, list: &[Literal]) -> Result<Test, Refusal> {
    let column = filterable(scope, path)?;
    let kind = column.kind(scope.state);
    let operands: Vec<Operand> =
        list.iter().map(|one| operand(scope, turn, path, &column, one)).collect::<Result<_, _>>()?;
    if !kind.is_text() && !matches!(kind, FieldType::Id | FieldType::Reference) {
        let any = operands.into_iter().map(|one| Test::Compare(column.clone(), Operator::Equal, one)).collect();
        return Ok(if negated { Test::Not(Box::new(Test::Any(any))) } else { Test::Any(any) });
    }
    let null = operands.contains(&Operand::Null);
    let text = |operand| match operand {
        Operand::Exact(text) | Operand::Folded(text) => Some(text),
        Operand::Flag(_) | Operand::Null | Operand::Number(_) | Operand::Span(_) => None,
    };
    Ok(Test::Among { column, negated, values: operands.into_iter().filter_map(text).collect(), null })
}

/// Asks a condition of a record.
pub(crate) fn passes<'a>(state: &'a State, view: View<'a>, test: &Test) -> bool {
    match test {
        Test::All(all) => all.iter().all(|one| passes(state, view, one)),
        Test::Any(all) => all.iter().any(|one| passes(state, view, one)),
        Test::Not(inner) => !passes(state, view, inner),
        Test::Compare(column, operator, operand) => compare(&column.cell(state, view), *operator, operand),
        Test::Among { column, negated, values, null } => {
            let found = match column.cell(state, view) {
                Cell::Null => *null,
                Cell::Text(text) if values.contains(text.as_ref()) => true,
                Cell::Text(text) if column.kind(state).is_text() => values.contains(&folded(&text)),
                _ => false,
            };
            found != *negated
        }
        Test::Includes { column, negated, groups } => {
            let Cell::Text(text) = column.cell(state, view) else { return *negated };
            let chosen: Vec<String> = text.split(';').map(folded).collect();
            groups.iter().any(|group| group.iter().all(|wanted| chosen.contains(wanted))) != *negated
        }
        Test::Like(column, pattern) => match column.cell(state, view) {
            Cell::Text(text) => {
                let text: Vec<char> = text.chars().flat_map(char::to_lowercase).collect();
                literal::matches(pattern, &text)
            }
            _ => false,
        },
    }
}

fn compare(cell: &Cell<'_>, operator: Operator, operand: &Operand) -> bool {
    let order = match (cell, operand) {
        // A checkbox that is empty is not ticked.
        (Cell::Flag(flag), Operand::Null) => Some(flag.cmp(&false)),
        (Cell::Null, Operand::Null) => Some(Ordering::Equal),
        (Cell::Null, _) | (_, Operand::Null) => return operator == Operator::NotEqual,
        (Cell::Flag(flag), Operand::Flag(wanted)) => Some(flag.cmp(wanted)),
        (Cell::Text(text), Operand::Exact(wanted)) => Some(text.as_ref().cmp(wanted)),
        (Cell::Text(text), Operand::Folded(wanted)) => Some(folded(text).cmp(wanted)),
        (Cell::Number(text), Operand::Number(wanted)) => {
            text.parse::<f64>().ok().and_then(|number| number.partial_cmp(wanted))
        }
        (Cell::Moment(ms), Operand::Span(span)) => Some(within(*ms, *span)),
        (Cell::Text(text), Operand::Span(span)) => parse_date(text).map(|ms| within(ms, *span)),
        _ => None,
    };
    order.is_some_and(|order| match operator {
        Operator::Equal => order == Ordering::Equal,
        Operator::NotEqual => order != Ordering::Equal,
        Operator::Less => order == Ordering::Less,
        Operator::LessOrEqual => order != Ordering::Greater,
        Operator::Greater => order == Ordering::Greater,
        Operator::GreaterOrEqual => order != Ordering::Less,
    })
}

/// Before, in, or behind a span.
fn within(ms: i64, span: Span) -> Ordering {
    if ms < span.from {
        Ordering::Less
    } else if ms < span.to {
        Ordering::Equal
    } else {
        Ordering::Greater
    }
}
