//! What was changed and what was deleted in a span of time, and how many records there are.

use serde_json::{Value, json};

use crate::fake::exchange::{Request, Response};
use crate::fake::moment::DAY_MS;
use crate::fake::salesforce::errors::{self, Refusal};
use crate::fake::salesforce::kind::Kind;
use crate::fake::salesforce::reply::{self, Ruling};
use crate::fake::salesforce::state::{BIN_DAYS, State};
use crate::fake::salesforce::turn::Turn;
use crate::fake::salesforce::values;
use crate::fake::salesforce::view::moment_text;

const MINUTE_MS: i64 = 60_000;
const UPDATED_DAYS: i64 = 30;
const IDS_MAX: usize = 600_000;

/// Start and end, without their seconds.
fn span(request: &Request, now: i64, days: i64) -> Result<(i64, i64), Refusal> {
    let read = |name: &str| {
        let text = request.query(name).unwrap_or_default();
        // A plus that was not encoded has become a blank.
        let moment = values::parse_moment(&text.replace(' ', "+"));
        let minute = moment.map(|moment| moment.div_euclid(MINUTE_MS) * MINUTE_MS);
        minute.ok_or_else(|| errors::invalid("INVALID_REPLICATION_DATE", format!("invalid {name} date: {text}")))
    };
    let (start, end) = (read("start")?, read("end")?);
    if end - start < MINUTE_MS {
        return Err(errors::invalid("INVALID_REPLICATION_DATE", "startDate before endDate by at least one minute"));
    }
    if start < now - days * DAY_MS {
        let message = format!("startDate cannot be more than {days} days ago");
        return Err(errors::invalid("INVALID_REPLICATION_DATE", message));
    }
    Ok((start, end))
}

/// `GET …/sobjects/{Object}/updated`.
pub(crate) fn updated(state: &State, turn: &Turn, kind: Kind, request: &Request) -> Ruling {
    let (start, end) = span(request, turn.now, UPDATED_DAYS)?;
    let shelf = state.shelf(kind);
    let found = shelf.iter_stamped(start).filter_map(|number| Some((number, shelf.live(number)?)));
    let ids: Vec<String> =
        found.take_while(|(_, record)| record.stamp < end).map(|(number, _)| shelf.id(number)).collect();
    if ids.len() > IDS_MAX {
        return Err(errors::invalid("EXCEEDED_ID_LIMIT", format!("more than {IDS_MAX} ids were found")));
    }
    Ok(reply::ok(&json!({"ids": ids, "latestDateCovered": moment_text(end.min(turn.now))})))
}

/// `GET …/sobjects/{Object}/deleted`.
pub(crate) fn deleted(state: &State, turn: &Turn, kind: Kind, request: &Request) -> Ruling {
    let (start, end) = span(request, turn.now, BIN_DAYS)?;
    let shelf = state.shelf(kind);
    let found = shelf.iter_stamped(start).filter_map(|number| Some((number, shelf.get(number)?.deleted_at?)));
    let records: Vec<Value> = found
        .filter(|(_, at)| (start..end).contains(at))
        .map(|(number, at)| json!({"id": shelf.id(number), "deletedDate": moment_text(at)}))
        .collect();
    let earliest = turn.now - BIN_DAYS * DAY_MS;
    Ok(reply::ok(&json!({
        "deletedRecords": records, "earliestDateAvailable": moment_text(earliest),
        "latestDateCovered": moment_text(end.min(turn.now)),
    })))
}

/// `GET …/limits/recordCount?sObjects=…`; without names, all objects.
pub(crate) fn record_count(state: &State, request: &Request) -> Response {
    let names: Vec<&str> = request.query_list("sObjects").collect();
    let wanted = |kind: &Kind| names.is_empty() || names.iter().any(|name| kind.name().eq_ignore_ascii_case(name));
    let count = |kind: Kind| json!({"count": state.shelf(kind).live_count(), "name": kind.name()});
    let all: Vec<Value> = state.kinds().filter(wanted).map(count).collect();
    reply::ok(&json!({"sObjects": all}))
}
