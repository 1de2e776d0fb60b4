//! The account behind the socket: its routes' names, its summary, and the words in which its faults speak.

use serde_json::{Value, json};

use crate::fake::activecampaign::answer::{self, Route};
use crate::fake::activecampaign::state::State;
use crate::fake::activecampaign::{desk, errors, reply};
use crate::fake::exchange::{Request, Response};
use crate::fake::fault::{Fault, FaultKind};
use crate::fake::machine::Crm;

impl Crm for State {
    type Route = Route;

    fn route(&self, request: &Request) -> (String, Route) {
        let route = answer::route(&request.path);
        (route.template.clone(), route)
    }

    fn answer(&mut self, now: i64, request: &Request, route: &Route, _: Option<&Fault>) -> Response {
        answer::answer(self, now, request, route)
    }

    fn stand_in(&mut self, _now: i64, fault: &Fault) -> Option<Response> {
        let mut response = match fault.kind {
            FaultKind::GarbageJson => reply::raw(200, b"{\"contacts\":[{\"em<!-- upstream".to_vec()),
            FaultKind::ServerError => return Some(self.server_error(fault)),
            FaultKind::ExpiredToken | FaultKind::RevokedToken => reply::refused(&errors::forbidden()),
            FaultKind::RateLimited => reply::refused(&errors::too_many()),
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
        answer::dress(self, &mut response);
        fault.set_retry_after(&mut response);
        Some(response)
    }

    fn server_error(&mut self, fault: &Fault) -> Response {
        let status = if fault.status == 0 { 503 } else { fault.status };
        let mut response = if fault.html { reply::page(status) } else { reply::refused(&errors::server_error(status)) };
        fault.set_retry_after(&mut response);
        response
    }

    fn administer(&mut self, now: i64, call: (&str, &str), body: &Value) -> Option<(u16, Value)> {
        Some(match call {
            ("POST", "tokens/revoke") => {
                self.revoked = true;
                (200, json!({"revoked": true}))
            }
            ("POST", "user") => desk::act(self, now, body),
            _ => return None,
        })
    }

    fn summary(&self, now: i64) -> Value {
        json!({
            "now_ms": now, "contacts": self.contacts.len(), "accounts": self.accounts.len(), "deals": self.deals.len(),
            "associations": self.associations.len(), "notes": self.notes.len(), "imports": self.imports.len(),
            "events": self.events.iter().map(|event| json!([event.email, event.name, event.data])).collect::<Vec<_>>(),
        })
    }
}
