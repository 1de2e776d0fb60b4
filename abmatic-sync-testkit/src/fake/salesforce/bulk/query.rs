//! Query jobs: a statement in, pages of CSV out.

use serde_json::{Value, json};

use crate::fake::exchange::Request;
use crate::fake::salesforce::bulk::csv::{self, Format};
use crate::fake::salesforce::bulk::job::{Job, Progress, Reading, Work};
use crate::fake::salesforce::errors::{self, Refusal};
use crate::fake::salesforce::field::FieldType;
use crate::fake::salesforce::query::prepare;
use crate::fake::salesforce::reply::{self, Ruling};
use crate::fake::salesforce::soql::plan::{Output, Plan};
use crate::fake::salesforce::soql::render::Pen;
use crate::fake::salesforce::soql::run;
use crate::fake::salesforce::soql::shape::Entry;
use crate::fake::salesforce::state::State;
use crate::fake::salesforce::turn::Turn;

/// Before this version columns were in alphabetical order.
const SELECT_ORDER: u16 = 50;
/// Result pages of one answer.
const PAGES_MAX: usize = 5;

/// A text of the body, or what it is when it is not sent.
pub(crate) fn text<'a>(body: &'a Value, key: &str, default: &'a str) -> &'a str {
    body.get(key).and_then(Value::as_str).unwrap_or(default)
}

/// The format that a job asks for.
pub(crate) fn format(body: &Value) -> Result<Format, Refusal> {
    let content = text(body, "contentType", "CSV");
    let format = Format::parse(text(body, "columnDelimiter", "COMMA"), text(body, "lineEnding", "LF"));
    format.filter(|_| content.eq_ignore_ascii_case("CSV")).ok_or_else(|| {
        errors::invalid("INVALIDJOB", "InvalidJob : contentType, columnDelimiter or lineEnding is not valid")
    })
}

/// `POST …/jobs/query`.
pub(crate) fn create(state: &mut State, turn: &Turn, body: &Value) -> Ruling {
    let operation = text(body, "operation", "");
    if !matches!(operation, "query" | "queryAll") {
        return Err(errors::invalid("INVALIDJOB", format!("InvalidJob : Invalid operation {operation}")));
    }
    let format = format(body)?;
    let mut plan = prepare(state, turn, text(body, "query", ""))?;
    check(state, &plan)?;
    if turn.version < SELECT_ORDER {
        plan.columns.sort_by_key(|column| column.name(state));
    }
    let job = Job {
        number: 0,
        created: 0,
        stamp: 0,
        by: turn.by,
        version: turn.version,
        operation: operation.to_owned(),
        kind: plan.kind,
        format,
        progress: Progress::UploadComplete,
        polls_left: state.settings.bulk_polls,
        error: None,
        work: Work::Query(Box::new(Reading { plan, numbers: Vec::new() })),
    };
    let number = state.jobs.add(turn, job);
    let made = state.jobs.iter().find(|job| job.number == number).map(Job::shown).unwrap_or_default();
    Ok(reply::ok(&made))
}

/// What bulk jobs cannot read.
fn check(state: &State, plan: &Plan) -> Result<(), Refusal> {
    let refuse = |message: &str| Err(errors::invalid("API_ERROR", message.to_owned()));
    if !matches!(plan.output, Output::Rows) {
        return refuse("Aggregate Relationships not supported in Bulk Query");
    }
    if plan.shape.0.iter().any(|entry| matches!(entry, Entry::Children { .. })) {
        return refuse("Nested Relationships not supported in Bulk Query");
    }
    if plan.offset > 0 {
        return refuse("OFFSET not supported in Bulk Query");
    }
    if plan.columns.iter().any(|column| column.kind(state) == FieldType::Address) {
        return refuse("Selecting compound data not supported in Bulk Query");
    }
    Ok(())
}

/// `GET …/jobs/query`.
pub(crate) fn list(state: &State, _turn: &Turn) -> Ruling {
    let jobs = state.jobs.iter().filter(|job| matches!(job.work, Work::Query(_)));
    let records: Vec<Value> = jobs.map(Job::shown).collect();
    Ok(reply::ok(&json!({"done": true, "records": records, "nextRecordsUrl": null})))
}

/// `GET …/jobs/query/{id}`.
pub(crate) fn info(state: &mut State, turn: &Turn, id: &str) -> Ruling {
    let job = state.jobs.find(id, true)?;
    if job.poll(turn.now) {
        let with_deleted = job.operation == "queryAll";
        let plan = match &job.work {
            Work::Query(reading) => reading.plan.clone(),
            Work::Load(_) => return Err(errors::not_found()),
        };
        let numbers = run::numbers(state, &plan, with_deleted);
        let job = state.jobs.find(id, true)?;
        job.work = Work::Query(Box::new(Reading { plan, numbers }));
        job.move_to(Progress::Complete, turn.now);
    }
    Ok(reply::ok(&state.jobs.find(id, true)?.detailed()))
}

/// `PATCH …/jobs/query/{id}`: abort.
pub(crate) fn patch(state: &mut State, turn: &Turn, id: &str, body: &Value) -> Ruling {
    let job = state.jobs.find(id, true)?;
    if text(body, "state", "") != "Aborted" || job.progress.is_over() {
        let message = format!("Job {} cannot change from {}", job.id(), job.progress.name());
        return Err(errors::invalid("INVALIDJOBSTATE", message));
    }
    job.move_to(Progress::Aborted, turn.now);
    Ok(reply::ok(&job.shown()))
}

/// `DELETE …/jobs/query/{id}`.
pub(crate) fn delete(state: &mut State, id: &str) -> Ruling {
    state.jobs.remove(id, true)?;
    Ok(reply::empty(204))
}

/// The results of a job that is complete, read with the version it was made with.
fn complete<'a>(state: &'a mut State, turn: &Turn, id: &str) -> Result<&'a Job, Refusal> {
    let job = state.jobs.find(id, true)?;
    if job.version != turn.version {
        let message = format!("The job was created with API version {}.0", job.version);
        return Err(errors::RowError::new("API_VERSION_MISMATCH", message).status(409).into());
    }
    if job.progress != Progress::Complete {
        let message = format!("The job is {} and has no results", job.progress.name());
        return Err(errors::invalid("INVALIDJOBSTATE", message));
    }
    Ok(job)
}

fn locator(from: usize) -> String {
    format!("{:X}", 0x4D54_0000_usize + from)
}

fn position(locator: &str) -> Result<usize, Refusal> {
    let from = usize::from_str_radix(locator, 16).ok().and_then(|text| text.checked_sub(0x4D54_0000));
    from.ok_or_else(errors::invalid_locator)
}

fn page_max(state: &State, request: &Request) -> Result<usize, Refusal> {
    let Some(text) = request.query("maxRecords") else { return Ok(state.settings.bulk_page_max) };
    let wanted = text.parse::<usize>().ok().filter(|size| *size > 0);
    let wanted =
        wanted.ok_or_else(|| errors::invalid("INVALID_PARAMETER", format!("maxRecords is not valid: {text}")))?;
    Ok(wanted.min(state.settings.bulk_page_max))
}

/// `GET …/jobs/query/{id}/results`.
pub(crate) fn results(state: &mut State, turn: &Turn, id: &str, request: &Request) -> Ruling {
    let page_max = page_max(state, request)?;
    let from = request.query("locator").map_or(Ok(0), position)?;
    complete(state, turn, id)?;
    let number = state.jobs.find(id, true)?.number;
    let job = state.jobs.iter().find(|job| job.number == number).ok_or_else(errors::not_found)?;
    let Work::Query(reading) = &job.work else { return Err(errors::not_found()) };
    let total = reading.numbers.len();
    if from > total {
        return Err(errors::invalid_locator());
    }
    let to = (from + page_max).min(total);
    let mut out = Vec::with_capacity(64 * 1024);
    let names = reading.plan.columns.iter().map(|column| column.name(state).into());
    csv::write_line(&mut out, job.format, names);
    let with_deleted = job.operation == "queryAll";
    let page = reading.numbers.get(from..to).unwrap_or_default();
    Pen { state, turn, with_deleted }.lines(&mut out, &reading.plan, page, job.format);
    let next = if turn.repeat_page { from } else { to };
    let mut response = reply::csv(out);
    response.set("Sforce-NumberOfRecords", (to - from).to_string());
    response.set("Sforce-Locator", if to < total { locator(next) } else { "null".to_owned() });
    Ok(response)
}

/// `GET …/jobs/query/{id}/resultPages`.
pub(crate) fn result_pages(state: &mut State, turn: &Turn, id: &str, request: &Request) -> Ruling {
    let page_max = page_max(state, request)?;
    let first = request.query("locator").map_or(Ok(0), position)?;
    let job = complete(state, turn, id)?;
    let Work::Query(reading) = &job.work else { return Err(errors::not_found()) };
    let base = format!("{}/jobs/query/{}", turn.base(), job.id());
    let total = reading.numbers.len().max(1);
    let starts: Vec<usize> = (first..total).step_by(page_max).collect();
    let urls: Vec<Value> = starts
        .iter()
        .take(PAGES_MAX)
        .map(|from| json!({"resultUrl": format!("{base}/results?locator={}&maxRecords={page_max}", locator(*from))}))
        .collect();
    let next = starts.get(PAGES_MAX).map(|from| format!("{base}/resultPages?locator={}", locator(*from)));
    Ok(reply::ok(&json!({"resultPages": urls, "nextRecordsUrl": next, "done": next.is_none()})))
}
