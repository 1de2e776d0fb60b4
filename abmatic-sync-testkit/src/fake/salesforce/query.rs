//! `query`, `queryAll` and the pages that follow.

use serde_json::json;

use crate::fake::exchange::{Request, Response};
use crate::fake::json;
use crate::fake::salesforce::answer::authorization;
use crate::fake::salesforce::cursors::Cursor;
use crate::fake::salesforce::errors::{self, Refusal};
use crate::fake::salesforce::reply::{self, Ruling};
use crate::fake::salesforce::soql::plan::{Output, Plan};
use crate::fake::salesforce::soql::render::Pen;
use crate::fake::salesforce::soql::{aggregate, parser, plan, run};
use crate::fake::salesforce::state::State;
use crate::fake::salesforce::turn::Turn;

const PAGE_MIN: usize = 200;
const PAGE_MAX: usize = 2000;
/// How the locators of this instance begin; a number follows, and the position.
const LOCATOR: &str = "01g5e0";

/// Reads and checks a statement.
pub(crate) fn prepare(state: &State, turn: &Turn, statement: &str) -> Result<Plan, Refusal> {
    plan::plan(state, turn, statement, &parser::parse(statement)?)
}

/// `GET …/query?q=…` and `GET …/queryAll?q=…`.
pub(crate) fn first(state: &mut State, turn: &Turn, request: &Request, with_deleted: bool) -> Ruling {
    let statement = request.query("q").unwrap_or_default();
    if statement.trim().is_empty() {
        return Err(errors::invalid("MALFORMED_QUERY", "A query string has to be specified"));
    }
    let plan = prepare(state, turn, statement)?;
    match &plan.output {
        Output::Count => {
            let count = run::numbers(state, &plan, with_deleted).len();
            Ok(reply::ok(&json!({"totalSize": count, "done": true, "records": []})))
        }
        Output::Groups(aggregation) => {
            let records = aggregate::records(state, &plan, aggregation, with_deleted);
            Ok(reply::ok(&json!({"totalSize": records.len(), "done": true, "records": records})))
        }
        Output::Rows => {
            let numbers = run::numbers(state, &plan, with_deleted);
            let page_max = page_max(request).min(state.settings.query_page_max);
            let cursor = Cursor::new(plan, numbers, with_deleted, page_max);
            Ok(open(state, turn, request, cursor))
        }
    }
}

/// The first page; the results are kept only if there are more.
fn open(state: &mut State, turn: &Turn, request: &Request, cursor: Cursor) -> Response {
    if cursor.numbers.len() <= cursor.page_max {
        return page(state, turn, &cursor, 0, 0);
    }
    let session = authorization(request).unwrap_or_default();
    let number = state.cursors.keep(cursor, session, turn.now);
    match state.cursors.find(number, session, turn.now) {
        Some(cursor) => page(state, turn, cursor, number, 0),
        None => reply::empty(500),
    }
}

/// `Sforce-Query-Options: batchSize=500`.
fn page_max(request: &Request) -> usize {
    let header = request.header("Sforce-Query-Options").unwrap_or_default().replace(' ', "").to_ascii_lowercase();
    let size = header.split(',').find_map(|part| part.strip_prefix("batchsize=")?.parse().ok());
    size.unwrap_or(PAGE_MAX).clamp(PAGE_MIN, PAGE_MAX)
}

/// `GET …/query/{locator}`.
pub(crate) fn more(state: &State, turn: &Turn, request: &Request, locator: &str) -> Ruling {
    let session = authorization(request).unwrap_or_default();
    let parsed = locator.strip_prefix(LOCATOR).and_then(|rest| rest.split_once('-'));
    let parsed = parsed.and_then(|(number, from)| Some((number.parse().ok()?, from.parse().ok()?)));
    let (number, from): (u64, usize) = parsed.ok_or_else(errors::invalid_locator)?;
    let cursor = state.cursors.find(number, session, turn.now).ok_or_else(errors::invalid_locator)?;
    if from >= cursor.numbers.len() {
        return Err(errors::invalid_locator());
    }
    Ok(page(state, turn, cursor, number, from))
}

fn page(state: &State, turn: &Turn, cursor: &Cursor, number: u64, from: usize) -> Response {
    let total = cursor.numbers.len();
    let to = (from + cursor.page_max).min(total);
    let done = to >= total;
    let mut out = Vec::with_capacity(64 * 1024);
    out.extend_from_slice(b"{\"totalSize\":");
    json::number(&mut out, total as u64);
    out.extend_from_slice(if done { b",\"done\":true" } else { b",\"done\":false" });
    if !done {
        let next = if turn.repeat_page { from } else { to };
        let path = format!(",\"nextRecordsUrl\":\"{}/query/{LOCATOR}{number:012}-{next}\"", turn.base());
        out.extend_from_slice(path.as_bytes());
    }
    out.extend_from_slice(b",\"records\":");
    let pen = Pen { state, turn, with_deleted: cursor.with_deleted };
    pen.records(&mut out, &cursor.plan, cursor.numbers.get(from..to).unwrap_or_default());
    out.push(b'}');
    reply::json(200, out)
}
