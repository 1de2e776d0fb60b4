//! The fake as a pure function: state, time and a request in, a response out.

use std::io::{Read as _, Write as _};

use flate2::Compression;
use flate2::read::GzDecoder;
use flate2::write::GzEncoder;
use serde_json::{Value, json};

use crate::fake::exchange::{Request, Response, encoded};
use crate::fake::fault::{Fault, FaultKind};
use crate::fake::salesforce::errors::{self, Refusal};
use crate::fake::salesforce::reply::{self, Ruling};
use crate::fake::salesforce::routes::{Area, Route};
use crate::fake::salesforce::state::State;
use crate::fake::salesforce::turn::Turn;
use crate::fake::salesforce::{dispatch, identity, oauth};

/// Oldest version that works, and oldest that works without a warning.
const OLDEST: u16 = 31;
const OLDEST_SUPPORTED: u16 = 41;
/// Bytes of a URI, and of a URI with its headers.
const URI_BYTES_MAX: usize = 16_384;
/// Smaller bodies are not worth compressing.
const GZIP_BYTES_MIN: usize = 1024;
const UNZIPPED_BYTES_MAX: u64 = 256 * 1024 * 1024;

/// Answers one request.
pub(crate) fn answer(state: &mut State, now: i64, request: &Request, route: &Route, fault: Option<&Fault>) -> Response {
    state.purge(now);
    let mut response = match route.area {
        Area::Identity | Area::Versions if !matches!(request.method.as_str(), "GET" | "HEAD") => {
            refused(&errors::method_not_allowed(&request.method, "HEAD,GET"), 62)
        }
        Area::Data(version) => data(state, now, request, route, version, fault),
        Area::Identity => identity::identity(state, now, request, &route.rest),
        Area::Nowhere => refused(&errors::not_found(), 62),
        Area::OAuth => oauth::answer(state, now, request, &route.rest),
        Area::Versions => reply::ok(&versions(state.settings.newest_version)),
    };
    if request.method == "HEAD" {
        response.body.clear();
    }
    zipped(request, response)
}

/// A refusal as a response, without the headers of the limits.
pub(crate) fn refused(refusal: &Refusal, version: u16) -> Response {
    let (content_type, body) = refusal.body(version);
    let mut response = Response::new(refusal.status, body);
    response.set("Content-Type", content_type);
    response
}

fn data(
    state: &mut State,
    now: i64,
    request: &Request,
    route: &Route,
    version: u16,
    fault: Option<&Fault>,
) -> Response {
    let is = |kind| fault.is_some_and(|fault| fault.kind == kind);
    let mut turn = turn_of(state, now, request, version);
    (turn.rows_locked, turn.repeat_page) = (is(FaultKind::Locked), is(FaultKind::RepeatedPage));
    let ruling = admit(state, &turn, request, &route.rest).and_then(|()| {
        let request = unpacked(request)?;
        dispatch::dispatch(state, &turn, &request, &route.rest)
    });
    let mut response = ruling.unwrap_or_else(|refusal| refused(&refusal, version));
    response.set("Sforce-Limit-Info", state.limits.header());
    if version < OLDEST_SUPPORTED {
        response.set("Warning", "299 - \"This API is deprecated and will be removed by Summer '28.\"");
    }
    response
}

/// What the headers say about how a call is to be carried out.
pub(crate) fn turn_of(state: &State, now: i64, request: &Request, version: u16) -> Turn {
    let option = |header: &str, name: &str| {
        let text = request.header(header).unwrap_or_default().to_ascii_lowercase();
        text.split(',').any(|part| part.replace(' ', "") == name)
    };
    let no_assignment = request.header("Sforce-Auto-Assign").is_some_and(|value| value.eq_ignore_ascii_case("false"));
    Turn {
        allow_save: option("Sforce-Duplicate-Rule-Header", "allowsave=true"),
        auto_assign: !no_assignment,
        version,
        ..Turn::of_user(now, state.me)
    }
}

/// Length, session, version and the day's calls, in this order.
fn admit(state: &mut State, turn: &Turn, request: &Request, rest: &[String]) -> Result<(), Refusal> {
    check_length(request)?;
    state.tokens.check(authorization(request)?, turn.now)?;
    match turn.version {
        version if version > state.settings.newest_version || version < 7 => return Err(errors::not_found()),
        version if version < OLDEST => return Err(errors::retired_version()),
        _ => {}
    }
    state.limits.admit(turn.now, dispatch::cost(request, rest))
}

fn check_length(request: &Request) -> Result<(), Refusal> {
    let queries = request.query.iter().map(|(name, value)| encoded(name).len() + encoded(value).len() + 2);
    let uri = request.path.len() + queries.sum::<usize>();
    if uri > URI_BYTES_MAX {
        return Err(errors::uri_too_long());
    }
    let headers: usize = request.headers.iter().map(|(name, value)| name.len() + value.len() + 4).sum();
    if uri + headers > URI_BYTES_MAX { Err(errors::headers_too_large()) } else { Ok(()) }
}

/// The token of `Authorization: Bearer …`, or of the older `OAuth …`.
pub(crate) fn authorization(request: &Request) -> Result<&str, Refusal> {
    let header = request.header("authorization").ok_or_else(errors::invalid_session)?;
    let (scheme, token) = header.split_once(' ').ok_or_else(errors::invalid_auth_header)?;
    let known = scheme.eq_ignore_ascii_case("bearer") || scheme.eq_ignore_ascii_case("oauth");
    if known { Ok(token.trim()) } else { Err(errors::invalid_auth_header()) }
}

/// The request with its body unzipped and its method as `_HttpMethod` says.
fn unpacked(request: &Request) -> Result<Request, Refusal> {
    let mut request = request.clone();
    if let Some(method) = request.query("_HttpMethod").filter(|_| request.method == "POST") {
        request.method = method.to_owned();
    }
    if request.header("content-encoding").is_some_and(|coding| coding.eq_ignore_ascii_case("gzip")) {
        let mut body = Vec::new();
        let read = GzDecoder::new(request.body.as_slice()).take(UNZIPPED_BYTES_MAX).read_to_end(&mut body);
        read.map_err(|_| errors::json_parser("The body is not valid gzip"))?;
        request.body = body;
    }
    Ok(request)
}

/// The body as JSON.
pub(crate) fn body(request: &Request) -> Result<Value, Refusal> {
    let content_type = request.header("content-type").unwrap_or("application/json");
    if !content_type.to_ascii_lowercase().contains("json") {
        return Err(errors::unsupported_media_type());
    }
    serde_json::from_slice(&request.body).map_err(|error| {
        let (line, column) = (error.line(), error.column());
        errors::json_parser(format!("Unexpected character or end of input at [line:{line}, column:{column}]"))
    })
}

fn zipped(request: &Request, mut response: Response) -> Response {
    let asked = request.header("accept-encoding").is_some_and(|codings| codings.to_ascii_lowercase().contains("gzip"));
    if !asked || response.body.len() < GZIP_BYTES_MIN {
        return response;
    }
    let mut encoder = GzEncoder::new(Vec::with_capacity(response.body.len() / 4), Compression::fast());
    if let Ok(body) = encoder.write_all(&response.body).and_then(|()| encoder.finish()) {
        response.body = body;
        response.set("Content-Encoding", "gzip");
    }
    response
}

/// `GET /services/data`: three releases a year, 31 being Summer '14.
fn versions(newest: u16) -> Value {
    let release = |version: u16| {
        let (season, year) = match (version + 2) % 3 {
            0 => ("Summer", (version - 31) / 3 + 14),
            1 => ("Winter", (version - 32) / 3 + 15),
            _ => ("Spring", (version - 33) / 3 + 15),
        };
        let url = format!("/services/data/v{version}.0");
        json!({"label": format!("{season} '{year:02}"), "url": url, "version": format!("{version}.0")})
    };
    (OLDEST..=newest).map(release).collect()
}

/// The part of a ruling that composite calls look at.
pub(crate) fn settled(ruling: Ruling, version: u16) -> Response {
    ruling.unwrap_or_else(|refusal| refused(&refusal, version))
}
