//! What goes wrong, and when: faults that a test hangs on routes, by code, by flag or by the admin route.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

use crate::fake::exchange::Response;

/// What happens to the call that a fault hits.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum FaultKind {
    /// The write is done, then the connection closes without an answer.
    AnswerLost,
    /// The connection is reset before anything happens.
    ConnectionReset,
    /// 401: the token has expired (`EXPIRED_AUTHENTICATION`, `INVALID_SESSION_ID`).
    ExpiredToken,
    /// 200 with a body that is no JSON; the call is *not* carried out.
    GarbageJson,
    /// No answer ever comes, and the connection stays open until the client gives up. Not carried out.
    Hang,
    /// The same *although* the call was carried out.
    HangAfterWrite,
    /// The answer comes late, by [`Fault::milliseconds`].
    Latency,
    /// The record is locked: 423, or `UNABLE_TO_LOCK_ROW` for every row of a Salesforce call.
    Locked,
    /// The account moves to another data centre: 477 with `Retry-After`, or Salesforce's 503.
    Migrating,
    /// 429, or Salesforce's 403, with the policy of [`Fault::policy`], and `Retry-After` if [`Fault::retry_after_seconds`] is set.
    #[default]
    RateLimited,
    /// A page answers its own position as the next one.
    RepeatedPage,
    /// 401: the token is none (`INVALID_AUTHENTICATION`, `INVALID_SESSION_ID`).
    RevokedToken,
    /// [`Fault::status`] (500, 502, 503, 504, 524 …), as HTML when [`Fault::html`] is set. Not carried out.
    ServerError,
    /// [`Fault::status`] is answered *although* the call was carried out.
    ServerErrorAfterWrite,
    /// The call is carried out; half of the body arrives, then the connection closes.
    TruncatedBody,
}

/// One fault: which calls it hits, how often, and what happens to them.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
#[non_exhaustive]
pub struct Fault {
    /// What happens.
    pub kind: FaultKind,
    /// Part of the route's name or of the path; empty for all, for example `contacts/batch/create`.
    pub matches: String,
    /// Only calls of this method, in capitals; empty for all.
    pub method: String,
    /// How many calls are hit; `None` for all of them.
    pub times: Option<u64>,
    /// How many matching calls pass before the first one is hit.
    pub skip: u64,
    /// Status of [`FaultKind::ServerError`]; 0 means 500.
    pub status: u16,
    /// Whether a server error comes as HTML.
    pub html: bool,
    /// Delay of [`FaultKind::Latency`].
    pub milliseconds: u64,
    /// `Retry-After` of 429, 423, 477 and 5xx.
    pub retry_after_seconds: Option<u64>,
    /// Which one of the CRM's limits or errors, by its own name. HubSpot: the `policyName` of a 429,
    /// `TEN_SECONDLY_ROLLING` (when empty), `SECONDLY` or `DAILY`. Salesforce: which limit was exceeded, and the
    /// error code of a server error. Pipedrive: `daily` for the day's budget; `FEATURE_CAPPING`, `SCOPE`, `VISIBILITY`,
    /// `PAYMENT_REQUIRED`, `FEATURE_DISABLED`, `GONE`, `CLOUDFLARE` or `NULL_BODY` for a server error that is that one.
    pub policy: String,
}

impl Fault {
    /// A fault that hits the next call whatever it is; narrow it with the other methods.
    #[must_use]
    pub fn new(kind: FaultKind) -> Self {
        Self { kind, times: Some(1), ..Self::default() }
    }

    /// Hits only calls whose route or path contains `part`.
    #[must_use]
    pub fn on(mut self, part: &str) -> Self {
        part.clone_into(&mut self.matches);
        self
    }

    /// Hits only calls of that method.
    #[must_use]
    pub fn with_method(mut self, method: &str) -> Self {
        method.clone_into(&mut self.method);
        self
    }

    /// Hits so many calls.
    #[must_use]
    pub fn times(mut self, times: u64) -> Self {
        self.times = Some(times);
        self
    }

    /// Hits every matching call until the faults are cleared.
    #[must_use]
    pub fn always(mut self) -> Self {
        self.times = None;
        self
    }

    /// Lets so many matching calls pass first.
    #[must_use]
    pub fn after(mut self, skip: u64) -> Self {
        self.skip = skip;
        self
    }

    /// Status of a server error.
    #[must_use]
    pub fn with_status(mut self, status: u16) -> Self {
        self.status = status;
        self
    }

    /// Sends a server error as an HTML page.
    #[must_use]
    pub fn as_html(mut self) -> Self {
        self.html = true;
        self
    }

    /// Delay in milliseconds.
    #[must_use]
    pub fn with_milliseconds(mut self, milliseconds: u64) -> Self {
        self.milliseconds = milliseconds;
        self
    }

    /// Sends `Retry-After`.
    #[must_use]
    pub fn with_retry_after_seconds(mut self, seconds: u64) -> Self {
        self.retry_after_seconds = Some(seconds);
        self
    }

    /// Which one of the CRM's limits or errors; see [`Fault::policy`].
    #[must_use]
    pub fn with_policy(mut self, policy: &str) -> Self {
        policy.clone_into(&mut self.policy);
        self
    }

    /// Sends `Retry-After` where this fault has it.
    pub(crate) fn set_retry_after(&self, response: &mut Response) {
        if let Some(seconds) = self.retry_after_seconds {
            response.set("Retry-After", seconds.to_string());
        }
    }

    fn hits(&mut self, method: &str, route: &str, path: &str) -> bool {
        let wanted = (self.method.is_empty() || self.method == method)
            && (route.contains(&self.matches) || path.contains(&self.matches));
        if !wanted || self.times == Some(0) {
            return false;
        }
        if self.skip > 0 {
            self.skip -= 1;
            return false;
        }
        self.times = self.times.map(|left| left - 1);
        true
    }
}

/// A text that names no fault.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
#[non_exhaustive]
pub struct BadFault(String);

impl FromStr for Fault {
    type Err = BadFault;

    /// Reads `kind[,key=value]…`, for example `rate_limited,matches=search,times=3,retry_after_seconds=1`.
    fn from_str(text: &str) -> Result<Self, BadFault> {
        let mut parts = text.split(',').map(str::trim);
        let kind = parts.next().unwrap_or_default();
        let kind = serde_json::from_value(kind.into()).map_err(|error| BadFault(error.to_string()))?;
        let mut fault = Self::new(kind);
        for part in parts {
            let (key, value) = part.split_once('=').unwrap_or((part, ""));
            fault.read(key, value).ok_or_else(|| BadFault(format!("fault option \"{part}\" is not understood")))?;
        }
        Ok(fault)
    }
}

impl Fault {
    fn read(&mut self, key: &str, value: &str) -> Option<()> {
        match key {
            "matches" => value.clone_into(&mut self.matches),
            "method" => value.clone_into(&mut self.method),
            "times" if value == "always" => self.times = None,
            "times" => self.times = Some(value.parse().ok()?),
            "skip" => self.skip = value.parse().ok()?,
            "status" => self.status = value.parse().ok()?,
            "html" => self.html = true,
            "milliseconds" => self.milliseconds = value.parse().ok()?,
            "retry_after_seconds" => self.retry_after_seconds = Some(value.parse().ok()?),
            "policy" => value.clone_into(&mut self.policy),
            _ => return None,
        }
        Some(())
    }
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:?} on \"{}\"", self.kind, self.matches)
    }
}

/// The faults that wait for their calls.
#[derive(Clone, Debug, Default)]
pub(crate) struct Faults(Vec<Fault>);

impl Faults {
    pub(crate) fn add(&mut self, fault: Fault) {
        self.0.push(fault);
    }

    pub(crate) fn clear(&mut self) {
        self.0.clear();
    }

    /// The fault that hits this call, if any; the first one added wins. Latency adds up with another one.
    pub(crate) fn strike(&mut self, method: &str, route: &str, path: &str) -> (u64, Option<Fault>) {
        let mut delay_ms = 0;
        let mut struck = None;
        for fault in &mut self.0 {
            if struck.is_some() && fault.kind != FaultKind::Latency {
                continue;
            }
            if !fault.hits(method, route, path) {
                continue;
            }
            if fault.kind == FaultKind::Latency {
                delay_ms += fault.milliseconds;
            } else {
                struck = Some(fault.clone());
            }
        }
        self.0.retain(|fault| fault.times != Some(0));
        (delay_ms, struck)
    }
}

#[cfg(test)]
mod tests {
    use super::{Fault, FaultKind, Faults};

    #[test]
    fn a_fault_skips_then_hits_then_is_spent() {
        let mut faults = Faults::default();
        faults.add(Fault::new(FaultKind::Locked).on("contacts").after(1).times(2));
        let mut hit = |route: &str| faults.strike("GET", route, "").1.is_some();
        assert!(!hit("GET deals"), "another route");
        assert_eq!([hit("contacts"), hit("contacts"), hit("contacts"), hit("contacts")], [false, true, true, false]);
    }

    #[test]
    fn a_flag_reads_as_a_fault() {
        let fault: Fault = "server_error,status=524,html,matches=batch,times=always".parse().unwrap();
        assert_eq!(fault, Fault::new(FaultKind::ServerError).with_status(524).as_html().on("batch").always());
        assert!("server_eror".parse::<Fault>().is_err());
        assert!("locked,often=2".parse::<Fault>().is_err());
    }
}
