//! The account with its time, its faults and its call journal: what stands behind the socket.

use serde_json::{Value, json};

use crate::fake::clock::FakeClock;
use crate::fake::exchange::{Delivery, Request, Response};
use crate::fake::fault::{Fault, FaultKind, Faults};
use crate::fake::hubspot::answer;
use crate::fake::hubspot::errors::{self, Refusal};
use crate::fake::hubspot::kind::Kind;
use crate::fake::hubspot::routes;
use crate::fake::hubspot::state::State;
use crate::fake::traffic::Traffic;

/// Seconds of `Retry-After` of a data-centre move, unless the fault says otherwise.
const MIGRATION_SECONDS: u64 = 30;
/// How long an expired token of the fault has been dead.
const EXPIRED_MS: i64 = 75_000;

/// Everything behind the lock.
#[derive(Debug)]
pub(crate) struct Fake {
    pub(crate) state: State,
    pub(crate) clock: FakeClock,
    pub(crate) faults: Faults,
    pub(crate) traffic: Traffic,
}

impl Fake {
    pub(crate) fn new(state: State, clock: FakeClock) -> Self {
        Self { state, clock, faults: Faults::default(), traffic: Traffic::default() }
    }

    /// Answers a request: the admin routes, a fault, or the API.
    pub(crate) fn answer(&mut self, request: &Request) -> Response {
        if let Some(rest) = request.path.strip_prefix("/__fake/") {
            return self.administer(request, rest);
        }
        let route = routes::parse(&request.path);
        let template = route.as_ref().map_or("{unknown}", |route| route.template.as_str());
        let name = format!("{} {template}", request.method);
        let now = self.clock.now_ms();
        let (delay_ms, fault) = self.faults.strike(&request.method, &name, &request.path);
        let mut response = match fault {
            None => answer::answer(&mut self.state, now, request, route.as_ref(), false),
            Some(fault) => match self.stand_in(&fault, now) {
                Some(response) => response,
                None => {
                    let repeat = fault.kind == FaultKind::RepeatedPage;
                    let response = answer::answer(&mut self.state, now, request, route.as_ref(), repeat);
                    self.spoil(response, &fault)
                }
            },
        };
        response.delay_ms = delay_ms;
        let arrives = matches!(response.delivery, Delivery::Whole | Delivery::Truncated(_));
        self.traffic.count(&name, if arrives { response.status } else { 0 });
        response
    }

    /// The answer of a fault that keeps the call from being carried out.
    fn stand_in(&mut self, fault: &Fault, now: i64) -> Option<Response> {
        let portal_id = self.state.settings.portal_id;
        let mut retry_after = fault.retry_after_seconds;
        let refusal: Refusal = match fault.kind {
            FaultKind::ConnectionReset => {
                let mut response = Response::new(0, Vec::new());
                response.delivery = Delivery::Refused;
                return Some(response);
            }
            FaultKind::GarbageJson => {
                let mut response = Response::new(200, b"{\"results\":[{\"id\":\"1\",\"proper<!-- upstream".to_vec());
                response.set("Content-Type", "application/json;charset=utf-8");
                return Some(response);
            }
            FaultKind::ServerError => return Some(self.server_error(fault)),
            FaultKind::ExpiredToken => errors::expired(now - EXPIRED_MS, now),
            FaultKind::RevokedToken => errors::no_credentials(),
            FaultKind::Locked => errors::locked(),
            FaultKind::Migrating => {
                retry_after = retry_after.or(Some(MIGRATION_SECONDS));
                errors::migrating()
            }
            FaultKind::RateLimited => {
                let policy = if fault.policy.is_empty() { "TEN_SECONDLY_ROLLING" } else { &fault.policy };
                errors::rate_limited(policy, portal_id)
            }
            FaultKind::AnswerLost
            | FaultKind::Latency
            | FaultKind::RepeatedPage
            | FaultKind::ServerErrorAfterWrite
            | FaultKind::TruncatedBody => return None,
        };
        let mut response = answer::refuse(&mut self.state, &refusal);
        if let Some(seconds) = retry_after {
            response.set("Retry-After", seconds.to_string());
        }
        Some(response)
    }

    fn server_error(&mut self, fault: &Fault) -> Response {
        let status = if fault.status == 0 { 500 } else { fault.status };
        let mut response = answer::refuse(&mut self.state, &errors::server_error(status));
        if fault.html {
            let page = format!(
                "<!DOCTYPE html>\n<html><head><title>api.hubapi.com | {status}</title></head>\
                 <body><h1>Error {status}</h1><p>cloudflare</p></body></html>\n"
            );
            response.body = page.into_bytes();
            response.set("Content-Type", "text/html; charset=UTF-8");
        }
        if let Some(seconds) = fault.retry_after_seconds {
            response.set("Retry-After", seconds.to_string());
        }
        response
    }

    /// What a fault does to an answer that was worked out.
    fn spoil(&mut self, mut response: Response, fault: &Fault) -> Response {
        match fault.kind {
            FaultKind::AnswerLost => response.delivery = Delivery::Lost,
            FaultKind::TruncatedBody => response.delivery = Delivery::Truncated(response.body.len() / 2),
            FaultKind::ServerErrorAfterWrite => return self.server_error(fault),
            _ => {}
        }
        response
    }

    /// The routes under `/__fake/`, for tests in other languages.
    fn administer(&mut self, request: &Request, rest: &str) -> Response {
        let body: Value = serde_json::from_slice(&request.body).unwrap_or_default();
        let shown = match (request.method.as_str(), rest) {
            ("POST", "faults") => match serde_json::from_value::<Fault>(body) {
                Ok(fault) => {
                    self.faults.add(fault);
                    json!({"added": true})
                }
                Err(error) => return plain(400, &json!({"error": error.to_string()})),
            },
            ("DELETE", "faults") => {
                self.faults.clear();
                json!({"cleared": true})
            }
            ("GET", "calls") => serde_json::to_value(&self.traffic).unwrap_or_default(),
            ("DELETE", "calls") => {
                self.traffic = Traffic::default();
                json!({"cleared": true})
            }
            ("POST", "clock/advance") => {
                let seconds = body.get("seconds").and_then(Value::as_i64).unwrap_or(0);
                let ms = body.get("milliseconds").and_then(Value::as_i64).unwrap_or(0);
                self.clock.advance(seconds * 1000 + ms);
                json!({"now_ms": self.clock.now_ms()})
            }
            ("GET", "state") => self.summary(),
            _ => return plain(404, &json!({"error": "no such admin route"})),
        };
        plain(200, &shown)
    }

    fn summary(&self) -> Value {
        let of = |kind: Kind| {
            let shelf = self.state.shelf(kind);
            let counts =
                json!({"live": shelf.live.len(), "archived": shelf.archived.len(), "merged_away": shelf.aliases.len()});
            (kind.plural().to_owned(), counts)
        };
        let objects: serde_json::Map<String, Value> = Kind::all().map(of).collect();
        json!({
            "portal_id": self.state.settings.portal_id, "now_ms": self.clock.now_ms(), "objects": objects,
            "lists": self.state.lists.len(), "owners": self.state.owners.len(),
        })
    }
}

fn plain(status: u16, body: &Value) -> Response {
    let mut response = Response::new(status, body.to_string().into_bytes());
    response.set("Content-Type", "application/json");
    response
}
