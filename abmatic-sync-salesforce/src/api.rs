//! One org's Salesforce: address, headers, budget and what may be sent again, so that the rooms beside speak of records only.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::io::Write as _;
use std::time::Duration;

use abmatic_sync_core::clock::Clock;
use abmatic_sync_core::error::{Error, ErrorCode, Result};
use abmatic_sync_core::model::connection::Connection;
use abmatic_sync_core::model::quota::Quota;
use abmatic_sync_http::budget::Budget;
use abmatic_sync_http::client::{Answer, Call, Client};
use abmatic_sync_http::host::Hosts;
use abmatic_sync_http::known::{Known, account};
use abmatic_sync_http::retry::Resend;
use abmatic_sync_http::transport::is_loopback;
use bytes::Bytes;
use flate2::Compression as Level;
use flate2::write::GzEncoder;
use http::header::{ACCEPT, CONTENT_ENCODING, CONTENT_TYPE};
use http::{HeaderName, HeaderValue, Method};
use serde::Serialize;
use url::Url;

use crate::describe::Described;
use crate::object::Object;
use crate::paths::ApiVersion;
use crate::usage::told;

/// Names us in change events, so that an echo can be told ("Call Options Header").
const CALL_OPTIONS: (HeaderName, HeaderValue) =
    (HeaderName::from_static("sforce-call-options"), HeaderValue::from_static("client=abmatic-sync"));
/// Without it assignment rules run and change the owner ("Assignment Rule Header": the default is TRUE).
const NO_ASSIGNMENT: (HeaderName, HeaderValue) =
    (HeaderName::from_static("sforce-auto-assign"), HeaderValue::from_static("FALSE"));
/// Salesforce's own domains ("Allow the Required Domains"; My Domain hosts all end in the first). Sites that customers
/// control are elsewhere: `my.site.com`, and communities under `force.com`.
pub(crate) const HOSTS: Hosts = Hosts::of(
    "Salesforce",
    &["salesforce.com", "cloudforce.com", "database.com", "salesforce.mil", "sfcrmapps.cn", "sfcrmproducts.cn"],
);
const CSV: HeaderValue = HeaderValue::from_static("text/csv");
/// Shorter bodies are sent as they are.
const GZIP_BYTES_MIN: usize = 4_096;

/// Whether request bodies are sent compressed. Answers always may come so.
#[non_exhaustive]
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Compression {
    /// [`Compression::Gzip`], but [`Compression::Off`] where the instance URL is this machine.
    #[default]
    Automatic,
    /// Larger JSON bodies are sent as gzip ("REST API: Use Compression").
    Gzip,
    /// None is.
    Off,
}

/// What a connector is told beyond its client.
#[derive(Clone, Debug)]
pub(crate) struct Options {
    pub(crate) version: ApiVersion,
    pub(crate) compression: Compression,
    pub(crate) hosts: Hosts,
    /// Named external id fields, by object.
    pub(crate) external_ids: BTreeMap<Object, String>,
    pub(crate) bulk_read_min: u64,
    pub(crate) bulk_page: usize,
    pub(crate) bulk_write_min: usize,
    pub(crate) bulk_write_max: usize,
    /// How many updates of one write go with a condition each.
    pub(crate) conditional_max: usize,
    /// How long a create that was cut off may still be at work.
    pub(crate) settle: Duration,
}

/// The window rolls, and only an answer shows how far: after so long one call may look again.
const LOOK_AGAIN: Duration = Duration::from_secs(900);

/// Speaks to Salesforce for any number of connections.
#[derive(Debug)]
pub(crate) struct Api {
    client: Client,
    pub(crate) options: Options,
    budget: Budget,
    /// The definitions of an object.
    pub(crate) described: Known<Object, Described>,
}

impl Api {
    pub(crate) fn new(client: Client, options: Options, budget_percent: u8) -> Self {
        Self { client, options, budget: Budget::new("calls", budget_percent, LOOK_AGAIN), described: Known::default() }
    }

    pub(crate) fn version(&self) -> ApiVersion {
        self.options.version
    }

    /// What is known to be left of the day.
    pub(crate) fn quota(&self, on: &Connection) -> Option<Quota> {
        self.budget.quota(&account(on))
    }

    pub(crate) fn clock(&self) -> &dyn Clock {
        self.client.clock().as_ref()
    }

    /// Reads a path, which may carry a query of Salesforce's own.
    pub(crate) async fn get(
        &self,
        on: &Connection,
        operation: impl Into<Cow<'static, str>>,
        path: &str,
        query: &[(&str, &str)],
    ) -> Result<Answer> {
        let mut url = self.address(on, path)?;
        set_query(&mut url, query);
        self.send(on, Call::get(operation, url), Resend::Read).await
    }

    /// Runs a query; with `all`, over the recycle bin too.
    pub(crate) async fn query(
        &self,
        on: &Connection,
        operation: impl Into<Cow<'static, str>>,
        soql: &str,
        all: bool,
    ) -> Result<Answer> {
        let path = if all { self.version().query_all() } else { self.version().query() };
        self.get(on, operation, &path, &[("q", soql)]).await
    }

    /// Sends JSON, to read or to write: `resend` says which.
    pub(crate) async fn send_json(
        &self,
        on: &Connection,
        operation: impl Into<Cow<'static, str>>,
        to: (Method, &str),
        body: &(impl Serialize + Sync + ?Sized),
        resend: Resend,
    ) -> Result<Answer> {
        let (method, path) = to;
        let mut call = Call::new(operation, method, self.address(on, path)?).with_json(body)?;
        if self.compresses(on) && call.body().len() >= GZIP_BYTES_MIN {
            let packed = gzip(call.body())?;
            call = call
                .with_body(HeaderValue::from_static("application/json"), packed)
                .with_header(CONTENT_ENCODING, HeaderValue::from_static("gzip"));
        }
        let (name, value) = NO_ASSIGNMENT;
        self.send(on, call.with_header(name, value), resend).await
    }

    /// Deletes.
    pub(crate) async fn delete(
        &self,
        on: &Connection,
        operation: impl Into<Cow<'static, str>>,
        path: &str,
        query: &[(&str, &str)],
    ) -> Result<Answer> {
        let mut url = self.address(on, path)?;
        set_query(&mut url, query);
        self.send(on, Call::new(operation, Method::DELETE, url), Resend::Safe).await
    }

    /// Uploads the CSV of a job.
    pub(crate) async fn put_csv(
        &self,
        on: &Connection,
        operation: impl Into<Cow<'static, str>>,
        path: &str,
        csv: Vec<u8>,
    ) -> Result<Answer> {
        let call = Call::new(operation, Method::PUT, self.address(on, path)?).with_body(CSV, csv.into());
        self.send(on, call, Resend::Safe).await
    }

    /// Reads a job's CSV.
    pub(crate) async fn get_csv(
        &self,
        on: &Connection,
        operation: impl Into<Cow<'static, str>>,
        path: &str,
        query: &[(&str, &str)],
    ) -> Result<Answer> {
        let mut url = self.address(on, path)?;
        set_query(&mut url, query);
        // Nothing is sent, yet some gateways want to know what.
        let call = Call::get(operation, url).with_header(ACCEPT, CSV).with_header(CONTENT_TYPE, CSV);
        self.send(on, call, Resend::Read).await
    }

    async fn send(&self, on: &Connection, call: Call, resend: Resend) -> Result<Answer> {
        let account = account(on);
        self.budget.take(&account, 1, self.clock().now())?;
        let (name, value) = CALL_OPTIONS;
        let answer = self.client.send(on, call.with_header(name, value), resend).await?;
        if let Some(quota) = told(answer.headers(), self.clock().now()) {
            self.budget.observe(&account, quota);
        }
        Ok(answer)
    }

    fn address(&self, on: &Connection, path: &str) -> Result<Url> {
        let Some(base) = &on.base_url else {
            let message = "the connection needs the org's instance URL as its base URL, such as \
                           https://example.my.salesforce.com: the token answer names it";
            return Err(Error::invalid(ErrorCode::InvalidSettings, message));
        };
        self.options.hosts.address(base, path)
    }

    fn compresses(&self, on: &Connection) -> bool {
        match self.options.compression {
            Compression::Automatic => !on.base_url.as_ref().and_then(Url::host_str).is_some_and(is_loopback),
            Compression::Gzip => true,
            Compression::Off => false,
        }
    }
}

fn set_query(url: &mut Url, query: &[(&str, &str)]) {
    if !query.is_empty() {
        url.query_pairs_mut().extend_pairs(query);
    }
}

fn gzip(body: &Bytes) -> Result<Bytes> {
    let failed = |error: std::io::Error| {
        Error::invalid(ErrorCode::InvalidRequest, "the request cannot be compressed").caused_by(error)
    };
    let mut packed = GzEncoder::new(Vec::with_capacity(body.len() / 4), Level::fast());
    packed.write_all(body).map_err(failed)?;
    packed.finish().map(Bytes::from).map_err(failed)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tokens_go_to_salesforce_only() {
        for (base, good) in [
            ("https://acme.my.salesforce.com", true),
            ("https://acme--dev.sandbox.my.salesforce.com/", true),
            ("https://na15.salesforce.com", true),
            ("https://evilsalesforce.com", false),
            ("https://acme.my.site.com", false),
            ("https://acme.force.com", false),
        ] {
            assert_eq!(HOSTS.check(&base.parse().unwrap()).is_ok(), good, "{base}");
        }
    }
}
