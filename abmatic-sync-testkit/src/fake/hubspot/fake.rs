//! The account behind the socket: its routes' names, its summary, and the words in which its faults speak.

use serde_json::{Value, json};

use crate::fake::exchange::{Request, Response};
use crate::fake::fault::{Fault, FaultKind};
use crate::fake::hubspot::answer;
use crate::fake::hubspot::errors::{self, Refusal};
use crate::fake::hubspot::kind::Kind;
use crate::fake::hubspot::routes::{self, Route};
use crate::fake::hubspot::state::State;
use crate::fake::machine::Crm;

/// Seconds of `Retry-After` of a data-centre move, unless the fault says otherwise.
const MIGRATION_SECONDS: u64 = 30;
/// How long an expired token of the fault has been dead.
const EXPIRED_MS: i64 = 75_000;

impl Crm for State {
    type Route = Option<Route>;

    fn route(&self, request: &Request) -> (String, Option<Route>) {
        let route = routes::parse(&request.path);
        (route.as_ref().map_or("{unknown}", |route| route.template.as_str()).to_owned(), route)
    }

    fn answer(&mut self, now: i64, request: &Request, route: &Option<Route>, fault: Option<&Fault>) -> Response {
        let repeat_page = fault.is_some_and(|fault| fault.kind == FaultKind::RepeatedPage);
        answer::answer(self, now, request, route.as_ref(), repeat_page)
    }

    /// None of the recorded answers shows a `Date`.
    fn tells_time(&self) -> bool {
        false
    }

    fn stand_in(&mut self, now: i64, fault: &Fault) -> Option<Response> {
        let portal_id = self.settings.portal_id;
        let mut retry_after = fault.retry_after_seconds;
        let refusal: Refusal = match fault.kind {
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
            | FaultKind::ConnectionReset
            | FaultKind::Hang
            | FaultKind::HangAfterWrite
            | FaultKind::Latency
            | FaultKind::RepeatedPage
            | FaultKind::ServerErrorAfterWrite
            | FaultKind::TruncatedBody => return None,
        };
        let mut response = answer::refuse(self, &refusal);
        if let Some(seconds) = retry_after {
            response.set("Retry-After", seconds.to_string());
        }
        Some(response)
    }

    fn server_error(&mut self, fault: &Fault) -> Response {
        let status = if fault.status == 0 { 500 } else { fault.status };
        let mut response = answer::refuse(self, &errors::server_error(status));
        if fault.html {
            let page = format!(
                "<!DOCTYPE html>\n<html><head><title>api.hubapi.com | {status}</title></head>\
                 <body><h1>Error {status}</h1><p>cloudflare</p></body></html>\n"
            );
            response.body = page.into_bytes();
            response.set("Content-Type", "text/html; charset=UTF-8");
        }
        fault.set_retry_after(&mut response);
        response
    }

    fn administer(&mut self, _now: i64, _call: (&str, &str), _body: &Value) -> Option<(u16, Value)> {
        None
    }

    fn summary(&self, now: i64) -> Value {
        let of = |kind: Kind| {
            let shelf = self.shelf(kind);
            let counts =
                json!({"live": shelf.live.len(), "archived": shelf.archived.len(), "merged_away": shelf.aliases.len()});
            (kind.plural().to_owned(), counts)
        };
        let objects: serde_json::Map<String, Value> = Kind::all().map(of).collect();
        json!({
            "portal_id": self.settings.portal_id, "now_ms": now, "objects": objects,
            "lists": self.lists.len(), "owners": self.owners.len(),
        })
    }
}
