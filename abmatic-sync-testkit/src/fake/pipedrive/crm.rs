//! The company behind the socket: its routes' names, its summary, and the words in which its faults speak.

use serde_json::{Map, Value, json};

use crate::fake::exchange::{Request, Response};
use crate::fake::fault::{Fault, FaultKind};
use crate::fake::machine::Crm;
use crate::fake::pipedrive::answer;
use crate::fake::pipedrive::desk;
use crate::fake::pipedrive::errors;
use crate::fake::pipedrive::kind::Kind;
use crate::fake::pipedrive::reply;
use crate::fake::pipedrive::routes::{self, Route};
use crate::fake::pipedrive::state::State;

impl Crm for State {
    type Route = Route;

    fn route(&self, request: &Request) -> (String, Route) {
        let route = routes::parse(&request.path);
        (route.template.clone(), route)
    }

    fn answer(&mut self, now: i64, request: &Request, route: &Route, fault: Option<&Fault>) -> Response {
        answer::answer(self, now, request, route, fault)
    }

    fn stand_in(&mut self, now: i64, fault: &Fault) -> Option<Response> {
        let refusal = match fault.kind {
            FaultKind::GarbageJson => return Some(reply::raw(200, b"{\"success\":true,\"da<!-- upstream".to_vec())),
            FaultKind::ServerError => return Some(self.server_error(fault)),
            FaultKind::ExpiredToken | FaultKind::RevokedToken => errors::unauthorized(),
            FaultKind::RateLimited if fault.policy.eq_ignore_ascii_case("daily") => errors::budget(),
            FaultKind::RateLimited => errors::burst(),
            FaultKind::AnswerLost
            | FaultKind::ConnectionReset
            | FaultKind::Hang
            | FaultKind::HangAfterWrite
            | FaultKind::Latency
            | FaultKind::Locked
            | FaultKind::Migrating
            | FaultKind::RepeatedPage
            | FaultKind::ServerErrorAfterWrite
            | FaultKind::TruncatedBody => return None,
        };
        let mut response = reply::refused(&refusal);
        self.limits.tell(&mut response, now);
        fault.set_retry_after(&mut response);
        Some(response)
    }

    fn server_error(&mut self, fault: &Fault) -> Response {
        let status = if fault.status == 0 { 500 } else { fault.status };
        let refusal = match errors::mishap(&fault.policy) {
            Some(refusal) => refusal,
            None if fault.html => errors::page(status),
            None => errors::server_error(status),
        };
        let mut response = reply::refused(&refusal);
        fault.set_retry_after(&mut response);
        response
    }

    fn administer(&mut self, now: i64, call: (&str, &str), body: &Value) -> Option<(u16, Value)> {
        Some(match call {
            ("POST", "tokens/revoke") => {
                self.tokens.revoke_all();
                (200, json!({"revoked": true}))
            }
            ("POST", "budget") => {
                let spent = body.get("spend").and_then(Value::as_u64).unwrap_or(0);
                self.limits.spend(now, spent);
                (200, json!({"used": self.limits.used()}))
            }
            ("POST", "user") => desk::act(self, now, body),
            _ => return None,
        })
    }

    fn summary(&self, now: i64) -> Value {
        let of = |kind: Kind| {
            let shelf = self.shelf(kind);
            (kind.path().to_owned(), json!({"live": shelf.live_count(), "deleted": shelf.deleted_count()}))
        };
        let objects: Map<String, Value> = Kind::ALL.into_iter().map(of).collect();
        json!({
            "now_ms": now, "objects": objects, "filters": self.filters.len(), "notes": self.notes.len(),
            "tokens_used_today": self.limits.used(),
        })
    }
}
