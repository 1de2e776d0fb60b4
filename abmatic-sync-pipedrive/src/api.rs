//! One company's Pipedrive: address, pacing, what a call costs and what may be sent again, so that the rooms beside speak
//! of records only.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::time::Duration;

use abmatic_sync_core::clock::Clock;
use abmatic_sync_core::error::{Error, ErrorCode, ErrorKind, Result};
use abmatic_sync_core::model::connection::Connection;
use abmatic_sync_core::model::quota::Quota;
use abmatic_sync_http::budget::Budget;
use abmatic_sync_http::client::{Answer, Call, Client};
use abmatic_sync_http::host::Hosts;
use abmatic_sync_http::known::{Known, account};
use abmatic_sync_http::pace::{Lane, Limit};
use abmatic_sync_http::retry::Resend;
use http::Method;
use serde_json::Value as Json;
use url::Url;

use crate::describe::Described;
use crate::errors::WINDOW;
use crate::object::Object;

/// Where an API token is taken whatever the company's own address is (docs: "How to get the company domain").
const GENERAL: &str = "https://api.pipedrive.com";
pub(crate) const HOSTS: Hosts = Hosts::of("Pipedrive", &["pipedrive.com"]);
/// What the smallest plan allows an API token until headers say more ("Rate limiting": Lite, 20 in 2 s).
const BURST: Limit = Limit::new(20, WINDOW);
/// A body `null` with status 200 comes now and then (singer-io/tap-pipedrive#131); asked again, the answer is there.
const NULL_BODY_TRIES: usize = 3;

/// What a connector is told beyond its client.
#[derive(Clone, Debug)]
pub(crate) struct Options {
    pub(crate) hosts: Hosts,
    /// How many writes are on their way at once.
    pub(crate) writes_at_once: usize,
    /// How long a create that was cut off may still be at work.
    pub(crate) settle: Duration,
}

/// How persons' names are written on an account.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum NameStyle {
    /// As `first_name` and `last_name`.
    Parts,
    /// As one `name`: the account refused the parts.
    Whole,
}

/// The day's tokens of the company, and what is left of them (seen by several clients, in no documentation).
const DAY: (&str, &str) = ("x-daily-ratelimit-token-limit", "x-daily-ratelimit-token-remaining");
/// The budget is renewed at midnight of an unnamed zone ("Rate limiting"), so one call looks again every hour.
pub(crate) const LOOK_AGAIN: Duration = Duration::from_secs(3_600);

/// Speaks to Pipedrive for any number of connections.
#[derive(Debug)]
pub(crate) struct Api {
    client: Client,
    pub(crate) options: Options,
    budget: Budget,
    /// The fields of an object.
    pub(crate) described: Known<Object, Described>,
    /// The numbers of an object's fields in API v1.
    pub(crate) numbers: Known<Object, BTreeMap<String, u64>>,
    pub(crate) names: Known<(), NameStyle>,
    /// The company's own currency.
    pub(crate) currency: Known<(), Option<String>>,
}

impl Api {
    pub(crate) fn new(client: Client, options: Options, budget_percent: u8) -> Self {
        Self {
            client,
            options,
            budget: Budget::new("tokens", budget_percent, LOOK_AGAIN),
            described: Known::default(),
            numbers: Known::default(),
            names: Known::default(),
            currency: Known::default(),
        }
    }

    /// What is known to be left of the day.
    pub(crate) fn quota(&self, on: &Connection) -> Option<Quota> {
        self.budget.quota(&account(on))
    }

    pub(crate) fn clock(&self) -> &dyn Clock {
        self.client.clock().as_ref()
    }

    /// Reads a path.
    pub(crate) async fn get(
        &self,
        on: &Connection,
        operation: impl Into<Cow<'static, str>>,
        path: &str,
        query: &[(&str, &str)],
    ) -> Result<Answer> {
        let operation = operation.into();
        for _ in 0..NULL_BODY_TRIES {
            let answer = self.call(on, operation.clone(), (Method::GET, path), query, None, Resend::Read).await?;
            if answer.body().as_ref() != b"null" {
                return Ok(answer);
            }
        }
        let error = Error::new(ErrorKind::Unavailable, ErrorCode::InvalidAnswer, "the answer is null again and again");
        Err(error.at(&operation))
    }

    /// Writes: `resend` says whether twice is as good as once.
    pub(crate) async fn send(
        &self,
        on: &Connection,
        operation: impl Into<Cow<'static, str>>,
        to: (Method, &str),
        body: Option<&Json>,
        resend: Resend,
    ) -> Result<Answer> {
        self.call(on, operation.into(), to, &[], body, resend).await
    }

    async fn call(
        &self,
        on: &Connection,
        operation: Cow<'static, str>,
        (method, path): (Method, &str),
        query: &[(&str, &str)],
        body: Option<&Json>,
        resend: Resend,
    ) -> Result<Answer> {
        let account = account(on);
        let taken = self.budget.take(&account, cost(&method, path), self.clock().now());
        taken.map_err(|error| error.at(&operation))?;
        let mut url = self.address(on, path).map_err(|error| error.at(&operation))?;
        if !query.is_empty() {
            url.query_pairs_mut().extend_pairs(query);
        }
        let call = Call::new(operation, method, url).paced(Lane::new(account.as_str(), "calls"), Some(BURST));
        let call = match body {
            Some(body) => call.with_json(body)?,
            None => call,
        };
        let answer = self.client.send(on, call, resend).await?;
        self.budget.observe_headers(&account, answer.headers(), DAY, self.clock().now());
        Ok(answer)
    }

    fn address(&self, on: &Connection, path: &str) -> Result<Url> {
        match &on.base_url {
            Some(base) => self.options.hosts.address(base, path),
            None => self.options.hosts.address(&general_address()?, path),
        }
    }
}

fn general_address() -> Result<Url> {
    Url::parse(GENERAL).map_err(|error| {
        Error::invalid(ErrorCode::InvalidSettings, "pipedrive's own address does not parse").caused_by(error)
    })
}

/// Tokens that a call costs (`x-token-cost` of both OpenAPI documents): API v1 is twice as dear.
fn cost(method: &Method, path: &str) -> u64 {
    let is_one =
        path.rsplit('/').next().is_some_and(|last| last == "me" || last.bytes().all(|byte| byte.is_ascii_digit()));
    let in_v2 = match *method {
        Method::GET if is_one => 1,
        Method::GET if path.ends_with("/pipelines") || path.ends_with("/stages") || path.ends_with("/webhooks") => 5,
        Method::GET if path.ends_with("/archived") => 20,
        Method::GET => 10,
        Method::DELETE => 3,
        _ => 5,
    };
    if path.starts_with("/api/v1/") { in_v2 * 2 } else { in_v2 }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn calls_cost_what_the_documents_say() {
        for (method, path, tokens) in [
            (Method::GET, "/api/v2/persons", 10),
            (Method::GET, "/api/v2/persons/7", 1),
            (Method::GET, "/api/v2/deals/archived", 20),
            (Method::GET, "/api/v2/stages", 5),
            (Method::POST, "/api/v2/persons", 5),
            (Method::PATCH, "/api/v2/persons/7", 5),
            (Method::DELETE, "/api/v2/persons/7", 3),
            (Method::GET, "/api/v1/organizationFields", 20),
            (Method::GET, "/api/v1/users/me", 2),
            (Method::GET, "/api/v1/filters/7", 2),
            (Method::POST, "/api/v1/filters", 10),
            (Method::DELETE, "/api/v1/filters/7", 6),
            (Method::POST, "/api/v1/notes", 10),
            (Method::GET, "/api/v1/webhooks", 10),
        ] {
            assert_eq!(cost(&method, path), tokens, "{method} {path}");
        }
    }

    #[test]
    fn tokens_go_to_pipedrive_only() {
        for (base, good) in [
            ("https://api.pipedrive.com", true),
            ("https://acme.pipedrive.com/", true),
            ("http://acme.pipedrive.com", false),
            ("https://evilpipedrive.com", false),
        ] {
            assert_eq!(HOSTS.check(&base.parse().unwrap()).is_ok(), good, "{base}");
        }
    }
}
