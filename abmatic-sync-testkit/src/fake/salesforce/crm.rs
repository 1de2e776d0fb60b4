//! The org behind the socket: its routes' names, its summary, its admin routes, and the words of its faults.

use serde_json::{Map, Value, json};

use crate::fake::exchange::{Request, Response};
use crate::fake::fault::{Fault, FaultKind};
use crate::fake::machine::Crm;
use crate::fake::salesforce::answer::{self, refused};
use crate::fake::salesforce::desk;
use crate::fake::salesforce::errors;
use crate::fake::salesforce::kind::Kind;
use crate::fake::salesforce::routes::{self, Route};
use crate::fake::salesforce::state::State;

/// The version whose spelling the faults' bodies have; they do not differ between versions.
const VERSION: u16 = 62;

impl Crm for State {
    type Route = Route;

    fn route(&self, request: &Request) -> (String, Route) {
        let route = routes::parse(&request.path);
        (route.template.clone(), route)
    }

    fn answer(&mut self, now: i64, request: &Request, route: &Route, fault: Option<&Fault>) -> Response {
        answer::answer(self, now, request, route, fault)
    }

    fn stand_in(&mut self, _now: i64, fault: &Fault) -> Option<Response> {
        let refusal = match fault.kind {
            FaultKind::GarbageJson => {
                let mut response = Response::new(200, b"{\"totalSize\":1,\"done\":true,\"rec<!-- upstream".to_vec());
                response.set("Content-Type", "application/json;charset=UTF-8");
                return Some(response);
            }
            FaultKind::ServerError => return Some(self.server_error(fault)),
            FaultKind::ExpiredToken | FaultKind::RevokedToken => errors::invalid_session(),
            FaultKind::Migrating => errors::maintenance(),
            FaultKind::RateLimited => errors::limit_exceeded(&fault.policy),
            FaultKind::AnswerLost
            | FaultKind::ConnectionReset
            | FaultKind::Hang
            | FaultKind::HangAfterWrite
            | FaultKind::Latency
            | FaultKind::Locked
            | FaultKind::RepeatedPage
            | FaultKind::ServerErrorAfterWrite
            | FaultKind::TruncatedBody => return None,
        };
        let mut response = refused(&refusal, VERSION);
        response.set("Sforce-Limit-Info", self.limits.header());
        fault.set_retry_after(&mut response);
        Some(response)
    }

    fn server_error(&mut self, fault: &Fault) -> Response {
        let status = if fault.status == 0 { 500 } else { fault.status };
        let refusal = errors::mishap(&fault.policy).unwrap_or_else(|| errors::server_error(status));
        let mut response = refused(&refusal, VERSION);
        if fault.html {
            let page = format!(
                "<!DOCTYPE html>\n<html><head><title>Salesforce</title></head><body><h1>{status}</h1><p>We are setting \
                 things up. This may take a few moments.</p></body></html>\n"
            );
            response.body = page.into_bytes();
            response.set("Content-Type", "text/html;charset=UTF-8");
        }
        fault.set_retry_after(&mut response);
        response
    }

    fn administer(&mut self, now: i64, call: (&str, &str), body: &Value) -> Option<(u16, Value)> {
        let number = |key: &str| body.get(key).and_then(Value::as_u64);
        Some(match call {
            ("POST", "tokens/expire") => {
                self.tokens.expire_sessions();
                (200, json!({"expired": true}))
            }
            ("POST", "tokens/revoke") => {
                self.tokens.revoke_all();
                (200, json!({"revoked": true}))
            }
            ("POST", "locators/expire") => {
                self.cursors.drop_all();
                (200, json!({"expired": true}))
            }
            ("POST", "limits") => {
                self.limits.max = number("max").unwrap_or(self.limits.max);
                self.limits.others = number("used_by_others").unwrap_or(self.limits.others);
                (200, json!({"max": self.limits.max, "used": self.limits.used()}))
            }
            ("POST", "user") => desk::act(self, now, body),
            _ => return None,
        })
    }

    fn summary(&self, now: i64) -> Value {
        let of = |kind: Kind| {
            let shelf = self.shelf(kind);
            let counts = json!({"live": shelf.live_count(), "deleted": shelf.deleted_count()});
            (kind.name().to_owned(), counts)
        };
        let objects: Map<String, Value> = self.kinds().map(of).collect();
        json!({
            "now_ms": now, "objects": objects, "list_views": self.list_views.len(), "jobs": self.jobs.iter().count(),
            "daily_api_requests": {"max": self.limits.max, "used": self.limits.used()},
        })
    }
}
