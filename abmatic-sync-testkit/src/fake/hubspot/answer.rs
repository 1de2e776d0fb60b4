//! The fake as a pure function: state, time and a request in, a response out.

use crate::fake::exchange::{Request, Response};
use crate::fake::hubspot::dispatch;
use crate::fake::hubspot::errors::{self, Refusal};
use crate::fake::hubspot::journal;
use crate::fake::hubspot::limits::Allowance;
use crate::fake::hubspot::oauth::{self, TokenAnswer};
use crate::fake::hubspot::outcome::{Outcome, Ruling, Turn};
use crate::fake::hubspot::routes::{Area, Route};
use crate::fake::hubspot::state::State;

/// Answers one request. `repeat_page` is a fault: a page names itself as the next one.
pub(crate) fn answer(
    state: &mut State,
    now: i64,
    request: &Request,
    route: Option<&Route>,
    repeat_page: bool,
) -> Response {
    if (request.method.as_str(), request.path.as_str()) == ("GET", "/oauth/authorize") {
        let agreed = oauth::authorize(state, now, request);
        return agreed
            .unwrap_or_else(|| refuse(state, &errors::invalid("missing or unknown client_id or redirect_uri")));
    }
    if let Some(file) = journal::download(state, &request.path, token_of(request).is_some()) {
        return file;
    }
    let Some(route) = route else {
        return refuse(state, &errors::unknown_route(&request.method, &request.path));
    };
    let turn = Turn { now, version: route.version, repeat_page };
    if route.area == Area::OAuth {
        return token_call(state, turn, request, route);
    }
    if let Err(refusal) = state.tokens.check(token_of(request), now) {
        return refuse(state, &refusal);
    }
    let is_app = state.tokens.is_of_app(token_of(request));
    if matches!(route.area, Area::Journal | Area::JournalSubscriptions) {
        let ruling = journal::need_app(is_app).and_then(|()| dispatch::dispatch(state, turn, request, route));
        return respond(state, ruling);
    }
    if is_app {
        return refuse(state, &errors::missing_scopes(&["oauth".to_owned()]));
    }
    let is_search = route.area == Area::Objects && route.rest.get(1).is_some_and(|word| word == "search");
    let ruling = state
        .limits
        .admit(now, is_search, state.settings.portal_id)
        .and_then(|()| dispatch::dispatch(state, turn, request, route));
    let mut response = respond(state, ruling);
    if !is_search {
        add_allowance(&mut response, state.limits.allowance(), state.tokens.is_oauth(token_of(request)));
    }
    response
}

fn token_of(request: &Request) -> Option<&str> {
    let (scheme, token) = request.header("authorization")?.split_once(' ')?;
    scheme.eq_ignore_ascii_case("bearer").then(|| token.trim())
}

/// What a refusal looks like, headers and all.
pub(crate) fn refuse(state: &mut State, refusal: &Refusal) -> Response {
    respond(state, Err(refusal.clone()))
}

fn respond(state: &mut State, ruling: Ruling) -> Response {
    let correlation_id = state.dice.uuid();
    let mut response = match ruling {
        Ok(Outcome::Created { body, path }) => {
            let mut response = Response::new(201, body);
            if let Some(path) = path {
                response.set("Location", format!("{}{path}", state.settings.base_url));
            }
            response
        }
        Ok(Outcome::Done) => Response::new(204, Vec::new()),
        Ok(Outcome::Found(body)) => Response::new(200, body),
        Ok(Outcome::Mixed(body)) => Response::new(207, body),
        Err(refusal) => Response::new(refusal.status, refusal.body(&correlation_id)),
    };
    response.headers.push(("Content-Type", "application/json;charset=utf-8".into()));
    response.headers.push(("X-HubSpot-Correlation-Id", correlation_id.into()));
    response
}

/// What is left of the account's limits. An app that accounts install has no day.
fn add_allowance(response: &mut Response, allowance: Allowance, is_oauth: bool) {
    let day = [
        ("X-HubSpot-RateLimit-Daily", allowance.daily),
        ("X-HubSpot-RateLimit-Daily-Remaining", allowance.daily_remaining),
    ];
    let rest = [
        ("X-HubSpot-RateLimit-Interval-Milliseconds", 10_000),
        ("X-HubSpot-RateLimit-Max", allowance.burst),
        ("X-HubSpot-RateLimit-Remaining", allowance.burst_remaining),
        ("X-HubSpot-RateLimit-Secondly", allowance.burst / 10),
        ("X-HubSpot-RateLimit-Secondly-Remaining", allowance.burst_remaining / 10),
    ];
    for (name, value) in day.into_iter().filter(|_| !is_oauth).chain(rest) {
        response.headers.push((name, value.to_string().into()));
    }
}

/// The token endpoints: no bearer token, no rate-limit headers, bodies of their own.
fn token_call(state: &mut State, turn: Turn, request: &Request, route: &Route) -> Response {
    let form = request.form_fields();
    let rest: Vec<&str> = route.rest.iter().map(String::as_str).collect();
    let (status, body): TokenAnswer = match (request.method.as_str(), rest.as_slice()) {
        ("POST", ["token"]) => oauth::token(state, turn, &form),
        ("POST", ["token", "introspect"]) => oauth::introspect(state, turn, &form),
        ("POST", ["token", "revoke"]) => {
            oauth::revoke(state);
            (200, Vec::new())
        }
        ("GET", ["access-tokens", token]) => oauth::info(state, turn, token),
        ("DELETE", ["refresh-tokens", _]) => {
            oauth::revoke(state);
            (204, Vec::new())
        }
        _ => return refuse(state, &errors::unknown_route(&request.method, &request.path)),
    };
    let mut response = respond(state, Ok(Outcome::Found(body)));
    response.status = status;
    response
}
