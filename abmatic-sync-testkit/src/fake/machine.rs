//! A fake CRM with its time, its faults and its call journal: what stands behind the socket, whichever CRM it is.

use std::fmt;

use serde_json::{Value, json};

use crate::fake::clock::FakeClock;
use crate::fake::exchange::{Delivery, Request, Response};
use crate::fake::fault::{Fault, FaultKind, Faults};
use crate::fake::moment::http_date;
use crate::fake::recording::Recorder;
use crate::fake::traffic::Traffic;

/// What a CRM must answer to be put behind a socket.
pub(crate) trait Crm: fmt::Debug + Send + 'static {
    /// A path, taken apart.
    type Route;

    /// The name of a call's route, for counting and for faults, and the route itself.
    fn route(&self, request: &Request) -> (String, Self::Route);

    /// Carries out a call. A fault that came with it may bend the answer from inside, or leave it to the machine.
    fn answer(&mut self, now: i64, request: &Request, route: &Self::Route, fault: Option<&Fault>) -> Response;

    /// The answer of a fault that keeps the call from being carried out; `None` where this fault does not.
    fn stand_in(&mut self, now: i64, fault: &Fault) -> Option<Response>;

    /// Whether its answers have a `Date`.
    fn tells_time(&self) -> bool {
        true
    }

    /// The answer of a server that has broken down.
    fn server_error(&mut self, fault: &Fault) -> Response;

    /// Admin routes of its own: status and body, or `None` where there is no such route.
    fn administer(&mut self, now: i64, call: (&str, &str), body: &Value) -> Option<(u16, Value)>;

    /// What it holds, in counts.
    fn summary(&self, now: i64) -> Value;
}

/// Everything behind the lock.
#[derive(Debug)]
pub(crate) struct Machine<C> {
    pub(crate) crm: C,
    pub(crate) clock: FakeClock,
    pub(crate) faults: Faults,
    pub(crate) traffic: Traffic,
    pub(crate) recorder: Recorder,
}

impl<C: Crm> Machine<C> {
    pub(crate) fn new(crm: C, clock: FakeClock) -> Self {
        Self { crm, clock, faults: Faults::default(), traffic: Traffic::default(), recorder: Recorder::default() }
    }

    /// Answers a request: the admin routes, a fault, or the API.
    pub(crate) fn answer(&mut self, request: &Request) -> Response {
        if let Some(rest) = request.path.strip_prefix("/__fake/") {
            if (request.method.as_str(), rest) == ("GET", "recording") {
                return self.recorded();
            }
            let (status, body) = self.administer(request, rest);
            let mut response = Response::new(status, body.to_string().into_bytes());
            response.set("Content-Type", "application/json");
            return response;
        }
        let (template, route) = self.crm.route(request);
        let name = format!("{} {template}", request.method);
        let now = self.clock.now_ms();
        let (delay_ms, fault) = self.faults.strike(&request.method, &name, &request.path);
        let mut response = match fault {
            None => self.crm.answer(now, request, &route, None),
            Some(fault) => self.faulty(now, request, &route, &fault),
        };
        if self.crm.tells_time() {
            response.set("Date", http_date(now));
        }
        response.delay_ms = delay_ms;
        let arrives = matches!(response.delivery, Delivery::Whole | Delivery::Truncated(_));
        self.traffic.count(&name, if arrives { response.status } else { 0 });
        self.recorder.note(now, &name, request, &response);
        response
    }

    /// `GET /__fake/recording`: what was exchanged, a line of JSON for each call.
    fn recorded(&self) -> Response {
        let (status, kind, body) = match self.recorder.lines() {
            Ok(lines) => (200, "application/x-ndjson", lines),
            Err(error) => (409, "application/json", json!({"error": error}).to_string()),
        };
        let mut response = Response::new(status, body.into_bytes());
        response.set("Content-Type", kind);
        response
    }

    fn faulty(&mut self, now: i64, request: &Request, route: &C::Route, fault: &Fault) -> Response {
        let untouched = match fault.kind {
            FaultKind::ConnectionReset => Some(Delivery::Refused),
            FaultKind::Hang => Some(Delivery::Withheld),
            _ => None,
        };
        if let Some(delivery) = untouched {
            let mut response = Response::new(0, Vec::new());
            response.delivery = delivery;
            return response;
        }
        if let Some(response) = self.crm.stand_in(now, fault) {
            return response;
        }
        let mut response = self.crm.answer(now, request, route, Some(fault));
        match fault.kind {
            FaultKind::AnswerLost => response.delivery = Delivery::Lost,
            FaultKind::HangAfterWrite => response.delivery = Delivery::Withheld,
            FaultKind::TruncatedBody => response.delivery = Delivery::Truncated(response.body.len() / 2),
            FaultKind::ServerErrorAfterWrite => return self.crm.server_error(fault),
            _ => {}
        }
        response
    }

    /// The routes under `/__fake/`, for tests in other languages.
    fn administer(&mut self, request: &Request, rest: &str) -> (u16, Value) {
        let body: Value = serde_json::from_slice(&request.body).unwrap_or_default();
        let shown = match (request.method.as_str(), rest) {
            ("POST", "faults") => match serde_json::from_value::<Fault>(body) {
                Ok(fault) => {
                    self.faults.add(fault);
                    json!({"added": true})
                }
                Err(error) => return (400, json!({"error": error.to_string()})),
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
            ("POST", "recording") => {
                self.recorder.keep();
                json!({"recording": true})
            }
            ("DELETE", "recording") => {
                self.recorder.stop();
                json!({"recording": false})
            }
            ("POST", "clock/advance") => {
                let seconds = body.get("seconds").and_then(Value::as_i64).unwrap_or(0);
                let ms = body.get("milliseconds").and_then(Value::as_i64).unwrap_or(0);
                self.clock.advance(seconds * 1000 + ms);
                json!({"now_ms": self.clock.now_ms()})
            }
            ("GET", "state") => self.crm.summary(self.clock.now_ms()),
            (method, _) => {
                let own = self.crm.administer(self.clock.now_ms(), (method, rest), &body);
                return own.unwrap_or_else(|| (404, json!({"error": "no such admin route"})));
            }
        };
        (200, shown)
    }
}
