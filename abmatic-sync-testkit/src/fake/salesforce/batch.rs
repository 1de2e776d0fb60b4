//! Batches: up to twenty-five calls in one that know nothing of each other, each of which counts.

use serde_json::{Value, json};

use crate::fake::exchange::Request;
use crate::fake::salesforce::answer::{settled, turn_of};
use crate::fake::salesforce::dispatch;
use crate::fake::salesforce::errors;
use crate::fake::salesforce::reply::{self, Ruling};
use crate::fake::salesforce::routes::{self, Area};
use crate::fake::salesforce::state::State;
use crate::fake::salesforce::turn::Turn;

const CALLS_MAX: usize = 25;

/// The calls that a batch's body asks for, at least one.
pub(crate) fn cost(body: &[u8]) -> u64 {
    let body: Value = serde_json::from_slice(body).unwrap_or_default();
    let calls = body.get("batchRequests").and_then(Value::as_array).map_or(0, Vec::len);
    calls.max(1) as u64
}

/// `POST …/composite/batch`.
pub(crate) fn batch(state: &mut State, turn: &Turn, body: &Value) -> Ruling {
    let calls = body.get("batchRequests").and_then(Value::as_array);
    let calls = calls.ok_or_else(|| errors::json_parser("The request has no batchRequests at [line:1, column:1]"))?;
    if calls.len() > CALLS_MAX {
        let message = format!("The limit of {CALLS_MAX} subrequests has been exceeded");
        return Err(errors::invalid("LIMIT_EXCEEDED", message));
    }
    let halts = body.get("haltOnError").is_some_and(|flag| flag == true);
    let mut has_errors = false;
    let mut results = Vec::with_capacity(calls.len());
    for call in calls {
        if has_errors && halts {
            let message = "Batch processing halted per request";
            let result = json!([{"errorCode": "BATCH_PROCESSING_HALTED", "message": message}]);
            results.push(json!({"statusCode": 412, "result": result}));
            continue;
        }
        let response = settled(carry_out(state, turn, call), turn.version);
        has_errors |= response.status >= 400;
        let result = if response.body.is_empty() { Value::Null } else { response.json() };
        results.push(json!({"statusCode": response.status, "result": result}));
    }
    Ok(reply::ok(&json!({"hasErrors": has_errors, "results": results})))
}

fn carry_out(state: &mut State, turn: &Turn, call: &Value) -> Ruling {
    let text = |key: &str| call.get(key).and_then(Value::as_str).unwrap_or_default();
    let url = text("url").trim_start_matches('/').trim_start_matches("services/data/");
    let mut request = Request::new(text("method"), &format!("/services/data/{url}"));
    if let Some(body) = call.get("richInput").filter(|body| !body.is_null()) {
        request = request.json(body);
    }
    let route = routes::parse(&request.path);
    let Area::Data(version) = route.area else { return Err(errors::not_found()) };
    if matches!(route.rest.first().map(String::as_str), Some("composite" | "jobs")) {
        return Err(errors::not_found());
    }
    let by_headers = turn_of(state, turn.now, &request, version);
    let turn = Turn { rows_locked: turn.rows_locked, allow_save: turn.allow_save, ..by_headers };
    dispatch::dispatch(state, &turn, &request, &route.rest)
}
