//! The fake as a pure function: state, time and a request in, a response out.

use crate::fake::exchange::{Request, Response};
use crate::fake::fault::{Fault, FaultKind};
use crate::fake::pipedrive::dispatch;
use crate::fake::pipedrive::errors;
use crate::fake::pipedrive::oauth;
use crate::fake::pipedrive::reply::{self, Ruling};
use crate::fake::pipedrive::routes::{Area, Route};
use crate::fake::pipedrive::state::State;
use crate::fake::pipedrive::turn::Turn;

/// Answers one request.
pub(crate) fn answer(state: &mut State, now: i64, request: &Request, route: &Route, fault: Option<&Fault>) -> Response {
    state.purge(now);
    let mut response = match route.area {
        Area::Nowhere => reply::refused(&errors::unknown_route()),
        Area::OAuth => oauth::answer(state, now, request, &route.rest),
        Area::V1 | Area::V2 => {
            let repeat_page = fault.is_some_and(|fault| fault.kind == FaultKind::RepeatedPage);
            let ruling = admitted(state, Turn { now, repeat_page }, request, route);
            let mut response = ruling.unwrap_or_else(|refusal| reply::refused(&refusal));
            state.limits.tell(&mut response, now);
            response
        }
    };
    if request.method == "HEAD" {
        response.body.clear();
    }
    response
}

/// Token, route and budget, in this order.
fn admitted(state: &mut State, turn: Turn, request: &Request, route: &Route) -> Ruling {
    state.tokens.check(request, turn.now)?;
    let rest: Vec<&str> = route.rest.iter().map(String::as_str).collect();
    let call = dispatch::recognise(route.area, &request.method, &rest)?;
    state.limits.admit(turn.now, call.cost(route.area), call.is_search())?;
    dispatch::dispatch(state, &turn, request, &call)
}
