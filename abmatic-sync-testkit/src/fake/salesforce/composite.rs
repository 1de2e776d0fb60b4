//! Composite: up to twenty-five calls in one, each of which may use what an earlier one answered.

use serde_json::{Map, Value, json};

use crate::fake::exchange::{Request, Response};
use crate::fake::salesforce::answer::{settled, turn_of};
use crate::fake::salesforce::dispatch;
use crate::fake::salesforce::errors::{self, Refusal};
use crate::fake::salesforce::reply::{self, Ruling};
use crate::fake::salesforce::routes::{self, Area};
use crate::fake::salesforce::state::State;
use crate::fake::salesforce::turn::Turn;

const CALLS_MAX: usize = 25;
/// Of them, queries and collections.
const HEAVY_CALLS_MAX: usize = 5;
/// Since this version a reference id is checked for its characters.
const STRICT_IDS: u16 = 52;

/// One call inside another.
struct Call {
    reference: String,
    method: String,
    url: String,
    body: Value,
    headers: Vec<(String, String)>,
}

/// `POST …/composite`.
pub(crate) fn composite(state: &mut State, turn: &Turn, body: &Value) -> Ruling {
    let all_or_none = body.get("allOrNone").is_some_and(|flag| flag == true);
    let calls = read(turn, body)?;
    let shown = state.transaction(|state| {
        let mut answers: Map<String, Value> = Map::new();
        let mut shown: Vec<Value> = Vec::new();
        let mut failed = false;
        for call in &calls {
            let response = run(state, turn, call, &answers);
            failed |= response.status >= 300;
            let body = if response.body.is_empty() { Value::Null } else { response.json() };
            if response.status < 300 {
                answers.insert(call.reference.clone(), body.clone());
            }
            let location = response.header("Location").map(|path| json!({"Location": path}));
            shown.push(json!({
                "body": body, "httpHeaders": location.unwrap_or_else(|| json!({})),
                "httpStatusCode": response.status, "referenceId": call.reference,
            }));
        }
        let keep = !(failed && all_or_none);
        (if keep { shown } else { halted(shown) }, keep)
    });
    Ok(reply::ok(&json!({"compositeResponse": shown})))
}

/// What the calls that went well answer once another one has failed.
fn halted(shown: Vec<Value>) -> Vec<Value> {
    let message = "The transaction was rolled back since another operation in the same transaction failed.";
    let body = json!([{"errorCode": "PROCESSING_HALTED", "message": message}]);
    let halt = |mut one: Value| {
        if one["httpStatusCode"].as_u64().is_some_and(|status| status < 300) {
            (one["body"], one["httpHeaders"], one["httpStatusCode"]) = (body.clone(), json!({}), json!(400));
        }
        one
    };
    shown.into_iter().map(halt).collect()
}

fn read(turn: &Turn, body: &Value) -> Result<Vec<Call>, Refusal> {
    let calls = body.get("compositeRequest").and_then(Value::as_array);
    let calls =
        calls.ok_or_else(|| errors::json_parser("The request has no compositeRequest at [line:1, column:1]"))?;
    if calls.len() > CALLS_MAX {
        let message = format!("The limit of {CALLS_MAX} subrequests has been exceeded");
        return Err(errors::invalid("LIMIT_EXCEEDED", message));
    }
    let calls: Vec<Call> = calls.iter().map(|call| read_call(turn, call)).collect::<Result<_, _>>()?;
    let is_heavy = |call: &&Call| call.url.contains("/query") || call.url.contains("/composite/sobjects");
    if calls.iter().filter(is_heavy).count() > HEAVY_CALLS_MAX {
        let message = format!("Cannot have more than {HEAVY_CALLS_MAX} query or sObject Collections subrequests");
        return Err(errors::invalid("LIMIT_EXCEEDED", message));
    }
    Ok(calls)
}

fn read_call(turn: &Turn, call: &Value) -> Result<Call, Refusal> {
    let text = |key: &str| call.get(key).and_then(Value::as_str).unwrap_or_default().to_owned();
    let reference = text("referenceId");
    let plain = |character: char| character.is_ascii_alphanumeric() || character == '_';
    let starts = reference.starts_with(|character: char| character.is_ascii_alphanumeric());
    if reference.is_empty() || (turn.version >= STRICT_IDS && !(starts && reference.chars().all(plain))) {
        let message = format!(
            "Provided referenceId ('{reference}') must start with a letter or a number, and it can contain only letters, \
             numbers and underscores ('_')."
        );
        return Err(errors::json_parser(message));
    }
    let headers: Vec<(String, String)> = call
        .get("httpHeaders")
        .and_then(Value::as_object)
        .into_iter()
        .flatten()
        .map(|(name, value)| (name.clone(), value.as_str().unwrap_or_default().to_owned()))
        .collect();
    let forbidden = ["accept", "authorization", "content-type"];
    if headers.iter().any(|(name, _)| forbidden.contains(&name.to_ascii_lowercase().as_str())) {
        return Err(errors::invalid("INVALID_HTTP_HEADER", "A subrequest can't set this header"));
    }
    let body = call.get("body").cloned().unwrap_or_default();
    Ok(Call { reference, method: text("method"), url: text("url"), body, headers })
}

fn run(state: &mut State, turn: &Turn, call: &Call, answers: &Map<String, Value>) -> Response {
    let ruling = resolve_text(&call.url, answers)
        .and_then(|url| Ok((url, resolve(&call.body, answers)?)))
        .and_then(|(url, body)| carry_out(state, turn, call, &url, &body));
    settled(ruling, turn.version)
}

fn carry_out(state: &mut State, turn: &Turn, call: &Call, url: &str, body: &Value) -> Ruling {
    let mut request = Request::new(&call.method, &url.replace(' ', "%20"));
    request.headers.clone_from(&call.headers);
    if !body.is_null() {
        request = request.json(body);
    }
    let route = routes::parse(&request.path);
    let Area::Data(version) = route.area else { return Err(errors::not_found()) };
    let inner = matches!(route.rest.first().map(String::as_str), Some("jobs"))
        || matches!(route.rest.as_slice(), [only] if only == "composite");
    if inner {
        return Err(errors::not_found());
    }
    let by_headers = turn_of(state, turn.now, &request, version);
    let turn = Turn { rows_locked: turn.rows_locked, ..by_headers };
    dispatch::dispatch(state, &turn, &request, &route.rest)
}

fn halted_by(reference: &str) -> Refusal {
    errors::invalid("PROCESSING_HALTED", format!("Invalid reference specified. No value for {reference} found"))
}

/// Puts in what `@{reference.path}` stands for, everywhere in a body.
fn resolve(value: &Value, answers: &Map<String, Value>) -> Result<Value, Refusal> {
    Ok(match value {
        Value::String(text) => resolve_text(text, answers)?.into(),
        Value::Array(items) => items.iter().map(|item| resolve(item, answers)).collect::<Result<Vec<_>, _>>()?.into(),
        Value::Object(fields) => {
            let pairs = fields.iter().map(|(key, value)| Ok((key.clone(), resolve(value, answers)?)));
            pairs.collect::<Result<Map<_, _>, Refusal>>()?.into()
        }
        other => other.clone(),
    })
}

fn resolve_text(text: &str, answers: &Map<String, Value>) -> Result<String, Refusal> {
    let mut out = String::new();
    let mut rest = text;
    while let Some((before, after)) = rest.split_once("@{") {
        let Some((reference, tail)) = after.split_once('}') else { break };
        out.push_str(before);
        match look_up(reference, answers) {
            Some(Value::String(text)) => out.push_str(text),
            Some(other) if !other.is_null() => out.push_str(&other.to_string()),
            _ => return Err(halted_by(reference)),
        }
        rest = tail;
    }
    out.push_str(rest);
    Ok(out)
}

/// `q.records[0].Id` in the answers so far.
fn look_up<'a>(reference: &str, answers: &'a Map<String, Value>) -> Option<&'a Value> {
    let mut steps = reference.split(['.', '[']).map(|step| step.trim_end_matches(']'));
    let mut value = answers.get(steps.next()?)?;
    for step in steps.filter(|step| !step.is_empty()) {
        value = match value {
            Value::Array(items) => items.get(step.parse::<usize>().ok()?)?,
            other => other.get(step)?,
        };
    }
    Some(value)
}
