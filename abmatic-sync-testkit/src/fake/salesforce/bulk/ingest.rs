//! Ingest jobs: made, filled, started, polled, and their results.

use serde_json::{Value, json};

use crate::fake::exchange::Request;
use crate::fake::salesforce::bulk::job::{Job, Load, Progress, Work};
use crate::fake::salesforce::bulk::load;
use crate::fake::salesforce::bulk::query::{format, text};
use crate::fake::salesforce::errors::{self, Refusal};
use crate::fake::salesforce::reply::{self, Ruling};
use crate::fake::salesforce::state::State;
use crate::fake::salesforce::turn::Turn;
use crate::fake::salesforce::upsert::key_field;

/// 150 MB once it is encoded as base64.
const UPLOAD_BYTES_MAX: usize = 112_500_000;

fn invalid_job(message: &str) -> Refusal {
    errors::invalid("INVALIDJOB", format!("InvalidJob : {message}"))
}

/// `POST …/jobs/ingest`.
pub(crate) fn create(state: &mut State, turn: &Turn, body: &Value) -> Ruling {
    let (object, operation) = (text(body, "object", ""), text(body, "operation", ""));
    let missing = || {
        let message = format!("Entity '{object}' is not supported by the Bulk API.");
        errors::invalid("INVALIDENTITY", message)
    };
    let kind = state.kind(object).filter(|kind| kind.facts().writable).ok_or_else(missing)?;
    if !matches!(operation, "insert" | "update" | "upsert" | "delete" | "hardDelete") {
        return Err(invalid_job(&format!("Invalid operation {operation}")));
    }
    let external_id = match (operation, body.get("externalIdFieldName").and_then(Value::as_str)) {
        ("upsert", None) => return Err(invalid_job("The externalIdFieldName is required for upsert")),
        ("upsert", Some(name)) => {
            let found = key_field(state, kind, name).map(|(_, field)| field.name.clone());
            Some(found.map_err(|_| invalid_job(&format!("Field name not found : {name}")))?)
        }
        _ => None,
    };
    let job = Job {
        number: 0,
        created: 0,
        stamp: 0,
        by: turn.by,
        version: turn.version,
        operation: operation.to_owned(),
        kind,
        format: format(body)?,
        progress: Progress::Open,
        polls_left: state.settings.bulk_polls,
        error: None,
        work: Work::Load(Box::new(Load { external_id, ..Load::default() })),
    };
    let number = state.jobs.add(turn, job);
    let made = state.jobs.iter().find(|job| job.number == number).map(Job::shown).unwrap_or_default();
    Ok(reply::ok(&made))
}

/// `PUT …/jobs/ingest/{id}/batches`, once.
pub(crate) fn upload(state: &mut State, id: &str, request: &Request) -> Ruling {
    let job = state.jobs.find(id, false)?;
    let content_type = request.header("content-type").unwrap_or_default();
    if !content_type.to_ascii_lowercase().starts_with("text/csv") {
        return Err(errors::unsupported_media_type());
    }
    if request.body.len() > UPLOAD_BYTES_MAX {
        return Err(errors::invalid("REQUEST_TOO_LARGE", "The uploaded data exceeds 150 MB"));
    }
    let is_open = job.progress == Progress::Open;
    match &mut job.work {
        Work::Load(load) if is_open && load.data.is_none() => {
            load.data = Some(request.body.clone());
            Ok(reply::empty(201))
        }
        _ => Err(errors::invalid("INVALIDJOBSTATE", "Found multiple contents for job or the job is not open")),
    }
}

/// `PATCH …/jobs/ingest/{id}`: start or abort.
pub(crate) fn patch(state: &mut State, turn: &Turn, id: &str, body: &Value) -> Ruling {
    let job = state.jobs.find(id, false)?;
    let has_data = matches!(&job.work, Work::Load(load) if load.data.is_some());
    let wanted = match (text(body, "state", ""), job.progress) {
        ("UploadComplete", Progress::Open) if has_data => Progress::UploadComplete,
        ("Aborted", progress) if !progress.is_over() => Progress::Aborted,
        (wanted, progress) => {
            let message = format!("Job {} cannot change from {} to {wanted}", job.id(), progress.name());
            return Err(errors::invalid("INVALIDJOBSTATE", message));
        }
    };
    job.move_to(wanted, turn.now);
    if wanted == Progress::Aborted {
        load::leave_unprocessed(job);
    }
    Ok(reply::ok(&job.shown()))
}

/// `GET …/jobs/ingest/{id}`.
pub(crate) fn info(state: &mut State, turn: &Turn, id: &str) -> Ruling {
    if state.jobs.find(id, false)?.poll(turn.now) {
        load::carry_out(state, turn, id)?;
    }
    Ok(reply::ok(&state.jobs.find(id, false)?.detailed()))
}

/// `GET …/jobs/ingest`.
pub(crate) fn list(state: &State, _turn: &Turn) -> Ruling {
    let jobs = state.jobs.iter().filter(|job| matches!(job.work, Work::Load(_)));
    let records: Vec<Value> = jobs.map(Job::shown).collect();
    Ok(reply::ok(&json!({"done": true, "records": records, "nextRecordsUrl": null})))
}

/// `DELETE …/jobs/ingest/{id}`.
pub(crate) fn delete(state: &mut State, id: &str) -> Ruling {
    state.jobs.remove(id, false)?;
    Ok(reply::empty(204))
}

/// `GET …/jobs/ingest/{id}/{successfulResults,failedResults,unprocessedrecords}`.
pub(crate) fn results(state: &mut State, turn: &Turn, id: &str, which: &str) -> Ruling {
    // Clients spell the last one with a capital, too, and are understood.
    let which = which.to_ascii_lowercase();
    if !["successfulresults", "failedresults", "unprocessedrecords"].contains(&which.as_str()) {
        return Err(errors::not_found());
    }
    let job = state.jobs.find(id, false)?;
    if job.version != turn.version {
        let message = format!("The job was created with API version {}.0", job.version);
        return Err(errors::RowError::new("API_VERSION_MISMATCH", message).status(409).into());
    }
    if !job.progress.is_over() {
        let message = format!("The job is {} and has no results", job.progress.name());
        return Err(errors::invalid("INVALIDJOBSTATE", message));
    }
    let Work::Load(load) = &job.work else { return Err(errors::not_found()) };
    let file = match which.as_str() {
        "successfulresults" => &load.successful,
        "failedresults" => &load.failed,
        _ => &load.unprocessed,
    };
    Ok(reply::csv(file.clone()))
}
