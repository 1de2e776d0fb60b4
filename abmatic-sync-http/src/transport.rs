//! The one seam to the network: a request goes out, a whole answer comes back, or an error that says what it proves.

use std::error::Error as StdError;
use std::fmt;
use std::net::IpAddr;
use std::sync::OnceLock;
use std::time::Duration;

use async_trait::async_trait;
use bytes::{Bytes, BytesMut};
use http::{Request, Response, Uri};
use reqwest::redirect::Policy;

/// Carries requests. Production has [`ReqwestTransport`]; tests put a fake's function behind it.
#[async_trait]
pub trait Transport: fmt::Debug + Send + Sync + 'static {
    /// Sends `request` once and reads the whole answer, whatever its status.
    async fn send(&self, request: Request<Bytes>) -> Result<Response<Bytes>, TransportError>;
}

/// What a failed exchange proves about the other side.
#[expect(clippy::exhaustive_enums, reason = "a request reached the other side or it did not")]
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Proof {
    /// The request may have arrived and been acted on: cut off, timed out, or an answer that could not be read.
    MayHaveActed,
    /// No connection came about, so nothing was sent.
    NeverSent,
}

/// A failed exchange. Its text holds no header, no body and no query.
#[derive(Debug, thiserror::Error)]
#[error("{message}")]
pub struct TransportError {
    proof: Proof,
    message: String,
    source: Option<Box<dyn StdError + Send + Sync>>,
}

impl TransportError {
    /// A failure that proves that nothing was sent.
    pub fn never_sent(message: impl Into<String>) -> Self {
        Self { proof: Proof::NeverSent, message: message.into(), source: None }
    }

    /// A failure after which nobody knows whether the other side acted.
    pub fn cut_off(message: impl Into<String>) -> Self {
        Self { proof: Proof::MayHaveActed, message: message.into(), source: None }
    }

    /// Adds the error underneath.
    #[must_use]
    pub fn caused_by(mut self, source: impl Into<Box<dyn StdError + Send + Sync>>) -> Self {
        self.source = Some(source.into());
        self
    }

    /// What it proves.
    pub fn proof(&self) -> Proof {
        self.proof
    }
}

/// Limits of an exchange.
#[non_exhaustive]
#[derive(Clone, Debug)]
pub struct TransportOptions {
    /// Longest time until a connection stands.
    pub connect_timeout: Duration,
    /// Longest time for a whole exchange.
    pub timeout: Duration,
    /// Largest answer, in bytes after decompression.
    pub answer_bytes_max: usize,
    /// What the client calls itself.
    pub user_agent: String,
}

impl Default for TransportOptions {
    /// 10 s to connect, 60 s in all, 64 MiB.
    fn default() -> Self {
        Self {
            connect_timeout: Duration::from_secs(10),
            timeout: Duration::from_secs(60),
            answer_bytes_max: 64 * 1024 * 1024,
            user_agent: concat!("abmatic-sync/", env!("CARGO_PKG_VERSION")).to_owned(),
        }
    }
}

/// The transport of production: reqwest on rustls, no redirects, HTTPS only except to this machine.
///
/// Clients are built at first use and kept, so that connections are reused. Share one transport between connectors.
#[derive(Debug, Default)]
pub struct ReqwestTransport {
    options: TransportOptions,
    /// Reads the system's certificates, which fails on a machine that has none.
    secure: OnceLock<reqwest::Client>,
    /// For fakes and tests on this machine: needs no certificates.
    loopback: OnceLock<reqwest::Client>,
}

impl ReqwestTransport {
    /// A transport with those limits.
    pub fn new(options: TransportOptions) -> Self {
        Self { options, secure: OnceLock::new(), loopback: OnceLock::new() }
    }

    fn client(&self, uri: &Uri) -> Result<&reqwest::Client, TransportError> {
        let near = uri.host().is_some_and(is_loopback);
        let slot = if near { &self.loopback } else { &self.secure };
        if let Some(client) = slot.get() {
            return Ok(client);
        }
        let built = self.build(near).map_err(|error| {
            TransportError::never_sent(
                "the HTTPS client could not be built: are the system's ca-certificates installed?",
            )
            .caused_by(error)
        })?;
        Ok(slot.get_or_init(|| built))
    }

    fn build(&self, near: bool) -> reqwest::Result<reqwest::Client> {
        let builder = reqwest::Client::builder()
            .redirect(Policy::none())
            .connect_timeout(self.options.connect_timeout)
            .timeout(self.options.timeout)
            .user_agent(&self.options.user_agent)
            .https_only(!near);
        if near { builder.tls_certs_only([]).no_proxy().build() } else { builder.build() }
    }

    async fn read_body(&self, mut answer: reqwest::Response) -> Result<Bytes, TransportError> {
        let Some(first) = answer.chunk().await.map_err(failed)? else { return Ok(Bytes::new()) };
        let Some(second) = answer.chunk().await.map_err(failed)? else { return self.capped(first) };
        let mut body = BytesMut::with_capacity(2 * (first.len() + second.len()));
        body.extend_from_slice(&first);
        body.extend_from_slice(&second);
        while let Some(chunk) = answer.chunk().await.map_err(failed)? {
            if body.len() + chunk.len() > self.options.answer_bytes_max {
                return Err(self.too_large());
            }
            body.extend_from_slice(&chunk);
        }
        self.capped(body.freeze())
    }

    fn capped(&self, body: Bytes) -> Result<Bytes, TransportError> {
        if body.len() > self.options.answer_bytes_max { Err(self.too_large()) } else { Ok(body) }
    }

    fn too_large(&self) -> TransportError {
        TransportError::cut_off(format!("the answer is larger than {} bytes", self.options.answer_bytes_max))
    }
}

#[async_trait]
impl Transport for ReqwestTransport {
    async fn send(&self, request: Request<Bytes>) -> Result<Response<Bytes>, TransportError> {
        let client = self.client(request.uri())?;
        let request = reqwest::Request::try_from(request).map_err(failed)?;
        let answer = client.execute(request).await.map_err(failed)?;
        let (status, headers) = (answer.status(), answer.headers().clone());
        let mut response = Response::new(self.read_body(answer).await?);
        *response.status_mut() = status;
        *response.headers_mut() = headers;
        Ok(response)
    }
}

/// Sorts reqwest's errors by what they prove.
fn failed(error: reqwest::Error) -> TransportError {
    let error = error.without_url();
    if error.is_builder() {
        return TransportError::never_sent("the request is not allowed: plain HTTP goes to this machine only")
            .caused_by(error);
    }
    if error.is_connect() {
        return TransportError::never_sent("no connection to the server").caused_by(error);
    }
    let message = if error.is_timeout() { "no answer in time" } else { "the connection was cut off" };
    TransportError::cut_off(message).caused_by(error)
}

/// Whether `host` is this machine: `localhost`, 127.0.0.0/8 or `::1`.
pub fn is_loopback(host: &str) -> bool {
    let bare = host.trim_start_matches('[').trim_end_matches(']');
    bare.eq_ignore_ascii_case("localhost") || bare.parse::<IpAddr>().is_ok_and(|address| address.is_loopback())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn loopback_is_this_machine_only() {
        for host in ["localhost", "127.0.0.1", "127.9.9.9", "[::1]", "::1"] {
            assert!(is_loopback(host), "{host}");
        }
        for host in ["api.hubapi.com", "127.0.0.1.example.com", "10.0.0.1", ""] {
            assert!(!is_loopback(host), "{host}");
        }
    }

    #[tokio::test]
    async fn a_refused_connection_proves_that_nothing_was_sent() {
        let transport = ReqwestTransport::default();
        let request = Request::get("http://127.0.0.1:1/").body(Bytes::new()).unwrap();
        assert_eq!(transport.send(request).await.unwrap_err().proof(), Proof::NeverSent);
    }
}
